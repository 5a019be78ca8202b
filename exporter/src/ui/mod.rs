//! The page at `/`, and what it asks the exporter for.
//!
//! The page is one document without a request to anywhere else; it asks the exporter it came from,
//! once a second while somebody looks at it, and computes rates from one answer to the next. What
//! it asks for is JSON, made for this page: it may change with every version.
//!
//! `GET /api/board?board=LABEL&search=WORDS&sort=name|series&limit=N`: one board (without
//! `board` the first that is mapped), and of its families those whose names and help have every
//! word, at most `limit` of them (100 unless told, 500 at most):
//!
//! ```json
//! {
//!   "version": "0.1.0", "now_unix_millis": 0,
//!   "boards": [{"label": "…", "location": "…", "mapped": true, "problem": null}],
//!   "board": {
//!     "label": "…", "location": "…", "created_unix_millis": 0, "id": "…",
//!     "fullness": {"slots": 0, "slots_used": 0, …},
//!     "refused": [{"reason": "board_full", "count": 1, "advice": "…"}],
//!     "processes": {"total": 0, "alive": 0, "shown": [
//!       {"row": 0, "pid": "1", "name": "…", "alive": true, "since_unix_millis": 0, "gauges": 0, "version": "0.1.0"}
//!     ]},
//!     "families": {"total": 0, "matched": 0, "shown": [ … ]}
//!   }
//! }
//! ```
//!
//! `board` is null while none is mapped, or if there is none of that label. A family has
//! `name`, `type`, `aggregation`, `help`, `unit`, `labels`, `id`, the number of its `series`, of
//! `hidden_series` and of `overflows`, a histogram its `bounds` (and if it is native, `native`: the
//! `schema`, the place of the `zero` bucket and the index of the `first` above it), a state set its
//! `states`. Besides, what its series come to together, unless they are too many to be added up
//! once a second: a counter's `value`, a gauge's `low` and `high`, a summary's `count` and `sum`, a
//! histogram's `buckets` (one more than bounds, not cumulative), `count` and `sum`, how many series
//! are in each state as `held`, and what infos say as
//! `"said": [{"name": "…", "total": 1, "values": [{"value": "…", "series": 1}]}]`.
//!
//! `GET /api/family?board=LABEL&name=NAME&search=WORDS&limit=N`: one family as above, and its
//! series as `"matched": 0, "shown": [{"id": "…", "labels": ["…"], "created_unix_millis": 0, …}]`,
//! those with the greatest values first; 50 unless told, 500 at most. An info's has `info`, its
//! pairs. A gauge's that has a value for each process has `processes`,
//! `[{"pid": "…", "value": 0}]`, 100 at most, and how many there are as `processes_total`.
//!
//! Times are in milliseconds. Numbers that JSON does not know are the strings "NaN", "+Inf" and
//! "-Inf". 400 says what is wrong with a question, 404 that there is no such family.

mod board;
mod family;
mod page;
mod processes;
mod question;
mod reading;

use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use serde_json::Value;

pub(crate) use page::page;
pub(crate) use question::Question;

/// The paths that are answered here.
pub(crate) const PATHS: [&str; 3] = ["/", BOARD_PATH, FAMILY_PATH];

const BOARD_PATH: &str = "/api/board";
const FAMILY_PATH: &str = "/api/family";

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

/// An answer for whoever speaks HTTP.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    /// Besides the content type.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = vec![
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
        ];
        Self {
            status,
            content_type,
            headers,
            body,
        }
    }

    fn json(value: &Value) -> Self {
        Self::new(StatusCode::OK, JSON, value.to_string().into_bytes())
    }

    /// What is wrong with a question, for people.
    pub(crate) fn refusal(status: StatusCode, reason: &str) -> Self {
        Self::new(status, PLAIN, format!("{reason}\n").into_bytes())
    }
}
