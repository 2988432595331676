//! Answers that come in any order to requests that all have the same id, in one session, in two, and of two callers: each
//! host gets its own.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, LegacyHost, Web, modern};

/// Calls at once of each host; every fourth is answered by a stream.
const CALLS: u64 = 60;

/// A host with its credential.
enum Host {
    Session(Box<LegacyHost>),
    Modern { web: Web, url: String, key: String },
}

impl Host {
    async fn call(&self, id: Value, params: Value) -> Answer {
        match self {
            Self::Session(host) => host.request(id, "tools/call", params).await,
            Self::Modern { web, url, key } => {
                let (headers, body) = modern(Some(key), 1, "tools/call", params);
                let body = body.replacen("\"id\":1", &format!("\"id\":{id}"), 1);
                web.ask("POST", url, &headers, body).await.expect("an answer")
            }
        }
    }
}

/// Numbers that differ from run to run.
struct Random(u64);

impl Random {
    #[expect(
        clippy::disallowed_methods,
        reason = "each run tries another order; a failure names it"
    )]
    fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
        let seed = u64::from(since.subsec_nanos()) | 1;
        println!("seed {seed}");
        Self(seed)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// One call: a tool and its arguments, with a mark that no other call has.
fn calls(random: &mut Random, whose: usize) -> Vec<(&'static str, Value)> {
    (0..CALLS)
        .map(|number| {
            let tool = if number % 4 == 0 { "slow" } else { "echo" };
            let mark = format!("{whose}-{number}-{:x}", random.below(u64::MAX));
            let (wait, ms) = (random.below(150), random.below(150));
            (tool, json!({"mark": mark, "wait": wait, "ms": ms}))
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
async fn concurrent_calls_with_one_id_never_cross() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let url = node.endpoint(&slug);
    let other = node.new_key("other");
    node.cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let mut hosts = Vec::new();
    // Two sessions of one caller, and one of another.
    for key in [&node.key, &node.key, &other] {
        let host = LegacyHost::connect(&node.web, &url, Some(key)).await;
        hosts.push(Host::Session(Box::new(host)));
    }
    for key in [&node.key, &other] {
        let (web, url, key) = (node.web.clone(), url.clone(), key.clone());
        hosts.push(Host::Modern { web, url, key });
    }
    let mut random = Random::new();
    let all: Vec<_> = (0..hosts.len()).map(|whose| calls(&mut random, whose)).collect();
    let rounds = hosts.iter().zip(&all).flat_map(|(host, calls)| {
        calls
            .iter()
            .enumerate()
            .map(move |(number, (tool, arguments))| async move {
                // 1 and "1" differ in their type, so they are not the same.
                let id = if number % 2 == 0 { json!(1) } else { json!("1") };
                let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": 1}});
                check(&host.call(id.clone(), params).await, &id, arguments);
            })
    });
    join_all(rounds).await;
    let made = CALLS * hosts.len() as u64;
    assert_eq!(upstream.calls(), made, "each call came once");
}
