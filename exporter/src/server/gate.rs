//! What a request has to pass before it is answered.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::debt::{Owed, OwedBody};
use super::route::{self, Answer, Body};
use crate::failures::Reason;
use crate::web_config::Verdict;

/// Answers one request, or says why not.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    owed: Owed,
) -> Result<Response<OwedBody<Body>>, Infallible> {
    let verdict = match shared.web_config() {
        Some(config) => config.judge(request.headers()).await,
        None => Verdict::Answer(HeaderMap::new()),
    };
    let mut scrape = None;
    let answer = match verdict {
        Verdict::Broken => refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The web configuration cannot be used; the exporter's log says why.\n",
        ),
        Verdict::TooMany => refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests.\n"),
        Verdict::Unauthorized(added) => {
            let mut answer = refused(StatusCode::UNAUTHORIZED, "Unauthorized.\n");
            let challenge = HeaderValue::from_static("Basic");
            answer
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
            with(answer, added)
        }
        Verdict::Answer(added) => {
            let answer = match scrape_permit(&shared, &request) {
                Ok(permit) => {
                    scrape = permit;
                    route::respond(shared, request).await
                }
                Err(limit) => {
                    shared.failures.count(Reason::Busy);
                    let text = format!(
                        "{limit} scrapes are being answered, and no more are allowed at once.\n"
                    );
                    refused(StatusCode::SERVICE_UNAVAILABLE, &text)
                }
            };
            with(answer, added)
        }
    };
    Ok(answer.map(|body| OwedBody {
        body,
        lasting: Arc::new((owed, scrape)),
    }))
}

/// A place among the scrapes that are answered at once, where they are counted.
fn scrape_permit(
    shared: &Shared,
    request: &Request<Incoming>,
) -> Result<Option<OwnedSemaphorePermit>, usize> {
    let Some((limit, permits)) = &shared.scrapes else {
        return Ok(None);
    };
    if request.uri().path() != shared.telemetry_path {
        return Ok(None);
    }
    permits
        .clone()
        .try_acquire_owned()
        .map(Some)
        .map_err(|_| *limit)
}

fn refused(status: StatusCode, text: &str) -> Answer {
    route::answer(status, route::PLAIN, text.to_owned())
}

fn with(mut answer: Answer, added: HeaderMap) -> Answer {
    answer.headers_mut().extend(added);
    answer
}
