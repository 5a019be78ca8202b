//! What each path answers.

use std::sync::Arc;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};

use super::Shared;
use crate::negotiate;
use crate::ui::{self, Question};

/// An answer, whole or made while it is sent; an error in its body ends the connection.
pub(super) type Answer = Response<Body>;
pub(super) type Body = UnsyncBoxBody<Bytes, BodyError>;
pub(super) type BodyError = Box<dyn std::error::Error + Send + Sync>;

pub(super) const PLAIN: &str = "text/plain; charset=utf-8";

/// Answers one request. hyper leaves the body away where the method is HEAD.
pub(super) async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path();
    let known = path == shared.telemetry_path
        || ["/-/healthy", "/-/ready"].contains(&path)
        || ui::PATHS.contains(&path);
    if !known {
        let text = format!("Nothing here. Metrics are at {}.\n", shared.telemetry_path);
        answer(StatusCode::NOT_FOUND, PLAIN, text)
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = answer(
            StatusCode::METHOD_NOT_ALLOWED,
            PLAIN,
            "Only GET and HEAD.\n",
        );
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(header::ALLOW, allowed);
        refused
    } else if path == shared.telemetry_path {
        metrics(shared, request.headers()).await
    } else if path == "/-/healthy" {
        answer(StatusCode::OK, PLAIN, "Tallyboard is healthy.\n")
    } else if path == "/-/ready" {
        ready(shared).await
    } else {
        look(shared, request.uri().clone()).await
    }
}

async fn metrics(shared: Arc<Shared>, headers: &HeaderMap) -> Answer {
    let agreed = negotiate::style(&joined(headers, header::ACCEPT));
    let gzip = negotiate::gzip(&joined(headers, header::ACCEPT_ENCODING));
    let scraped = blocking(move || {
        let mut text = shared.bodies.take();
        shared.scraper().scrape(agreed.style, &mut text.bytes);
        if gzip { text.gzip() } else { Ok(text) }
    });
    let Some(Ok(body)) = scraped.await else {
        return failed();
    };
    let mut answer = answer(StatusCode::OK, &agreed.content_type(), body.into_bytes());
    let headers = answer.headers_mut();
    let vary = HeaderValue::from_static("Accept, Accept-Encoding");
    headers.insert(header::VARY, vary);
    if gzip {
        let encoding = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, encoding);
    }
    answer
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
