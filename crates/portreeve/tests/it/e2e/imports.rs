//! Imports through the door: the command line on a real node, the registry API afterwards, and a node that dies halfway.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::node::{Node, binary};
use crate::web::Answer;

/// A file of the corpus; `None` where there is none.
fn corpus(file: &str) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this variable says where the corpus is"
    )]
    let folder = std::env::var("PORTREEVE_TEST_DATA").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join("registry").join(file);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stdout, reason = "the stage summary shows what did not run")]
    {
        println!("not run: no corpus");
    }
    None
}

async fn get(node: &Node, path: &str) -> Answer {
    node.web.get(&format!("{}{path}", node.url)).await.unwrap()
}

/// Name, version and `isLatest` of every version, as pages of a limit give them.
async fn walk(node: &Node, query: &str) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    let mut path = format!("/v0.1/servers?{query}");
    loop {
        let page = get(node, &path).await.json();
        for item in page["servers"].as_array().unwrap() {
            let text = |key: &str| item["server"][key].as_str().unwrap().to_owned();
            let latest = &item["_meta"]["io.modelcontextprotocol.registry/official"]["isLatest"];
            found.push((text("name"), text("version"), latest.as_bool().unwrap()));
        }
        match page["metadata"]["nextCursor"].as_str() {
            Some(cursor) => path = format!("/v0.1/servers?{query}&cursor={cursor}"),
            None => return found,
        }
    }
}

/// What the dump says, in the order of the list.
fn said(dump: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all: Vec<_> = dump["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            let official = &record["_meta"]["io.modelcontextprotocol.registry/official"];
            (
                text(&record["server"]["name"]),
                text(&record["server"]["version"]),
                official["isLatest"].as_bool().unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_a3_the_dump_is_imported_paged_and_its_latest_versions_are_ours() {
    let Some(file) = corpus("official-registry-dump-2026-01-11.json") else {
        return;
    };
    let node = Node::start().await;
    let path = file.display().to_string();
    let run = node.cli_json(&["import", "dump", &path, "--approve"]);
    let counts = &run["counts"];
    assert_eq!(
        (
            &counts["added"],
            &counts["flagged"],
            &counts["refused"],
            &counts["approved"]
        ),
        (&json!(2_354), &json!(275), &json!(0), &json!(2_354)),
        "{counts}"
    );
    assert_eq!(run["records"].as_array().unwrap().len(), 275);
    let dump: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let expected = said(&dump);
    for limit in [1, 7, 50, 100] {
        assert_eq!(
            walk(&node, &format!("limit={limit}")).await,
            expected,
            "pages of {limit}"
        );
    }
    let latest = walk(&node, "limit=100&version=latest").await;
    assert_eq!(latest.len(), 964);
    let marked: Vec<_> = expected.iter().filter(|(.., latest)| *latest).cloned().collect();
    assert_eq!(latest, marked);

    let again = node.cli_json(&["import", "dump", &path, "--approve"]);
    assert_eq!(again["counts"]["unchanged"], 2_354);
    assert_eq!(again["counts"]["added"], 0);
    let shown = node.cli(&["import", "show", again["name"].as_str().unwrap()]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("2354") && text.contains("275"), "{text}");
    let listed = node.cli_json(&["import", "list"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);

    // A search, on both faces.
    let found = node.cli_json(&["search", "github", "issues", "--limit", "5"]);
    assert!(!found["items"].as_array().unwrap().is_empty(), "{found}");
    let contained = walk(&node, "limit=100&version=latest&search=mail").await;
    for limit in [1, 2, 5] {
        let query = format!("limit={limit}&version=latest&search=mail");
        assert_eq!(walk(&node, &query).await, contained, "pages of {limit}");
    }
    let holds = |record: &Value| {
        let server = &record["server"];
        let text = |key: &str| server[key].as_str().unwrap_or_default().to_lowercase();
        let official = &record["_meta"]["io.modelcontextprotocol.registry/official"];
        official["isLatest"] == true
            && ["name", "title", "description"]
                .iter()
                .any(|key| text(key).contains("mail"))
    };
    let count = dump["servers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| holds(record))
        .count();
    assert_eq!(contained.len(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_partner_files_and_the_docker_catalogue_are_imported_from_the_command_line() {
    let (Some(partners), Some(docker)) = (
        corpus("azure-mcp-partners-2026-08.json"),
        corpus("docker-mcp-registry-2026-07.json"),
    ) else {
        return;
    };
    let node = Node::start().await;
    let run = node.cli_json(&["import", "partners", &partners.display().to_string()]);
    assert!(
        run["counts"]["added"].as_u64().unwrap() >= 96,
        "{}",
        run["counts"]
    );
    let run = node.cli_json(&["import", "docker", &docker.display().to_string(), "--dry-run"]);
    assert_eq!(run["counts"]["added"], 328, "{}", run["counts"]);
    assert_eq!(run["dryRun"], true);
    assert_eq!(
        walk(&node, "limit=100").await,
        [],
        "nothing is listed before it is approved"
    );
    let origins = node.cli_json(&["import", "origins", run_name(&node).as_str()]);
    let origin = &origins["items"][0];
    assert_eq!(
        (&origin["kind"], &origin["sourceStatus"]),
        (&json!("partners"), &json!("active"))
    );
    let raw: Value = serde_json::from_str(origin["raw"].as_str().unwrap()).unwrap();
    assert!(
        raw["securitySchemes"].is_object() || raw["title"].is_string(),
        "the record as it came"
    );
    let found = node.cli_json(&["search", "atlassian"]);
    assert_eq!(found["items"][0]["approval"], "submitted", "{found}");
}

/// A server that a search finds first.
fn run_name(node: &Node) -> String {
    let found = node.cli_json(&["search", "atlassian"]);
    found["items"][0]["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_repository_is_fetched_by_the_users_own_git() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir_all(tree.join("billing")).unwrap();
    let document = json!({"name": "com.acme/billing", "description": "Invoices", "version": "1.0.0"});
    std::fs::write(tree.join("billing/server.json"), document.to_string()).unwrap();
    std::fs::write(tree.join("broken.server.json"), "{").unwrap();
    std::fs::write(tree.join("README.json"), "{}").unwrap();
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments)
            .current_dir(&tree)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "first"]);
    let node = Node::start().await;
    let url = format!("file://{}", tree.display());
    let run = node.cli_json(&["import", "git", &url, "--approve"]);
    assert_eq!(
        (&run["counts"]["added"], &run["counts"]["refused"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(run["records"][0]["place"], "broken.server.json");
    assert_eq!(walk(&node, "limit=5").await.len(), 1);
    let failed = node.cli(&["import", "git", "--", "--upload-pack=x"]);
    assert!(!failed.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_in_the_middle_there_is_no_half_entry_and_the_next_run_completes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.json");
    let record = |server: usize, version: usize| {
        json!({"server": {"name": format!("com.acme/s-{server:04}"), "description": "One of many",
            "version": format!("1.{version}.0")}})
    };
    let records: Vec<Value> = (0..800)
        .flat_map(|server| (0..3).map(move |version| (server, version)))
        .map(|(server, version)| record(server, version))
        .collect();
    std::fs::write(&file, json!({ "servers": records }).to_string()).unwrap();
    let mut node = Node::start().await;
    let path = file.display().to_string();
    let mut importing = Command::new(binary())
        .args(["import", "dump", &path, "--approve"])
        .env("PORTREEVE_URL", &node.url)
        .env("PORTREEVE_DATA", node.data())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // As soon as something is there.
    while get(&node, "/v0.1/servers?limit=1").await.json()["metadata"]["count"] == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.kill();
    importing.wait().unwrap();
    node.begin().await;
    let versions = walk(&node, "limit=100").await;
    assert!(!versions.is_empty());
    let marked = versions.iter().filter(|(.., latest)| *latest).count();
    let servers: std::collections::BTreeSet<_> = versions.iter().map(|(name, ..)| name).collect();
    assert_eq!(marked, servers.len(), "each server has its latest version");
    let run = node.cli_json(&["import", "dump", &path, "--approve"]);
    let count = |name: &str| run["counts"][name].as_u64().unwrap();
    assert_eq!(count("added") + count("unchanged"), 2_400);
    assert_eq!(count("unchanged"), u64::try_from(versions.len()).unwrap());
    assert_eq!(walk(&node, "limit=100").await.len(), 2_400);
}

/// A registry of 500 pages, of which one fails for a while, one is slow and one holds a bad record.
async fn stub(failing: Arc<AtomicUsize>) -> String {
    let answer = move |RawQuery(query): RawQuery| {
        let failing = Arc::clone(&failing);
        async move {
            let query = query.unwrap_or_default();
            let page: usize = query
                .split('&')
                .find_map(|part| part.strip_prefix("cursor="))
                .map_or(0, |cursor| cursor.parse().unwrap());
            if page == 250 && failing.load(Ordering::SeqCst) > 0 {
                failing.fetch_sub(1, Ordering::SeqCst);
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            if page == 100 {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            let server = |item: usize| {
                let status = if page == 3 { "deleted" } else { "active" };
                json!({"server": {"name": format!("com.far/s-{page:03}-{item}"), "description": "Far away",
                        "version": "1.0.0"},
                    "_meta": {"io.modelcontextprotocol.registry/official": {"status": status}}})
            };
            let mut servers: Vec<Value> = (0..2).map(server).collect();
            if page == 7 {
                servers.push(json!({"server": {"name": "no name"}}));
            }
            let next = (page < 499).then(|| (page + 1).to_string());
            axum::Json(json!({"servers": servers, "metadata": {"nextCursor": next, "count": servers.len()}}))
                .into_response()
        }
    };
    let router: axum::Router = axum::Router::new().route("/v0.1/servers", axum::routing::get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.map_err(drop) });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_a_registry_is_read_page_by_page_and_goes_on_where_it_broke_off() {
    let failing = Arc::new(AtomicUsize::new(usize::MAX));
    let url = stub(Arc::clone(&failing)).await;
    let node = Node::start().await;
    let refused = node.cli(&["import", "registry", &url]);
    assert!(!refused.status.success(), "a private host needs a grant");

    // Nothing goes on where a dry run broke off.
    let dry = node.cli(&["--json", "import", "registry", &url, "--internal", "--dry-run"]);
    let dry: Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!(
        (&dry["state"], &dry["counts"]["records"]),
        (&json!("failed"), &json!(501))
    );

    let output = node.cli(&["--json", "import", "registry", &url, "--internal", "--approve"]);
    assert!(!output.status.success());
    let broken: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(broken["state"], "failed", "{broken}");
    assert!(broken["failure"].as_str().unwrap().contains("503"), "{broken}");
    assert_eq!(broken["counts"]["records"], 501, "250 pages, and the bad record");
    assert_eq!(
        (&broken["counts"]["refused"], &broken["counts"]["hidden"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        walk(&node, "limit=100").await.len(),
        498,
        "nothing is lost, what was deleted is hidden"
    );

    failing.store(2, Ordering::SeqCst);
    let rest = node.cli_json(&["import", "registry", &url, "--internal", "--approve"]);
    assert_eq!(
        (&rest["state"], &rest["counts"]["records"]),
        (&json!("done"), &json!(500))
    );
    assert_eq!(walk(&node, "limit=100").await.len(), 998);
    let again = node.cli_json(&["import", "registry", &url, "--internal", "--approve"]);
    assert_eq!(again["counts"]["unchanged"], 1_000, "{}", again["counts"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_read_again_when_its_time_has_come() {
    let url = stub(Arc::new(AtomicUsize::new(0))).await;
    let node = Node::start().await;
    let set = node.cli_json(&[
        "import",
        "registry",
        &url,
        "--internal",
        "--every",
        "1h",
        "--approve",
    ]);
    assert_eq!(set["everySeconds"], 3_600);
    let schedules = node.cli_json(&["import", "schedules"]);
    assert_eq!(schedules["items"][0]["name"], set["name"]);
    let done = async {
        loop {
            let runs = node.cli_json(&["import", "list"]);
            if runs["items"][0]["state"] == "done" {
                return runs["items"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let run = tokio::time::timeout(Duration::from_secs(120), done)
        .await
        .unwrap();
    assert_eq!(run["startedBy"], "system");
    assert_eq!(run["counts"]["added"], 998);
    let ended = node.cli(&["import", "unschedule", &url]);
    assert!(ended.status.success());
    assert_eq!(node.cli_json(&["import", "schedules"])["items"], json!([]));
}
