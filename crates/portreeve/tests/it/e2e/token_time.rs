//! Access tokens end with their time, on every way into a server: requests, streams, the end of sessions, and both halves of
//! HTTP+SSE.

use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::oauth::house::{Browser, House};
use crate::minted::Mint;
use crate::served::with;
use crate::sse_host::{SseHost, bearer};
use crate::web::{Answer, Headers, LegacyHost};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// A house whose tokens work that long.
async fn house(seconds: u64) -> (House, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portreeve.toml");
    std::fs::write(&file, format!("[oauth]\naccess_seconds = {seconds}\n")).unwrap();
    let house = House::start_with(&["--config", file.to_str().unwrap()]).await;
    (house, folder)
}

async fn ask(house: &House, (verb, url): (&str, &str), headers: Headers<'_>, body: &str) -> Answer {
    let answer = house.node.web.ask(verb, url, headers, body.to_owned()).await;
    answer.unwrap()
}

fn is_refused(answer: &Answer, error: bool, why: &str) {
    assert_eq!(answer.status, 401, "{why}: {}", answer.text());
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer resource_metadata=\""),
        "{why}: {challenge}"
    );
    assert_eq!(
        challenge.contains("error=\"invalid_token\""),
        error,
        "{why}: {challenge}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_2_an_expired_token_is_refused_and_its_session_goes_on_with_the_next() {
    let (house, _folder) = house(3).await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let tokens = house.tokens(&browser, &client).await;
    assert_eq!(tokens["expires_in"], 3);
    let access = tokens["access_token"].as_str().unwrap();
    let host = LegacyHost::connect(&house.node.web, &house.resource, Some(access)).await;
    assert_eq!(house.calls(access).await, 200);
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    let reached = house.upstream.reached();
    for (verb, body) in [("POST", PING), ("GET", ""), ("DELETE", "")] {
        let answer = ask(&house, (verb, &house.resource), &host.headers, body).await;
        is_refused(&answer, true, verb);
    }
    assert_eq!(house.calls(access).await, 401);
    assert_eq!(house.upstream.reached(), reached);
    // A host that was away for longer than its token works refreshes it, and goes on.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let next = house.post("/token", &House::refresh(&client, refresh)).await;
    assert_eq!(next.status, 200, "{}", next.text());
    let next = format!("Bearer {}", next.json()["access_token"].as_str().unwrap());
    let headers = with(&host.headers, "authorization", Some(&next));
    let answer = ask(&house, ("POST", &house.resource), &headers, PING).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_7_both_halves_of_http_sse_want_a_token_of_their_server_and_of_now() {
    let (house, _folder) = house(6).await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let sse = house.resource.replace("/mcp", "/sse");
    let crm = house.node.add("com.acme/crm", &house.upstream.url);
    let mint = Mint::of(&house.node).await;
    let foreign = mint.token(&house.node.endpoint(&crm), "crm:read crm:write").await;
    let tokens = house.tokens(&browser, &client).await;
    let access = tokens["access_token"].as_str().unwrap();
    let mut host = SseHost::ready(&house.node, "billing", access).await;
    let list = host.ask(json!(1), "tools/list", json!({})).await;
    assert!(list["result"]["tools"].is_array(), "{list}");
    let messages = host.messages.clone();
    for (verb, url, body) in [("GET", &sse, ""), ("POST", &messages, PING)] {
        let answer = ask(&house, (verb, url), &[], body).await;
        is_refused(&answer, false, verb);
        let answer = ask(&house, (verb, url), &bearer(&foreign), body).await;
        is_refused(&answer, true, "a token of another server");
    }
    tokio::time::sleep(Duration::from_millis(7_100)).await;
    let reached = house.upstream.reached();
    for (verb, url, body) in [("GET", &sse, ""), ("POST", &messages, PING)] {
        let answer = ask(&house, (verb, url), &bearer(access), body).await;
        is_refused(&answer, true, "a token that is over");
    }
    assert_eq!(house.upstream.reached(), reached);
    let key = house.node.new_key("other");
    house
        .node
        .cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let answer = host.post_as(Some(&key), PING).await;
    assert_eq!(answer.status, 404, "A-TR-9: {}", answer.text());
    mint.close().await;
}
