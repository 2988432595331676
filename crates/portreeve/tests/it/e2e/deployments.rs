//! Environments and deployments through the command line: what is declared, planned, approved, served.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

const NAME: &str = "com.acme/billing";

/// Slug and version of every active route, by slug.
fn served(body: &Value) -> Vec<(String, String)> {
    let routes = body["routes"].as_array().unwrap();
    let active = routes.iter().filter(|route| route["state"] == "active");
    let mut served: Vec<_> = active
        .map(|route| {
            let text = |member: &str| route[member].as_str().unwrap().to_owned();
            (text("slug"), text("version"))
        })
        .collect();
    served.sort();
    served
}

fn pair(slug: &str, version: &str) -> (String, String) {
    (slug.to_owned(), version.to_owned())
}

async fn status(node: &Node, slug: &str) -> u16 {
    let headers = [("authorization", format!("Bearer {}", node.key))];
    let asked = node
        .web
        .ask("POST", &node.endpoint(slug), &headers, String::new())
        .await;
    asked.unwrap().status
}

/// A search narrows to environments, and says which there are.
fn found_by_where_it_runs(node: &Node) {
    let here = node.cli_json(&["search", "billing", "--environment", "test,production"]);
    assert_eq!(here["items"][0]["name"], NAME);
    assert_eq!(
        here["facets"]["environments"],
        json!([{"value": "production", "count": 1}])
    );
    let elsewhere = node.cli_json(&["search", "billing", "--environment", "test"]);
    assert_eq!(elsewhere["items"], json!([]));
    let wrong = node.cli(&["search", "billing", "--environment", "a_b"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("`a_b` is not an `environment`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_versions_run_side_by_side_and_inactive_ones_are_not_served() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add(NAME, &upstream.url);
    let set = [
        "deployment",
        "set",
        NAME,
        "production",
        "--major",
        "v1",
        "--url",
        &upstream.url,
        "--internal",
    ];
    let set = node.cli_json(&set);
    assert_eq!(
        served(&set),
        [pair("billing", "1.0.0"), pair("billing--v1", "1.0.0")]
    );
    assert_eq!(set["moved"][0]["tools"]["state"], "pinned");
    found_by_where_it_runs(&node);
    // Each route has pins of its own.
    let hide = ["tool", "hide", NAME, "echo", "--route", "billing--v1"];
    node.cli_json(&hide);
    let state = |tools: Value| {
        let all = tools["items"].as_array().unwrap().clone();
        let echo = all.into_iter().find(|tool| tool["name"] == "echo");
        echo.map(|tool| tool["state"].clone())
    };
    let there = node.cli_json(&["server", "tools", NAME, "--route", "billing--v1"]);
    assert_eq!(state(there), Some(json!("hidden")));
    let here = node.cli_json(&["server", "tools", NAME]);
    assert_eq!(state(here), Some(json!("approved")));
    let nowhere = node.cli(&["server", "tools", NAME, "--route", "other"]);
    assert_eq!(nowhere.status.code(), Some(1));
    node.cli_json(&[
        "server",
        "add",
        NAME,
        "--url",
        &upstream.url,
        "--version",
        "2.0.0",
        "--approve",
    ]);
    let list = node.cli_json(&["deployment", "list", NAME]);
    assert_eq!(
        served(&list),
        [pair("billing", "2.0.0"), pair("billing--v1", "1.0.0")]
    );
    assert_ne!(status(&node, "billing--v1").await, 404);

    let off = [
        "deployment",
        "set",
        NAME,
        "production",
        "--major",
        "1",
        "--state",
        "inactive",
    ];
    assert_eq!(served(&node.cli_json(&off)), [pair("billing", "2.0.0")]);
    assert_eq!(status(&node, "billing--v1").await, 404);
    let on = [
        "deployment",
        "set",
        NAME,
        "production",
        "--major",
        "1",
        "--state",
        "active",
    ];
    node.cli_json(&on);
    assert_ne!(status(&node, "billing--v1").await, 404);
    node.cli_json(&["deployment", "remove", NAME, "production", "--major", "v1"]);
    assert_eq!(status(&node, "billing--v1").await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_does_what_its_plan_showed_or_nothing() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add(NAME, &upstream.url);
    let add = |version: &str, more: &[&str]| {
        let mut line = vec![
            "server",
            "add",
            NAME,
            "--url",
            &upstream.url,
            "--version",
            version,
        ];
        line.extend(more);
        node.cli_json(&line)
    };
    let test = format!("test={}", upstream.url);
    add("1.1.0", &["--deploy", &test]);
    let plan = node.cli_json(&["server", "plan", NAME]);
    assert_eq!(
        (&plan["latestNow"], &plan["latestThen"]),
        (&json!("1.0.0"), &json!("1.1.0"))
    );
    let moves = plan["moves"].as_array().unwrap();
    let kinds: Vec<_> = moves.iter().map(|one| (&one["slug"], &one["kind"])).collect();
    assert_eq!(
        kinds,
        [
            (&json!("billing"), &json!("move")),
            (&json!("billing--test"), &json!("create"))
        ]
    );
    assert_eq!(moves[0]["from"]["version"], "1.0.0");
    let hash = plan["hash"].as_str().unwrap();
    assert_eq!(status(&node, "billing--test").await, 404, "a plan does nothing");

    // Meanwhile another version passes: the approval would move the route from somewhere else.
    add("1.2.0", &["--approve"]);
    let stale = ["server", "approve", NAME, "--version", "1.1.0", "--plan", hash];
    let refused = node.cli(&stale);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("than the review showed"), "{said}");
    let plan = node.cli_json(&["server", "plan", NAME, "--version", "1.1.0"]);
    let hash = plan["hash"].as_str().unwrap();
    node.cli_json(&["server", "approve", NAME, "--version", "1.1.0", "--plan", hash]);
    let list = node.cli_json(&["deployment", "list", NAME]);
    assert_eq!(
        served(&list),
        [pair("billing", "1.2.0"), pair("billing--test", "1.2.0")]
    );

    let audit = node.cli_json(&["audit", "list", "--action", "deployments.*"]);
    let actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["action"])
        .collect();
    assert!(actions.contains(&&json!("deployments.approve")), "{actions:?}");
    assert!(actions.contains(&&json!("deployments.propose")), "{actions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_are_made_described_and_kept_while_something_is_in_them() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let list = node.cli_json(&["environment", "list"]);
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(
        names,
        [&json!("production"), &json!("test"), &json!("development")]
    );
    node.cli_json(&[
        "environment",
        "create",
        "staging",
        "--kind",
        "staging",
        "--onboarding",
        "Ask the desk",
    ]);
    let edited = node.cli_json(&["environment", "edit", "staging", "--title", "Dress rehearsal"]);
    assert_eq!(
        (&edited["title"], &edited["revision"]),
        (&json!("Dress rehearsal"), &json!(2))
    );

    node.add(NAME, &upstream.url);
    node.cli_json(&["deployment", "set", NAME, "staging", "--url", &upstream.url]);
    assert_ne!(status(&node, "billing--staging").await, 404);
    let kept = node.cli(&["environment", "delete", "staging"]);
    assert!(String::from_utf8_lossy(&kept.stderr).contains("in use"));
    node.cli_json(&["environment", "create", "empty", "--kind", "testing"]);
    node.cli_json(&["environment", "delete", "empty"]);
    let unknown = node.cli(&["deployment", "set", NAME, "nowhere", "--url", &upstream.url]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no environment `nowhere`"));
}
