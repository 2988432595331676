//! Groups that own an entry: their members edit it, hand in versions and see what waits; nobody else does.

use serde_json::{Value, json};

use crate::node::Node;

const NAME: &str = "com.acme/billing";

/// A key that belongs to this group.
fn key_of(node: &Node, name: &str, group: &str) -> String {
    let made = node.cli_json(&["key", "create", name, "--group", group]);
    let secret = ["secret", "key"].iter().find_map(|field| made[*field].as_str());
    secret.unwrap_or_else(|| panic!("{made}")).to_owned()
}

fn told(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_the_owning_group_edit_hand_in_and_see_and_others_do_not() {
    let node = Node::start().await;
    let url = "https://billing.acme.example/mcp";
    node.cli_json(&[
        "server",
        "add",
        NAME,
        "--url",
        url,
        "--approve",
        "--owner-group",
        "finance",
    ]);
    let (member, other) = (
        key_of(&node, "member", "finance"),
        key_of(&node, "other", "sales"),
    );

    // A version is handed in by a member, and waits.
    let next = ["server", "add", NAME, "--url", url, "--version", "2.0.0"];
    let refused = node.cli(&[&["--key", &other], &next[..]].concat());
    assert!(
        told(&refused).contains("may not publish server"),
        "{}",
        told(&refused)
    );
    let added = node.cli_json(&[&["--key", &member], &next[..]].concat());
    assert_eq!(added["version"]["approval"], "submitted");
    assert_eq!(added["version"]["submittedBy"], "key:member");

    let versions = async |key: &str| {
        let headers = [("authorization", format!("Bearer {key}"))];
        let url = format!("{}/api/v1/servers/com.acme%2Fbilling", node.url);
        let shown = node.web.ask("GET", &url, &headers, String::new()).await.unwrap();
        assert_eq!(shown.status, 200, "{}", shown.text());
        let shown = shown.json();
        let versions = shown["versions"].as_array().unwrap().iter();
        let versions: Vec<Value> = versions.map(|version| version["version"].clone()).collect();
        (versions, shown["profile"]["ownerGroups"].clone())
    };
    assert_eq!(
        versions(&member).await,
        (vec![json!("2.0.0"), json!("1.0.0")], json!(["finance"]))
    );
    assert_eq!(
        versions(&other).await,
        (vec![json!("1.0.0")], Value::Null),
        "what waits does not exist"
    );

    // Members describe it; nobody else does, and they do not approve.
    let edit = ["server", "edit", NAME, "--summary", "Invoices"];
    let refused = node.cli(&[&["--key", &other], &edit[..]].concat());
    assert!(
        told(&refused).contains("may not publish server"),
        "{}",
        told(&refused)
    );
    node.cli_json(&[&["--key", &member], &edit[..]].concat());
    let give = ["--key", &member, "server", "edit", NAME, "--owner-group", "sales"];
    let refused = node.cli(&give);
    assert!(told(&refused).contains("group `sales`"), "{}", told(&refused));
    let refused = node.cli(&["--key", &member, "server", "approve", NAME]);
    assert!(
        told(&refused).contains("may not approve server"),
        "{}",
        told(&refused)
    );

    // The right ends with the ownership.
    node.cli_json(&["server", "edit", NAME, "--owner-group", "sales"]);
    let refused = node.cli(&[&["--key", &member], &edit[..]].concat());
    assert!(
        told(&refused).contains("may not publish server"),
        "{}",
        told(&refused)
    );
    node.cli_json(&[&["--key", &other], &edit[..]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_another_must_approve_a_manager_of_the_owning_group_does_not() {
    let node = Node::start().await;
    let url = "https://billing.acme.example/mcp";
    node.cli_json(&["server", "add", NAME, "--url", url, "--owner-group", "finance"]);
    let boss = key_of(&node, "boss", "finance");
    node.cli_json(&["grant", "add", "--key", "boss", "--manage"]);
    node.cli_json(&["registry", "edit", "default", "--approver-differs", "on"]);
    let approve = ["server", "approve", NAME];
    let refused = node.cli(&[&["--key", &boss], &approve[..]].concat());
    assert!(
        told(&refused).contains("which group `finance` owns"),
        "{}",
        told(&refused)
    );
    let third = key_of(&node, "third", "sales");
    node.cli_json(&["grant", "add", "--key", "third", "--manage"]);
    let approved = node.cli_json(&[&["--key", &third], &approve[..]].concat());
    assert_eq!(approved["version"]["approval"], "approved");
}
