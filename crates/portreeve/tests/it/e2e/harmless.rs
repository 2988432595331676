//! What no request can do: start a program (A-GW-10), or learn a secret that belongs to a server (A-GW-11).

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

/// Stands in the queries of addresses, and nowhere in what others are answered.
const HIDDEN: &str = "Zaubereule-4711";

/// Stands in the vault alone.
const KEPT: &str = "Mondkalb-0815";

/// A key that signs events.
const SIGNING: &str = "whsec_WmF1YmVyZXVsZS00NzExLVphdWJlcmV1bGUtNDcxMQ==";

/// The management API as it is published.
const OPENAPI: &str = include_str!("../../../../../openapi/management-v1.json");

async fn ask(node: &Node, key: &str, (method, path): (&str, &str), body: Option<Value>) -> (u16, String) {
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if !key.is_empty() {
        headers.push(("authorization", format!("Bearer {key}")));
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let url = format!("{}{path}", node.url);
    let answer = node.web.ask(method, &url, &headers, body).await.unwrap();
    (answer.status, answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_10_no_request_starts_a_program() {
    let node = Node::start().await;
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("started");
    let (command, arguments) = ("touch", json!([marker]));
    let schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
    // As hosts write it into their files, and as the gateways write it whose APIs were used to run programs.
    let bare = json!({"name": "com.acme/evil", "transport": "stdio", "command": command, "args": arguments});
    let with_remote = json!({
        "$schema": schema, "name": "com.acme/evil", "description": "Runs", "version": "1.0.0",
        "remotes": [{"type": "stdio", "command": command, "args": arguments}],
    });
    let beside = json!({"document": with_remote, "command": command, "args": arguments});
    for (method, path, body) in [
        ("POST", "/api/v1/servers", bare.clone()),
        ("POST", "/api/v1/servers", json!({"document": bare})),
        ("POST", "/api/v1/servers", json!({"document": with_remote})),
        ("POST", "/api/v1/servers", beside),
        ("POST", "/v0.1/publish", bare.clone()),
        ("POST", "/v0.1/publish", with_remote.clone()),
        (
            "PUT",
            "/v0.1/servers/com.acme%2Fevil/versions/1.0.0",
            with_remote.clone(),
        ),
        ("POST", "/mcp-rest/test/connection", bare.clone()),
        ("POST", "/mcp-rest/test/tools/list", bare.clone()),
    ] {
        let (status, text) = ask(&node, &node.key, (method, path), Some(body)).await;
        assert!((400..500).contains(&status), "{method} {path}: {status} {text}");
    }
    // A server that hosts run themselves is an entry like others; looking at it, and approving it, runs nothing.
    let package = json!({
        "$schema": schema, "name": "com.acme/local", "description": "Runs elsewhere", "version": "1.0.0",
        "packages": [{
            "registryType": "npm", "identifier": "x", "version": "1.0.0", "runtimeHint": command,
            "runtimeArguments": [{"type": "positional", "value": marker}],
            "packageArguments": [{"type": "positional", "value": marker}], "transport": {"type": "stdio"},
        }],
    });
    let (status, text) = ask(
        &node,
        &node.key,
        ("POST", "/api/v1/servers"),
        Some(json!({"document": package})),
    )
    .await;
    assert_eq!(status, 201, "{text}");
    let local = "/api/v1/servers/com.acme%2Flocal";
    for (method, path) in [
        ("POST", "/assess"),
        ("POST", "/approve"),
        ("POST", "/tools/refresh"),
        ("GET", ""),
    ] {
        let body = (method == "POST").then(|| json!({}));
        let (status, text) = ask(&node, &node.key, (method, &format!("{local}{path}")), body).await;
        assert!(status < 500, "{method} {path}: {status} {text}");
    }
    assert!(!marker.exists(), "a program was started");
    assert!(!node.log_text().contains("panicked"));
}

/// A server with secrets in its addresses and its login, a webhook, and a deployment.
async fn secretive(node: &Node, upstream: &Upstream) -> Vec<String> {
    for (name, value) in [("acme", KEPT), ("hook", SIGNING)] {
        assert!(node.cli_with(&["secret", "set", name], value).status.success());
    }
    let url = format!("{}?api_key={HIDDEN}", upstream.url);
    let there = format!("production={url}");
    node.cli_json(&["server", "add", "com.acme/queried", "--url", &url, "--approve"]);
    node.cli_json(&[
        "server",
        "add",
        "com.acme/deployed",
        "--deploy",
        &there,
        "--internal",
        "--approve",
    ]);
    node.cli_json(&["server", "login", "com.acme/queried", "--bearer", "acme"]);
    let to = format!("{}?token={HIDDEN}", upstream.url);
    let hook = [
        "webhook",
        "create",
        "chat",
        "--to",
        &to,
        "--secret",
        "hook",
        "--internal",
    ];
    let made = node.cli(&hook);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    vec!["com.acme%2Fqueried".to_owned(), "com.acme%2Fdeployed".to_owned()]
}

/// Every address of the management API that is read, about these servers.
fn addresses(servers: &[String]) -> Vec<String> {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let read = paths
        .iter()
        .filter(|(_, operations)| operations.get("get").is_some());
    let mut all = Vec::new();
    for (path, _) in read {
        let filled = [
            ("{version}", "1.0.0"),
            ("{slug}", "queried"),
            ("{webhook}", "chat"),
            ("{secret}", "acme"),
            ("{registry}", "default"),
            ("{format}", "api-center"),
            ("{user}", "admin"),
        ];
        let path = filled
            .iter()
            .fold(path.clone(), |path, (name, value)| path.replace(name, value));
        match path.contains("{name}") {
            true => all.extend(servers.iter().map(|server| path.replace("{name}", server))),
            false => all.push(path),
        }
    }
    assert!(all.len() > 40, "{all:?}");
    for server in servers {
        for path in [
            "/v0.1/servers/NAME/versions",
            "/v0.1/servers/NAME/versions/latest",
        ] {
            all.push(path.replace("NAME", server));
        }
        all.push(format!("/servers/{}", server.replace("%2F", "/")));
    }
    all.extend(["/v0.1/servers", "/", "/v0.1/servers?search=acme"].map(str::to_owned));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_11_who_does_not_manage_reads_no_secret_of_a_server() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let servers = secretive(&node, &upstream).await;
    let member = node.new_key("member");
    node.cli_json(&["grant", "add", "--key", "member", "--all-servers"]);
    let mut answered = 0;
    for path in addresses(&servers) {
        for key in ["", member.as_str()] {
            let (status, text) = ask(&node, key, ("GET", &path), None).await;
            assert!(status < 500, "{path}: {status} {text}");
            for hidden in [HIDDEN, KEPT, SIGNING] {
                assert!(!text.contains(hidden), "{path} tells it: {text}");
            }
            answered += usize::from(status == 200);
        }
    }
    assert!(answered > 12, "only {answered} were answered at all");
    let (status, text) = ask(
        &node,
        &member,
        ("GET", "/api/v1/servers/com.acme%2Fqueried"),
        None,
    )
    .await;
    assert_eq!(status, 200, "{text}");
    let (status, told) = ask(&node, &node.key, ("GET", "/api/v1/secrets/acme"), None).await;
    assert_eq!(status, 200, "{told}");
    assert!(!told.contains(KEPT), "not even who manages: {told}");
    let log = node.log_text();
    for hidden in [HIDDEN, KEPT, SIGNING] {
        assert!(!log.contains(hidden), "the log tells it");
    }
}
