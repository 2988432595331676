//! What changes for a caller by what is decided here, not by the server: hosts with an open stream are told, once for each
//! change that concerns them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::node::{Engines, Node};
use crate::upstream::{Speaks, Upstream, events};
use crate::web::{LegacyHost, Stream, modern};

const OPEN: Duration = Duration::from_secs(60);
const CHANGED: &str = "notifications/tools/list_changed";
const ID: &str = "io.modelcontextprotocol/subscriptionId";

/// A server with streams of both eras, on which it says nothing.
async fn quiet(speaks: Speaks) -> Upstream {
    let upstream = Upstream::start(speaks).await;
    upstream.set_script(move |message| match message["method"].as_str()? {
        "GET" => Some(events(&[], OPEN)),
        "subscriptions/listen" if speaks == Speaks::Legacy => None,
        "subscriptions/listen" => {
            let params = json!({"_meta": {ID: message["id"]}, "notifications": {}});
            let method = "notifications/subscriptions/acknowledged";
            Some(events(
                &[json!({"jsonrpc": "2.0", "method": method, "params": params})],
                OPEN,
            ))
        }
        _ => None,
    });
    upstream
}

async fn heard(stream: &mut Stream) -> Value {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.message());
    next.await.expect("news in time").expect("an open stream")
}

async fn is_silent(stream: &mut Stream) {
    let more = tokio::time::timeout(Duration::from_millis(700), stream.message()).await;
    assert!(more.is_err(), "{more:?}");
}

async fn subscribe(node: &Node, slug: &str, key: &str, wanted: Value) -> Stream {
    let (headers, body) = modern(
        Some(key),
        7,
        "subscriptions/listen",
        json!({"notifications": wanted}),
    );
    let mut stream = node.web.open("POST", &node.endpoint(slug), &headers, body).await;
    let acknowledged = heard(&mut stream).await;
    assert_eq!(
        acknowledged["params"],
        json!({"_meta": {ID: 7}, "notifications": wanted})
    );
    stream
}

async fn listen(node: &Node, slug: &str, key: &str) -> Stream {
    let host = LegacyHost::connect(&node.web, &node.endpoint(slug), Some(key)).await;
    let stream = node
        .web
        .open("GET", &host.url, &host.headers, String::new())
        .await;
    assert_eq!(stream.status, 200);
    stream
}

fn grant(node: &Node, tool: &str) {
    let grant = [
        "grant",
        "add",
        "--key",
        "some",
        "--server",
        "com.acme/billing",
        "--tool",
        tool,
    ];
    node.cli_json(&grant);
}

async fn told_of_what_is_decided(speaks: Speaks) {
    let node = Node::start().await;
    let upstream = quiet(speaks).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    node.add("com.acme/other", &quiet(speaks).await.url);
    let key = node.new_key("some");
    grant(&node, "echo");
    let tools = json!({"toolsListChanged": true});
    let mut streams = [
        subscribe(&node, &slug, &key, tools.clone()).await,
        listen(&node, &slug, &key).await,
    ];
    let mut uninterested = subscribe(&node, &slug, &key, json!({})).await;
    // What does not concern this caller: another route, a tool that he does not see, somebody else's rights.
    node.cli_json(&["tool", "hide", "com.acme/other", "echo"]);
    node.cli_json(&["tool", "hide", "com.acme/billing", "wipe"]);
    node.new_key("another");
    node.cli_json(&["grant", "add", "--key", "another", "--server", "com.acme/billing"]);
    for stream in &mut streams {
        is_silent(stream).await;
    }
    let tagged = json!({"jsonrpc": "2.0", "method": CHANGED, "params": {"_meta": {ID: 7}}});
    let plain = json!({"jsonrpc": "2.0", "method": CHANGED, "params": {}});
    for change in [
        &[
            "grant",
            "add",
            "--key",
            "some",
            "--server",
            "com.acme/billing",
            "--tool",
            "slow",
        ][..],
        &["tool", "hide", "com.acme/billing", "echo"],
        &["tool", "unhide", "com.acme/billing", "echo"],
    ] {
        node.cli_json(change);
        assert_eq!(heard(&mut streams[0]).await, tagged, "{change:?}");
        assert_eq!(heard(&mut streams[1]).await, plain, "{change:?}");
    }
    for stream in &mut streams {
        is_silent(stream).await;
    }
    is_silent(&mut uninterested).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_hosts_are_told_what_is_decided_here_in_front_of_a_modern_server() {
    told_of_what_is_decided(Speaks::Modern).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_hosts_are_told_what_is_decided_here_in_front_of_a_legacy_server() {
    told_of_what_is_decided(Speaks::Legacy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_hosts_of_another_node_are_told_as_well() {
    let engines = Engines::chosen();
    if matches!(engines, Engines::Alone) {
        println!("not run: one node alone (runs on PostgreSQL and Redis)");
        return;
    }
    let one = Node::start_on(engines, &[]).await;
    let upstream = quiet(Speaks::Both).await;
    let slug = one.add("com.acme/billing", &upstream.url);
    let two = Node::start_beside(&one, &[]).await;
    let tools = json!({"toolsListChanged": true});
    let mut streams = [
        subscribe(&two, &slug, &one.key, tools).await,
        listen(&two, &slug, &one.key).await,
    ];
    one.cli_json(&["tool", "hide", "com.acme/billing", "echo"]);
    for stream in &mut streams {
        assert_eq!(heard(stream).await["method"], CHANGED);
        is_silent(stream).await;
    }
}
