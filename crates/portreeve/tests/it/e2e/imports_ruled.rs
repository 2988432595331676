//! What imports let in and take away, through the door: rules that wait for a score or for another approver, and sources
//! that delete what they listed.

use std::path::Path;

use serde_json::{Value, json};

use crate::node::Node;

const NAME: &str = "com.far/billing";

/// A dump with one server, that says this of it.
fn dump(folder: &Path, description: &str, status: &str) -> String {
    let record = json!({
        "server": {"name": NAME, "description": description, "version": "1.0.0"},
        "_meta": {"io.modelcontextprotocol.registry/official": {"status": status}},
    });
    let file = folder.join("dump.json");
    std::fs::write(&file, json!({"servers": [record]}).to_string()).unwrap();
    file.display().to_string()
}

async fn listed(node: &Node) -> usize {
    let page = node.web.get(&format!("{}/v0.1/servers", node.url)).await.unwrap();
    page.json()["servers"].as_array().unwrap().len()
}

fn actions(node: &Node) -> Vec<String> {
    let audit = node.cli_json(&["audit", "list", "--action", "server.*"]);
    let items = audit["items"].as_array().unwrap().iter();
    let mut actions: Vec<String> = items
        .map(|event| event["action"].as_str().unwrap().to_owned())
        // A node judges what is listed in its own time.
        .filter(|action| action != "server.assess")
        .collect();
    actions.sort();
    actions
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_what_its_source_deletes_is_hidden_and_told_whatever_its_content_is() {
    let (node, folder) = (Node::start().await, tempfile::tempdir().unwrap());
    let file = dump(folder.path(), "Invoices", "active");
    node.cli_json(&["import", "dump", &file, "--approve"]);
    assert_eq!(listed(&node).await, 1);
    dump(folder.path(), "Taken over by somebody else", "deleted");
    let run = node.cli_json(&["import", "dump", &file, "--approve"]);
    assert_eq!(run["counts"]["hidden"], 1, "{run}");
    let findings = run["records"][0]["findings"].to_string();
    assert!(
        findings.contains("the approved content stays") && findings.contains("deleted it"),
        "{findings}"
    );
    assert_eq!(listed(&node).await, 0);
    let expected = [
        "server.add",
        "server.approve",
        "server.lifecycle",
        "server.upstream-deleted",
    ];
    assert_eq!(actions(&node), expected);

    // Somebody brings it back: the source's old word does not take it away again.
    node.cli_json(&["server", "lifecycle", NAME, "--stage", "preview"]);
    let again = node.cli_json(&["import", "dump", &file, "--approve"]);
    assert_eq!(again["counts"]["unchanged"], 1, "{again}");
    assert_eq!(listed(&node).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_asks_for_a_score_approves_once_it_is_there() {
    let (node, folder) = (Node::start().await, tempfile::tempdir().unwrap());
    let file = dump(folder.path(), "Invoices", "active");
    let run = node.cli_json(&["import", "dump", &file, "--approve", "--approve-score", "50"]);
    assert_eq!(
        (&run["counts"]["approved"], &run["approval"]),
        (
            &json!(0),
            &json!({"all": true, "namespaces": [], "minimumScore": 50})
        )
    );
    assert_eq!(listed(&node).await, 0);
    let assessed = node.cli_json(&["server", "assess", NAME]);
    assert!(assessed["score"].as_u64().unwrap() >= 50, "{assessed}");
    assert_eq!(listed(&node).await, 1);
    let wrong = node.cli(&["import", "dump", &file, "--approve-score", "50"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("minimumScore"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_whoever_imports_does_not_approve_where_another_is_wanted() {
    let (node, folder) = (Node::start().await, tempfile::tempdir().unwrap());
    node.cli_json(&["registry", "edit", "default", "--approver-differs", "on"]);
    let file = dump(folder.path(), "Invoices", "active");
    let run: Value = node.cli_json(&["import", "dump", &file, "--approve"]);
    assert_eq!(
        (&run["counts"]["added"], &run["counts"]["approved"]),
        (&json!(1), &json!(0))
    );
    let findings = run["records"][0]["findings"].to_string();
    assert!(
        findings.contains("wants another approver than who imports it"),
        "{findings}"
    );
    assert_eq!(listed(&node).await, 0);
}
