//! Access tokens of our own at a route: whose they are, for which server, and how far they reach.

use std::time::{Duration, Instant};

use portreeve_core::id::{AuthorizationId, UserId};
use serde_json::{Value, json};

use crate::minted::{CLIENT, Mint};
use crate::served::{Request, Served, error_of, with};
use crate::upstream::Speaks;
use crate::web::{Answer, LegacyHost, modern};
use crate::wire::Wire;

fn metadata(served: &Served) -> String {
    let node = &served.node.url;
    format!(
        "{node}/.well-known/oauth-protected-resource/s/{}/mcp",
        served.slug
    )
}

/// A call of a tool with a token.
fn call(token: &str, tool: &str) -> Request {
    modern(
        Some(token),
        1,
        "tools/call",
        json!({"name": tool, "arguments": {}}),
    )
}

fn invalid(served: &Served, answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text());
    let expected = format!(
        "Bearer resource_metadata=\"{}\", scope=\"{slug}:read {slug}:write\", error=\"invalid_token\"",
        metadata(served),
        slug = served.slug
    );
    assert_eq!(answer.header("www-authenticate"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_9_a_token_calls_what_its_scope_implies() {
    let served = Served::start(Speaks::Both).await;
    let mint = Mint::of(&served.node).await;
    for (scopes, tool) in [
        ("billing:read", "echo"),
        ("billing:write", "echo"),
        ("billing:write", "wipe"),
        ("openid billing:read billing:write", "wipe"),
    ] {
        let token = mint
            .token(&served.url, &scopes.replace("billing", &served.slug))
            .await;
        let answer = served.post(&call(&token, tool)).await;
        assert_eq!(answer.status, 200, "{scopes} {tool}: {}", answer.text());
        assert!(answer.json().get("result").is_some(), "{}", answer.text());
        let seen = served.upstream.seen().pop().unwrap();
        let all = format!("{:?} {}", seen.headers, String::from_utf8_lossy(&seen.body));
        assert!(!all.contains(&token), "A-RS-11: the server sees nothing of it");
        assert!(seen.headers.get("authorization").is_none());
    }
    let audit = served.node.api("GET", "/audit?limit=50", None).await.json();
    let events = audit["items"].as_array().unwrap();
    let event = events.iter().find(|event| event["target"] == "wipe").unwrap();
    assert_eq!(
        (&event["actor"], &event["client"]),
        (&json!("user:admin"), &json!(CLIENT))
    );
    assert!(!served.node.log_text().contains("eyJ"), "no token is in the log");
    mint.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_8_a_tool_that_writes_needs_the_scope_to_write() {
    let served = Served::start(Speaks::Both).await;
    let mint = Mint::of(&served.node).await;
    let slug = &served.slug;
    let token = mint.token(&served.url, &format!("{slug}:read")).await;
    let reached = served.reached();
    let answer = served.post(&call(&token, "wipe")).await;
    assert_eq!(error_of(&answer), (403, json!(-32600), json!(1), Value::Null));
    let expected = format!(
        "Bearer error=\"insufficient_scope\", scope=\"{slug}:read {slug}:write\", resource_metadata=\"{}\"",
        metadata(&served)
    );
    assert_eq!(answer.header("www-authenticate"), expected);
    let host = LegacyHost::connect(&served.node.web, &served.url, Some(&token)).await;
    let answer = host
        .request(json!(2), "tools/call", json!({"name": "wipe", "arguments": {}}))
        .await;
    assert_eq!(
        (answer.status, answer.header("www-authenticate")),
        (403, expected.as_str())
    );

    let listed = modern(Some(&token), 3, "tools/list", json!({}));
    let listed = served.post(&listed).await.json();
    let names: Vec<_> = listed["result"]["tools"].as_array().unwrap().iter().collect();
    assert!(
        names.iter().any(|tool| tool["name"] == "wipe"),
        "a list is not narrowed, or nobody would ask for the scope: {listed}"
    );
    assert!(served.reached() > reached, "what the scope allows went through");

    let other = mint.token(&served.url, "crm:read crm:write openid").await;
    let answer = served.post(&call(&other, "echo")).await;
    assert_eq!(
        answer.status,
        403,
        "a token that opens nothing here: {}",
        answer.text()
    );
    let expected = format!(
        "Bearer error=\"insufficient_scope\", scope=\"{slug}:read\", resource_metadata=\"{}\"",
        metadata(&served)
    );
    assert_eq!(answer.header("www-authenticate"), expected);
    let events = served.node.api("GET", "/audit?limit=50", None).await.json();
    assert!(events.to_string().contains("insufficient-scope"), "{events}");
    mint.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_10_what_policy_denies_is_unknown_whatever_the_scopes() {
    let served = Served::start(Speaks::Both).await;
    let mint = Mint::of(&served.node).await;
    let hidden = ["tool", "hide", "com.acme/billing", "wipe"];
    served.node.cli_json(&hidden);
    for scope in ["read", "write"] {
        let token = mint.token(&served.url, &format!("{}:{scope}", served.slug)).await;
        let denied = served.post(&call(&token, "wipe")).await;
        let unknown = served.post(&call(&token, "wips")).await;
        assert_eq!(denied.status, unknown.status);
        assert_eq!(denied.text(), unknown.text().replace("wips", "wipe"));
        assert_eq!(denied.json()["error"]["code"], -32602);
        assert_eq!(denied.header("www-authenticate"), "");
    }
    mint.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_2_a_rs_3_a_token_of_another_server_or_issuer_is_invalid() {
    let served = Served::start(Speaks::Both).await;
    let crm = served.node.add("com.acme/crm", &served.upstream.url);
    let mint = Mint::of(&served.node).await;
    let scopes = format!("{slug}:read {slug}:write", slug = served.slug);
    let good = mint.token(&served.url, &scopes).await;
    let stranger = Mint::strangers(&served.node).await;
    let strange = stranger.token(&served.url, &scopes).await;
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let reversed: String = signature.chars().rev().collect();
    let reached = served.reached();
    for (name, token) in [
        (
            "for another server",
            mint.token(&served.node.endpoint(&crm), &scopes).await,
        ),
        (
            "for the whole origin",
            mint.token(&served.node.url, &scopes).await,
        ),
        (
            "for the other transport",
            mint.token(&served.url.replace("/mcp", "/sse"), &scopes).await,
        ),
        ("of a stranger", strange),
        ("with another signature", format!("{signed}.{reversed}")),
        ("without a signature", format!("{signed}.")),
        ("of somebody unknown", {
            let who = (UserId::from_u128(77), AuthorizationId::from_u128(1));
            mint.token_of(who, &served.url, &scopes).await
        }),
    ] {
        let answer = served.post(&call(&token, "echo")).await;
        invalid(&served, &answer);
        for verb in ["GET", "DELETE"] {
            let headers = [
                ("authorization", format!("Bearer {token}")),
                ("accept", "text/event-stream".to_owned()),
                ("mcp-session-id", "none".to_owned()),
                ("mcp-protocol-version", "2025-11-25".to_owned()),
            ];
            let answer = served.ask(verb, &headers, "").await;
            assert_eq!(answer.status, 401, "A-RS-7: {verb} {name}");
            invalid(&served, &answer);
        }
    }
    assert_eq!(served.reached(), reached);
    assert_eq!(served.post(&call(&good, "echo")).await.status, 200);
    stranger.close().await;
    mint.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_7_a_token_is_asked_for_on_every_request_of_a_session() {
    let served = Served::start(Speaks::Both).await;
    let mint = Mint::of(&served.node).await;
    let scopes = format!("{}:write", served.slug);
    let token = mint.token(&served.url, &scopes).await;
    let host = LegacyHost::connect(&served.node.web, &served.url, Some(&token)).await;
    let bare = with(&host.headers, "authorization", None);
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (verb, body) in [("POST", ping), ("GET", ""), ("DELETE", "")] {
        let answer = served.ask(verb, &bare, body).await;
        assert_eq!(answer.status, 401, "{verb}");
    }
    // The next token of the same user goes on with it; somebody else finds nothing.
    let next = mint.token(&served.url, &scopes).await;
    let again = with(&host.headers, "authorization", Some(&format!("Bearer {next}")));
    assert_eq!(served.ask("POST", &again, ping).await.status, 200);
    let key = served.node.new_key("other");
    served
        .node
        .cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let other = with(&host.headers, "authorization", Some(&format!("Bearer {key}")));
    assert_eq!(served.ask("POST", &other, ping).await.status, 404, "A-TR-9");
    assert_eq!(served.ask("POST", &again, ping).await.status, 200);
    mint.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_15_a_token_dies_with_its_authorization() {
    let served = Served::start(Speaks::Both).await;
    let mint = Mint::of(&served.node).await;
    let scopes = format!("{}:write", served.slug);
    let authorization = AuthorizationId::from_u128(4711);
    let token = mint
        .token_of((UserId::LOCAL_ADMIN, authorization), &served.url, &scopes)
        .await;
    let other = mint.token(&served.url, &scopes).await;
    assert_eq!(served.post(&call(&token, "echo")).await.status, 200);
    mint.end(authorization).await;
    let ended = Instant::now();
    loop {
        let answer = served.post(&call(&token, "echo")).await;
        if answer.status != 200 {
            invalid(&served, &answer);
            break;
        }
        assert!(ended.elapsed() < Duration::from_secs(5), "it works on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(served.post(&call(&other, "echo")).await.status, 200);
    mint.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_13_metadata_name_the_configured_origin_whatever_a_request_says() {
    let served = Served::start(Speaks::Both).await;
    let path = format!("/.well-known/oauth-protected-resource/s/{}/mcp", served.slug);
    for host in [
        "Host: evil.example",
        "Host: evil.example\r\nX-Forwarded-Host: evil.example",
    ] {
        let mut wire = Wire::connect(&served.node.url).await;
        wire.write(format!("GET {path} HTTP/1.1\r\n{host}\r\n\r\n")).await;
        let answer = wire.answer().await.unwrap();
        let text = format!("{answer:?}");
        assert!(!text.contains("evil"), "{text}");
        assert_eq!(
            answer.status, 403,
            "a loopback listener serves its own names alone"
        );
    }
    let forwarded = [("x-forwarded-host", "evil.example".to_owned())];
    let web = &served.node.web;
    let url = format!("{}{path}", served.node.url);
    let answer = web.ask("GET", &url, &forwarded, String::new()).await.unwrap();
    assert_eq!(answer.json()["resource"], served.url);
    assert!(!answer.text().contains("evil"));
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let mut headers = with(&headers, "authorization", None);
    headers.extend(forwarded);
    let challenge = served.ask("POST", &headers, &body).await;
    let expected = format!("Bearer resource_metadata=\"{}\"", metadata(&served));
    assert!(challenge.header("www-authenticate").starts_with(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_14_browsers_of_allowed_origins_may_read_the_challenge() {
    let served = Served::start(Speaks::Both).await;
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let mut headers = with(&headers, "authorization", None);
    headers.push(("origin", served.node.url.clone()));
    let answer = served.ask("POST", &headers, &body).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), served.node.url);
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("WWW-Authenticate")
    );
    let preflight = |origin: &str| {
        vec![
            ("origin", origin.to_owned()),
            ("access-control-request-method", "POST".to_owned()),
        ]
    };
    let allowed = served.ask("OPTIONS", &preflight(&served.node.url), "").await;
    let names = allowed.header("access-control-allow-headers").to_owned();
    for name in [
        "authorization",
        "content-type",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
    ] {
        assert!(names.contains(name), "{name}: {names}");
    }
    for refused in [
        served
            .ask("OPTIONS", &preflight("https://evil.example"), "")
            .await,
        served.ask("OPTIONS", &preflight("null"), "").await,
    ] {
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_a_virtual_server_reaches_as_far_at_its_members() {
    let served = Served::start(Speaks::Both).await;
    let node = &served.node;
    for (name, more) in [("com.acme/all", None), ("com.acme/found", Some("--search-tools"))] {
        let mut arguments = vec!["server", "add", name, "--member", &served.slug];
        arguments.extend(more);
        arguments.push("--approve");
        node.cli_json(&arguments);
    }
    let mint = Mint::of(node).await;
    for (slug, scopes, tool, arguments, status) in [
        ("all", "all:read", "echo", json!({}), 200),
        ("all", "all:read", "wipe", json!({}), 403),
        ("all", "all:write", "wipe", json!({}), 200),
        (
            "found",
            "found:read",
            "search_tools",
            json!({"query": "echo"}),
            200,
        ),
        (
            "found",
            "found:read",
            "call_tool",
            json!({"name": "echo", "arguments": {}}),
            200,
        ),
        (
            "found",
            "found:read",
            "call_tool",
            json!({"name": "wipe", "arguments": {}}),
            403,
        ),
        (
            "found",
            "found:write",
            "call_tool",
            json!({"name": "wipe", "arguments": {}}),
            200,
        ),
    ] {
        let url = node.endpoint(slug);
        let token = mint.token(&url, scopes).await;
        let params = json!({"name": tool, "arguments": arguments});
        let (headers, body) = modern(Some(&token), 1, "tools/call", params);
        let answer = node.web.ask("POST", &url, &headers, body).await.unwrap();
        assert_eq!(answer.status, status, "{slug} {scopes} {tool}: {}", answer.text());
        if status == 403 {
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains(&format!("scope=\"{slug}:")), "{challenge}");
            continue;
        }
        assert_ne!(answer.json()["result"]["isError"], true, "{}", answer.text());
    }
    // It is for the virtual server, and opens nothing of a member by itself.
    let token = mint.token(&node.endpoint("all"), "all:write").await;
    let refused = served.post(&call(&token, "echo")).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
}
