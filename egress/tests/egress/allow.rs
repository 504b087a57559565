//! Where a request may go.

use mirra_egress::{Egress, EgressConfig, EgressLimits};
use mirra_host_sdk::{
    AllowEntry, AllowList,
    ErrorCode::{HandlerError, ResourceDenied, ValidationError},
};

use crate::support::{Resolver, Server, egress, egress_with, get, get_refusal, listen, text};

#[tokio::test]
async fn nothing_is_allowed_by_default() {
    let resolver = Resolver::to(&["127.0.0.1"]);
    let server = Server::hello().await;
    let egress = egress_with([], |config| EgressConfig { resolver: resolver.clone(), ..config });
    let (code, message) = get_refusal(&egress, "https://api.example.com/secret?key=1").await;
    assert_eq!(code, ResourceDenied);
    assert_eq!(message, "handlers may not reach api.example.com: to let them, start the host with --allow-net api.example.com");
    let (code, message) = get_refusal(&egress, &server.url("/")).await;
    assert_eq!(code, ResourceDenied);
    assert!(message.ends_with(&format!("--allow-net 127.0.0.1:{}", server.port)), "{message}");
    // Refused before anything was looked up or dialled.
    assert_eq!((resolver.asked(), server.connections()), (0, 0));
}

#[tokio::test]
async fn a_named_host_is_reached_and_no_other() {
    let server = Server::hello().await;
    let egress = egress([format!("api.test:{}", server.port).as_str()]);
    let answer = get(&egress, &format!("http://api.test:{}/", server.port)).await.unwrap();
    assert_eq!((answer["status"].as_u64(), text(&answer)), (Some(200), "hello".to_owned()));
    // However it is written.
    for same in ["API.Test", "api.test.", "%61pi.test", "ａｐｉ．test"] {
        get(&egress, &format!("http://{same}:{}/", server.port)).await.unwrap();
    }
    for other in ["x.api.test", "api.test.x", "xapi.test", "api.test..", "test", "127.0.0.1", "localhost"] {
        assert_eq!(get_refusal(&egress, &format!("http://{other}:{}/", server.port)).await.0, ResourceDenied, "{other}");
    }
    // What stands before an @ is not the host.
    assert_eq!(get_refusal(&egress, &format!("http://api.test:{}@evil.test/", server.port)).await.0, ValidationError);
    assert_eq!(get_refusal(&egress, &format!("http://evil.test\\@api.test:{}/", server.port)).await.0, ResourceDenied);
}

/// Which names and ports an entry lets through can be seen without dialling: those are looked up, others are not.
async fn is_looked_up(entry: &str, url: &str) -> bool {
    let resolver = Resolver::to(&[]);
    let egress = egress_with([entry], |config| EgressConfig { resolver: resolver.clone(), ..config });
    let (code, _) = get_refusal(&egress, url).await;
    assert_eq!(code, if resolver.asked() == 1 { HandlerError } else { ResourceDenied });
    resolver.asked() == 1
}

#[tokio::test]
async fn an_entry_without_a_port_means_the_schemes_own() {
    for allowed in ["http://api.test/", "http://api.test:80/", "https://api.test/", "https://api.test:443/"] {
        assert!(is_looked_up("api.test", allowed).await, "{allowed}");
    }
    for denied in ["http://api.test:443/", "https://api.test:80/", "http://api.test:8080/"] {
        assert!(!is_looked_up("api.test", denied).await, "{denied}");
    }
    assert!(is_looked_up("api.test:8443", "https://api.test:8443/").await);
    assert!(is_looked_up("api.test:8443", "http://api.test:8443/").await);
    assert!(!is_looked_up("api.test:8443", "https://api.test/").await);
    assert!(is_looked_up("api.test:443", "https://api.test/").await);
}

#[tokio::test]
async fn a_wildcard_stands_for_names_below() {
    for allowed in ["http://a.example.test/", "https://a.b.example.test/", "http://A.EXAMPLE.test./"] {
        assert!(is_looked_up("*.example.test", allowed).await, "{allowed}");
    }
    for denied in ["http://example.test/", "http://.example.test/", "http://aexample.test/", "http://example.test.evil.test/"] {
        assert!(!is_looked_up("*.example.test", denied).await, "{denied}");
    }
    assert!(!is_looked_up("*.example.test", "http://a.example.test:81/").await);
    assert!(is_looked_up("*.example.test:81", "http://a.example.test:81/").await);
    assert!(is_looked_up("*", "https://anything.test/").await);
    assert!(!is_looked_up("*", "https://anything.test:8443/").await);
    assert!(is_looked_up("*.BÜCHER.test", "http://a.xn--bcher-kva.test/").await);
}

#[tokio::test]
async fn a_wildcard_leads_to_no_private_address() {
    let server = Server::hello().await;
    let private = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1"];
    for address in private {
        let resolver = Resolver::to(&[address]);
        let allowed = [format!("*:{}", server.port), format!("*.test:{}", server.port)];
        let egress = egress_with(allowed.iter().map(String::as_str), |config| EgressConfig { resolver, ..config });
        let (code, message) = get_refusal(&egress, &format!("http://intranet.test:{}/", server.port)).await;
        assert_eq!(code, ResourceDenied);
        assert!(message.ends_with(&format!("--allow-net intranet.test:{}", server.port)), "{message}");
        assert!(!message.contains(address), "{message}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_host_allowed_by_its_name_may_be_private() {
    let server = Server::hello().await;
    let allowed = ["*.test".to_owned(), format!("intranet.test:{}", server.port)];
    let egress = egress(allowed.iter().map(String::as_str));
    get(&egress, &format!("http://intranet.test:{}/", server.port)).await.unwrap();
}

#[tokio::test]
async fn an_address_in_the_url_is_judged_before_it_is_dialled() {
    let resolver = Resolver::to(&["127.0.0.1"]);
    // No request has a place here, so what is refused is refused before it would take one.
    let limits = EgressLimits { requests_max: 0, ..EgressLimits::default() };
    let egress = egress_with(["*"], |config| EgressConfig { resolver: resolver.clone(), limits, ..config });
    let refused = [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        // Other spellings of 127.0.0.1, of 169.254.169.254, and of 0.0.0.0
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "１２７.0.0.1",
        "%31%32%37.0.0.1",
        "2852039166",
        "0xA9FEA9FE",
        "0",
        "0x",
        // IPv6
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::808:808]",
        "[100::1]",
        "[2001::1]",
        "[2001:20::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::1]",
        "[2002:a00:1::1]",
        "[3fff::1]",
        "[4000::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
    ];
    for host in refused {
        let (code, message) = get_refusal(&egress, &format!("http://{host}/")).await;
        assert_eq!(code, ResourceDenied, "{host}: {message}");
    }
    assert_eq!(resolver.asked(), 0);
}

#[tokio::test]
async fn an_allowed_address_is_reached_however_it_is_spelt() {
    let server = Server::hello().await;
    let egress = egress([server.host().as_str()]);
    for same in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1"] {
        let answer = get(&egress, &format!("http://{same}:{}/", server.port)).await.unwrap();
        assert_eq!(answer["url"], server.url("/"));
    }
    for other in ["127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "localhost"] {
        assert_eq!(get_refusal(&egress, &format!("http://{other}:{}/", server.port)).await.0, ResourceDenied, "{other}");
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_connection() {
    let server = Server::hello().await;
    // Nobody listens there on this port; a second look-up would be told of it.
    let resolver = Resolver::new(|asked| Ok(vec![if asked == 0 { "127.0.0.1" } else { "127.0.0.2" }.parse().unwrap()]));
    let url = format!("http://rebound.test:{}/", server.port);
    let allowed = format!("rebound.test:{}", server.port);
    let egress = egress_with([allowed.as_str()], |config| EgressConfig { resolver: resolver.clone(), ..config });
    for _ in 0..3 {
        assert_eq!(text(&get(&egress, &url).await.unwrap()), "hello");
    }
    assert_eq!((resolver.asked(), server.connections()), (1, 1));

    // What is checked is what is dialled, so there is no second answer that could be the wrong one.
    let wildcard = format!("*.test:{}", server.port);
    let resolver = Resolver::to(&["127.0.0.1"]);
    let egress = egress_with([wildcard.as_str()], |config| EgressConfig { resolver: resolver.clone(), ..config });
    assert_eq!(get_refusal(&egress, &url).await.0, ResourceDenied);
    assert_eq!((resolver.asked(), server.connections()), (1, 1));
}

#[tokio::test]
async fn further_addresses_of_a_name_are_tried() {
    let server = Server::hello().await;
    let resolver = Resolver::to(&["127.0.0.2", "127.0.0.3", "127.0.0.1"]);
    let allowed = format!("many.test:{}", server.port);
    let egress = egress_with([allowed.as_str()], |config| EgressConfig { resolver, ..config });
    get(&egress, &format!("http://many.test:{}/", server.port)).await.unwrap();
}

#[tokio::test]
async fn hosts_that_cannot_be_reached_are_told_without_what_is_the_hosts_own() {
    let (listener, port) = listen().await;
    drop(listener);
    let allowed = [format!("127.0.0.1:{port}"), format!("here.test:{port}"), "gone.test".to_owned()];
    let resolver = Resolver::to(&["127.0.0.1"]);
    let here = egress_with(allowed.iter().map(String::as_str), |config| EgressConfig { resolver, ..config });
    let refused = get_refusal(&here, &format!("http://here.test:{port}/")).await;
    assert_eq!(refused, (HandlerError, format!("here.test:{port}: cannot connect: connection refused")));

    let resolver = Resolver::new(|_| Err(std::io::Error::other("the name server 10.0.0.53 is on fire")));
    let unknown = egress_with(allowed.iter().map(String::as_str), |config| EgressConfig { resolver, ..config });
    let refused = get_refusal(&unknown, "http://gone.test/").await;
    assert_eq!(refused, (HandlerError, "gone.test: the name could not be resolved".to_owned()));
}

#[tokio::test]
async fn names_are_looked_up_as_the_system_does_by_default() {
    let server = Server::hello().await;
    let by_default = |entry: String| Egress::new(EgressConfig::new(AllowList::parse([entry.as_str()]).unwrap())).unwrap();
    let url = format!("http://localhost:{}/", server.port);
    get(&by_default(format!("localhost:{}", server.port)), &url).await.unwrap();
    assert_eq!(get_refusal(&by_default(format!("*:{}", server.port)), &url).await.0, ResourceDenied);
    assert_eq!(server.connections(), 1);
}

#[test]
fn entries_are_read_or_explained() {
    for entry in ["api.example.com", "api.example.com:8443", "*.example.com", "*", "*:8443", "127.0.0.1:8080", "[::1]", "[::1]:8080"] {
        assert!(entry.parse::<AllowEntry>().is_ok(), "{entry}");
    }
    let wrong = [
        "",
        ":80",
        "https://api.example.com",
        "api.example.com/path",
        "api.example.com:",
        "api.example.com:0",
        "api.example.com:+80",
        "api.example.com:65536",
        "api.*.com",
        "*.*.com",
        "a*.com",
        "*.",
        "*.127.0.0.1",
        "::1",
        "010.0.0.1",
        "2130706433",
        "user@example.com",
        "10.0.0.0/8",
        "a b",
    ];
    for entry in wrong {
        let error = entry.parse::<AllowEntry>().expect_err(entry).to_string();
        assert!(error.starts_with(&format!("'{entry}' is no host to allow: ")), "{error}");
    }
}
