//! The accept loop: from a listening socket to the routes and back.
//!
//! HTTP/1 only, in plain text: TLS and HTTP/2 are the reverse proxy's. Every
//! wait has an end. A connection that sends nothing, half a head or half a
//! body, or that does not read its answer, is closed; a handler that takes too
//! long or panics answers a problem, and the service lives on. Beyond
//! `connections_max` nothing is accepted until a place is free, and of those
//! requests that change something `changes_at_once_max` have their turn.
//!
//! A request whose client goes away or whose deadline passes is dropped at its
//! next await: use cases commit once, so nothing is left half done.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::client::TrustedProxies;
use super::meters::RequestMeters;

mod answer;
mod deadline;
mod guarded;
mod turns;

pub use deadline::Deadline;
pub use guarded::Stalled;

/// How long to look away when the system has no descriptor left for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long to listen to a client that still sends after our last word.
/// Closing at once would reset the connection, and the client would lose an
/// answer that it has not read yet.
const LINGER: Duration = Duration::from_secs(1);
/// What hyper may buffer for a connection in each direction.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AcceptLimits {
    pub connections_max: usize,
    /// From the first byte of a head, or from the end of the last answer, to
    /// the head's end: idle connections are closed after it.
    pub header_timeout_ms: u64,
    /// Between two pieces of a body.
    pub body_idle_timeout_ms: u64,
    /// From the head's end to the beginning of the answer, unless the route
    /// extends it.
    pub request_timeout_ms: u64,
    /// Requests that change something and are worked on; not those of which more
    /// of the body has yet to come.
    pub changes_at_once_max: usize,
    /// For one of these places.
    pub turn_wait_ms: u64,
    /// How long a client may leave our bytes unread.
    pub write_idle_timeout_ms: u64,
    /// What requests under way get when the service stops.
    pub drain_deadline_ms: u64,
    pub headers_bytes_max: usize,
    pub headers_max: usize,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_timeout_ms: 10_000,
            body_idle_timeout_ms: 10_000,
            request_timeout_ms: 30_000,
            // Many times what one commit to disk takes with it.
            changes_at_once_max: 512,
            turn_wait_ms: 3_000,
            write_idle_timeout_ms: 30_000,
            drain_deadline_ms: 25_000,
            headers_bytes_max: 16 * 1024,
            headers_max: 64,
        }
    }
}

/// Where request ids come from.
pub type RequestIds = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// A tree of routes behind the accept loop.
pub struct Server {
    limits: AcceptLimits,
    trusted_proxies: TrustedProxies,
    request_ids: RequestIds,
    routes: BoxedFilter<(Response,)>,
    turns: turns::Turns,
    meters: RequestMeters,
    /// What this listener is called where it is counted.
    name: &'static str,
}

/// How the connections that were open at the end have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Still busy at the deadline, and cut.
    pub cut: usize,
}

impl Server {
    pub fn new(
        limits: AcceptLimits,
        trusted_proxies: TrustedProxies,
        request_ids: RequestIds,
        routes: BoxedFilter<(Response,)>,
    ) -> Self {
        let turns = turns::Turns::new(limits.changes_at_once_max, ms(limits.turn_wait_ms));
        let (meters, name) = (RequestMeters::default(), "");
        Self {
            limits,
            trusted_proxies,
            request_ids,
            routes: answer::with_fallback(routes),
            turns,
            meters,
            name,
        }
    }

    /// Counts what it answers, with others, under a name of its own.
    pub fn counted(self, meters: &RequestMeters, name: &'static str) -> Self {
        meters.listening(name, self.limits.connections_max);
        Self { meters: meters.clone(), name, ..self }
    }

    /// Serves until `stop` is cancelled, then lets requests under way finish
    /// within the drain deadline.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Drained {
        let server = Arc::new(self);
        let places = Arc::new(Semaphore::new(server.limits.connections_max));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = connections.join_next() => {
                    note_panic(ended);
                    continue;
                }
                accepted = accept(&listener, &places) => accepted,
            };
            let (place, stream, peer) = accepted;
            let (server, stop) = (server.clone(), stop.clone());
            let open = server.meters.opened(server.name);
            // What is spawned is moved a few times, and a connection is large.
            connections.spawn(Box::pin(async move {
                // Without it small answers wait for the client's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                server.connection(stream, peer, stop).await;
                drop((place, open));
            }));
        }
        drop(listener);
        drain(connections, ms(server.limits.drain_deadline_ms)).await
    }

    /// One connection from its first byte to its last, whatever carries them.
    pub async fn connection<S>(self: Arc<Self>, stream: S, peer: SocketAddr, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(ms(self.limits.write_idle_timeout_ms)));
        let protocol = self.protocol();
        let draining = stop.clone();
        let service = service_fn(move |request| {
            let answering = answer::answer(self.clone(), peer, draining.clone(), request);
            Box::pin(answering) as Pin<Box<dyn Future<Output = _> + Send>>
        });
        let mut http = protocol.serve_connection(TokioIo::new(Box::pin(stream)), service);
        let mut stop = pin!(stop.cancelled());
        let mut is_stopping = false;
        let ended = loop {
            tokio::select! {
                ended = poll_fn(|cx| http.poll_without_shutdown(cx)) => break ended,
                () = &mut stop, if !is_stopping => {
                    is_stopping = true;
                    Pin::new(&mut http).graceful_shutdown();
                }
            }
        };
        match ended {
            Ok(()) => linger(http.into_parts().io.into_inner()).await,
            Err(error) => {
                tracing::debug!(%error, "connection ended early");
                if error.is_parse() {
                    linger(http.into_parts().io.into_inner()).await;
                }
            }
        }
    }

    fn protocol(&self) -> http1::Builder {
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(ms(self.limits.header_timeout_ms))
            .max_headers(self.limits.headers_max)
            .max_header_size(self.limits.headers_bytes_max)
            .max_buf_size(BUFFER_BYTES_MAX.max(self.limits.headers_bytes_max));
        protocol
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (place, stream, peer),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: trying again at once would
                // spin, as the connection is still waiting.
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The client went away between its knock and our answer.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Says that nothing more comes, and hears the client out for a moment.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let hear_out = async {
        stream.shutdown().await?;
        let mut unwanted = [0; 8192];
        while stream.read(&mut unwanted).await? > 0 {}
        io::Result::Ok(())
    };
    // However it ends, the connection is over.
    let _ = timeout(LINGER, hear_out).await;
}

async fn drain(mut connections: JoinSet<()>, deadline: Duration) -> Drained {
    let all = async {
        while let Some(ended) = connections.join_next().await {
            note_panic(ended);
        }
    };
    let _ = timeout(deadline, all).await;
    let cut = connections.len();
    if cut > 0 {
        tracing::warn!(connections = cut, "cut at the drain deadline");
    }
    connections.shutdown().await;
    Drained { cut }
}

/// Handlers are caught where they run; what gets here broke while its body was
/// being sent.
fn note_panic(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("sending an answer panicked");
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
