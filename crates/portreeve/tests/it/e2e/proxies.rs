//! Behind a proxy: whose word on where a request comes from is believed, and what goes by it. The tests speak as the proxy.

use serde_json::{Value, json};

use crate::node::{Engines, Node};
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, LegacyHost, modern};
use crate::wire::Wire;

/// A node with counters of its own that believes these.
async fn node(trusted: &str) -> (Node, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portreeve.toml");
    std::fs::write(&file, format!("[server]\ntrusted_proxies = [{trusted}]\n")).unwrap();
    let flags = ["--config", file.to_str().unwrap()];
    (Node::start_on(Engines::Alone, &flags).await, folder)
}

async fn register(node: &Node, headers: &[(&'static str, String)]) -> u16 {
    let body = json!({"redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"});
    let url = format!("{}/register", node.url);
    let answer = node.web.ask("POST", &url, headers, body.to_string()).await;
    answer.unwrap().status
}

fn forwarded(from: &str) -> Vec<(&'static str, String)> {
    vec![("x-forwarded-for", from.to_owned())]
}

/// Registers from there until it is enough.
async fn wear_out(node: &Node, from: &str) {
    for _ in 0..60 {
        match register(node, &forwarded(from)).await {
            201 => {}
            429 => return,
            other => panic!("{other}"),
        }
    }
    panic!("`{from}` has no limit");
}

fn check<'a>(doctor: &'a Value, name: &str) -> &'a Value {
    let checks = doctor["items"].as_array().or(doctor["checks"].as_array());
    let checks = checks.unwrap_or_else(|| panic!("{doctor}"));
    checks.iter().find(|check| check["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_tells_where_requests_come_from() {
    let (node, _folder) = node("\"127.0.0.0/8\", \"10.0.0.0/8\"").await;
    // What the caller wrote itself, left of what the proxies wrote, is of no account.
    wear_out(&node, "6.6.6.6, 203.0.113.1, 10.2.3.4").await;
    assert_eq!(register(&node, &forwarded("7.7.7.7, 203.0.113.1")).await, 429);
    assert_eq!(register(&node, &forwarded("203.0.113.2")).await, 201);
    assert_eq!(register(&node, &forwarded("[2001:db8::1]:4711")).await, 201);
    let rfc = vec![("forwarded", "for=203.0.113.1;proto=https".to_owned())];
    assert_eq!(register(&node, &rfc).await, 429);
    // What is no address is the proxy's own.
    assert_eq!(register(&node, &forwarded("unknown")).await, 201);
    let doctor = node.api("GET", "/doctor", None).await.json();
    assert_eq!(check(&doctor, "proxies")["status"], "ok", "{doctor}");

    // The host that the proxy was asked for is the one that counts.
    let (headers, body) = modern(Some(&node.key), 1, "server/discover", json!({}));
    let ask = async |more: &[(&'static str, &str)]| -> Answer {
        let mut headers = headers.clone();
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let url = format!("{}/mcp", node.url);
        node.web.ask("POST", &url, &headers, body.clone()).await.unwrap()
    };
    let host = node.url.strip_prefix("http://").unwrap();
    let from = ("x-forwarded-for", "203.0.113.2");
    assert_eq!(ask(&[from, ("x-forwarded-host", host)]).await.status, 200);
    assert_eq!(
        ask(&[from, ("x-forwarded-host", "evil.example")]).await.status,
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_name_was_turned_here_is_no_proxy() {
    let (node, _folder) = node("\"127.0.0.0/8\"").await;
    let ours = node.url.strip_prefix("http://").unwrap().to_owned();
    let asked = async |path: &str, host: &str| {
        let mut wire = Wire::connect(&node.url).await;
        let said = format!("Host: {host}\r\nX-Forwarded-For: 203.0.113.2\r\nX-Forwarded-Host: {ours}\r\n");
        wire.write(format!("GET {path} HTTP/1.1\r\n{said}\r\n")).await;
        wire.answer().await.unwrap().status
    };
    assert_eq!(asked("/v0.1/servers", "evil.example").await, 403);
    assert_eq!(asked("/mcp", "evil.example").await, 403);
    assert_eq!(asked("/v0.1/servers", &ours).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_believed_and_the_doctor_tells() {
    let (node, _folder) = node("\"192.0.2.7\"").await;
    let doctor = node.api("GET", "/doctor", None).await.json();
    assert_eq!(check(&doctor, "proxies")["status"], "ok", "{doctor}");
    wear_out(&node, "203.0.113.1").await;
    assert_eq!(register(&node, &forwarded("203.0.113.2")).await, 429);
    let doctor = node.api("GET", "/doctor", None).await.json();
    let told = check(&doctor, "proxies");
    assert_eq!(told["status"], "warning", "{told}");
    assert!(told["detail"].as_str().unwrap().contains("127.0.0.1"), "{told}");
    assert!(
        told["hint"].as_str().unwrap().contains("trusted_proxies"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_names_documents_to_be_fetched_does_so_within_limits() {
    let (node, _folder) = node("\"127.0.0.1\"").await;
    let asked = async |number: u32, from: &str| {
        // No two of them are at one host, so nothing but the address is counted.
        let client = format!("https%3A%2F%2Fhost-{number}.invalid%2Fclient.json");
        let url = format!("{}/authorize?client_id={client}&response_type=code", node.url);
        let answer = node.web.ask("GET", &url, &forwarded(from), String::new()).await;
        answer.unwrap().text()
    };
    let mut is_limited = false;
    for number in 0..60 {
        let text = asked(number, "203.0.113.1").await;
        is_limited = !text.contains("cannot be fetched");
        if is_limited {
            break;
        }
    }
    assert!(is_limited, "one address asks for as many as it likes");
    let text = asked(100, "203.0.113.2").await;
    assert!(text.contains("cannot be fetched"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_open_sessions_within_limits() {
    let (node, _folder) = node("\"127.0.0.1\"").await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let stranger = node.new_key("stranger");
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"},
    }});
    let mut last = None;
    for _ in 0..120 {
        let headers = [
            ("authorization", format!("Bearer {stranger}")),
            ("accept", "application/json, text/event-stream".to_owned()),
        ];
        let answer = node
            .web
            .ask("POST", &node.endpoint(&slug), &headers, hello.to_string())
            .await
            .unwrap();
        let status = answer.status;
        last = Some(answer);
        if status != 200 {
            break;
        }
    }
    let last = last.unwrap();
    assert_eq!(last.status, 429, "{}", last.text());
    assert!(!last.header("retry-after").is_empty());
    // Who was granted something is not counted with them.
    LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
}
