//! Answers that come in any order to requests that all have the same id: each host gets its own.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, LegacyHost, modern};

/// Calls at once in each era; every fourth is answered by a stream.
const CALLS: u64 = 120;

/// One call: a tool and its arguments, with a mark that no other call has.
fn calls(seed: u64, era: &str) -> Vec<(&'static str, Value)> {
    let mut state = seed | 1;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..CALLS)
        .map(|number| {
            let tool = if number % 4 == 0 { "slow" } else { "echo" };
            let mark = format!("{era}-{number}-{:x}", random(u64::MAX));
            (
                tool,
                json!({"mark": mark, "wait": random(150), "ms": random(150)}),
            )
        })
        .collect()
}

fn check(answer: &Answer, id: &Value, arguments: &Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(&answer.json()["id"], id, "{}", answer.text());
    let text = answer.json()["result"]["content"][0]["text"].clone();
    assert_eq!(text, arguments.to_string(), "somebody else's answer");
    let marks = answer.text().matches("\\\"mark\\\"").count();
    assert_eq!(marks, 1, "one answer for one call: {}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "each run tries another order; a failure names it"
)]
async fn concurrent_calls_with_one_id_never_cross() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let endpoint = node.endpoint(&slug);
    let host = LegacyHost::connect(&node.web, &endpoint, Some(&node.key)).await;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    let seed = u64::from(since.subsec_nanos());
    println!("seed {seed}");
    let (old, new) = (calls(seed, "old"), calls(seed, "new"));
    // On one legacy session the ids are 1 and "1": what differs in its type is not the same.
    let legacy = old.iter().enumerate().map(|(number, (tool, arguments))| {
        let id = if number % 2 == 0 { json!(1) } else { json!("1") };
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": 1}});
        let host = &host;
        async move {
            check(
                &host.request(id.clone(), "tools/call", params).await,
                &id,
                arguments,
            )
        }
    });
    let modern = new.iter().map(|(tool, arguments)| {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": 1}});
        let (headers, body) = modern(Some(&node.key), 1, "tools/call", params);
        let (web, endpoint) = (&node.web, &endpoint);
        async move {
            let answer = web
                .ask("POST", endpoint, &headers, body)
                .await
                .expect("an answer");
            check(&answer, &json!(1), arguments);
        }
    });
    tokio::join!(join_all(legacy), join_all(modern));
    assert_eq!(upstream.calls(), 2 * CALLS, "each call came once");
}
