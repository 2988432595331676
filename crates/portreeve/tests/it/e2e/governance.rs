//! Who lets what in: approvers that differ, publishers, rules, required properties.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::Answer;

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

/// A publisher, as a client of the management API.
struct Publisher<'a> {
    node: &'a Node,
    headers: [(&'static str, String); 2],
}

impl<'a> Publisher<'a> {
    fn of(node: &'a Node, namespaces: &str) -> Self {
        let key = node.new_key("publisher");
        node.cli_json(&[
            "grant",
            "add",
            "--key",
            "publisher",
            "--publish",
            "--namespace",
            namespaces,
        ]);
        let headers = [
            ("authorization", format!("Bearer {key}")),
            ("content-type", "application/json".to_owned()),
        ];
        Self { node, headers }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let url = format!("{}/api/v1/servers{path}", self.node.url);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.node
            .web
            .ask(method, &url, &self.headers, body)
            .await
            .unwrap()
    }
}

fn package(name: &str) -> Value {
    json!({
        "document": {
            "name": name, "description": "Invoices and refunds", "version": "1.0.0",
            "packages": [{
                "registryType": "npm", "identifier": "@acme/billing", "version": "1.0.0",
                "transport": {"type": "stdio"},
            }],
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_whoever_submitted_does_not_approve() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.cli_json(&["registry", "edit", "default", "--approver-differs", "on"]);
    // Administrator or not.
    let said = refusal(
        &node,
        &["server", "add", NAME, "--url", &upstream.url, "--approve"],
    );
    assert!(
        said.contains("`user:admin` may not approve what `user:admin` submitted"),
        "{said}"
    );
    assert!(
        said.contains("registry `default` wants another approver"),
        "{said}"
    );
    node.cli_json(&["server", "add", NAME, "--url", &upstream.url, "--internal"]);
    let said = refusal(&node, &["server", "approve", NAME]);
    assert!(said.contains("wants another approver"), "{said}");
    assert_eq!(listed(&node).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_a_publisher_hands_in_his_own_and_does_not_approve() {
    let node = Node::start().await;
    let publisher = Publisher::of(&node, "com.acme.*");
    let added = publisher.ask("POST", "", package(NAME)).await;
    assert_eq!(added.status, 201, "{}", added.text());
    assert_eq!(added.json()["version"]["approval"], "submitted");
    assert_eq!(listed(&node).await, Vec::<Value>::new());
    let approve = publisher
        .ask("POST", "/com.acme%2Fbilling/approve", json!({}))
        .await;
    assert_eq!(approve.status, 403);
    let own = publisher.ask("GET", "/com.acme%2Fbilling", Value::Null).await;
    assert_eq!(own.status, 200, "his own, in every state");
    assert_eq!(
        publisher.ask("POST", "", package("org.other/thing")).await.status,
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_from_submitted_to_retired_every_step_is_written_down() {
    let node = Node::start().await;
    let publisher = Publisher::of(&node, "com.acme");
    node.cli_json(&["registry", "edit", "default", "--approver-differs", "on"]);
    publisher.ask("POST", "", package(NAME)).await;
    node.cli_json(&["server", "reject", NAME, "--reason", "say what a refund does"]);
    assert_eq!(listed(&node).await, Vec::<Value>::new());
    let again = publisher
        .ask("POST", "/com.acme%2Fbilling/submit", json!({}))
        .await;
    assert_eq!(again.status, 200);
    node.cli_json(&["server", "approve", NAME]);
    assert_eq!(listed(&node).await, [json!("1.0.0")]);
    assert_eq!(status_of(&node, "1.0.0").await, "active");
    node.cli_json(&["server", "lifecycle", NAME, "--stage", "preview"]);
    assert_eq!(status_of(&node, "1.0.0").await, "active");
    node.cli_json(&["server", "deprecate", NAME, "--message", "use 2.0.0"]);
    assert_eq!(status_of(&node, "1.0.0").await, "deprecated");
    node.cli_json(&["server", "retire", NAME]);
    assert_eq!(status_of(&node, "1.0.0").await, "deleted");
    assert_eq!(listed(&node).await, Vec::<Value>::new());

    let audit = node.cli_json(&["audit", "list", "--action", "server.*", "--outcome", "done"]);
    // What was found is told beside the steps, whenever it was.
    let events: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["action"] != "server.assess")
        .collect();
    let mut steps: Vec<_> = events
        .iter()
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
            ("server.lifecycle", "user:admin"),
        ]
    );
    assert!(
        events
            .iter()
            .all(|event| event["detail"]["contentHash"].is_string())
    );
    let rejected = events
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

/// `dataClass`, required of every server.
fn require_class(node: &Node) -> Value {
    let choices = [
        "--choice",
        "public",
        "--choice",
        "internal",
        "--required",
        "server",
    ];
    let mut line = vec!["metadata", "create", "dataClass"];
    line.extend(choices);
    node.cli_json(&line)
}

#[tokio::test(flavor = "multi_thread")]
async fn b3_a_missing_required_property_blocks_naming_the_field() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    require_class(&node);
    let add = |more: &[&str]| {
        let mut line = vec!["server", "add", NAME, "--url", &upstream.url, "--approve"];
        line.extend(more);
        line.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for (more, expected) in [
        (&[][..], "`dataClass` is required of every server"),
        (&["--meta", "dataClass=secret"], "metadata.dataClass"),
        (
            &["--meta", "dataClass=public", "--meta", "other=1"],
            "no property `other`",
        ),
    ] {
        let line = add(more);
        let line: Vec<_> = line.iter().map(String::as_str).collect();
        let said = refusal(&node, &line);
        assert!(said.contains(expected), "{said}");
    }
    let headers = [
        ("authorization", format!("Bearer {}", node.key)),
        ("content-type", "application/json".to_owned()),
    ];
    let api = format!("{}/api/v1/servers", node.url);
    let missing = node
        .web
        .ask("POST", &api, &headers, package(NAME).to_string())
        .await
        .unwrap();
    assert_eq!(missing.status, 422);
    assert_eq!(missing.json()["errors"][0]["path"], "metadata.dataClass");
    let line = add(&["--meta", "dataClass=internal"]);
    let line: Vec<_> = line.iter().map(String::as_str).collect();
    node.cli_json(&line);
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
async fn b3_a_change_lists_who_fails_and_breaks_nothing() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add(NAME, &upstream.url);
    let defined = require_class(&node);
    assert_eq!(
        (&defined["type"], &defined["failingCount"]),
        (&json!("choices"), &json!(1))
    );
    assert_eq!(defined["failing"][0]["subject"], "server `com.acme/billing`");
    let headers = [("authorization", format!("Bearer {}", node.key))];
    let served = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, String::new())
        .await;
    assert_ne!(served.unwrap().status, 404, "what is served is served on");
    let next = [
        "server",
        "add",
        NAME,
        "--url",
        &upstream.url,
        "--version",
        "1.1.0",
    ];
    let said = refusal(&node, &next);
    assert!(said.contains("`dataClass` is required of every server"), "{said}");

    node.cli_json(&["server", "edit", NAME, "--meta", "dataClass=public"]);
    node.cli_json(&next);
    let narrowed = node.cli_json(&["metadata", "edit", "dataClass", "--choice", "internal"]);
    assert_eq!(narrowed["failingCount"], 1);
    let said = refusal(&node, &["server", "approve", NAME]);
    assert!(said.contains("metadata.dataClass"), "{said}");
    let said = refusal(&node, &["metadata", "edit", "dataClass", "--type", "number"]);
    assert!(said.contains("its type cannot change"), "{said}");
    let said = refusal(&node, &["metadata", "delete", "dataClass"]);
    assert!(said.contains("it cannot be removed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_publisher_proposed_comes_into_force_by_its_plan_alone() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add(NAME, &upstream.url);
    let publisher = Publisher::of(&node, "com.acme");
    let there = json!({"deployments": [{"environment": "test", "url": upstream.url}]});
    let url = format!("{}/api/v1/servers/com.acme%2Fbilling/deployments", node.url);
    let [key, kind] = &publisher.headers;
    let headers = [key.clone(), kind.clone(), ("if-match", "*".to_owned())];
    let proposed = node
        .web
        .ask("PUT", &url, &headers, there.to_string())
        .await
        .unwrap();
    assert_eq!(proposed.status, 200, "{}", proposed.text());
    let next = [
        "server",
        "add",
        NAME,
        "--url",
        &upstream.url,
        "--version",
        "1.1.0",
    ];
    node.cli_json(&next);
    let said = refusal(&node, &["server", "approve", NAME]);
    assert!(
        said.contains("no plan was named") && said.contains("--plan"),
        "{said}"
    );

    // In a list of approvals, too.
    let waiting = node.cli_json(&["waiting", "list", "--kind", "version"]);
    let item = &waiting["items"][0];
    let approve = async |plan: Value| {
        let item = json!({
            "name": NAME, "version": "1.1.0", "contentHash": item["contentHash"], "plan": plan,
        });
        let decided = node
            .api("POST", "/waiting/approve", Some(json!({ "items": [item] })))
            .await
            .json();
        decided["items"][0].clone()
    };
    let decided = approve(Value::Null).await;
    assert_eq!(decided["approved"], false, "{decided}");
    assert!(
        decided["reason"].as_str().unwrap().contains("no plan was named"),
        "{decided}"
    );
    let plan = node.cli_json(&["server", "plan", NAME]);
    let decided = approve(plan["hash"].clone()).await;
    assert_eq!(decided["approved"], true, "{decided}");
    let places = node.cli_json(&["deployment", "list", NAME]).to_string();
    assert!(places.contains("billing--test"), "{places}");
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
