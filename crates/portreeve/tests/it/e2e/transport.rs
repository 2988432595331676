//! The transport: A-TR-1 to A-TR-9, without A-TR-5, which comes with the schemas of mirrored arguments. A-TR-7 is told in
//! `bad_input`, A-TR-8 in `framing`.

use serde_json::{Value, json};

use crate::served::{Served, error_of, with};
use crate::upstream::Speaks;
use crate::web::LegacyHost;

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_1_a_tr_3_origins_of_others_are_refused() {
    let served = Served::start(Speaks::Both).await;
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let reached = served.reached();
    let ours = served.node.url.clone();
    let port = ours.rsplit(':').next().unwrap().to_owned();
    for origins in [
        vec!["http://evil.example".to_owned()],
        vec!["null".to_owned()],
        vec![String::new()],
        vec!["*".to_owned()],
        vec![format!("http://localhost.evil.example:{port}")],
        vec![format!("http://localhost:{port}.evil.example")],
        vec!["http://localhost:1".to_owned()],
        vec!["file://".to_owned()],
        vec![format!("{ours}/")],
        vec![format!("{ours}, http://evil.example")],
        vec![ours.clone(), ours.clone()],
        vec![ours.clone(), "http://evil.example".to_owned()],
        vec!["http://evil.example".to_owned(), ours.clone()],
    ] {
        let given: Vec<_> = origins.iter().map(|origin| ("origin", origin.clone())).collect();
        for verb in ["POST", "GET", "DELETE", "OPTIONS"] {
            let all = [headers.clone(), given.clone()].concat();
            let answer = served
                .ask(verb, &all, if verb == "POST" { &body } else { "" })
                .await;
            assert_eq!(
                error_of(&answer),
                (403, json!(-32600), Value::Null, Value::Null),
                "{verb} {origins:?}"
            );
            let opened = origins == [ours.clone(), ours.clone()];
            assert!(
                opened || answer.header("access-control-allow-origin") != "http://evil.example",
                "{origins:?}"
            );
        }
    }
    assert_eq!(served.reached(), reached);
    for origin in [
        ours.clone(),
        format!("http://localhost:{port}"),
        ours.to_uppercase(),
    ] {
        let answer = served
            .ask("POST", &with(&headers, "origin", Some(&origin)), &body)
            .await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, origin.as_str())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_4_headers_that_contradict_the_body_are_refused() {
    let served = Served::start(Speaks::Both).await;
    let (headers, body) = served.modern(1, "tools/call", json!({"name": "wipe", "arguments": {}}));
    let calls = served.upstream.calls();
    for (name, value) in [
        ("mcp-method", Some("tools/list")),
        ("mcp-name", None),
        ("mcp-name", Some("echo")),
        ("mcp-name", Some("")),
    ] {
        let answer = served.ask("POST", &with(&headers, name, value), &body).await;
        assert_eq!(
            error_of(&answer),
            (400, json!(-32020), json!(1), Value::Null),
            "{name}: {value:?}"
        );
    }
    assert_eq!(served.upstream.calls(), calls);
    let encoded = with(&headers, "mcp-name", Some("=?base64?d2lwZQ==?="));
    assert_eq!(served.ask("POST", &encoded, &body).await.status, 200);
    assert_eq!(served.upstream.calls(), calls + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_6_a_forged_mirror_in_the_legacy_era_decides_nothing() {
    let served = Served::start(Speaks::Both).await;
    let key = served.node.new_key("reader");
    served.node.cli_json(&[
        "grant",
        "add",
        "--key",
        "reader",
        "--server",
        "com.acme/billing",
        "--read-only",
    ]);
    let host = LegacyHost::connect(&served.node.web, &served.url, Some(&key)).await;
    let calls = served.upstream.calls();
    let call = |name: &str| {
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}})
            .to_string()
    };
    for version in [
        Some("2025-11-25"),
        Some("2025-06-18"),
        Some("2025-03-26"),
        Some("2024-11-05"),
        None,
    ] {
        let headers = with(&host.headers, "mcp-protocol-version", version);
        for mirrors in [
            vec![("mcp-name", "echo".to_owned())],
            vec![
                ("mcp-name", "echo".to_owned()),
                ("mcp-method", "tools/list".to_owned()),
            ],
            vec![("mcp-name", "echo".to_owned()), ("mcp-name", "slow".to_owned())],
        ] {
            let forged = [headers.clone(), mirrors].concat();
            let refused = served.ask("POST", &forged, &call("wipe")).await;
            assert_eq!(
                refused.json()["error"]["message"],
                "Unknown tool: wipe",
                "the body decides, {version:?}"
            );
            let permitted = served.ask("POST", &forged, &call("echo")).await;
            assert!(
                permitted.json()["result"].is_object(),
                "{version:?}: {}",
                permitted.text()
            );
        }
        let misled = with(&headers, "mcp-name", Some("wipe"));
        let permitted = served.ask("POST", &misled, &call("echo")).await;
        assert!(
            permitted.json()["result"].is_object(),
            "and the header not at all"
        );
    }
    assert_eq!(served.upstream.calls(), calls + 20, "`wipe` was never called");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_9_a_session_of_somebody_else_is_unknown() {
    let served = Served::start(Speaks::Legacy).await;
    let other = served.node.new_key("other");
    served
        .node
        .cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let elsewhere = served.node.add("com.acme/second", &served.upstream.url);
    let host = served.legacy().await;
    let reached = served.reached();
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let foreign = with(&host.headers, "authorization", Some(&format!("Bearer {other}")));
    let invented = with(&host.headers, "mcp-session-id", Some(&"A".repeat(43)));
    let mut bodies = Vec::new();
    for (name, url, headers) in [
        ("another caller", served.url.clone(), &foreign),
        ("another route", served.node.endpoint(&elsewhere), &host.headers),
        ("nobody's", served.url.clone(), &invented),
    ] {
        for (verb, body) in [("POST", list.as_str()), ("GET", ""), ("DELETE", "")] {
            let answer = served
                .node
                .web
                .ask(verb, &url, headers, body.to_owned())
                .await
                .unwrap();
            assert_eq!(answer.status, 404, "{name}, {verb}: {}", answer.text());
            bodies.push((verb, answer.text()));
        }
    }
    for verb in ["POST", "GET", "DELETE"] {
        let of_verb: Vec<_> = bodies.iter().filter(|(other, _)| *other == verb).collect();
        assert!(
            of_verb.windows(2).all(|pair| pair[0] == pair[1]),
            "no oracle: {of_verb:?}"
        );
    }
    assert_eq!(served.reached(), reached);
    assert_eq!(
        host.request(json!(1), "ping", json!({})).await.status,
        200,
        "its owner is unaffected"
    );
}
