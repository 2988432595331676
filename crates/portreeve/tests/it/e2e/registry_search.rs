//! What an agent finds in a registry: by what a server is for, in its own words, and as far as it may know.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::modern;

async fn search(node: &Node, registry: &str, key: Option<&str>, arguments: Value) -> Value {
    let params = json!({"name": "registry_search", "arguments": arguments});
    let (headers, body) = modern(key, 7, "tools/call", params);
    let url = format!("{}{registry}/mcp", node.url);
    let answer = node.web.ask("POST", &url, &headers, body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["result"]["structuredContent"].clone()
}

fn names(found: &Value) -> Vec<&str> {
    let servers = found["servers"].as_array().unwrap_or_else(|| panic!("{found}"));
    servers
        .iter()
        .map(|server| server["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_an_agent_finds_a_server_by_what_it_is_for() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let add = |name: &str, words: &str| {
        let all = [
            "server",
            "add",
            name,
            "--description",
            words,
            "--url",
            &upstream.url,
            "--approve",
        ];
        node.cli_json(&all);
    };
    add("com.acme/slack", "Sends a message to a channel");
    add("com.acme/mail", "Sends letters");
    add("com.acme/ledger", "Books what was spent");
    let payroll = ["--use-case", "Wages: pays salaries of a month", "--tag", "people"];
    node.cli_json(&[&["server", "edit", "com.acme/ledger"][..], &payroll].concat());

    let found = search(&node, "", None, json!({"query": "send slack message"})).await;
    assert_eq!(names(&found)[0], "com.acme/slack", "{found}");
    let slip = search(&node, "", None, json!({"query": "slakc"})).await;
    assert_eq!(names(&slip), ["com.acme/slack"]);

    // What people say about a server is for those who may use it.
    let (ann, ben) = (node.new_key("ann"), node.new_key("ben"));
    node.cli_json(&["grant", "add", "--key", "ann", "--server", "com.acme/ledger"]);
    let salaries = json!({"query": "salaries"});
    for (key, expected) in [
        (None, vec![]),
        (Some(&ben), vec![]),
        (Some(&ann), vec!["com.acme/ledger"]),
    ] {
        let found = search(&node, "", key.map(String::as_str), salaries.clone()).await;
        assert_eq!(names(&found), expected);
    }

    // A registry finds what it holds.
    node.cli_json(&[
        "registry",
        "create",
        "people",
        "--tag",
        "people",
        "--visibility",
        "anonymous",
    ]);
    let all = search(&node, "/registries/people", None, json!({"query": "com.acme"})).await;
    assert_eq!(names(&all), ["com.acme/ledger"]);
    let hidden = search(&node, "/registries/people", None, json!({"query": "slack"})).await;
    assert_eq!(names(&hidden), [""; 0]);

    // Page by page, each server once.
    let mut arguments = json!({"query": "com.acme", "limit": 1});
    let mut seen = Vec::new();
    loop {
        let page = search(&node, "", None, arguments).await;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        arguments = json!({"cursor": cursor, "limit": 1});
    }
    seen.sort();
    assert_eq!(seen, ["com.acme/ledger", "com.acme/mail", "com.acme/slack"]);
}
