//! The socket: HTTP/1.1, bounded in connections and in the time that a request may take to arrive.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::respond::{Front, Peer};

/// More wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
/// How long the head of a request may take, and how long a connection may idle.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long what was begun may go on once it is time to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop`; then finishes what was begun.
pub async fn serve(front: Front, listener: TcpListener, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
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
        let Ok((stream, peer)) = stream else {
            // Out of descriptors, most likely: some come free.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let front = front.clone();
        let answered = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let front = front.clone();
            async move {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(Peer(peer.ip()));
                Ok::<_, Infallible>(front.answer(request).await)
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), answered));
        tokio::spawn(async move {
            // A connection that breaks is its client's business.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    // Who does not read what was answered is not waited for.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}
