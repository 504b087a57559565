//! What a request may use.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use mirra_egress::{EgressConfig, EgressLimits};
use mirra_host_sdk::{
    Capability,
    ErrorCode::{PayloadTooLarge, RateLimited, Timeout},
};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    sync::{Barrier, Notify, oneshot},
    task::JoinSet,
};

use crate::support::{
    Server, answering, body, closed, egress, egress_with, encoded, get, get_refusal, limited, listen, operation, read_head, refusal,
    request, settle,
};

#[tokio::test]
async fn a_body_too_large_is_not_sent() {
    let server = Server::echo().await;
    let egress = limited(EgressLimits { request_body_bytes_max: 1000, ..EgressLimits::default() }, &server);
    let post = |bytes: usize| json!({ "method": "POST", "url": server.url("/"), "body": encoded(vec![b'x'; bytes]) });
    request(&egress, post(1000)).await.unwrap();
    let refused = refusal(&egress, post(1001)).await;
    assert_eq!(refused, (PayloadTooLarge, "http.request: it has 1001 bytes of body, and may have 1000".to_owned()));
}

#[tokio::test]
async fn too_many_headers_are_not_sent() {
    let server = Server::echo().await;
    let egress = limited(EgressLimits { headers_max: 20, head_bytes_max: 10_000, ..EgressLimits::default() }, &server);
    let send = |headers: Vec<(String, String)>| json!({ "method": "GET", "url": server.url("/"), "headers": headers });
    let many = |count: usize| (0..count).map(|index| (format!("x-{index}"), "y".to_owned())).collect();
    request(&egress, send(many(20))).await.unwrap();
    assert_eq!(refusal(&egress, send(many(21))).await.0, PayloadTooLarge);
    let long = |length: usize| vec![("x".to_owned(), "y".repeat(length))];
    request(&egress, send(long(9_900))).await.unwrap();
    assert_eq!(refusal(&egress, send(long(10_000))).await.0, PayloadTooLarge);
    let url = format!("{}?{}", server.url("/"), "x".repeat(10_000));
    assert_eq!(get_refusal(&egress, &url).await.0, PayloadTooLarge);
}

#[tokio::test]
async fn an_answer_too_large_is_cut() {
    let server = Server::start(|_| async { Response::new(vec![b'x'; 1000].into()) }).await;
    let roomy = limited(EgressLimits { response_body_bytes_max: 1000, ..EgressLimits::default() }, &server);
    assert_eq!(body(&get(&roomy, &server.url("/")).await.unwrap()).len(), 1000);
    let tight = limited(EgressLimits { response_body_bytes_max: 999, ..EgressLimits::default() }, &server);
    let (code, message) = get_refusal(&tight, &server.url("/")).await;
    assert_eq!(code, PayloadTooLarge);
    assert!(message.contains("more than the 999 bytes"), "{message}");
    // The guest may ask for less than the host allows, and not for more.
    let bounded = |bytes: u64| json!({ "method": "GET", "url": server.url("/"), "responseBytesMax": bytes });
    assert_eq!(refusal(&roomy, bounded(10)).await.0, PayloadTooLarge);
    assert_eq!(refusal(&tight, bounded(5000)).await.0, PayloadTooLarge);
    request(&roomy, bounded(5000)).await.unwrap();
}

#[tokio::test]
async fn an_answer_announced_as_too_large_is_not_waited_for() {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").await.unwrap();
        closed(&mut stream).await;
    });
    let host = format!("127.0.0.1:{port}");
    assert_eq!(get_refusal(&egress([host.as_str()]), &format!("http://{host}/")).await.0, PayloadTooLarge);
}

#[tokio::test]
async fn headers_too_many_or_too_large_are_not_read() {
    let limits = EgressLimits { headers_max: 50, head_bytes_max: 10_000, ..EgressLimits::default() };
    let (many, long) = ("x: y\r\n".repeat(51), "y".repeat(11_000));
    // The last one does not even end.
    for head in [format!("{many}\r\n"), format!("x: {long}\r\n\r\n"), format!("x: {long}{long}{long}")] {
        let host = answering(format!("HTTP/1.1 200 OK\r\n{head}")).await;
        let egress = egress_with([host.as_str()], |config| EgressConfig { limits, ..config });
        assert_eq!(get_refusal(&egress, &format!("http://{host}/")).await.0, PayloadTooLarge);
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_its_connection_closed() {
    let (listener, port) = listen().await;
    let (tell, was_cut) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, "x".repeat(1 << 16));
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        tell.send(()).unwrap();
    });
    let host = format!("127.0.0.1:{port}");
    let (code, message) = get_refusal(&egress([host.as_str()]), &format!("http://{host}/")).await;
    assert_eq!(code, PayloadTooLarge);
    assert!(message.contains("was cut off"), "{message}");
    was_cut.await.unwrap();
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    let server = Server::start(|_| pending()).await;
    let egress = egress([server.host().as_str()]);
    let refused = refusal(&egress, json!({ "method": "GET", "url": server.url("/"), "timeoutMs": 50 })).await;
    let message = format!("{}: still waiting for an answer after 50 ms, which is all the time there was", server.host());
    assert_eq!(refused, (Timeout, message));
    // The call's own time counts too, and is not lengthened by what the guest asks for.
    for time_asked in [json!(null), json!(1e300)] {
        let mut operation = operation("request", &json!({ "method": "GET", "url": server.url("/"), "timeoutMs": time_asked }));
        operation.time_left = Duration::from_millis(50);
        assert_eq!(egress.call(operation).await.unwrap_err().code, Timeout);
    }
}

#[tokio::test]
async fn a_server_that_drips_is_given_up() {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
        closed(&mut stream).await;
    });
    let host = format!("127.0.0.1:{port}");
    let refused = refusal(&egress([host.as_str()]), json!({ "method": "GET", "url": format!("http://{host}/"), "timeoutMs": 50.5 })).await;
    assert_eq!(refused.0, Timeout);
    assert!(refused.1.contains("still reading the answer"), "{}", refused.1);
}

#[tokio::test]
async fn a_resolver_that_hangs_is_given_up() {
    struct Hanging;
    impl mirra_egress::Resolve for Hanging {
        fn resolve(&self, _host: &str) -> mirra_host_sdk::BoxFuture<'static, std::io::Result<Vec<std::net::IpAddr>>> {
            Box::pin(pending())
        }
    }
    let egress = egress_with(["api.test"], |config| EgressConfig { resolver: Arc::new(Hanging), ..config });
    let refused = refusal(&egress, json!({ "method": "GET", "url": "http://api.test/", "timeoutMs": 20 })).await;
    assert_eq!(refused, (Timeout, "api.test: still looking the name up after 20 ms, which is all the time there was".to_owned()));
}

#[tokio::test]
async fn requests_at_a_time_are_bounded() {
    const AT_A_TIME: usize = 8;
    // Answers as soon as as many are there as may be; more than that would be seen.
    let (barrier, now, most) = (Arc::new(Barrier::new(AT_A_TIME)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let server = Server::start(move |_| {
        let (barrier, now, most) = (barrier.clone(), now.clone(), most.clone());
        async move {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            barrier.wait().await;
            now.fetch_sub(1, SeqCst);
            Response::new(Full::new(Bytes::from_static(b"hello")))
        }
    })
    .await;
    let egress = limited(EgressLimits { requests_max: AT_A_TIME, ..EgressLimits::default() }, &server);
    let mut requests = JoinSet::new();
    for _ in 0..10_000 {
        requests.spawn(egress.call(operation("request", &json!({ "method": "GET", "url": server.url("/") }))));
    }
    for answer in requests.join_all().await {
        answer.unwrap();
    }
    assert_eq!(seen.load(SeqCst), AT_A_TIME);
    assert!(server.connections() <= 2 * AT_A_TIME, "{} connections", server.connections());
}

#[tokio::test]
async fn waiting_for_others_takes_a_requests_own_time() {
    let arrived = Arc::new(Notify::new());
    let tell = arrived.clone();
    let server = Server::start(move |_| {
        tell.notify_one();
        pending()
    })
    .await;
    let egress = limited(EgressLimits { requests_max: 1, ..EgressLimits::default() }, &server);
    let first = tokio::spawn(egress.call(operation("request", &json!({ "method": "GET", "url": server.url("/") }))));
    arrived.notified().await;
    let (code, message) = refusal(&egress, json!({ "method": "GET", "url": server.url("/"), "timeoutMs": 30 })).await;
    assert_eq!(code, Timeout);
    assert!(message.contains("still waiting for other requests to end"), "{message}");
    assert_eq!(server.connections(), 1);
    first.abort();
}

#[tokio::test]
async fn what_all_requests_hold_is_bounded() {
    let server = Server::start(|_| async { Response::new(vec![b'x'; 6_000].into()) }).await;
    let limits = EgressLimits { held_bytes_max: 10_000, ..EgressLimits::default() };
    let egress = limited(limits, &server);
    let post = |bytes: usize| json!({ "method": "POST", "url": server.url("/"), "body": encoded(vec![b'x'; bytes]) });
    assert_eq!(refusal(&egress, post(8_000)).await.0, RateLimited);
    assert_eq!(server.connections(), 0);
    // The request alone would be fine, but not with its answer.
    assert_eq!(refusal(&egress, post(4_000)).await.0, RateLimited);
    // One that is only made and not yet begun counts too; and no longer when it is dropped.
    let waiting = egress.call(operation("request", &post(4_000)));
    assert_eq!(get_refusal(&egress, &server.url("/")).await.0, RateLimited);
    drop(waiting);
    get(&egress, &server.url("/")).await.unwrap();
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress([host.as_str()]);
    let call = tokio::spawn(egress.call(operation("request", &json!({ "method": "GET", "url": format!("http://{host}/") }))));
    let (mut stream, _) = listener.accept().await.unwrap();
    read_head(&mut stream).await;
    call.abort();
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_dropped_request_leaves_nothing_behind_even_if_the_server_does_not_read() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress([host.as_str()]);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let arguments = json!({ "method": "POST", "url": format!("http://{host}/"), "body": encoded(vec![0; 6 << 20]) });
    let call = tokio::spawn(egress.call(operation("request", &arguments)));
    let (mut stream, _) = listener.accept().await.unwrap();
    read_head(&mut stream).await;
    settle().await;
    call.abort();
    settle().await;
    assert_eq!(tasks(), before);
}
