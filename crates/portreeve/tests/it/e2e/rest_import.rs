//! A REST API becomes a server by the command line: seen before, imported, approved, imported again.

use serde_json::{Value, json};

use crate::node::Node;

fn description(version: &str, paths: &Value) -> String {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Harbour", "version": version},
        "servers": [{"url": "http://127.0.0.1:9/api/v1"}],
        "paths": paths,
    })
    .to_string()
}

fn get(name: &str) -> Value {
    json!({"get": {"operationId": name, "summary": format!("Reads {name}"), "tags": [name]}})
}

/// A node, and the description of an API in a folder.
struct Harbour {
    node: Node,
    folder: tempfile::TempDir,
}

// === impl Harbour ===

impl Harbour {
    /// A path of its own file, and one of another.
    async fn described() -> Self {
        let harbour = Self {
            node: Node::start().await,
            folder: tempfile::tempdir().unwrap(),
        };
        let berths = "berths:\n  get:\n    operationId: berths\n    summary: Reads berths\n";
        harbour.write("berths.yaml", berths);
        harbour.write("curation.yaml", "tools:\n  ships:\n    rename: list_ships\n");
        let paths =
            json!({"/ships": get("ships"), "/berths": {"$ref": "berths.yaml#/berths"}, "/odd": {"get": 7}});
        harbour.write("harbour.json", &description("1.0.0", &paths));
        harbour
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn import(&self, more: &[&str]) -> Value {
        let place = |name| self.folder.path().join(name).display().to_string();
        let (file, curation) = (place("harbour.json"), place("curation.yaml"));
        let mut words = vec!["server", "add", "com.acme/harbour", "--openapi", &file];
        words.extend(["--curation", &curation, "--internal"]);
        words.extend(more);
        self.node.cli_json(&words)
    }

    /// The tools with their states.
    fn tools(&self) -> Vec<(String, String)> {
        let tools = self.node.cli_json(&["server", "tools", "com.acme/harbour"]);
        let text = |tool: &Value, key: &str| tool[key].as_str().unwrap().to_owned();
        let items = tools["items"].as_array().unwrap().iter();
        let mut tools: Vec<_> = items
            .map(|tool| (text(tool, "name"), text(tool, "state")))
            .collect();
        tools.sort();
        tools.dedup();
        tools
    }
}

fn pair(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn j7_a_rest_api_is_imported_and_approved() {
    let harbour = Harbour::described().await;
    let node = &harbour.node;
    let seen = harbour.import(&["--dry-run"]);
    assert_eq!(
        (&seen["report"]["tools"], &seen["report"]["skipped"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(seen["report"]["operations"][2]["reason"], "it is not an object");
    assert_eq!(node.cli_json(&["server", "list"])["items"], json!([]));

    let made = harbour.import(&["--approve"]);
    assert_eq!(made["outcome"]["version"]["approval"], "approved");
    assert_eq!(made["outcome"]["tools"], json!({"state": "pinned", "count": 2}));
    assert_eq!(
        harbour.tools(),
        [pair("berths", "approved"), pair("list_ships", "approved")]
    );

    // Where the API is stays behind the gateway.
    let listed = node.web.get(&format!("{}/v0.1/servers", node.url)).await;
    let listed = listed.unwrap().json();
    let server = &listed["servers"][0]["server"];
    assert_eq!(server["name"], "com.acme/harbour");
    let url = server["remotes"][0]["url"].as_str().unwrap();
    assert!(url.ends_with("/s/harbour/mcp"), "{server}");
    assert!(!listed.to_string().contains("127.0.0.1:9"), "{listed}");

    let missing = "/nonexistent.yaml";
    let refused = node.cli(&["server", "add", "com.acme/other", "--openapi", missing]);
    assert_eq!(refused.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn j7_importing_again_shows_what_changes_and_changes_nothing() {
    let harbour = Harbour::described().await;
    harbour.import(&["--approve"]);
    let paths = json!({"/ships": get("ships"), "/tides": get("tides")});
    harbour.write("harbour.json", &description("1.0.0", &paths));
    let again = harbour.import(&[]);
    assert_eq!(again["preview"]["version"], "1.0.1");
    let changes = again["preview"]["changes"].as_array().unwrap().iter();
    let kinds: Vec<&str> = changes.map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["removed", "added"]);
    // Nothing that is served has changed, but the one that is gone is told from the others.
    assert_eq!(
        harbour.tools(),
        [pair("berths", "missing"), pair("list_ships", "approved")]
    );
    let shown = harbour.node.cli_json(&["server", "openapi", "com.acme/harbour"]);
    assert_eq!(
        (&shown["version"], &shown["vanished"]),
        (&json!("1.0.0"), &json!(["berths"]))
    );
    assert_eq!(shown["curation"]["tools"]["ships"]["rename"], "list_ships");

    let compared = harbour
        .node
        .cli(&["server", "compare", "com.acme/harbour", "1.0.1"]);
    let told = String::from_utf8(compared.stdout).unwrap();
    assert!(
        told.contains("removed  berths") && told.contains("added    tides"),
        "{told}"
    );
    harbour.node.cli_json(&["server", "approve", "com.acme/harbour"]);
    let tools = harbour.tools();
    assert!(
        tools.contains(&pair("tides", "approved")) && tools.contains(&pair("list_ships", "approved")),
        "{tools:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn j7_other_choices_make_a_new_version_from_the_kept_description() {
    let harbour = Harbour::described().await;
    harbour.import(&["--description", "Our harbour", "--approve"]);
    std::fs::remove_file(harbour.folder.path().join("harbour.json")).unwrap();
    harbour.write(
        "other.yaml",
        "exclude: [{name: berths}]\ntools: {ships: {rename: all_ships}}\n",
    );
    let file = harbour.folder.path().join("other.yaml").display().to_string();
    let words = ["server", "openapi", "com.acme/harbour", "--curation", &file];
    let again = |more: &[&str]| harbour.node.cli_json(&[&words[..], more].concat());
    let seen = again(&["--dry-run"]);
    assert_eq!(seen["comparedWith"], "1.0.0");
    let changes = seen["changes"].as_array().unwrap().iter();
    let changes: Vec<_> = changes
        .map(|change| (change["kind"].as_str().unwrap(), change["tool"].as_str().unwrap()))
        .collect();
    assert_eq!(
        changes,
        [
            ("removed", "berths"),
            ("removed", "list_ships"),
            ("added", "all_ships")
        ]
    );
    let made = again(&[]);
    assert_eq!(made["preview"]["version"], "1.0.1");
    assert_eq!(made["outcome"]["version"]["approval"], "submitted");
    // No operation is gone, so nothing is missing; and nothing that is served has changed.
    assert_eq!(made["preview"]["vanished"], json!([]));
    assert_eq!(
        harbour.tools(),
        [pair("berths", "approved"), pair("list_ships", "approved")]
    );
    harbour.node.cli_json(&["server", "approve", "com.acme/harbour"]);
    let tools = harbour.tools();
    assert!(tools.contains(&pair("all_ships", "approved")), "{tools:?}");
    let shown = harbour.node.cli_json(&["server", "openapi", "com.acme/harbour"]);
    assert_eq!(shown["version"], "1.0.1");
    assert_eq!(shown["report"]["baseUrl"], "http://127.0.0.1:9/api/v1");
    let server = harbour.node.cli_json(&["server", "show", "com.acme/harbour"]);
    assert!(server.to_string().contains("Our harbour"), "{server}");
    let same = harbour.node.cli(&words);
    assert_eq!(same.status.code(), Some(1), "the same choices are no news");
}

/// Serves these files, and counts nothing else.
async fn files(files: Vec<(&'static str, String)>) -> String {
    let mut router = axum::Router::new();
    for (path, text) in files {
        router = router.route(path, axum::routing::get(move || async move { text }));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.map_err(drop) });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_7_a_description_at_a_url_is_read_with_its_own_files_and_no_others() {
    let other = files(vec![("/secret.yaml", "get: {operationId: secret}".to_owned())]).await;
    let description = format!(
        "openapi: 3.1.0\ninfo: {{title: Harbour, version: 1.0.0}}\nservers: [{{url: ../v2}}]\npaths:\n  \
         /ships: {{$ref: 'parts/ships.yaml'}}\n  /secret: {{$ref: '{other}/secret.yaml'}}\n  \
         /file: {{$ref: 'file:///etc/hostname'}}\n"
    );
    let place = files(vec![
        ("/docs/openapi.yaml", description),
        ("/docs/parts/ships.yaml", "get: {operationId: ships}".to_owned()),
    ])
    .await;
    let node = Node::start().await;
    let url = format!("{place}/docs/openapi.yaml");
    let add = [
        "server",
        "add",
        "com.acme/harbour",
        "--openapi",
        &url,
        "--dry-run",
    ];
    // Nobody said that a private host may be read.
    let refused = node.cli(&add);
    assert_eq!(refused.status.code(), Some(1));

    let seen = node.cli_json(&[&add[..], &["--internal"]].concat());
    let report = &seen["report"];
    assert_eq!(report["baseUrl"], format!("{place}/v2"));
    assert_eq!(report["tools"], 1);
    let places: Vec<&str> = report["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["/paths/~1secret", "/paths/~1file"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_elsewhere_is_shown_with_its_address() {
    let harbour = Harbour::described().await;
    let mut there = get("there");
    there["get"]["servers"] = json!([{"url": "https://elsewhere.example/v2"}]);
    let paths = json!({"/ships": get("ships"), "/there": there});
    harbour.write("harbour.json", &description("1.0.0", &paths));
    let seen = harbour.import(&["--dry-run"]);
    let [here, there] = [0, 1].map(|index| seen["report"]["operations"][index].clone());
    assert_eq!(
        (here.get("baseUrl"), &there["baseUrl"]),
        (None, &json!("https://elsewhere.example/v2"))
    );
    let note = there["notes"][0]["message"].as_str().unwrap();
    assert!(note.contains("credential is not shown there"), "{note}");
    let file = harbour.folder.path().join("harbour.json").display().to_string();
    let words = ["server", "add", "com.acme/harbour", "--openapi", &file];
    let shown = harbour
        .node
        .cli(&[&words[..], &["--internal", "--dry-run"]].concat());
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("GET https://elsewhere.example/v2/there"),
        "{shown}"
    );
}
