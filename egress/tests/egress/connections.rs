//! Connections that are used again.

use mirra_egress::EgressLimits;
use mirra_host_sdk::ErrorCode::HandlerError;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::support::{Server, closed, egress, egress_with, encoded, get, limited, listen, read_head, refusal, request, settle, text};

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Server::hello().await;
    let egress = egress([server.host().as_str()]);
    for _ in 0..100 {
        assert_eq!(text(&get(&egress, &server.url("/")).await.unwrap()), "hello");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn tenants_share_none() {
    let server = Server::hello().await;
    for _ in 0..3 {
        let egress = egress([server.host().as_str()]);
        get(&egress, &server.url("/")).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn hosts_share_none() {
    let server = Server::hello().await;
    let allowed = ["a.test", "b.test"].map(|name| format!("{name}:{}", server.port));
    let egress = egress(allowed.iter().map(String::as_str));
    for host in allowed.iter().chain(&allowed) {
        get(&egress, &format!("http://{host}/")).await.unwrap();
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn idle_ones_are_few() {
    let server = Server::hello().await;
    let names: Vec<String> = (0..5).map(|index| format!("{index}.test:{}", server.port)).collect();
    let egress = egress_with(names.iter().map(String::as_str), |mut config| {
        config.limits.idle_connections_max = 2;
        config
    });
    for name in &names {
        get(&egress, &format!("http://{name}/")).await.unwrap();
    }
    // The two used last are there, the first is not.
    for (name, connections) in [(&names[4], 5), (&names[3], 5), (&names[0], 6)] {
        get(&egress, &format!("http://{name}/")).await.unwrap();
        assert_eq!(server.connections(), connections, "{name}");
    }
    let none = limited(EgressLimits { idle_connections_max: 0, ..EgressLimits::default() }, &server);
    for _ in 0..2 {
        get(&none, &server.url("/")).await.unwrap();
    }
    assert_eq!(server.connections(), 8);
}

/// Serves one request on the next connection.
async fn serve_one(listener: &TcpListener) -> tokio::net::TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    read_head(&mut stream).await;
    stream.write_all(HELLO).await.unwrap();
    stream
}

#[tokio::test]
async fn an_idle_one_is_closed_in_time() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress_with([host.as_str()], |mut config| {
        config.limits.idle_ms_max = 20;
        config
    });
    let server = tokio::spawn(async move { closed(&mut serve_one(&listener).await).await });
    get(&egress, &format!("http://{host}/")).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn one_that_the_server_closed_is_replaced() {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        loop {
            drop(serve_one(&listener).await);
        }
    });
    let host = format!("127.0.0.1:{port}");
    let egress = egress([host.as_str()]);
    for _ in 0..20 {
        assert_eq!(text(&get(&egress, &format!("http://{host}/")).await.unwrap()), "hello");
    }
}

#[tokio::test]
async fn one_that_is_known_to_be_closed_loses_no_request() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress([host.as_str()]);
    // Not to be sent twice, which is not necessary: nothing of it is sent where it cannot arrive.
    let post = async || request(&egress, json!({ "method": "POST", "url": format!("http://{host}/") })).await.unwrap();
    for _ in 0..3 {
        let (stream, _) = tokio::join!(serve_one(&listener), post());
        drop(stream);
        settle().await;
    }
}

#[tokio::test]
async fn a_request_lost_with_its_connection_is_sent_again_only_if_that_is_harmless() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress([host.as_str()]);
    let ask = |method: &str| json!({ "method": method, "url": format!("http://{host}/") });
    let server = tokio::spawn(async move {
        // The second request on a connection is read, and not answered.
        for _ in 0..2 {
            let mut stream = serve_one(&listener).await;
            read_head(&mut stream).await;
        }
        listener
    });
    request(&egress, ask("GET")).await.unwrap();
    request(&egress, ask("GET")).await.unwrap();
    let (code, message) = refusal(&egress, ask("POST")).await;
    assert_eq!((code, message), (HandlerError, format!("{host}: the connection was closed before an answer came")));
    server.await.unwrap();
}

#[tokio::test]
async fn one_with_an_unread_request_is_not_used_again() {
    let (listener, port) = listen().await;
    let host = format!("127.0.0.1:{port}");
    let egress = egress([host.as_str()]);
    let server = tokio::spawn(async move {
        // Answers when it has seen the head, keeps the connection, and never reads the body.
        let _first = serve_one(&listener).await;
        let _second = serve_one(&listener).await;
    });
    let large = json!({ "method": "POST", "url": format!("http://{host}/"), "body": encoded(vec![0; 6 << 20]) });
    request(&egress, large).await.unwrap();
    get(&egress, &format!("http://{host}/")).await.unwrap();
    server.await.unwrap();
}
