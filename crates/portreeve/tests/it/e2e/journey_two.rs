//! J2, one source of truth: internal and public servers of one team, in one register.

use std::process::Output;

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

async fn get(node: &Node, path: &str) -> Value {
    node.web.get(&format!("{}{path}", node.url)).await.unwrap().json()
}

fn names(page: &Value) -> Vec<&str> {
    let servers = page["servers"].as_array().unwrap();
    servers
        .iter()
        .map(|item| item["server"]["name"].as_str().unwrap())
        .collect()
}

/// A server that hosts start themselves, with one secret.
fn package(version: &str) -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.acme/mailer",
        "title": "Mailer",
        "description": "Sends letters to customers",
        "version": version,
        "packages": [{
            "registryType": "npm", "identifier": "@acme/mailer", "version": version, "transport": {"type": "stdio"},
            "environmentVariables": [{"name": "MAIL_TOKEN", "isRequired": true, "isSecret": true}],
        }],
    })
}

/// Step 1: an internal server in two environments, with who answers for it and what it is good for.
fn register_internal(node: &Node, upstream: &Upstream, more: &[&str]) -> Output {
    let development = format!("development={}", upstream.url);
    let production = format!("production={}", upstream.url);
    let mut line = vec![
        "--json",
        "server",
        "add",
        "com.acme/billing",
        "--description",
        "Invoices and refunds",
        "--approve",
        "--deploy",
        &development,
        "--deploy",
        &production,
        "--owner",
        "user:ada",
        "--license",
        "Apache-2.0",
        "--use-case",
        "Refunds: gives customers their money back",
        "--tag",
        "finance",
    ];
    line.extend(more);
    node.cli(&line)
}

/// Steps 3 and 4: a public npm server with one secret, and its next version.
fn register_public(node: &Node) {
    for version in ["1.0.0", "1.1.0"] {
        let file = node.data().join("server.json");
        std::fs::write(&file, package(version).to_string()).unwrap();
        let file = file.to_str().unwrap();
        node.cli_json(&[
            "server",
            "add",
            "--file",
            file,
            "--approve",
            "--meta",
            "dataClass=public",
            "--use-case",
            "Reminders: tells debtors politely what is due",
        ]);
    }
}

/// Who did this to that server.
fn by(node: &Node, action: &str, name: &str) -> Vec<Value> {
    let audit = node.cli_json(&["audit", "list", "--action", "server.*"]);
    let events = audit["items"].as_array().unwrap();
    let is_it = |event: &&Value| event["action"] == action && event["server"] == name;
    events
        .iter()
        .filter(is_it)
        .map(|event| event["actor"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_internal_and_public_servers_stand_in_one_register() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let choices = [
        "--choice",
        "public",
        "--choice",
        "internal",
        "--required",
        "server",
    ];
    let mut property = vec!["metadata", "create", "dataClass"];
    property.extend(choices);
    node.cli_json(&property);

    // Step 2: without the required field it is refused by the field's name.
    let refused = register_internal(&node, &upstream, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("dataClass"), "{said}");
    let added = register_internal(&node, &upstream, &["--meta", "dataClass=internal"]);
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    assert_eq!(added["route"]["slug"], "billing");
    assert_eq!(added["others"][0]["route"]["slug"], "billing--development");
    register_public(&node);

    let page = get(&node, "/v0.1/servers?version=latest").await;
    assert_eq!(names(&page), ["com.acme/billing", "com.acme/mailer"]);
    let latest = get(&node, "/v0.1/servers/com.acme%2Fmailer/versions/latest").await;
    assert_eq!(latest["server"]["version"], "1.1.0");
    let variable = &latest["server"]["packages"][0]["environmentVariables"][0];
    assert_eq!(
        (&variable["name"], &variable["isSecret"]),
        (&json!("MAIL_TOKEN"), &json!(true))
    );
    // What it is good for finds each, for who may know of that; and where it stands narrows.
    for (search, found) in [
        (["money", "back"], "com.acme/billing"),
        (["polite", "debtor"], "com.acme/mailer"),
    ] {
        let found_now = node.cli_json(&[&["search"][..], &search, &["--lifecycle", "production"]].concat());
        assert_eq!(found_now["items"][0]["name"], found, "{found_now}");
    }
    node.cli_json(&[
        "server",
        "lifecycle",
        "com.acme/mailer",
        "--stage",
        "preview",
        "--version",
        "1.1.0",
    ]);
    let production = node.cli_json(&["search", "polite", "--lifecycle", "production"]);
    assert_eq!(production["items"], json!([]));
    let preview = node.cli_json(&["search", "polite", "--lifecycle", "preview"]);
    assert_eq!(preview["items"][0]["name"], "com.acme/mailer");

    // Who uses it sees who answers for it; strangers see the document alone.
    let shown = node.cli_json(&["server", "show", "com.acme/billing"]);
    assert_eq!(shown["profile"]["owners"], json!(["user:ada"]));
    assert_eq!(shown["profile"]["metadata"], json!({"dataClass": "internal"}));
    assert_eq!(shown["profile"]["useCases"][0]["name"], "Refunds");
    let public = page.to_string();
    assert!(
        !public.contains("user:ada") && !public.contains("dataClass"),
        "{public}"
    );

    for (action, name, times) in [
        ("server.approve", "com.acme/billing", 1),
        ("server.approve", "com.acme/mailer", 2),
        ("server.describe", "com.acme/billing", 1),
    ] {
        assert_eq!(
            by(&node, action, name),
            vec![json!("user:admin"); times],
            "{action} {name}"
        );
    }
}
