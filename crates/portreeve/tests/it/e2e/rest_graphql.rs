//! A GraphQL API as an MCP server: asked for its schema, imported, called.

use axum::Json;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::node::Node;
use crate::web::modern;

const NAME: &str = "com.acme/harbour";

fn schema() -> Value {
    let named = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    let required = |of: Value| json!({"kind": "NON_NULL", "ofType": of});
    let id = json!([{"name": "id", "type": required(named("SCALAR", "ID")), "defaultValue": null}]);
    json!({"queryType": {"name": "Query"}, "mutationType": {"name": "Mutation"}, "types": [
        {"kind": "OBJECT", "name": "Query", "fields": [{"name": "ship", "args": id, "type": named("OBJECT", "Ship")}]},
        {"kind": "OBJECT", "name": "Mutation", "fields": [{"name": "scrap", "args": id, "type": named("SCALAR", "Boolean")}]},
        {"kind": "OBJECT", "name": "Ship", "fields": [
            {"name": "id", "args": [], "type": required(named("SCALAR", "ID"))},
            {"name": "name", "args": [], "type": named("SCALAR", "String")},
        ]},
    ]})
}

/// Answers what it is asked, and nothing that it does not know.
async fn answer(Json(asked): Json<Value>) -> Json<Value> {
    let query = asked["query"].as_str().unwrap_or_default();
    if query.contains("__schema") {
        return Json(json!({"data": {"__schema": schema()}}));
    }
    assert_eq!(query, "query ship($id: ID!) { ship(id: $id) { id name } }");
    Json(match asked["variables"]["id"].as_str() {
        Some("1") => json!({"data": {"ship": {"id": "1", "name": "Ada"}}}),
        _ => json!({"data": {"ship": null}, "errors": [{"message": "No such ship", "path": ["ship"]}]}),
    })
}

async fn call(node: &Node, id: &str) -> Value {
    let params = json!({"name": "ship", "arguments": {"id": id}});
    let (headers, body) = modern(Some(&node.key), 1, "tools/call", params);
    let answer = node
        .web
        .ask("POST", &node.endpoint("harbour"), &headers, body)
        .await;
    answer.unwrap().json()["result"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_tells_its_schema_is_imported_and_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/graphql", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/v1/graphql", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let node = Node::start().await;
    let refused = node.cli(&["server", "add", NAME, "--graphql", &url, "--dry-run"]);
    assert_eq!(refused.status.code(), Some(1), "a private host needs a grant");
    let made = node.cli_json(&[
        "server",
        "add",
        NAME,
        "--graphql",
        &url,
        "--internal",
        "--approve",
    ]);
    let report = &made["preview"]["report"];
    assert_eq!(
        (&report["tools"], &report["notChosen"]),
        (&json!(1), &json!(1)),
        "{made}"
    );
    assert_eq!(report["format"], "graphql");
    let found = call(&node, "1").await;
    assert_eq!(
        found["structuredContent"],
        json!({"result": {"id": "1", "name": "Ada"}}),
        "{found}"
    );
    let none = call(&node, "2").await;
    assert_eq!(none["isError"], true, "{none}");
    assert_eq!(none["content"][0]["text"], "The API says: No such ship (at ship)");
    // The same from a file, where mutations are chosen.
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let sdl = "type Query { ship(id: ID!): Ship }\ntype Mutation { scrap(id: ID!): Boolean }\ntype Ship { id: ID! }\n";
    let (file, curation) = (
        place("harbour.graphql", sdl),
        place("curation.yaml", "include: [{method: query}, {method: mutation}]"),
    );
    let seen = node.cli_json(&[
        "server",
        "add",
        NAME,
        "--graphql",
        &file,
        "--base-url",
        &url,
        "--curation",
        &curation,
        "--internal",
        "--dry-run",
    ]);
    assert_eq!(seen["report"]["tools"], 2, "{seen}");
    let changes = seen["changes"].as_array().unwrap();
    assert!(
        changes
            .iter()
            .any(|change| change["tool"] == "scrap" && change["kind"] == "added"),
        "{seen}"
    );
    let scrap = seen["tools"]
        .as_array()
        .unwrap()
        .iter()
        .find(|tool| tool["name"] == "scrap");
    assert_eq!(scrap.unwrap()["annotations"]["destructiveHint"], true);
}
