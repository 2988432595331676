//! A legacy host before a modern server, through two nodes: what it says to one is heard by the other, where it is meant
//! for what is under way there.

use std::time::{Duration, Instant};

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::node::{Engines, Node};
use crate::upstream::{Speaks, Upstream, events};
use crate::web::{LegacyHost, Stream};

const ID: &str = "io.modelcontextprotocol/subscriptionId";

/// A server that asks for a name, hangs on demand, and tells of every resource that somebody subscribes to.
async fn server() -> Upstream {
    let upstream = Upstream::start(Speaks::Modern).await;
    upstream.set_script(|message| {
        let params = &message["params"];
        let result = |result: Value| json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
        let log =
            json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": 1}});
        match message["method"].as_str()? {
            "tools/call" if params["arguments"]["hang"] == true => Some(events(&[log], Duration::from_secs(60))),
            "tools/call" if params["inputResponses"].is_null() => {
                let form = json!({"mode": "form", "message": "name?", "requestedSchema": {"type": "object"}});
                let asks = json!({
                    "resultType": "input_required", "requestState": "one",
                    "inputRequests": {"name": {"method": "elicitation/create", "params": form}},
                });
                Some(axum::Json(result(asks)).into_response())
            }
            "tools/call" => {
                let text = params["inputResponses"]["name"]["content"]["name"].clone();
                let end = json!({"resultType": "complete", "content": [{"type": "text", "text": text}]});
                Some(axum::Json(result(end)).into_response())
            }
            "subscriptions/listen" => {
                let wanted = &params["notifications"];
                let meta = json!({ID: message["id"]});
                let note =
                    |method: &str, params: Value| json!({"jsonrpc": "2.0", "method": method, "params": params});
                let mut all = vec![note(
                    "notifications/subscriptions/acknowledged",
                    json!({"_meta": meta, "notifications": wanted}),
                )];
                if let Some(uri) = wanted["resourceSubscriptions"][0].as_str() {
                    all.push(note(
                        "notifications/resources/updated",
                        json!({"_meta": meta, "uri": uri}),
                    ));
                }
                Some(events(&all, Duration::from_secs(60)))
            }
            _ => None,
        }
    });
    upstream
}

/// The first message that is no log.
async fn next(stream: &mut Stream) -> Option<Value> {
    let read = async {
        loop {
            let message = stream.message().await?;
            if message["method"] != "notifications/message" {
                return Some(message);
            }
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    read.expect("something comes")
}

#[tokio::test(flavor = "multi_thread")]
async fn p15_what_a_host_says_to_one_node_is_heard_by_the_other() {
    let engines = Engines::chosen();
    if matches!(engines, Engines::Alone) {
        println!("not run: one node alone (runs on PostgreSQL and Redis)");
        return;
    }
    let one = Node::start_on(engines, &[]).await;
    let two = Node::start_beside(&one, &[]).await;
    let upstream = server().await;
    let slug = one.add("com.acme/new", &upstream.url);
    let able = json!({"elicitation": {"form": {}}});
    let host = LegacyHost::connect_able(&one.web, &one.endpoint(&slug), Some(&one.key), able).await;
    let beside = host.at(two.endpoint(&slug));
    let begun = Instant::now();
    loop {
        let heard = beside.request(json!("p"), "ping", json!({})).await;
        if heard.status == 200 {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the other node does not serve the session: {} {}",
            heard.status,
            heard.text()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let call = |id: i64, arguments: Value| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "echo", "arguments": arguments}});

    let mut asked = host.open(call(1, json!({}))).await;
    let question = next(&mut asked).await.expect("a question");
    assert_eq!(question["method"], "elicitation/create");
    for name in ["x".repeat(70_000), "y".repeat(2_000_000)] {
        let content = json!({"action": "accept", "content": {"name": name}});
        let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": content});
        assert_eq!(
            beside.post(answer).await.status,
            202,
            "too long to be handed over"
        );
    }
    let content = json!({"action": "accept", "content": {"name": "bob"}});
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": content});
    assert_eq!(beside.post(answer).await.status, 202);
    let end = next(&mut asked).await.expect("an answer");
    assert_eq!(end["result"]["content"][0]["text"], "bob");

    let mut hanging = host.open(call(2, json!({"hang": true}))).await;
    let taken_back =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}});
    assert_eq!(beside.post(taken_back).await.status, 202);
    assert_eq!(next(&mut hanging).await, None, "nothing is said of it any more");

    let mut stream = one.web.open("GET", &host.url, &host.headers, String::new()).await;
    assert_eq!(stream.status, 200);
    let subscribed = beside.request(json!(3), "resources/subscribe", json!({"uri": "test://a"}));
    assert_eq!(subscribed.await.status, 200);
    let updated = next(&mut stream).await.expect("news");
    assert_eq!(updated["method"], "notifications/resources/updated");
    assert_eq!(updated["params"]["uri"], "test://a");
}
