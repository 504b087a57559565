//! New connections: resolve, check, dial, TLS.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use mirra_host_sdk::{ErrorCode, HostError, OperationError};
use tokio::{net::TcpStream, task::AbortHandle};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use url::Host;

use crate::{
    deadline::Deadline,
    limits::EgressLimits,
    permission::{Permission, not_public},
    resolve::Resolve,
    target::{Scheme, Target},
};

/// Addresses of one name that are tried. A zone may hold hundreds, and they are the guest's choice.
const ADDRESSES_MAX: usize = 8;

/// How long one address may keep the others waiting.
const ATTEMPT_MAX: Duration = Duration::from_secs(3);

/// How long an answer waits for its connection to be free again.
const REUSABLE_MAX: Duration = Duration::from_millis(20);

pub struct Dialler {
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
    http: http1::Builder,
}

impl Dialler {
    pub fn new(resolver: Arc<dyn Resolve>, root_certificates_pem: &str, limits: &EgressLimits) -> Result<Dialler, HostError> {
        let mut http = http1::Builder::new();
        http.max_headers(limits.headers_max).max_header_size(limits.head_bytes_max);
        Ok(Dialler { resolver, tls: TlsConnector::from(Arc::new(tls_config(root_certificates_pem)?)), http })
    }

    /// A fresh connection to the target, at an address that the permission allows.
    pub async fn dial(&self, target: &Target, permission: Permission, deadline: &Deadline) -> Result<Link, OperationError> {
        let addresses = self.addresses(target, permission, deadline).await?;
        let stream = connect(target, &addresses, deadline).await?;
        if permission == Permission::Public && leads_back(&stream) {
            return Err(not_public(target));
        }
        // Requests are written whole; holding back their last packet gains nothing. Slower, should it fail, and no worse.
        let _ = stream.set_nodelay(true);
        match target.scheme {
            Scheme::Http => self.shake_hands(target, stream).await,
            Scheme::Https => {
                let name = server_name(target)?;
                let stream = deadline.within("setting up TLS", self.tls.connect(name, stream)).await?;
                let stream = stream.map_err(|error| failed(target, format_args!("no TLS connection: {}", tls_reason(&error))))?;
                self.shake_hands(target, stream).await
            }
        }
    }

    /// What may be dialled. The name is resolved here and nowhere else.
    async fn addresses(&self, target: &Target, permission: Permission, deadline: &Deadline) -> Result<Vec<SocketAddr>, OperationError> {
        let found: Vec<IpAddr> = match (&target.host, target.address()) {
            (_, Some(address)) => vec![address],
            (Host::Domain(name), None) => {
                let found = deadline.within("looking the name up", self.resolver.resolve(name)).await?;
                found.map_err(|_| failed(target, "the name could not be resolved"))?
            }
            (_, None) => vec![],
        };
        if found.is_empty() {
            return Err(failed(target, "the name has no address"));
        }
        let allowed = found.into_iter().filter(|address| permission.allows(*address)).take(ADDRESSES_MAX);
        let allowed: Vec<SocketAddr> = allowed.map(|address| SocketAddr::new(address, target.port)).collect();
        if allowed.is_empty() { Err(not_public(target)) } else { Ok(allowed) }
    }

    async fn shake_hands<S>(&self, target: &Target, stream: S) -> Result<Link, OperationError>
    where
        TokioIo<S>: Read + Write + Unpin + Send + 'static,
    {
        let hands = self.http.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = hands.map_err(|_| failed(target, "the connection broke"))?;
        // Its errors come out at the sender.
        let task = tokio::spawn(async move { drop(connection.await) });
        Ok(Link { sender, _task: AbortOnDrop(task.abort_handle()) })
    }
}

/// One address after the other. Racing them would be faster where IPv6 is broken without the machine knowing, which servers
/// seldom are, and would open connections only to close them.
async fn connect(target: &Target, addresses: &[SocketAddr], deadline: &Deadline) -> Result<TcpStream, OperationError> {
    let mut reason = io::ErrorKind::TimedOut;
    for (index, address) in addresses.iter().enumerate() {
        let dialling = TcpStream::connect(address);
        let outcome = match addresses.len() - index {
            // The last one has what is left.
            1 => deadline.within("connecting", dialling).await?,
            left => {
                let share = (deadline.time_left() / left as u32).min(ATTEMPT_MAX);
                tokio::time::timeout(share, dialling).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
        };
        match outcome {
            Ok(stream) => return Ok(stream),
            Err(error) => reason = error.kind(),
        }
    }
    // The kind alone: the error's own text may name what is the host's.
    Err(failed(target, format_args!("cannot connect: {reason}")))
}

/// A public address may be this very machine's, and behind it services meant for its neighbours. The kernel tells by answering from
/// the address it was asked to dial. Asked beforehand, it would have to list all addresses of all interfaces, which change.
fn leads_back(stream: &TcpStream) -> bool {
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(local), Ok(peer)) => local.ip() == peer.ip(),
        // Closed again already; nothing is lost by not using it.
        _ => true,
    }
}

/// A connection that speaks HTTP/1. Dropped, it is closed at once: left to itself, one that still has a body to write to a server
/// that does not read would stay for good.
pub struct Link {
    sender: SendRequest<Full<Bytes>>,
    _task: AbortOnDrop,
}

/// A request that was not answered.
pub struct SendError {
    pub error: hyper::Error,
    /// Nothing of it was written, so it may be sent again, whatever it does.
    pub is_unsent: bool,
}

impl Link {
    /// Sends, and waits for the head of the answer. Its body comes over this link too: keep the link until it is read.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, SendError> {
        self.sender.ready().await.map_err(|error| SendError { error, is_unsent: true })?;
        self.sender.try_send_request(request).await.map_err(|mut refusal| {
            let is_unsent = refusal.take_message().is_some();
            SendError { error: refusal.into_error(), is_unsent }
        })
    }

    /// Whether another request may follow. Nearly always known at once. It is not while a server that answered early has yet to
    /// read the rest of the request, which it may never do; such a link is not worth waiting for.
    pub async fn is_reusable(&mut self) -> bool {
        matches!(tokio::time::timeout(REUSABLE_MAX, self.sender.ready()).await, Ok(Ok(())))
    }
}

/// Ends a task when nobody is interested any more.
pub struct AbortOnDrop(pub AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn tls_config(root_certificates_pem: &str) -> Result<ClientConfig, HostError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let unusable =
        |source| HostError { code: ErrorCode::ValidationError, ..HostError::caused_by("a root certificate is unusable", source) };
    for certificate in CertificateDer::pem_slice_iter(root_certificates_pem.as_bytes()) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| HostError::caused_by("TLS cannot be set up", error))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // A server that would rather speak HTTP/2 has to know that it cannot.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn server_name(target: &Target) -> Result<ServerName<'static>, OperationError> {
    if let Some(address) = target.address() {
        return Ok(ServerName::from(address));
    }
    let unusable = |_| OperationError::new(ErrorCode::ValidationError, format!("no certificate can be for '{}'", target.host));
    ServerName::try_from(target.host.to_string()).map_err(unusable)
}

/// What rustls found wrong is about the server's certificate and for the author to know. What the system says is not.
fn tls_reason(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(reason) => reason.to_string(),
        None => error.kind().to_string(),
    }
}

/// The target could not be reached, or did not hold to HTTP.
pub fn failed(target: &Target, reason: impl std::fmt::Display) -> OperationError {
    OperationError::new(ErrorCode::HandlerError, format!("{target}: {reason}"))
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    // From outside it takes a machine with a public address to see this.
    #[tokio::test]
    async fn a_connection_of_this_machine_to_itself_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(leads_back(&TcpStream::connect(address).await.unwrap()));
        let elsewhere = TcpSocket::new_v4().unwrap();
        elsewhere.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        assert!(!leads_back(&elsewhere.connect(address).await.unwrap()));
    }
}
