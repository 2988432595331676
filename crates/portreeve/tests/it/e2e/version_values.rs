//! Values of custom properties of one version, through the command line, the API and the pages.

use serde_json::json;

use crate::node::Node;

const NAME: &str = "com.acme/notes";

#[tokio::test(flavor = "multi_thread")]
async fn a_version_has_values_of_its_own_over_those_of_its_server() {
    let node = Node::start().await;
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
    let url = "https://notes.acme.example/mcp";
    let add = ["server", "add", NAME, "--url", url];
    let refused = node.cli(&add);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("metadata.dataClass"), "{told}");
    let with = [&add[..], &["--version-meta", "dataClass=internal"]].concat();
    let added = node.cli_json(&with);
    assert_eq!(added["version"]["metadata"], json!({"dataClass": "internal"}));

    node.cli_json(&["server", "approve", NAME]);
    let edit = ["server", "edit", NAME, "--version", "1.0.0", "--version-meta"];
    let wrong = node.cli(&[&edit[..], &["dataClass=secret"]].concat());
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(told.contains("metadata.dataClass"), "{told}");
    let edited = node.cli_json(&[&edit[..], &["dataClass=public"]].concat());
    assert_eq!(edited["versions"][0]["metadata"], json!({"dataClass": "public"}));
    assert_eq!(
        edited["versions"][0]["approval"], "approved",
        "no approval is void"
    );
    let shown = node.cli(&["server", "show", NAME]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("dataClass"));

    // Whoever saw an older state changes nothing.
    let path = format!("{}/api/v1/servers/com.acme%2Fnotes/versions/1.0.0", node.url);
    let change = json!({"metadata": {"dataClass": "internal"}}).to_string();
    let with = |tag: &str| {
        [
            ("authorization", format!("Bearer {}", node.key)),
            ("content-type", "application/json".to_owned()),
            ("if-match", tag.to_owned()),
        ]
    };
    let stale = node
        .web
        .ask("PATCH", &path, &with("\"1\""), change.clone())
        .await
        .unwrap();
    assert_eq!(stale.status, 412, "{}", stale.text());
    let saved = node.web.ask("PATCH", &path, &with("*"), change).await.unwrap();
    assert_eq!(saved.status, 200, "{}", saved.text());
    assert_eq!(saved.json()["metadata"], json!({"dataClass": "internal"}));

    // Nobody reads them without the right to use the server.
    for public in ["/servers/com.acme/notes", "/v0.1/servers"] {
        let page = node
            .web
            .get(&format!("{}{public}", node.url))
            .await
            .unwrap()
            .text();
        assert!(page.contains("notes") && !page.contains("dataClass"), "{page}");
    }
    let audit = node
        .api("GET", "/audit?action=server.describe", None)
        .await
        .json();
    assert_eq!(audit["items"][0]["target"], "1.0.0");
    assert_eq!(audit["items"][0]["detail"]["properties"], json!(["dataClass"]));
}
