//! A virtual server that shows two tools in the place of all: one finds them, the other calls them.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream, tool};
use crate::web::{LegacyHost, modern};

async fn start() -> (Node, Upstream) {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let mut issue = tool("create_issue", "Opens an issue in a repository", false);
    issue["inputSchema"] = json!({
        "type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    });
    upstream.set_tools(vec![
        issue,
        tool("list_issues", "Lists the issues of a repository", true),
        tool("send_mail", "Sends a message to somebody", false),
    ]);
    node.add("com.acme/forge", &upstream.url);
    let arguments = [
        "server",
        "add",
        "com.acme/all",
        "--member",
        "forge",
        "--search-tools",
        "--approve",
    ];
    node.cli_json(&arguments);
    (node, upstream)
}

async fn ask(node: &Node, key: &str, method: &str, params: Value) -> Value {
    let (headers, body) = modern(Some(key), 7, method, params);
    let url = node.endpoint("all");
    node.web.ask("POST", &url, &headers, body).await.unwrap().json()
}

async fn search(node: &Node, key: &str, query: &str) -> Vec<String> {
    let params = json!({"name": "search_tools", "arguments": {"query": query}});
    let answer = ask(node, key, "tools/call", params).await;
    let tools = &answer["result"]["structuredContent"]["tools"];
    let tools = tools.as_array().unwrap_or_else(|| panic!("{answer}"));
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tools_find_and_call_the_others() {
    let (node, upstream) = start().await;
    let key = node.key.clone();
    let list = ask(&node, &key, "tools/list", json!({})).await;
    let names = list["result"]["tools"].as_array().unwrap().iter();
    let names: Vec<_> = names
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["search_tools", "call_tool"]);

    assert_eq!(search(&node, &key, "open an issue").await[0], "create_issue");
    assert_eq!(search(&node, &key, "mail").await, ["send_mail"]);
    assert!(search(&node, &key, "weather").await.is_empty());

    let arguments = json!({"name": "create_issue", "arguments": {"region": "eu", "title": "é"}});
    let params = json!({"name": "call_tool", "arguments": arguments});
    upstream.forget();
    let called = ask(&node, &key, "tools/call", params).await;
    assert_eq!(
        called["result"]["content"][0]["text"], r#"{"region":"eu","title":"é"}"#,
        "{called}"
    );
    let seen = &upstream.seen()[0];
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(sent["params"]["name"], "create_issue");
    assert_eq!(seen.headers["mcp-name"], "create_issue");
    assert_eq!(seen.headers["mcp-param-region"], "eu");

    let url = node.endpoint("all");
    let host = LegacyHost::connect(&node.web, &url, Some(&key)).await;
    let arguments = json!({"name": "send_mail"});
    let params = json!({"name": "call_tool", "arguments": arguments});
    let called = host.request(json!(3), "tools/call", params).await.json();
    assert_eq!(called["result"]["content"][0]["text"], "{}", "{called}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_what_may_be_called_and_a_call_within_another_is_no_way_around() {
    let (node, _upstream) = start().await;
    let key = node.new_key("some");
    for server in ["com.acme/all", "com.acme/forge"] {
        node.cli_json(&[
            "grant",
            "add",
            "--key",
            "some",
            "--server",
            server,
            "--tool",
            "list_issues",
        ]);
    }
    assert_eq!(
        search(&node, &key, "issue repository mail").await,
        ["list_issues"]
    );
    for (arguments, message) in [
        (
            json!({"name": "create_issue", "arguments": {}}),
            "Unknown tool: create_issue",
        ),
        (
            json!({"name": "call_tool", "arguments": {"name": "send_mail"}}),
            "Unknown tool: call_tool",
        ),
        (json!({"arguments": {}}), ""),
        (json!({"name": "list_issues", "arguments": 7}), ""),
    ] {
        let params = json!({"name": "call_tool", "arguments": arguments});
        let called = ask(&node, &key, "tools/call", params).await;
        let said = called["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("{called}"));
        assert!(message.is_empty() || said == message, "{called}");
    }
    let params = json!({"name": "call_tool", "arguments": {"name": "list_issues"}});
    let called = ask(&node, &key, "tools/call", params).await;
    assert!(called["error"].is_null(), "{called}");
    let recorded = node.cli_json(&["audit", "list"]).to_string();
    assert!(
        recorded.contains("list_issues"),
        "it is recorded under its own name"
    );
}
