//! Servers that ask back: by a request on the call's own stream (legacy), by an answer that wants input (modern), and
//! subscriptions.

use std::time::Duration;

use axum::Json;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream, events};
use crate::web::{LegacyHost, modern};

#[tokio::test(flavor = "multi_thread")]
async fn s8_a_question_comes_on_the_stream_of_the_call_that_caused_it() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let question = json!({"jsonrpc": "2.0", "id": "q-1", "method": "elicitation/create", "params": {"message": "Which one?"}});
    let asked = question.clone();
    upstream.set_script(move |message| {
        (message["method"] == "tools/call")
            .then(|| events(std::slice::from_ref(&asked), Duration::from_secs(5)))
    });
    let call = json!({"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"name": "echo", "arguments": {}}});
    let mut stream = host.open(call).await;
    assert_eq!(stream.message().await.unwrap(), question);

    let reply =
        json!({"jsonrpc": "2.0", "id": "q-1", "result": {"action": "accept", "content": {"which": "this"}}});
    let before = upstream.seen().len();
    assert_eq!(host.post(reply.clone()).await.status, 202);
    let passed: Value = serde_json::from_slice(&upstream.seen().pop().unwrap().body).unwrap();
    assert_eq!((upstream.seen().len(), passed), (before + 1, reply.clone()));
    assert_eq!(host.post(reply).await.status, 202);
    assert_eq!(upstream.seen().len(), before + 1, "an answer counts once");

    let end = stream.message().await.unwrap();
    assert_eq!(
        end["id"], 8,
        "a stream that ends without an answer ends the call: {end}"
    );
    assert_eq!(end["error"]["code"], -31502);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_wants_input_and_its_repetition_pass_untouched_but_for_the_seal_of_the_state() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let wanted = json!({
        "resultType": "input_required", "requestState": "opaque==", "x-more": 1.50,
        "inputRequests": {"q": {"method": "elicitation/create", "params": {"mode": "form", "message": "name?"}}},
    });
    let result = wanted.clone();
    upstream.set_script(move |message| {
        let first = message["method"] == "tools/call" && message["params"]["requestState"].is_null();
        first.then(|| Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response())
    });
    let (headers, body) = modern(
        Some(&node.key),
        2,
        "tools/call",
        json!({"name": "echo", "arguments": {"a": 1}}),
    );
    let asked = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    let asked = asked.text();
    let state = asked
        .split("\"requestState\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let state = state.unwrap_or_else(|| panic!("no state: {asked}")).to_owned();
    let opened: Value = serde_json::from_str(&asked.replace(&state, "opaque==")).unwrap();
    assert_eq!(opened["result"], wanted);

    let again = json!({
        "name": "echo", "arguments": {"a": 1}, "requestState": state,
        "inputResponses": {"q": {"action": "accept", "content": {"name": "bob"}}},
    });
    let (headers, body) = modern(Some(&node.key), 3, "tools/call", again);
    let done = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body.clone())
        .await
        .unwrap();
    assert_eq!(done.json()["result"]["resultType"], "complete");
    let sent = body.replace(&state, "opaque==");
    assert_eq!(upstream.seen().pop().unwrap().body, sent.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_told_that_it_is_over_when_the_node_stops() {
    let mut node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    upstream.set_script(|message| {
        let meta = json!({"io.modelcontextprotocol/subscriptionId": message["id"]});
        let taken = json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {"_meta": meta}});
        (message["method"] == "subscriptions/listen").then(|| events(&[taken], Duration::from_secs(60)))
    });
    let params = json!({"notifications": {"toolsListChanged": true}});
    let (headers, body) = modern(Some(&node.key), 6, "subscriptions/listen", params);
    let mut stream = node.web.open("POST", &node.endpoint(&slug), &headers, body).await;
    let first = stream.message().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    node.terminate();
    let last = stream.message().await.unwrap();
    assert_eq!(
        (&last["id"], &last["result"]["resultType"]),
        (&json!(6), &json!("complete"))
    );
    assert!(node.wait().await);
}
