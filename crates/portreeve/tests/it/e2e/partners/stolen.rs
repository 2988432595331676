//! A key that was stolen: what it signed is dropped once an operator takes the key away, and the keepers go on where they were.

use serde_json::json;

use super::shelf::{Pulling, harbour, last_pull, tools, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_key_blocks_nobody_once_it_is_not_trusted_any_more() {
    let pulling = Pulling::start().await;
    let thief = pulling.key("thief.key");
    let listed = format!("\"{thief}\", ");
    pulling.configure("\nkeys = [", &format!("\nkeys = [{listed}"));
    pulling.lay("one.json", &[]);
    let mut node = pulling.node().await;
    let at_version = async |node: &crate::node::Node, version: u64| {
        let asked = async || {
            harbour(node, &node.key)
                .await
                .filter(|one| one["catalogueVersion"].as_u64() == Some(version))
        };
        until("that catalogue is in force", asked).await.0
    };
    at_version(&node, 1).await;
    let honest = pulling.bundled(
        "two.json",
        "keeper.key",
        &["--after", &pulling.desk.text("one.json")],
    );

    // The thief's catalogue is the newest; something is registered from it, and the honest one is not taken.
    let mut server = pulling.desk.server("harbour");
    server["description"] = json!("Finds berths and tells pirates");
    pulling
        .desk
        .write("harbour", &pulling.desk.manifest("harbour"), &server);
    let stolen = pulling.bundled(
        "three.json",
        "thief.key",
        &["--after", &pulling.desk.text("two.json")],
    );
    pulling.lay_bytes(stolen);
    at_version(&node, 3).await;
    let made = node.cli_json(&["partner", "register", "harbour", "--approve", "--internal"]);
    let slug = made["outcome"]["route"]["slug"].as_str().unwrap().to_owned();
    assert_eq!(
        made["listing"]["registered"]["catalogueTrusted"], true,
        "{made:#}"
    );
    pulling.lay_bytes(honest);
    let older = async || Some(last_pull(&node).await).filter(|last| last["code"] == "older");
    until("the honest one is refused", older).await;

    // Without its key the thief's one is dropped, and the honest one is taken.
    pulling.configure(&listed, "");
    node.terminate();
    assert!(node.wait().await, "it stops by itself");
    node.begin().await;
    let one = at_version(&node, 2).await;
    assert_eq!(one["registered"]["version"], "1.0.0", "{one:#}");
    assert_eq!(one["registered"]["catalogueTrusted"], false, "{one:#}");
    assert_eq!(one["registered"]["updateAvailable"], true, "{one:#}");
    assert_eq!(tools(&node, &slug).await.0, 200, "nothing of it was changed");
    let shown = node.cli(&["partner", "show", "harbour"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("no longer trusted"), "{shown}");
    let status = node.cli_json(&["partner", "status"]);
    assert_eq!(status["distrusted"], 1, "{status:#}");
    let said = status["dropped"]["message"].as_str().unwrap_or_default();
    assert!(
        said.contains("version 3 was dropped") && said.contains("version 1"),
        "{status:#}"
    );
    let told = async || {
        let events = node.api("GET", "/audit?limit=200", None).await.json();
        let mut events = events["items"].as_array()?.iter();
        events
            .find(|one| one["action"] == "partner.drop-catalogue")
            .cloned()
    };
    let (told, _) = until("it is in the audit log", told).await;
    assert_eq!(
        told["detail"]["servers"],
        json!(["systems.harbour-double/harbour"]),
        "{told:#}"
    );
}
