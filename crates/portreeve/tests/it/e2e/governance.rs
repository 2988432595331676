//! Who lets what in: approvers that differ, publishers, rules, required properties.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

const NAME: &str = "com.acme/billing";

/// What a command that must fail says.
fn refusal(node: &Node, arguments: &[&str]) -> String {
    let output = node.cli(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn listed(node: &Node) -> Vec<Value> {
    let page = node
        .web
        .get(&format!("{}/v0.1/servers", node.url))
        .await
        .unwrap()
        .json();
    let servers = page["servers"].as_array().unwrap();
    servers
        .iter()
        .map(|item| item["server"]["version"].clone())
        .collect()
}

async fn status_of(node: &Node, version: &str) -> Value {
    let path = format!(
        "{}/v0.1/servers/com.acme%2Fbilling/versions/{version}?include_deleted=true",
        node.url
    );
    let one = node.web.get(&path).await.unwrap().json();
    one["_meta"]["io.modelcontextprotocol.registry/official"]["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_from_submitted_to_retired_with_another_approver() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let publisher = node.new_key("publisher");
    node.cli_json(&[
        "grant",
        "add",
        "--key",
        "publisher",
        "--publish",
        "--namespace",
        "com.acme.*",
    ]);
    node.cli_json(&["registry", "edit", "default", "--approver-differs", "on"]);

    // Whoever registers is not who approves, administrator or not.
    let url = upstream.url.as_str();
    let own = ["server", "add", NAME, "--url", url, "--approve"];
    let said = refusal(&node, &own);
    assert!(
        said.contains("`user:admin` may not approve what `user:admin` submitted"),
        "{said}"
    );
    assert!(
        said.contains("registry `default` wants another approver"),
        "{said}"
    );

    // A publisher cannot open the gate to a private host; the administrator did so, and submits nothing himself.
    let document = json!({
        "document": {
            "name": NAME, "description": "Invoices and refunds", "version": "1.0.0",
            "packages": [{
                "registryType": "npm", "identifier": "@acme/billing", "version": "1.0.0",
                "transport": {"type": "stdio"},
            }],
        },
    });
    let headers = [
        ("authorization", format!("Bearer {publisher}")),
        ("content-type", "application/json".to_owned()),
    ];
    let add = format!("{}/api/v1/servers", node.url);
    let added = node
        .web
        .ask("POST", &add, &headers, document.to_string())
        .await
        .unwrap();
    assert_eq!(added.status, 201, "{}", added.text());
    assert_eq!(added.json()["version"]["approval"], "submitted");
    assert_eq!(listed(&node).await, Vec::<Value>::new());
    let approve = format!("{add}/com.acme%2Fbilling/approve");
    let refused = node
        .web
        .ask("POST", &approve, &headers, "{}".to_owned())
        .await
        .unwrap();
    assert_eq!(refused.status, 403);
    let shown = format!("{add}/com.acme%2Fbilling");
    let shown = node
        .web
        .ask("GET", &shown, &headers, String::new())
        .await
        .unwrap();
    assert_eq!(shown.status, 200, "his own, in every state");
    let other = json!({"document": {"name": "org.other/thing", "description": "x", "version": "1.0.0"}});
    let other = node
        .web
        .ask("POST", &add, &headers, other.to_string())
        .await
        .unwrap();
    assert_eq!(other.status, 403);

    node.cli_json(&["server", "reject", NAME, "--reason", "say what a refund does"]);
    assert_eq!(listed(&node).await, Vec::<Value>::new());
    let submit = format!("{add}/com.acme%2Fbilling/submit");
    let again = node
        .web
        .ask("POST", &submit, &headers, "{}".to_owned())
        .await
        .unwrap();
    assert_eq!(again.status, 200);
    node.cli_json(&["server", "approve", NAME]);
    assert_eq!(listed(&node).await, [json!("1.0.0")]);
    assert_eq!(status_of(&node, "1.0.0").await, "active");
    node.cli_json(&["server", "deprecate", NAME, "--message", "use 2.0.0"]);
    assert_eq!(status_of(&node, "1.0.0").await, "deprecated");
    node.cli_json(&["server", "retire", NAME]);
    assert_eq!(status_of(&node, "1.0.0").await, "deleted");
    assert_eq!(listed(&node).await, Vec::<Value>::new());

    // Every step stands in the audit log, with who, what and why.
    let audit = node.cli_json(&["audit", "list", "--action", "server.*", "--outcome", "done"]);
    let mut steps: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["server"] == NAME)
        .map(|event| {
            (
                event["action"].as_str().unwrap(),
                event["actor"].as_str().unwrap(),
            )
        })
        .collect();
    steps.reverse();
    assert_eq!(
        steps,
        [
            ("server.add", "key:publisher"),
            ("server.reject", "user:admin"),
            ("server.submit", "key:publisher"),
            ("server.approve", "user:admin"),
            ("server.lifecycle", "user:admin"),
            ("server.lifecycle", "user:admin"),
        ]
    );
    let hashed = audit["items"].as_array().unwrap();
    let is_hashed = |event: &&Value| event["server"] == NAME && event["detail"]["contentHash"].is_null();
    assert_eq!(hashed.iter().filter(is_hashed).count(), 0);
    let rejected = hashed
        .iter()
        .find(|event| event["action"] == "server.reject")
        .unwrap();
    assert_eq!(rejected["detail"]["message"], "say what a refund does");
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_the_approval_of_an_edited_document_is_void() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let url = upstream.url.as_str();
    node.cli_json(&["server", "add", NAME, "--url", url, "--internal"]);
    let plan = node.cli_json(&["server", "plan", NAME]);
    let hash = plan["hash"].as_str().unwrap().to_owned();
    node.cli_json(&["server", "reject", NAME, "--reason", "no description"]);
    node.cli_json(&[
        "server",
        "add",
        NAME,
        "--url",
        url,
        "--description",
        "Another text",
        "--internal",
    ]);
    // The routes would move alike; the document is another one.
    let said = refusal(&node, &["server", "approve", NAME, "--plan", &hash]);
    assert!(said.contains("than the review showed"), "{said}");
    let plan = node.cli_json(&["server", "plan", NAME]);
    node.cli_json(&[
        "server",
        "approve",
        NAME,
        "--plan",
        plan["hash"].as_str().unwrap(),
    ]);
    assert_eq!(listed(&node).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn b3_a_required_property_blocks_and_a_change_lists_who_fails() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/first", &upstream.url);
    let defined = node.cli_json(&[
        "metadata",
        "create",
        "dataClass",
        "--choice",
        "public",
        "--choice",
        "internal",
        "--required",
        "server",
    ]);
    assert_eq!(
        (&defined["type"], &defined["failingCount"]),
        (&json!("choices"), &json!(1))
    );
    assert_eq!(defined["failing"][0]["subject"], "server `com.acme/first`");
    let headers = [("authorization", format!("Bearer {}", node.key))];
    let served = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, String::new())
        .await
        .unwrap();
    assert_ne!(served.status, 404, "what is served is served on");

    let url = upstream.url.as_str();
    let said = refusal(&node, &["server", "add", NAME, "--url", url, "--approve"]);
    assert!(said.contains("dataClass"), "{said}");
    let said = refusal(
        &node,
        &[
            "server",
            "add",
            NAME,
            "--url",
            url,
            "--approve",
            "--meta",
            "dataClass=secret",
        ],
    );
    assert!(said.contains("metadata.dataClass"), "{said}");
    let missing = json!({"document": {"name": NAME, "description": "x", "version": "1.0.0"}});
    let typed = [
        ("authorization", format!("Bearer {}", node.key)),
        ("content-type", "application/json".to_owned()),
    ];
    let api = format!("{}/api/v1/servers", node.url);
    let missing = node
        .web
        .ask("POST", &api, &typed, missing.to_string())
        .await
        .unwrap();
    assert_eq!(missing.status, 422);
    assert_eq!(missing.json()["errors"][0]["path"], "metadata.dataClass");
    let said = refusal(
        &node,
        &[
            "server",
            "add",
            "com.acme/first",
            "--url",
            url,
            "--version",
            "1.1.0",
        ],
    );
    assert!(said.contains("`dataClass` is required of every server"), "{said}");

    node.cli_json(&[
        "server",
        "add",
        NAME,
        "--url",
        url,
        "--approve",
        "--meta",
        "dataClass=internal",
    ]);
    node.cli_json(&["server", "edit", "com.acme/first", "--meta", "dataClass=public"]);
    let narrowed = node.cli_json(&["metadata", "edit", "dataClass", "--choice", "internal"]);
    assert_eq!(narrowed["failingCount"], 1);
    assert_eq!(narrowed["failing"][0]["subject"], "server `com.acme/first`");
    let said = refusal(&node, &["metadata", "edit", "dataClass", "--type", "number"]);
    assert!(said.contains("its type cannot change"), "{said}");
    // Never for strangers.
    let page = node
        .web
        .get(&format!("{}/v0.1/servers", node.url))
        .await
        .unwrap()
        .text();
    assert!(page.contains(NAME) && !page.contains("dataClass"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_a_registry_approves_at_once() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.cli_json(&["registry", "edit", "default", "--auto-approve", "com.acme.*"]);
    let added = node.cli_json(&["server", "add", NAME, "--url", &upstream.url, "--internal"]);
    assert_eq!(added["version"]["approval"], "approved");
    assert_eq!(added["version"]["decidedBy"], "system");
    assert_eq!(added["route"]["slug"], "billing");
    let other = [
        "server",
        "add",
        "org.other/thing",
        "--url",
        &upstream.url,
        "--internal",
    ];
    assert_eq!(node.cli_json(&other)["version"]["approval"], "submitted");
}
