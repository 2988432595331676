//! The vault: a value goes in, and comes out nowhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::node::{Engines, Node};
use crate::web::Answer;

/// Long enough to be found nowhere by chance, and no line of it is like another.
const VALUE: &str = "ghp_8c1f-Zaubereule-4711-äöü";
const SECOND: &str = "ghp_second-Mondkalb-0815";

async fn ask(node: &Node, method: &str, path: &str, etag: Option<&str>, body: Option<Value>) -> Answer {
    let mut headers = vec![("authorization", format!("Bearer {}", node.key))];
    headers.extend(etag.map(|etag| ("if-match", etag.to_owned())));
    let url = format!("{}/api/v1/secrets{path}", node.url);
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    node.web.ask(method, &url, &headers, body).await.unwrap()
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Everything that the node left behind: its files, its log, and its database where that is a server's.
fn left_behind(node: &Node) -> Vec<(String, Vec<u8>)> {
    let mut paths = Vec::new();
    files(node.data(), &mut paths);
    let mut found: Vec<_> = paths
        .iter()
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read(path).unwrap_or_default(),
            )
        })
        .collect();
    found.push(("log".to_owned(), node.log_text().into_bytes()));
    if let Engines::Servers { store, .. } = node.engines() {
        for table in ["secrets", "audit_outbox", "audit", "installation"] {
            let query = format!("select row_to_json(t) from {table} t");
            let dump = Command::new("psql")
                .args([&store, "-Atc", &query])
                .output()
                .unwrap();
            found.push((format!("table {table}"), dump.stdout));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_found_in_database_log_or_audit_log() {
    let node = Node::start().await;
    let set = node.cli_with(&["secret", "set", "github"], &format!("{VALUE}\n"));
    let told = String::from_utf8_lossy(&set.stdout).into_owned();
    assert!(
        set.status.success(),
        "{told} {}",
        String::from_utf8_lossy(&set.stderr)
    );
    assert!(told.contains("secret:github"), "{told}");
    let replaced = node.cli_with(&["secret", "set", "github"], SECOND);
    assert!(String::from_utf8_lossy(&replaced.stdout).contains("replaced"));
    assert!(node.cli_with(&["secret", "set", "other"], VALUE).status.success());

    let list = node.cli_json(&["secret", "list"]);
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["github", "other"]);
    assert_eq!(list["items"][0]["revision"], 2);
    let shown = ask(&node, "GET", "/github", None, None).await;
    let page = node.cli(&["secret", "list"]);
    let audit = node.api("GET", "/audit?action=secret.*", None).await;
    let events = audit.json();
    let events: Vec<_> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            (
                event["action"].as_str().unwrap(),
                event["target"].as_str().unwrap(),
                &event["detail"],
            )
        })
        .map(|(action, target, detail)| (action.to_owned(), target.to_owned(), detail.clone()))
        .collect();
    let event = |name: &str, revision: i64| {
        let detail = json!({"revision": revision, "replaced": revision > 1});
        ("secret.set".to_owned(), name.to_owned(), detail)
    };
    assert_eq!(
        events,
        [event("other", 1), event("github", 2), event("github", 1)]
    );
    for (place, text) in [
        ("list", list.to_string()),
        ("one", shown.text()),
        ("command line", String::from_utf8_lossy(&page.stdout).into_owned()),
        ("audit log", audit.text()),
    ] {
        for value in [VALUE, SECOND] {
            assert!(!text.contains(value), "the {place} holds the value: {text}");
        }
    }

    assert_eq!(node.cli(&["secret", "delete", "github"]).status.code(), Some(0));
    let left = left_behind(&node);
    assert!(
        left.iter().any(|(_, bytes)| holds(bytes, "secret.set")),
        "the search finds what is there"
    );
    for (place, bytes) in &left {
        for value in [VALUE, SECOND, "Zaubereule", "Mondkalb"] {
            assert!(!holds(bytes, value), "{place} holds a value");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_replaced_only_by_who_knows_what_is_there() {
    let node = Node::start().await;
    let body = |value: &str| Some(json!({"value": value}));
    let made = ask(&node, "PUT", "/github", None, body(VALUE)).await;
    assert_eq!(
        (made.status, made.header("etag")),
        (201, "\"1\""),
        "{}",
        made.text()
    );
    let again = ask(&node, "PUT", "/github", None, body(SECOND)).await;
    assert_eq!(again.status, 428, "{}", again.text());
    assert_eq!(
        ask(&node, "PUT", "/github", Some("\"7\""), body(SECOND))
            .await
            .status,
        412
    );
    let replaced = ask(&node, "PUT", "/github", Some("\"1\""), body(SECOND)).await;
    assert_eq!((replaced.status, replaced.header("etag")), (200, "\"2\""));
    assert_eq!(
        ask(&node, "PUT", "/github", Some("\"1\""), body(VALUE))
            .await
            .status,
        412
    );
    assert_eq!(
        ask(&node, "PUT", "/github", Some("*"), body(VALUE)).await.status,
        200
    );
    assert_eq!(
        ask(&node, "PUT", "/nothing", Some("*"), body(VALUE)).await.status,
        404
    );

    let long = "x".repeat(16 * 1024);
    for (path, content, status) in [
        ("/long", json!({"value": long}), 201),
        ("/longer", json!({"value": format!("{long}x")}), 422),
        ("/empty", json!({"value": ""}), 422),
        ("/nul", json!({"value": "a\u{0}b"}), 422),
        ("/Upper", json!({"value": "x"}), 422),
        ("/.dot", json!({"value": "x"}), 422),
        ("/a%2Fb", json!({"value": "x"}), 422),
        ("/unknown", json!({"value": "x", "more": 1}), 422),
        ("/number", json!({"value": 7}), 422),
        ("/missing", json!({}), 422),
    ] {
        let answer = ask(&node, "PUT", path, None, Some(content)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(!answer.text().contains("xxxxxxxx"), "{path}: {}", answer.text());
    }
    assert_eq!(ask(&node, "DELETE", "/github", None, None).await.status, 204);
    assert_eq!(ask(&node, "DELETE", "/github", None, None).await.status, 404);
    let empty = node.cli_with(&["secret", "set", "github"], "\n");
    assert_eq!(empty.status.code(), Some(1));
    let told = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert!(told.contains("hint: pipe it in"), "{told}");
}
