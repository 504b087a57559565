//! The HTTP endpoint, on hyper alone: a call's way through it is `mod.rs` (connections), `endpoint.rs` (which route),
//! `admission.rs` (may they; `strangers.rs` as long as nobody knows), `api.rs` (the control plane, `stream.rs` where it answers in parts,
//! `hooks.rs` what the world tells), `body.rs` (the event), `run.rs` (the call), `invocations.rs` (a call for a scheduler; `parts.rs` as it
//! goes), `reply.rs` (the answer).

mod admission;
mod api;
mod body;
mod endpoint;
mod handlers;
mod hooks;
mod invocations;
mod login;
mod parts;
mod reply;
mod run;
mod strangers;
mod stream;

use std::{convert::Infallible, future::Future, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

pub use admission::Admission;
pub use api::{Api, BODY_BYTES_MAX as API_BODY_BYTES_MAX, PREFIX as API_PREFIX};
pub use endpoint::Endpoint;
pub use handlers::Served;
pub use strangers::Strangers;

/// A client that has not sent its request's head by then is not going to. Also how long a connection may lie idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);

/// When the process has no file descriptor left for one more connection, others must end first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Serves until `stop` is ready, then lets calls in flight end, for at most `drain_max`. False: some did not.
pub async fn serve(listener: TcpListener, endpoint: Arc<Endpoint>, stop: impl Future<Output = ()>, drain_max: Duration) -> bool {
    let mut http = http1::Builder::new();
    http.pipeline_flush(true).timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => drop(tokio::spawn(connection(&http, &connections, stream, peer.ip(), endpoint.clone()))),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Before nobody can connect any more, so that whoever cannot knows that it is draining.
    endpoint.drain();
    drop(listener);
    let all_ended = async {
        connections.shutdown().await;
        endpoint.all_ended().await;
    };
    timeout(drain_max, all_ended).await.is_ok()
}

/// One connection, with as many requests as its client sends. When the client goes away, so does its call.
fn connection(
    http: &http1::Builder,
    connections: &GracefulShutdown,
    stream: TcpStream,
    peer: IpAddr,
    endpoint: Arc<Endpoint>,
) -> impl Future<Output = ()> + Send + use<> {
    // Small answers must not wait for more of them; where that cannot be set, they are only slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let endpoint = endpoint.clone();
        async move { Ok::<_, Infallible>(endpoint.answer(request, peer).await) }
    });
    let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
