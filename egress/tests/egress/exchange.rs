//! What is sent and what comes back.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use mirra_egress::EgressConfig;
use mirra_host_sdk::{
    Capability,
    ErrorCode::{HandlerError, ValidationError},
    Usd,
};
use serde_json::{Value, json};

use crate::support::{Server, answering, body, egress, egress_with, encoded, get, get_refusal, operation, refusal, request, text};

async fn echoed(server: &Server, arguments: Value) -> Value {
    let answer = request(&egress([server.host().as_str()]), arguments).await.unwrap();
    serde_json::from_slice(&body(&answer)).unwrap()
}

fn header<'a>(echoed: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = echoed["headers"].as_array().unwrap();
    headers.iter().filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made() {
    let server = Server::echo().await;
    let headers = json!([["Authorization", "Bearer x"], ["X-Two", "a"], ["x-two", "b\u{e9}"], ["Accept-Encoding", "gzip"]]);
    let url = server.url("/a%20b/{c}?q=ü&r=[1]|2#fragment");
    let echoed = echoed(&server, json!({ "method": "PUT", "url": url, "headers": headers, "body": encoded([0, 255, 10]) })).await;
    assert_eq!(echoed["method"], "PUT");
    assert_eq!(echoed["uri"], "/a%20b/%7Bc%7D?q=%C3%BC&r=[1]|2");
    assert_eq!(echoed["body"], encoded([0, 255, 10]));
    assert_eq!(header(&echoed, "host"), [server.host()]);
    assert_eq!(header(&echoed, "content-length"), ["3"]);
    assert_eq!(header(&echoed, "x-two"), ["a", "b\u{e9}"]);
    assert_eq!(header(&echoed, "accept-encoding"), ["gzip"]);
    // Nothing that nobody asked for.
    assert_eq!(echoed["headers"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn any_method_may_have_a_body() {
    let server = Server::echo().await;
    for method in ["GET", "DELETE", "PATCH", "QUERY"] {
        let echoed = echoed(&server, json!({ "method": method, "url": server.url("/"), "body": encoded("hi") })).await;
        assert_eq!((&echoed["body"], header(&echoed, "content-length")), (&json!(encoded("hi")), vec!["2"]), "{method}");
    }
}

#[tokio::test]
async fn an_empty_body_is_announced_where_one_is_expected() {
    let server = Server::echo().await;
    for (method, expected) in [("POST", vec!["0"]), ("PUT", vec!["0"]), ("PATCH", vec!["0"]), ("GET", vec![]), ("DELETE", vec![])] {
        let echoed = echoed(&server, json!({ "method": method, "url": server.url("/"), "body": null })).await;
        assert_eq!(header(&echoed, "content-length"), expected, "{method}");
    }
}

#[tokio::test]
async fn headers_of_the_connection_are_ours() {
    let server = Server::echo().await;
    let host = server.host();
    let headers = json!([
        ["Host", host],
        ["Content-Length", "2"],
        ["Connection", "close, x"],
        ["Keep-Alive", "1"],
        ["Proxy-Connection", "1"],
        ["Proxy-Authorization", "Basic x"],
        ["TE", "trailers"],
        ["Trailer", "x"],
        ["Transfer-Encoding", "chunked"],
        ["Expect", "100-continue"],
        ["HTTP2-Settings", "x"],
    ]);
    let echoed = echoed(&server, json!({ "method": "POST", "url": server.url("/"), "headers": headers, "body": encoded("hi") })).await;
    assert_eq!(echoed["headers"], json!([["host", host], ["content-length", "2"]]));
    assert_eq!(echoed["body"], encoded("hi"));
}

#[tokio::test]
async fn what_is_malformed_is_refused() {
    let server = Server::hello().await;
    let egress = egress([server.host().as_str()]);
    let url = server.url("/");
    let with_header = |name: &str, value: &str| json!({ "method": "POST", "url": url, "headers": [[name, value]], "body": "aGk=" });
    let refused = [
        // Headers that would write others, or contradict the request
        with_header("x", "a\r\nb: c"),
        with_header("x", "a\nb: c"),
        with_header("x", "a\rb"),
        with_header("x", "a\0b"),
        with_header("x", "\u{100}"),
        with_header("x\r\ny", "a"),
        with_header("x: y", "a"),
        with_header("x ", "a"),
        with_header("", "a"),
        with_header("host", "evil.test"),
        with_header("host", "127.0.0.1"),
        with_header("content-length", "3"),
        with_header("content-length", "2, 2"),
        with_header("upgrade", "websocket"),
        // Methods
        json!({ "method": "GET / HTTP/1.1\r\nx: y", "url": url }),
        json!({ "method": "", "url": url }),
        json!({ "method": "CONNECT", "url": url }),
        json!({ "method": "TRACE", "url": url }),
        // URLs
        json!({ "method": "GET", "url": "" }),
        json!({ "method": "GET", "url": "/path" }),
        json!({ "method": "GET", "url": "file:///etc/passwd" }),
        json!({ "method": "GET", "url": "ftp://127.0.0.1/" }),
        json!({ "method": "GET", "url": "http://" }),
        json!({ "method": "GET", "url": "http://[::1" }),
        json!({ "method": "GET", "url": "http://256.256.256.256/" }),
        json!({ "method": "GET", "url": "http://[fe80::1%25eth0]/" }),
        json!({ "method": "GET", "url": format!("{url}a\r\nx: y") }),
        json!({ "method": "GET", "url": format!("http://user:password@{}/", server.host()) }),
        // Arguments
        json!({ "url": url }),
        json!({ "method": "GET" }),
        json!({ "method": "GET", "url": url, "timeout": 5 }),
        json!({ "method": "GET", "url": url, "timeoutMs": 0 }),
        json!({ "method": "GET", "url": url, "timeoutMs": -1 }),
        json!({ "method": "GET", "url": url, "responseBytesMax": -1 }),
        json!({ "method": "GET", "url": url, "headers": { "a": "b" } }),
        json!({ "method": "POST", "url": url, "body": "not base64" }),
        json!({ "method": "POST", "url": url, "body": 1 }),
        json!("http://127.0.0.1/"),
    ];
    for arguments in refused {
        let (code, message) = refusal(&egress, arguments.clone()).await;
        assert_eq!(code, ValidationError, "{arguments}: {message}");
        assert!(message.starts_with("http.request: "), "{message}");
    }
    let unknown = egress.call(operation("get", &json!({}))).await.unwrap_err();
    assert_eq!((unknown.code, unknown.message.as_str()), (ValidationError, "http.get is no operation: there is http.request"));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_answer_comes_back_as_it_was_sent() {
    let server = Server::start(|_| async {
        let builder = Response::builder().status(404).header("X-A", "1").header("Set-Cookie", "a=1").header("Set-Cookie", "b=2");
        let builder = builder.header("Content-Encoding", "gzip").header("x-latin", &b"caf\xe9"[..]);
        builder.body(Full::new(Bytes::from_static(b"\x1f\x8b not unpacked"))).unwrap()
    })
    .await;
    let answer = get(&egress([server.host().as_str()]), &server.url("/x?y#z")).await.unwrap();
    assert_eq!((answer["status"].as_u64(), answer["reason"].as_str()), (Some(404), Some("Not Found")));
    assert_eq!(answer["url"], server.url("/x?y"));
    assert_eq!(body(&answer), b"\x1f\x8b not unpacked");
    let headers: Vec<&Value> = answer["headers"].as_array().unwrap().iter().filter(|header| header[0] != "date").collect();
    let expected = [
        json!(["x-a", "1"]),
        json!(["set-cookie", "a=1"]),
        json!(["set-cookie", "b=2"]),
        json!(["content-encoding", "gzip"]),
        json!(["x-latin", "caf\u{e9}"]),
        json!(["content-length", "15"]),
    ];
    assert_eq!(headers.len(), expected.len());
    assert!(expected.iter().all(|header| headers.contains(&header)), "{headers:?}");
}

#[tokio::test]
async fn redirects_are_answers_like_others() {
    let elsewhere = Server::hello().await;
    let location = elsewhere.url("/secret");
    let server = Server::start(move |_| {
        let location = location.clone();
        async move { Response::builder().status(302).header("location", location).body(Full::default()).unwrap() }
    })
    .await;
    let answer = get(&egress([server.host().as_str(), elsewhere.host().as_str()]), &server.url("/")).await.unwrap();
    assert_eq!(answer["status"], 302);
    assert!(answer["headers"].as_array().unwrap().contains(&json!(["location", elsewhere.url("/secret")])));
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn unusual_answers_are_understood() {
    let answered = async |bytes: &str| {
        let host = answering(bytes).await;
        get(&egress([host.as_str()]), &format!("http://{host}/")).await
    };
    let chunked =
        answered("HTTP/1.1 299 Fine by me\r\nTransfer-Encoding: chunked\r\nConnection: x\r\n\r\n2\r\nhi\r\n0\r\nx: y\r\n\r\n").await;
    let chunked = chunked.unwrap();
    assert_eq!((text(&chunked).as_str(), chunked["reason"].as_str()), ("hi", Some("Fine by me")));
    assert_eq!(chunked["headers"], json!([]));
    let until_close = answered("HTTP/1.0 200 \r\n\r\nall of it").await.unwrap();
    assert_eq!((text(&until_close).as_str(), &until_close["reason"]), ("all of it", &Value::Null));
    let informed =
        answered("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(informed.unwrap()["status"], 204);

    let failure = |error: mirra_host_sdk::OperationError| (error.code, error.message.split_once(": ").unwrap().1.to_owned());
    let not_http = failure(answered("SSH-2.0-OpenSSH_9.6\r\n").await.unwrap_err());
    assert_eq!(not_http, (HandlerError, "what it answered is not HTTP/1".to_owned()));
    let nothing = failure(answered("").await.unwrap_err());
    assert_eq!(nothing, (HandlerError, "the connection was closed before an answer came".to_owned()));
    let half = failure(answered("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap_err());
    assert_eq!(half, (HandlerError, "the connection broke within the answer".to_owned()));
}

#[tokio::test]
async fn the_answer_to_head_has_no_body() {
    let host = answering("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").await;
    let answer = request(&egress([host.as_str()]), json!({ "method": "HEAD", "url": format!("http://{host}/") })).await.unwrap();
    assert_eq!((answer["body"].as_str(), &answer["headers"]), (Some(""), &json!([["content-length", "99999999999"]])));
}

#[tokio::test]
async fn a_request_has_its_price() {
    let price: Usd = "0.00001".parse().unwrap();
    let dear = egress_with([], |config| EgressConfig { request_usd: price, ..config });
    assert_eq!(dear.price(&operation("request", &json!({}))), price);
    assert_eq!(egress([]).price(&operation("request", &json!({}))), Usd::ZERO);
    assert_eq!(get_refusal(&egress([]), "http://api.test/").await.0, mirra_host_sdk::ErrorCode::ResourceDenied);
}
