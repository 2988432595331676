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

#[tokio::test(flavor = "multi_thread")]
async fn j7_a_rest_api_is_imported_approved_and_imported_again() {
    let node = Node::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("harbour.json");
    let place = file.display().to_string();
    // A path of its own file, and one of another.
    let first =
        json!({"/ships": get("ships"), "/berths": {"$ref": "berths.yaml#/berths"}, "/odd": {"get": 7}});
    std::fs::write(&file, description("1.0.0", &first)).unwrap();
    std::fs::write(
        folder.path().join("berths.yaml"),
        "berths:\n  get:\n    operationId: berths\n    summary: Reads berths\n",
    )
    .unwrap();
    let curation = folder.path().join("curation.yaml");
    std::fs::write(&curation, "tools:\n  ships:\n    rename: list_ships\n").unwrap();
    let curation = curation.display().to_string();

    let add = [
        "server",
        "add",
        "com.acme/harbour",
        "--openapi",
        &place,
        "--curation",
        &curation,
    ];
    let with = |more: &[&'static str]| -> Vec<String> {
        add.iter()
            .map(ToString::to_string)
            .chain(more.iter().map(ToString::to_string))
            .collect()
    };
    let cli = |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        node.cli_json(&arguments)
    };
    let seen = cli(with(&["--dry-run", "--internal"]));
    assert_eq!(
        (&seen["report"]["tools"], &seen["report"]["skipped"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(seen["report"]["operations"][2]["reason"], "it is not an object");
    assert_eq!(node.cli_json(&["server", "list"])["items"], json!([]));

    let made = cli(with(&["--internal", "--approve"]));
    assert_eq!(made["outcome"]["version"]["approval"], "approved");
    assert_eq!(made["outcome"]["tools"], json!({"state": "pinned", "count": 2}));
    let names = |node: &Node| {
        let tools = node.cli_json(&["server", "tools", "com.acme/harbour"]);
        let mut names: Vec<(String, String)> = tools["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| {
                (
                    tool["name"].as_str().unwrap().to_owned(),
                    tool["state"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let pair = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    assert_eq!(
        names(&node),
        [pair("berths", "approved"), pair("list_ships", "approved")]
    );

    // Where the API is stays behind the gateway.
    let listed = node
        .web
        .get(&format!("{}/v0.1/servers", node.url))
        .await
        .unwrap()
        .json();
    let server = &listed["servers"][0]["server"];
    assert_eq!(server["name"], "com.acme/harbour");
    assert!(
        server["remotes"][0]["url"]
            .as_str()
            .unwrap()
            .ends_with("/s/harbour/mcp"),
        "{server}"
    );
    assert!(!listed.to_string().contains("127.0.0.1:9"), "{listed}");

    let second = json!({"/ships": get("ships"), "/tides": get("tides")});
    std::fs::write(&file, description("1.0.0", &second)).unwrap();
    let again = cli(with(&["--internal"]));
    assert_eq!(again["preview"]["version"], "1.0.1");
    let kinds: Vec<&str> = again["preview"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["removed", "added"]);
    // Nothing that is served has changed, but the one that is gone is told from the others.
    assert_eq!(
        names(&node),
        [pair("berths", "missing"), pair("list_ships", "approved")]
    );
    let shown = node.cli_json(&["server", "openapi", "com.acme/harbour"]);
    assert_eq!(
        (&shown["version"], &shown["vanished"]),
        (&json!("1.0.0"), &json!(["berths"]))
    );
    assert_eq!(shown["curation"]["tools"]["ships"]["rename"], "list_ships");

    node.cli_json(&["server", "approve", "com.acme/harbour"]);
    let names = names(&node);
    assert!(
        names.contains(&pair("tides", "approved")) && names.contains(&pair("list_ships", "approved")),
        "{names:?}"
    );
    let refused = node.cli(&[
        "server",
        "add",
        "com.acme/other",
        "--openapi",
        "/nonexistent.yaml",
    ]);
    assert_eq!(refused.status.code(), Some(1));
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
