//! Servers to ask, a resolver that answers what a test wants, and a way to ask.

use std::{
    future::Future,
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use mirra_egress::{Egress, EgressConfig, EgressLimits, Resolve};
use mirra_host_sdk::{AllowList, Answering, BoxFuture, Capability, ErrorCode, Operation, OperationError, Unlimited};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Answers what its test says, and counts how often it is asked.
pub struct Resolver {
    asked: AtomicUsize,
    answer: Box<dyn Fn(usize) -> io::Result<Vec<IpAddr>> + Send + Sync>,
}

impl Resolver {
    /// `answer` is told how often it was asked before.
    pub fn new(answer: impl Fn(usize) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Arc<Resolver> {
        Arc::new(Resolver { asked: AtomicUsize::new(0), answer: Box::new(answer) })
    }

    pub fn to(addresses: &[&str]) -> Arc<Resolver> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Resolver::new(move |_| Ok(addresses.clone()))
    }

    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, _host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::ready((self.answer)(self.asked.fetch_add(1, SeqCst))))
    }
}

/// With a resolver that knows every name as loopback.
pub fn egress<'a>(allowed: impl IntoIterator<Item = &'a str>) -> Egress {
    egress_with(allowed, |config| config)
}

pub fn egress_with<'a>(allowed: impl IntoIterator<Item = &'a str>, change: impl FnOnce(EgressConfig) -> EgressConfig) -> Egress {
    let config = EgressConfig { resolver: Resolver::to(&["127.0.0.1"]), ..EgressConfig::new(AllowList::parse(allowed).unwrap()) };
    Egress::new(change(config)).unwrap()
}

/// For this machine only, with limits of the test's own.
pub fn limited(limits: EgressLimits, server: &Server) -> Egress {
    egress_with([server.host().as_str()], |config| EgressConfig { limits, ..config })
}

pub fn operation(method: &str, arguments: &Value) -> Operation {
    Operation {
        user_id: None,
        execution_id: "exec_1".into(),
        method: method.to_owned(),
        arguments: serde_json::value::to_raw_value(arguments).unwrap(),
        time_left: Duration::from_secs(30),
        budget: Arc::new(Unlimited),
        allowed_resources: Vec::new(),
        depth: 0,
        allowed_hosts: None,
    }
}

pub async fn request(egress: &Egress, arguments: Value) -> Result<Value, OperationError> {
    whole(egress.call(operation("request", &arguments))).await
}

/// The answer with all parts of its body put together.
pub async fn whole(mut answering: Answering) -> Result<Value, OperationError> {
    let mut answer = Value::Null;
    let mut bytes = Vec::new();
    loop {
        let reply = answering.await?;
        let part: Value = serde_json::from_str(reply.json.get()).unwrap();
        bytes.extend(body(&part));
        if answer.is_null() {
            answer = part;
        }
        match reply.more {
            Some(more) => answering = more,
            None => {
                answer["body"] = encoded(bytes).into();
                return Ok(answer);
            }
        }
    }
}

pub async fn get(egress: &Egress, url: &str) -> Result<Value, OperationError> {
    request(egress, json!({ "method": "GET", "url": url })).await
}

/// The code and the message of a request that must fail.
pub async fn refusal(egress: &Egress, arguments: Value) -> (ErrorCode, String) {
    let error = request(egress, arguments).await.unwrap_err();
    (error.code, error.message)
}

pub async fn get_refusal(egress: &Egress, url: &str) -> (ErrorCode, String) {
    refusal(egress, json!({ "method": "GET", "url": url })).await
}

pub fn encoded(body: impl AsRef<[u8]>) -> String {
    STANDARD.encode(body)
}

pub fn body(answer: &Value) -> Vec<u8> {
    STANDARD.decode(answer["body"].as_str().unwrap()).unwrap()
}

pub fn text(answer: &Value) -> String {
    String::from_utf8(body(answer)).unwrap()
}

/// A real HTTP server on a port of its own.
pub struct Server {
    pub port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start<A>(answer: impl Fn(Request<Bytes>) -> A + Clone + Send + Sync + 'static) -> Server
    where
        A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let (listener, port) = listen().await;
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, SeqCst);
                tokio::spawn(serve(TokioIo::new(stream), answer.clone()));
            }
        });
        Server { port, connections }
    }

    /// Says what it was asked, as JSON.
    pub async fn echo() -> Server {
        Server::start(|request| async move {
            let headers: Vec<(&str, String)> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes().iter().map(|b| char::from(*b)).collect()))
                .collect();
            let said = json!({
                "method": request.method().as_str(),
                "uri": request.uri().to_string(),
                "headers": headers,
                "body": encoded(request.body()),
            });
            Response::new(said.to_string().into())
        })
        .await
    }

    pub async fn hello() -> Server {
        Server::start(|_| async { Response::new("hello".into()) }).await
    }

    /// How many connections it was asked for.
    pub fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    /// As an entry of an allow list.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Serves one connection to its end.
pub async fn serve<S, A>(stream: S, answer: impl Fn(Request<Bytes>) -> A + Clone)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
    A: Future<Output = Response<Full<Bytes>>>,
{
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(answer(Request::from_parts(head, body)).await)
        }
    });
    // A client that goes away is what many tests are about.
    let _ = http1::Builder::new().serve_connection(stream, service).await;
}

/// For servers that do what hyper would not.
pub async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads up to the end of a request's head.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A server that answers one request with exactly these bytes, and then closes.
pub async fn answering(bytes: impl Into<Vec<u8>>) -> String {
    let (listener, port) = listen().await;
    let bytes = bytes.into();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(&bytes).await.unwrap();
    });
    format!("127.0.0.1:{port}")
}

/// Returns once the other side has closed, be it politely or not.
pub async fn closed(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}

/// Lets every task, and the network between them, get as far as they can. There is one thread, which looks at its sockets whenever
/// all tasks had a turn.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
