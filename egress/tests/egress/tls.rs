//! Servers that speak TLS.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper_util::rt::TokioIo;
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::{
    AllowList,
    ErrorCode::{HandlerError, ValidationError},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, pki_types::PrivateKeyDer},
};

use crate::support::{Server, egress, egress_with, encoded, get, get_refusal, listen, serve, text};

fn pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", encoded(certificate))
}

struct TlsServer {
    port: u16,
    /// Signed by itself, so it is the authority as well.
    certificate_pem: String,
}

impl TlsServer {
    /// With a certificate for these names and addresses. Says what the client asked for in its first message.
    async fn start(names: &[&str]) -> TlsServer {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let mut config = builder.with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, port) = listen().await;
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Clients that do not trust it hang up.
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let (_, session) = stream.get_ref();
                let protocol = String::from_utf8_lossy(session.alpn_protocol().unwrap_or_default()).into_owned();
                let asked = format!("{protocol} {}", session.server_name().unwrap_or("without a name"));
                tokio::spawn(serve(TokioIo::new(stream), move |_| {
                    let asked = asked.clone();
                    async move { Response::new(Full::new(Bytes::from(asked))) }
                }));
            }
        });
        TlsServer { port, certificate_pem: pem(certified.cert.der()) }
    }

    fn trusting(&self, host: &str) -> Egress {
        let root_certificates_pem = self.certificate_pem.clone();
        let allowed = format!("{host}:{}", self.port);
        egress_with([allowed.as_str()], |config| EgressConfig { root_certificates_pem, ..config })
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.port)
    }
}

#[tokio::test]
async fn a_trusted_server_is_reached() {
    let server = TlsServer::start(&["api.test", "127.0.0.1"]).await;
    let answer = get(&server.trusting("api.test"), &server.url("api.test")).await.unwrap();
    assert_eq!(text(&answer), "http/1.1 api.test");
    let answer = get(&server.trusting("127.0.0.1"), &server.url("127.0.0.1")).await.unwrap();
    assert_eq!(text(&answer), "http/1.1 without a name");
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let server = TlsServer::start(&["api.test"]).await;
    let allowed = format!("api.test:{}", server.port);
    let (code, message) = get_refusal(&egress([allowed.as_str()]), &server.url("api.test")).await;
    assert_eq!(code, HandlerError);
    assert!(message.contains("no TLS connection: invalid peer certificate"), "{message}");
}

#[tokio::test]
async fn a_server_with_another_name_is_refused() {
    let server = TlsServer::start(&["other.test"]).await;
    let (code, message) = get_refusal(&server.trusting("api.test"), &server.url("api.test")).await;
    assert_eq!(code, HandlerError);
    assert!(message.contains("invalid peer certificate"), "{message}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let server = Server::hello().await;
    let egress = egress([server.host().as_str()]);
    assert_eq!(get_refusal(&egress, &server.url("/").replace("http:", "https:")).await.0, HandlerError);
}

#[test]
fn a_root_certificate_that_is_none_is_told() {
    for root_certificates_pem in [pem(b"no certificate"), pem(b"hi").replace("aGk=", "!")] {
        let config = EgressConfig { root_certificates_pem, ..EgressConfig::new(AllowList::default()) };
        assert_eq!(Egress::new(config).err().unwrap().code, ValidationError);
    }
}
