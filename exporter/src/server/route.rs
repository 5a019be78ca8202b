//! What each path answers.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tokio::time::Instant;

use super::Shared;
use super::body::{NotMade, Order, Scrape, Stream};
use crate::encode::{Format, Selection, Style};
use crate::failures::Reason;
use crate::negotiate;
use crate::ui::{self, Question};

/// An answer, whole or made while it is sent; an error in its body ends the connection.
pub(super) type Answer = Response<Body>;
pub(super) type Body = UnsyncBoxBody<Bytes, BodyError>;
pub(super) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A day: nobody waits longer for a scrape.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(86_400);

pub(super) const PLAIN: &str = "text/plain; charset=utf-8";

/// What is at a path.
enum Place {
    Metrics,
    Healthy,
    Ready,
    Page,
}

impl Place {
    fn at(path: &str, telemetry_path: &str) -> Option<Self> {
        match path {
            _ if path == telemetry_path => Some(Self::Metrics),
            "/-/healthy" => Some(Self::Healthy),
            "/-/ready" => Some(Self::Ready),
            _ => ui::PATHS.contains(&path).then_some(Self::Page),
        }
    }
}

/// Answers one request. hyper leaves the body away where the method is HEAD.
pub(super) async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let Some(place) = Place::at(request.uri().path(), &shared.telemetry_path) else {
        let text = format!("Nothing here. Metrics are at {}.\n", shared.telemetry_path);
        return answer(StatusCode::NOT_FOUND, PLAIN, text);
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let mut refused = answer(status, PLAIN, "Only GET and HEAD.\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(header::ALLOW, allowed);
        return refused;
    }
    match place {
        Place::Metrics => metrics(shared, &request).await,
        Place::Healthy => answer(StatusCode::OK, PLAIN, "Tallyboard is healthy.\n"),
        Place::Ready => ready(shared).await,
        Place::Page => look(shared, request.uri().clone()).await,
    }
}

/// One scrape, as its request's headers and query want it.
async fn metrics(shared: Arc<Shared>, request: &Request<Incoming>) -> Answer {
    let headers = request.headers();
    let query = Query::of(request.uri().query().unwrap_or(""));
    let agreed = negotiate::style(&joined(headers, header::ACCEPT));
    let gzip = negotiate::gzip(&joined(headers, header::ACCEPT_ENCODING));
    let mut answer = match *request.method() {
        Method::HEAD => Response::new(NotMade.boxed_unsync()),
        _ => {
            let order = Order {
                style: Style {
                    // Elsewhere it means nothing, and would only be one more style.
                    created: query.created && agreed.style.format == Format::OpenMetrics,
                    ..agreed.style
                },
                selection: Arc::new(query.selection),
                gzip,
            };
            let until = timeout(headers).map(|timeout| Instant::now() + timeout);
            match scrape(shared, order, until).await {
                Ok(body) => Response::new(body),
                Err(refused) => return *refused,
            }
        }
    };
    let headers = answer.headers_mut();
    if let Ok(content_type) = HeaderValue::from_str(&agreed.content_type()) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    let vary = HeaderValue::from_static("Accept, Accept-Encoding");
    headers.insert(header::VARY, vary);
    if gzip {
        let encoding = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, encoding);
    }
    answer
}

/// The body of a scrape, whole if it is a single piece.
async fn scrape(
    shared: Arc<Shared>,
    order: Order,
    until: Option<Instant>,
) -> Result<Body, Box<Answer>> {
    let begun = async {
        let _turn = shared.turns.acquire().await.ok()?;
        let shared = shared.clone();
        blocking(move || Scrape::begin(shared, order)).await
    };
    let refused = |reason, answer| {
        shared.failures.count(reason);
        Err(Box::new(answer))
    };
    let begun = match until {
        None => begun.await,
        Some(until) => match tokio::time::timeout_at(until, begun).await {
            Ok(begun) => begun,
            Err(_) => return refused(Reason::Late, too_late()),
        },
    };
    match begun {
        Some(Ok((scrape, whole))) if scrape.is_done() => {
            let whole = Full::new(whole).map_err(|never| match never {});
            Ok(whole.boxed_unsync())
        }
        Some(Ok((scrape, first))) => Ok(Stream::new(scrape, first, until).boxed_unsync()),
        Some(Err(error)) => {
            tracing::error!("{error}");
            refused(Reason::Broken, failed())
        }
        None => refused(Reason::Broken, failed()),
    }
}

/// How long the client waits, which Prometheus says.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("x-prometheus-scrape-timeout-seconds")?;
    let seconds = seconds.to_str().ok()?.trim().parse().ok()?;
    let timeout = Duration::try_from_secs_f64(seconds).ok()?;
    // One that never passes is none.
    (!timeout.is_zero() && timeout < LONGEST_TIMEOUT).then_some(timeout)
}

/// What a query says: `name[]=…` for each family that is wanted, and `created=true` for
/// `_created` lines in OpenMetrics.
struct Query {
    selection: Selection,
    created: bool,
}

impl Query {
    fn of(query: &str) -> Self {
        let mut names = Vec::new();
        let mut created = false;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "name[]" => names.push(value.into_owned()),
                "created" => created = matches!(&*value, "true" | "1"),
                _ => {}
            }
        }
        Self {
            selection: Selection::new(names),
            created,
        }
    }
}

async fn ready(shared: Arc<Shared>) -> Answer {
    match blocking(move || shared.scraper().follow().is_ready()).await {
        Some(true) => answer(StatusCode::OK, PLAIN, "Tallyboard is ready.\n"),
        Some(false) => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            PLAIN,
            "No board is mapped yet.\n",
        ),
        None => failed(),
    }
}

/// The page at `/`, and what it asks for.
async fn look(shared: Arc<Shared>, uri: Uri) -> Answer {
    let turns = shared.clone();
    let Ok(_turn) = turns.looks.acquire().await else {
        return failed();
    };
    let replied = blocking(move || {
        if uri.path() == "/" {
            return ui::page(&shared.telemetry_path);
        }
        match Question::parse(uri.path(), uri.query()) {
            Ok(question) => shared.scraper().show(|boards| question.answer(boards)),
            Err(problem) => ui::Reply::refusal(StatusCode::BAD_REQUEST, &problem),
        }
    });
    let Some(reply) = replied.await else {
        return failed();
    };
    let mut answer = answer(reply.status, reply.content_type, reply.body);
    answer.headers_mut().extend(reply.headers);
    answer
}

/// Runs `work` where it may take its time; `None` if it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.inspect_err(|error| tracing::error!("{error}")).ok()
}

fn too_late() -> Answer {
    answer(
        StatusCode::SERVICE_UNAVAILABLE,
        PLAIN,
        "The scrape did not begin before X-Prometheus-Scrape-Timeout-Seconds were over: the machine is too busy, or the timeout too short.\n",
    )
}

fn failed() -> Answer {
    answer(
        StatusCode::INTERNAL_SERVER_ERROR,
        PLAIN,
        "The exporter failed; its log says why.\n",
    )
}

pub(super) fn answer(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let whole = Full::new(body.into()).map_err(|never| match never {});
    let mut answer = Response::new(whole.boxed_unsync());
    *answer.status_mut() = status;
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    answer
}

/// A list header that came in several lines means the same as one line with commas.
fn joined(headers: &HeaderMap, name: HeaderName) -> String {
    let lines = headers.get_all(name).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    lines.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_static(text);
            headers.insert("X-Prometheus-Scrape-Timeout-Seconds", value);
            timeout(&headers)
        };
        assert_eq!(of("10"), Some(Duration::from_secs(10)));
        assert_eq!(of("0.25"), Some(Duration::from_millis(250)));
        for text in ["", "0", "-1", "NaN", "inf", "1e300", "soon"] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(timeout(&HeaderMap::new()), None);
    }

    #[test]
    fn a_query_names_families_and_asks_for_creation_times() {
        let query = Query::of("name[]=a_total&name%5B%5D=b%20c&created=true&x=1");
        assert!(query.created && !query.selection.is_all());
        assert!(query.selection.wants_own("b c") && !query.selection.wants_own("x"));
        let query = Query::of("");
        assert!(!query.created && query.selection.is_all());
    }
}
