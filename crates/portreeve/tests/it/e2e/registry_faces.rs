//! `/registries/{registry}/mcp`: each registry as an MCP server of its own, for its readers, with what it selects.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, modern};

/// Two servers; a registry of one of them for `key:reader`, and one of everything for everybody.
async fn house() -> (Node, Upstream, String, String) {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    for name in ["com.acme/billing", "com.other/tickets"] {
        node.cli_json(&["server", "add", name, "--url", &upstream.url, "--approve"]);
    }
    let reader = node.new_key("reader");
    let stranger = node.new_key("stranger");
    let closed = [
        "registry",
        "create",
        "closed",
        "--visibility",
        "only",
        "--reader",
        "key:reader",
        "--namespace",
        "com.acme",
    ];
    node.cli_json(&closed);
    node.cli_json(&["registry", "create", "open", "--visibility", "anonymous"]);
    (node, upstream, reader, stranger)
}

async fn ask(node: &Node, registry: &str, key: Option<&str>, method: &str, params: Value) -> Answer {
    let (headers, body) = modern(key, 7, method, params);
    let url = format!("{}/registries/{registry}/mcp", node.url);
    node.web.ask("POST", &url, &headers, body).await.unwrap()
}

async fn found(node: &Node, registry: &str, key: Option<&str>) -> Vec<String> {
    let params = json!({"name": "registry_search", "arguments": {}});
    let answer = ask(node, registry, key, "tools/call", params).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let servers = answer.json()["result"]["structuredContent"]["servers"].clone();
    let servers = servers.as_array().unwrap().iter();
    servers
        .map(|server| server["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_registry_is_a_server_of_what_it_selects() {
    let (node, _upstream, reader, _) = house().await;
    assert_eq!(found(&node, "closed", Some(&reader)).await, ["com.acme/billing"]);
    let all = ["com.acme/billing", "com.other/tickets"];
    assert_eq!(found(&node, "open", None).await, all);
    assert_eq!(
        found(&node, "default", None).await,
        all,
        "the default one by its name"
    );
    let fetch = json!({"name": "registry_fetch", "arguments": {"name": "com.other/tickets"}});
    let answer = ask(&node, "closed", Some(&reader), "tools/call", fetch)
        .await
        .json();
    assert_eq!(
        answer["result"]["isError"], true,
        "it is not in this registry: {answer}"
    );
    node.cli_json(&["registry", "edit", "closed", "--everything"]);
    assert_eq!(found(&node, "closed", Some(&reader)).await, all, "at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_registry_does_not_exist_for_others() {
    let (node, _upstream, _, stranger) = house().await;
    let list = async |registry: &str, key: Option<&str>| {
        let answer = ask(&node, registry, key, "tools/list", json!({})).await;
        (answer.status, answer.text().replace("closed", "nowhere"))
    };
    for (key, status) in [(Some(stranger.as_str()), 404), (None, 401)] {
        let (closed, unknown) = (list("closed", key).await, list("nowhere", key).await);
        assert_eq!(closed, unknown, "byte for byte");
        assert_eq!(closed.0, status, "{}", closed.1);
    }
    let metadata = async |registry: &str| {
        let path = format!("/.well-known/oauth-protected-resource/registries/{registry}/mcp");
        let answer = node.web.get(&format!("{}{path}", node.url)).await.unwrap();
        (answer.status, answer.text().replace("closed", "nowhere"))
    };
    assert_eq!(metadata("closed").await, metadata("nowhere").await);
    assert_eq!(metadata("closed").await.0, 200);
    assert_eq!(
        found(&node, "closed", Some(&node.key)).await,
        ["com.acme/billing"],
        "who administers reads all"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_names_open_registries_alone() {
    let (node, _upstream, ..) = house().await;
    let get = async |path: &str| node.web.get(&format!("{}{path}", node.url)).await.unwrap();
    let catalog = get("/.well-known/ai-catalog.json").await.text();
    assert!(catalog.contains("/registries/open/mcp/server-card"), "{catalog}");
    assert!(!catalog.contains("closed"), "{catalog}");
    let card = get("/registries/open/mcp/server-card").await.json();
    assert_eq!(card["name"], "portreeve/registry.open");
    assert_eq!(
        card["remotes"][0]["url"],
        format!("{}/registries/open/mcp", node.url)
    );
    assert_eq!(get("/registries/closed/mcp/server-card").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_for_a_group_is_for_its_members() {
    let (node, _upstream, reader, _) = house().await;
    let member = node.cli_json(&["key", "create", "member", "--group", "finance", "--group", "ops"]);
    let member = member["secret"].as_str().unwrap().to_owned();
    let edit = [
        "registry",
        "edit",
        "closed",
        "--visibility",
        "only",
        "--reader",
        "group:finance",
    ];
    node.cli_json(&edit);
    assert_eq!(found(&node, "closed", Some(&member)).await, ["com.acme/billing"]);
    let answer = ask(&node, "closed", Some(&reader), "tools/list", json!({})).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    let headers = [("authorization", format!("Bearer {member}"))];
    let url = format!("{}/registries/closed/v0.1/servers", node.url);
    let list = node.web.ask("GET", &url, &headers, String::new()).await.unwrap();
    assert_eq!(list.json()["metadata"]["count"], 1, "{}", list.text());
    let url = format!("{}/api/v1/whoami", node.url);
    let who = node.web.ask("GET", &url, &headers, String::new()).await.unwrap();
    assert_eq!(who.json()["groups"], json!(["finance", "ops"]));
}
