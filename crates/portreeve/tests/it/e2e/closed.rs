//! A default registry that is not for everybody: who reads it, who publishes to it, and for whom nothing is there. And
//! registries that are not there at all.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::Answer;

const MINE: &str = "io.modelcontextprotocol.anonymous/mail";

/// A node on which everybody may prove nothing, and publish under a namespace that says so.
async fn node() -> (Node, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portreeve.toml");
    std::fs::write(&file, "[registry.auth]\nnone = true\n").unwrap();
    let node = Node::start_with(&["--config", file.to_str().unwrap()]).await;
    (node, folder)
}

async fn send(node: &Node, (method, path): (&str, &str), credential: &str, body: Value) -> Answer {
    let headers = [("authorization", format!("Bearer {credential}"))];
    let headers = if credential.is_empty() {
        &headers[..0]
    } else {
        &headers[..]
    };
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let url = format!("{}{path}", node.url);
    node.web.ask(method, &url, headers, body).await.unwrap()
}

async fn get(node: &Node, path: &str, credential: &str) -> Answer {
    send(node, ("GET", path), credential, Value::Null).await
}

async fn token(node: &Node) -> String {
    let answer = send(node, ("POST", "/v0.1/auth/none"), "", json!({})).await;
    answer.json()["registry_token"].as_str().unwrap().to_owned()
}

fn document(version: &str) -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": MINE, "description": "Mail for everyone", "version": version,
        "packages": [{"registryType": "npm", "identifier": "@acme/mail", "version": "1.0.0",
            "transport": {"type": "stdio"}}],
    })
}

fn close(node: &Node) {
    let only = ["--visibility", "only", "--reader", "key:ann"];
    node.cli_json(&[&["registry", "edit", "default"][..], &only].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_not_see_does_not_exist_at_any_door() {
    let (node, _folder) = node().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add("com.acme/billing", &upstream.url);
    let (ann, ben, eve) = (node.new_key("ann"), node.new_key("ben"), node.new_key("eve"));
    node.cli_json(&["grant", "add", "--key", "ben", "--server", "com.acme/billing"]);
    close(&node);

    assert_eq!(get(&node, "/v0.1/servers", &ann).await.status, 200);
    for key in [&ben, &eve] {
        assert_eq!(get(&node, "/v0.1/servers", key).await.status, 404);
    }
    let count = async |path: &str, key: &str| {
        let answer = get(&node, path, key).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()["items"].as_array().unwrap().len()
    };
    let one = "/api/v1/servers/com.acme%2Fbilling";
    for (key, there) in [(&node.key, 1), (&ann, 1), (&ben, 1), (&eve, 0)] {
        for path in ["/api/v1/servers", "/api/v1/search?q=billing", "/api/v1/search"] {
            assert_eq!(count(path, key).await, there, "{path}");
        }
        for path in ["", "/versions", "/versions/1.0.0"] {
            let status = if there == 1 { 200 } else { 404 };
            assert_eq!(
                get(&node, &format!("{one}{path}"), key).await.status,
                status,
                "{path}"
            );
        }
    }
    let hidden = get(&node, one, &eve).await.text();
    let unknown = get(&node, "/api/v1/servers/com.acme%2Fnothing", &eve)
        .await
        .text();
    assert_eq!(hidden.replace("billing", "nothing"), unknown);

    assert_eq!(get(&node, "/mcp/server-card", "").await.status, 404);
    let catalog = get(&node, "/.well-known/ai-catalog.json", "").await.json();
    assert_eq!(catalog["entries"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_sees_his_own_in_a_registry_that_he_may_not_read() {
    let (node, _folder) = node().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add("com.acme/billing", &upstream.url);
    close(&node);
    let token = token(&node).await;
    let published = send(&node, ("POST", "/v0/publish"), &token, document("1.0.0")).await;
    assert_eq!(published.status, 200, "{}", published.text());
    let mine = format!("/v0/servers/{}/versions", MINE.replace('/', "%2F"));
    let seen = get(&node, &mine, &token).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let review = &seen.json()["servers"][0]["_meta"]["io.portreeve/review"];
    assert_eq!(review["approval"], "submitted");
    assert_eq!(get(&node, &format!("{mine}/1.0.0"), &token).await.status, 200);
    for path in ["/v0/servers", "/v0/servers/com.acme%2Fbilling/versions"] {
        let refused = get(&node, path, &token).await;
        assert_eq!(refused.status, 404, "{path}: {}", refused.text());
    }
    assert_eq!(get(&node, &mine, "").await.status, 401);
    assert_eq!(get(&node, &mine, "nonsense").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_not_there_has_no_operations() {
    let (node, _folder) = node().await;
    let ben = node.new_key("ben");
    node.cli_json(&[
        "registry",
        "create",
        "closed",
        "--visibility",
        "only",
        "--reader",
        "key:ann",
    ]);
    node.cli_json(&["registry", "create", "open", "--visibility", "anonymous"]);
    let token = token(&node).await;
    let one = "/servers/a%2Fb/versions/1.0.0";
    let operations = [
        ("POST", "/publish".to_owned()),
        ("POST", "/validate".to_owned()),
        ("POST", "/auth/none".to_owned()),
        ("PUT", one.to_owned()),
        ("PATCH", format!("{one}/status")),
        ("DELETE", one.to_owned()),
        ("GET", "/health".to_owned()),
        ("GET", "/ping".to_owned()),
        ("GET", "/version".to_owned()),
        ("GET", "/servers".to_owned()),
    ];
    for (method, path) in &operations {
        for place in ["registries", "workspaces"] {
            for (credential, status) in [("", 401), (token.as_str(), 404), (ben.as_str(), 404)] {
                let at = async |name: &str| {
                    let path = format!("/{place}/{name}/v0.1{path}");
                    let answer = send(&node, (method, &path), credential, document("1.0.0")).await;
                    assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
                    answer.text().replace(name, "it")
                };
                assert_eq!(at("closed").await, at("never").await);
            }
        }
    }
    let publish = ("POST", "/registries/open/v0.1/publish");
    let published = send(&node, publish, &token, document("1.0.0")).await;
    assert_eq!(published.status, 200, "{}", published.text());
    assert_eq!(get(&node, "/registries/open/v0.1/health", "").await.status, 200);
    assert_eq!(
        get(&node, "/registries/closed/v0.1/health", &node.key)
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_does_not_bring_back_what_a_manager_retired() {
    let (node, _folder) = node().await;
    let token = token(&node).await;
    send(&node, ("POST", "/v0.1/publish"), &token, document("1.0.0")).await;
    node.cli_json(&["server", "approve", MINE]);
    let path = format!("/v0.1/servers/{}/versions/1.0.0/status", MINE.replace('/', "%2F"));
    let set = async |status: &str| send(&node, ("PATCH", &path), &token, json!({"status": status})).await;
    for status in ["deleted", "active"] {
        assert_eq!(set(status).await.status, 200, "his own word is his to take back");
    }
    node.cli_json(&["server", "retire", MINE, "--message", "it leaks"]);
    for status in ["active", "deprecated"] {
        let refused = set(status).await;
        assert_eq!(refused.status, 403, "{}", refused.text());
    }
    let listed = get(&node, "/v0.1/servers", "").await.json();
    assert_eq!(listed["servers"], json!([]));
}
