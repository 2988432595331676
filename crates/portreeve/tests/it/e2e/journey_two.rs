//! J2, one source of truth: internal and public servers of one team, in one register.

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

#[tokio::test(flavor = "multi_thread")]
async fn j2_internal_and_public_servers_stand_in_one_register() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.cli_json(&[
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

    // 1 and 2: an internal server in two environments; without the required field it is refused by the field's name.
    let (development, production) = (
        format!("development={}", upstream.url),
        format!("production={}", upstream.url),
    );
    let line = |more: &[&'static str]| {
        let mut line = vec![
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
        line.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let missing = line(&[]);
    let missing: Vec<_> = missing.iter().map(String::as_str).collect();
    let refused = node.cli(&missing);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("dataClass"), "{said}");
    let complete = line(&["--meta", "dataClass=internal"]);
    let complete: Vec<_> = complete.iter().map(String::as_str).collect();
    let added = node.cli_json(&complete);
    assert_eq!(added["route"]["slug"], "billing");
    assert_eq!(added["others"][0]["route"]["slug"], "billing--development");

    // 3 and 4: a public npm server with one secret, and its next version.
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
        ]);
    }

    let page = get(&node, "/v0.1/servers?version=latest").await;
    assert_eq!(names(&page), ["com.acme/billing", "com.acme/mailer"]);
    let latest = get(&node, "/v0.1/servers/com.acme%2Fmailer/versions/latest").await;
    assert_eq!(latest["server"]["version"], "1.1.0");
    let variable = &latest["server"]["packages"][0]["environmentVariables"][0];
    assert_eq!(
        (&variable["name"], &variable["isSecret"]),
        (&json!("MAIL_TOKEN"), &json!(true))
    );
    assert_eq!(
        names(&get(&node, "/v0.1/servers?version=latest&search=refunds").await),
        ["com.acme/billing"]
    );
    assert_eq!(
        names(&get(&node, "/v0.1/servers?version=latest&search=letters").await),
        ["com.acme/mailer"]
    );

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

    let audit = node.cli_json(&["audit", "list", "--action", "server.*"]);
    let events = audit["items"].as_array().unwrap();
    let by = |action: &str, name: &str| {
        let is_it = |event: &&Value| event["action"] == action && event["server"] == name;
        let found: Vec<_> = events
            .iter()
            .filter(is_it)
            .map(|event| event["actor"].clone())
            .collect();
        found
    };
    assert_eq!(by("server.approve", "com.acme/billing"), [json!("user:admin")]);
    assert_eq!(
        by("server.approve", "com.acme/mailer"),
        [json!("user:admin"), json!("user:admin")]
    );
    assert_eq!(by("server.describe", "com.acme/billing"), [json!("user:admin")]);
}
