//! What is believed of proxies' headers, and what is not.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Network, Proxies};

fn proxies() -> Proxies {
    let networks = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"];
    Proxies::new(networks.iter().map(|network| network.parse().unwrap()).collect())
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn found(peer: &str, lines: &[(&str, &str)]) -> String {
    let peer: IpAddr = peer.parse().unwrap();
    proxies().origin(peer, &headers(lines)).address.to_string()
}

#[test]
fn the_first_address_from_the_right_that_is_no_proxy_counts() {
    let for_ = |value: &'static str| found("10.0.0.1", &[("x-forwarded-for", value)]);
    assert_eq!(for_("203.0.113.9"), "203.0.113.9");
    assert_eq!(for_("6.6.6.6, 203.0.113.9, 10.2.3.4"), "203.0.113.9");
    assert_eq!(for_("6.6.6.6,203.0.113.9 ,192.0.2.7,fd00::5"), "203.0.113.9");
    assert_eq!(
        for_("10.9.9.9, 10.2.3.4"),
        "10.9.9.9",
        "all are ours: the outermost"
    );
    assert_eq!(for_("203.0.113.9:4711"), "203.0.113.9");
    assert_eq!(for_("2001:db8::17"), "2001:db8::17");
    assert_eq!(for_("[2001:db8::17]:4711"), "2001:db8::17");
    assert_eq!(for_("[2001:db8::17]"), "2001:db8::17");
    assert_eq!(for_("::ffff:203.0.113.9"), "203.0.113.9");
    let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9")];
    assert_eq!(found("10.0.0.1", &lines), "203.0.113.9", "several lines are one");
}

#[test]
fn what_is_no_address_makes_the_peer_count() {
    for garbage in [
        "",
        "unknown",
        "203.0.113.9, bogus",
        "203.0.113.9, ",
        "203.0.113.999",
        "a\"b",
        "1",
    ] {
        let lines = [("x-forwarded-for", garbage)];
        assert_eq!(found("10.0.0.1", &lines), "10.0.0.1", "{garbage}");
    }
    // Garbage that the caller wrote, left of what a proxy wrote, is of no account.
    let lines = [("x-forwarded-for", "bogus, 203.0.113.9")];
    assert_eq!(found("10.0.0.1", &lines), "203.0.113.9");
    let many = "10.1.1.1, ".repeat(40) + "203.0.113.9";
    assert_eq!(
        found("10.0.0.1", &[("x-forwarded-for", many.as_str())]),
        "10.0.0.1"
    );
}

#[test]
fn who_is_no_proxy_is_not_believed_and_is_told_of() {
    let proxies = proxies();
    let lines = headers(&[
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "evil.example"),
    ]);
    for peer in ["192.0.2.8", "11.0.0.1", "fe80::1"] {
        let peer = peer.parse().unwrap();
        let origin = proxies.origin(peer, &lines);
        assert_eq!((origin.address, origin.host), (peer, None));
    }
    assert_eq!(proxies.unbelieved(), Some((3, "192.0.2.8".parse().unwrap())));
    let quiet = self::proxies();
    quiet.origin("192.0.2.8".parse().unwrap(), &headers(&[]));
    assert_eq!(quiet.unbelieved(), None);
}

#[test]
fn forwarded_says_the_same_in_other_words() {
    let said = |value: &'static str| found("10.0.0.1", &[("forwarded", value)]);
    assert_eq!(said("for=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
    assert_eq!(said("For=\"[2001:db8::17]:4711\""), "2001:db8::17");
    assert_eq!(
        said("for=6.6.6.6, for=203.0.113.9, for=\"10.1.1.1:80\""),
        "203.0.113.9"
    );
    for garbage in [
        "for=_hidden",
        "for=unknown",
        "for=\"203.0.113.9",
        "proto=https",
        "203.0.113.9",
    ] {
        assert_eq!(said(garbage), "10.0.0.1", "{garbage}");
    }
    // One of the two was written by the caller, and nobody knows which one.
    let both = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "203.0.113.9")];
    assert_eq!(found("10.0.0.1", &both), "10.0.0.1");
    let both = [
        ("forwarded", "for=203.0.113.9"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    assert_eq!(found("10.0.0.1", &both), "203.0.113.9");
}

#[test]
fn scheme_and_host_are_those_that_the_outermost_proxy_was_asked_with() {
    let peer = "10.0.0.1".parse().unwrap();
    let lines = headers(&[
        ("x-forwarded-for", "203.0.113.9, 10.2.3.4"),
        ("x-forwarded-proto", "gopher, https, http"),
        ("x-forwarded-host", "mcp.acme.example"),
    ]);
    let proxies = proxies();
    let origin = proxies.origin(peer, &lines);
    assert_eq!(proxies.in_clear(), 0, "the outermost one was asked over TLS");
    let mut request = http::Request::get("https://inner/x?y=1")
        .header("host", "inner")
        .body(())
        .unwrap();
    origin.restore(&mut request);
    assert_eq!(request.headers()["host"], "mcp.acme.example");
    assert_eq!(request.uri(), "https://mcp.acme.example/x?y=1");

    let lines = headers(&[(
        "forwarded",
        "for=203.0.113.9;host=mcp.acme.example:8443;proto=HTTP",
    )]);
    let origin = proxies.origin(peer, &lines);
    assert_eq!(proxies.in_clear(), 1);
    assert_eq!(origin.host.unwrap().as_str(), "mcp.acme.example:8443");
}

#[test]
fn a_network_is_an_address_with_as_many_bits_as_count() {
    let has =
        |network: &str, address: &str| network.parse::<Network>().unwrap().has(address.parse().unwrap());
    assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "::1"));
    assert!(has("::/0", "2001:db8::1"));
    assert!(has("10.0.0.0/9", "10.127.0.1") && !has("10.0.0.0/9", "10.128.0.1"));
    assert!(has("2001:db8::1", "2001:db8::1") && !has("2001:db8::1", "2001:db8::2"));
    for wrong in [
        "10.0.0.0/33",
        "fd00::/129",
        "10.0.0.0/",
        "10.0.0/8",
        "proxy",
        "10.0.0.0/+8",
        "",
    ] {
        assert!(wrong.parse::<Network>().is_err(), "{wrong}");
    }
}
