//! `POST /add-checkpoint` over HTTP/1.1: bounded in size, time and number of connections; one request after the other signs.

use std::convert::Infallible;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::rules::{Answer, Outcome, Witness};

/// A checkpoint with a hundred signatures and the longest proof take a tenth of it.
const MAX_BODY: usize = 256 * 1024;
/// More wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

/// What every request needs.
pub(crate) struct Service {
    witness: Mutex<Witness>,
    clock: fn() -> u64,
    /// How long the head of a request may take, and then its body; and how long a connection may idle.
    patience: Duration,
}

impl Service {
    pub(crate) const fn new(witness: Witness, clock: fn() -> u64, patience: Duration) -> Self {
        Self { witness: Mutex::new(witness), clock, patience }
    }
}

/// Serves until `stop`; then finishes what was begun, as long as a request may take.
pub(crate) async fn serve(service: Arc<Service>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(service.patience);
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = stream else {
            // Out of descriptors, most likely: some come free.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = Arc::clone(&service);
        let answered = service_fn(move |request| answer(Arc::clone(&service), request));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), answered));
        tokio::spawn(async move {
            // A connection that breaks is its client's business.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(service.patience, graceful.shutdown()).await;
}

async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != "/add-checkpoint" {
        return Ok(said(StatusCode::NOT_FOUND, "a witness answers POST /add-checkpoint and nothing else\n"));
    }
    if request.method() != Method::POST {
        let mut response = said(StatusCode::METHOD_NOT_ALLOWED, "post a checkpoint here\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Ok(response);
    }
    let body = match tokio::time::timeout(service.patience, Limited::new(request, MAX_BODY).collect()).await {
        Err(_) => return Ok(said(StatusCode::REQUEST_TIMEOUT, "the request took too long to arrive\n")),
        Ok(Err(e)) if e.is::<LengthLimitError>() => {
            return Ok(said(StatusCode::PAYLOAD_TOO_LARGE, "no checkpoint is that long\n"));
        }
        Ok(Err(_)) => return Ok(said(StatusCode::BAD_REQUEST, "the request broke off\n")),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let Ok(body) = String::from_utf8(body.into()) else {
        return Ok(said(StatusCode::BAD_REQUEST, "the request isn't UTF-8\n"));
    };
    // Signing waits for the disk. It goes on should the client leave meanwhile, and holds the witness all the while: of two
    // requests at once the second is judged by what the first left.
    let signed = tokio::task::spawn_blocking(move || {
        let now = (service.clock)();
        let mut witness = service.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = witness.add_checkpoint(&body, now);
        drop(witness);
        note(&answer);
        answer
    });
    Ok(match signed.await {
        Ok(Ok(Answer { outcome, .. })) => {
            let status = StatusCode::from_u16(outcome.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response(status, outcome.media_type(), outcome.body())
        }
        _ => said(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the witness cannot keep what it would sign, and signed nothing; its keeper knows more\n",
        ),
    })
}

/// One line for the witness's keeper. What others wrote is shown escaped.
fn note(answer: &Result<Answer, crate::Error>) {
    let mut to = std::io::stderr().lock();
    // Nobody may be listening.
    let _ = match answer {
        Ok(Answer { outcome, about: Some((origin, size)) }) => {
            let what = match outcome {
                Outcome::Cosigned(_) => "cosigned",
                Outcome::Stale(_) => "refused (409, another size was signed last)",
                Outcome::OtherRoot(_) => "REFUSED (409, this size was signed with another root: a fork)",
                Outcome::BadProof => "REFUSED (422, not shown to continue what was signed)",
                Outcome::Unsigned => "refused (403, not signed by a key of the log)",
                Outcome::UnknownLog => "refused (404, not watched)",
                Outcome::BadRequest(_) => "refused (400, malformed)",
            };
            writeln!(to, "{what}: {origin:?} with {size} entries")
        }
        Ok(Answer { .. }) => writeln!(to, "refused (400, malformed)"),
        Err(error) => writeln!(to, "error, nothing signed: {error}"),
    };
}

fn said(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", text.to_owned())
}

fn response(status: StatusCode, media_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
