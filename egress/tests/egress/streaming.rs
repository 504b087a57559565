//! Answers that come in parts.

use std::sync::Arc;

use mirra_egress::EgressLimits;
use mirra_host_sdk::{
    AllowList, Capability,
    ErrorCode::{PayloadTooLarge, ResourceDenied, Timeout},
    OperationError, Reply,
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use crate::support::{Server, body, closed, egress, egress_with, get, get_refusal, limited, listen, operation, read_head, whole};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The request, as a server sees it that answers when its test says so.
async fn asked(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    read_head(&mut stream).await;
    stream
}

fn text(reply: &Reply) -> String {
    let part: Value = serde_json::from_str(reply.json.get()).unwrap();
    String::from_utf8(body(&part)).unwrap()
}

async fn next(reply: Reply) -> Result<Reply, OperationError> {
    reply.more.unwrap().await
}

#[tokio::test]
async fn what_is_there_is_told_before_the_rest_has_come() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress([host.as_str()]);
    let url = format!("http://{host}/");
    let call = tokio::spawn(egress.call(operation("request", &json!({ "method": "GET", "url": url }))));
    let mut stream = asked(&listener).await;
    stream.write_all(HEAD).await.unwrap();
    let head = call.await.unwrap().unwrap();
    assert_eq!(text(&head), "");
    stream.write_all(b"1\r\na\r\n").await.unwrap();
    let first = next(head).await.unwrap();
    assert_eq!(text(&first), "a");
    stream.write_all(b"1\r\nb\r\n0\r\n\r\n").await.unwrap();
    let mut rest = String::new();
    let mut reply = first;
    while reply.more.is_some() {
        reply = next(reply).await.unwrap();
        rest += &text(&reply);
    }
    assert_eq!(rest, "b");
    // The connection is free again.
    let again = tokio::spawn(egress.call(operation("request", &json!({ "method": "GET", "url": url }))));
    read_head(&mut stream).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain").await.unwrap();
    let again = again.await.unwrap().unwrap();
    assert_eq!((text(&again).as_str(), again.more.is_none()), ("again", true));
}

#[tokio::test]
async fn a_large_answer_comes_in_parts_of_a_bounded_size() {
    let content: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7) as u8).collect();
    let sent = content.clone();
    let server = Server::start(move |_| {
        let sent = sent.clone();
        async move { hyper::Response::new(sent.into()) }
    })
    .await;
    let egress = egress([server.host().as_str()]);
    let answering = || egress.call(operation("request", &json!({ "method": "GET", "url": server.url("/") })));
    let mut reply = answering().await.unwrap();
    let mut parts = 1;
    while reply.more.is_some() {
        reply = next(reply).await.unwrap();
        assert!(reply.json.get().len() < 1_500_000, "a part of {} bytes", reply.json.get().len());
        parts += 1;
    }
    assert!(parts > 3, "{parts} parts");
    assert_eq!(body(&whole(answering()).await.unwrap()), content);
}

#[tokio::test]
async fn all_parts_together_are_bounded_and_each_has_its_time() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress_with([host.as_str()], |config| mirra_egress::EgressConfig {
        limits: EgressLimits { response_body_bytes_max: 3, ..EgressLimits::default() },
        ..config
    });
    let start = || {
        let arguments = json!({ "method": "GET", "url": format!("http://{host}/"), "timeoutMs": 50 });
        tokio::spawn(egress.call(operation("request", &arguments)))
    };
    let call = start();
    let mut stream = asked(&listener).await;
    stream.write_all(HEAD).await.unwrap();
    let mut reply = call.await.unwrap().unwrap();
    for part in ["a", "b", "c"] {
        stream.write_all(format!("1\r\n{part}\r\n").as_bytes()).await.unwrap();
        reply = next(reply).await.unwrap();
        assert_eq!(text(&reply), part);
    }
    stream.write_all(b"1\r\nd\r\n").await.unwrap();
    assert_eq!(next(reply).await.unwrap_err().code, PayloadTooLarge);
    closed(&mut stream).await;

    let call = start();
    let mut stream = asked(&listener).await;
    stream.write_all(HEAD).await.unwrap();
    let reply = call.await.unwrap().unwrap();
    assert_eq!(next(reply).await.unwrap_err().code, Timeout);
    closed(&mut stream).await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_on_holds_its_place_until_it_is_dropped() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress_with([host.as_str()], |config| mirra_egress::EgressConfig {
        limits: EgressLimits { requests_max: 1, ..EgressLimits::default() },
        ..config
    });
    let url = format!("http://{host}/");
    let call = tokio::spawn(egress.call(operation("request", &json!({ "method": "GET", "url": url }))));
    let mut stream = asked(&listener).await;
    stream.write_all(HEAD).await.unwrap();
    let reply = call.await.unwrap().unwrap();
    let second = json!({ "method": "GET", "url": url, "timeoutMs": 20 });
    assert_eq!(egress.call(operation("request", &second)).await.unwrap_err().code, Timeout);
    drop(reply);
    closed(&mut stream).await;
    let third = tokio::spawn(egress.call(operation("request", &json!({ "method": "GET", "url": url }))));
    let mut stream = asked(&listener).await;
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    third.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_handlers_own_list_leaves_out_and_never_adds() {
    let server = Server::hello().await;
    let (egress, url) = (egress([server.host().as_str()]), server.url("/"));
    let with = |own: &str| {
        let mut operation = operation("request", &json!({ "method": "GET", "url": url }));
        operation.allowed_hosts = Some(Arc::new(AllowList::parse([own]).unwrap()));
        egress.call(operation)
    };
    whole(with(&server.host())).await.unwrap();
    // The operator named this address, so a wildcard of the handler's may mean it.
    whole(with(&format!("*:{}", server.port))).await.unwrap();
    let refused = with("api.test").await.unwrap_err();
    assert_eq!(refused.code, ResourceDenied);
    assert!(refused.message.ends_with("to its allowedHosts"), "{}", refused.message);
    assert_eq!(get_refusal(&limited(EgressLimits::default(), &server), "http://other.test/").await.0, ResourceDenied);
    get(&egress, &url).await.unwrap();
}
