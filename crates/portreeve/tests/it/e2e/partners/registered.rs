//! J4 and J5 in a running registry: a partner's server is listed without a step, registered in one, updated when somebody says
//! so, looked at again, delisted and revoked.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::shelf::{Pulling, called, harbour, last_pull, tools, until};
use crate::node::{Engines, Node};

const REGISTER: &str = "/partners/harbour/servers/harbour/register";

/// A server whose address has a variable.
fn templated(pulling: &Pulling) -> Value {
    let mut server = pulling.desk.server("harbour");
    server["remotes"][0] = json!({
        "type": "streamable-http", "url": format!("https://{}/{{dock}}", pulling.desk.vendor.secure),
        "variables": {"dock": {"description": "The name of your dock", "isRequired": true}},
    });
    server
}

async fn listed(node: &Node) -> Value {
    let asked = async || harbour(node, &node.key).await;
    until("the partner is listed", asked).await.0
}

/// Waits until the audit log has an event that a catalogue made.
async fn told(node: &Node, action: &str, by: &str) {
    let asked = async || {
        let events = node.api("GET", "/audit?limit=200", None).await.json();
        let is_it = |one: &Value| one["action"] == action && one["detail"]["by"] == by;
        events["items"].as_array()?.iter().any(is_it).then_some(())
    };
    until(action, asked).await;
}

/// Registers the partner's server and approves it; the route's slug.
async fn registered(node: &Node, variables: Value) -> String {
    let wish = json!({"variables": variables, "approve": true, "internal": true});
    let made = node.api("POST", REGISTER, Some(wish)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    made["outcome"]["route"]["slug"]
        .as_str()
        .unwrap_or_else(|| panic!("{made:#}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_a_new_registry_lists_partners_without_a_step() {
    let node = Node::start().await;
    let all = node.api("GET", "/partners", None).await;
    assert_eq!(all.status, 200);
    let all = all.json();
    let all = all["items"].as_array().unwrap();
    assert!(all.len() > 10, "{}", all.len());
    let found = node.cli_json(&["partner", "find", "notion"]);
    assert_eq!(found["items"][0]["partner"], "notion", "{found:#}");
    let none = node.api("GET", "/partners?category=Cooking", None).await;
    assert_eq!(none.status, 422, "{}", none.text());
    let verified = node.api("GET", "/partners?tier=verified", None).await.json();
    assert_eq!(verified["items"], json!([]), "nobody looked at them from here");
    let status = node.cli_json(&["partner", "status"]);
    assert_eq!(
        (status["url"].clone(), status["servers"].as_u64()),
        (Value::Null, Some(all.len() as u64))
    );
    let pulled = node.api("POST", "/partner-catalogue/pull", None).await;
    assert_eq!(pulled.status, 409, "{}", pulled.text());
}

/// What is missing, and what nobody asked for, are named at once; who may not publish is refused.
async fn nothing_is_made(node: &Node, eve: &str) {
    let refused = node
        .api("POST", REGISTER, Some(json!({"variables": {"pier": "1"}})))
        .await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    for name in ["variables.dock", "variables.pier"] {
        assert!(refused.text().contains(name), "{}", refused.text());
    }
    let headers = [
        ("authorization", format!("Bearer {eve}")),
        ("content-type", "application/json".to_owned()),
    ];
    let body = json!({"variables": {"dock": "mcp"}}).to_string();
    let url = format!("{}/api/v1{REGISTER}", node.url);
    let refused = node.web.ask("POST", &url, &headers, body).await.unwrap();
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_a_partner_is_registered_with_its_variables_and_updated_when_somebody_says_so() {
    let pulling = Pulling::start().await;
    let manifest = pulling.desk.manifest("harbour");
    pulling.desk.write("harbour", &manifest, &templated(&pulling));
    pulling.lay("one.json", &[]);
    let node = pulling.node().await;
    let one = listed(&node).await;
    assert_eq!(
        (one["catalogueVersion"].as_u64(), one["state"].as_str()),
        (Some(1), Some("listed"))
    );
    assert_eq!(one["variables"][0]["name"], "dock", "{one:#}");

    let eve = node.new_key("eve");
    nothing_is_made(&node, &eve).await;
    let made = node.cli_json(&[
        "partner",
        "register",
        "harbour",
        "--set",
        "dock=mcp",
        "--approve",
        "--internal",
    ]);
    let route = &made["outcome"]["route"];
    assert_eq!(route["environment"], "production", "{made:#}");
    let slug = route["slug"].as_str().unwrap();
    let (status, text) = tools(&node, slug).await;
    assert!(status == 200 && text.contains("find_berth"), "{status} {text}");
    let here = &made["listing"]["registered"];
    assert_eq!(
        (
            here["catalogueVersion"].as_u64(),
            here["updateAvailable"].as_bool()
        ),
        (Some(1), Some(false))
    );
    assert_eq!(here["contentHash"], one["contentHash"]);
    let again = node
        .api("POST", REGISTER, Some(json!({"variables": {"dock": "mcp"}})))
        .await;
    assert_eq!(again.status, 409, "{}", again.text());
    // Who may not know of the entry is not told of it.
    assert_eq!(harbour(&node, &eve).await.unwrap().get("registered"), None);

    // The catalogue moves; the entry does not.
    let mut server = templated(&pulling);
    server["description"] = json!("Finds berths and pilots");
    pulling.desk.write("harbour", &manifest, &server);
    pulling.lay("two.json", &["--after", &pulling.desk.text("one.json")]);
    let moved = async || {
        let one = harbour(&node, &node.key).await?;
        (one["registered"]["updateAvailable"] == true).then_some(one)
    };
    let (one, _) = until("an update is available", moved).await;
    assert_eq!(one["registered"]["version"], "1.0.0");
    told_of_the_update_once(&node).await;
    let changes = node.cli_json(&["partner", "changes", "harbour"]);
    assert_eq!(changes["to"], "1.0.1-catalogue.2", "{changes:#}");
    assert!(changes["changes"].to_string().contains("pilots"), "{changes:#}");
    let updated = node.cli_json(&["partner", "update", "harbour", "--approve"]);
    assert_eq!(
        updated["listing"]["registered"]["updateAvailable"], false,
        "{updated:#}"
    );
    assert_eq!(
        updated["outcome"]["route"]["version"], "1.0.1-catalogue.2",
        "{updated:#}"
    );
    assert_eq!(tools(&node, slug).await.0, 200);
    let events = node.api("GET", "/audit?limit=100", None).await.text();
    for action in ["partner.pull", "partner.register", "partner.update"] {
        assert!(events.contains(action), "{action}");
    }
}

/// The update was told by one event, on whichever node.
async fn told_of_the_update_once(node: &Node) {
    let asked = async || {
        let events = node.api("GET", "/audit?limit=200", None).await.json();
        let events = events["items"].as_array()?;
        let offers = events.iter().filter(|one| one["action"] == "partner.offer");
        let offers: Vec<Value> = offers.cloned().collect();
        (!offers.is_empty()).then_some(offers)
    };
    let (offers, _) = until("the update is told", asked).await;
    assert_eq!(offers.len(), 1, "{offers:#?}");
    let detail = &offers[0]["detail"];
    assert_eq!(offers[0]["server"], "systems.harbour-double/harbour");
    assert_eq!(
        (
            detail["fromCatalogue"].as_u64(),
            detail["catalogueVersion"].as_u64()
        ),
        (Some(1), Some(2)),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_a_reviewer_sends_back_may_be_asked_for_again() {
    const ENTRY: &str = "systems.harbour-double/harbour";
    let pulling = Pulling::start().await;
    pulling.lay("one.json", &[]);
    let node = pulling.node().await;
    listed(&node).await;
    let slug = registered(&node, json!({})).await;
    let mut server = pulling.desk.server("harbour");
    server["description"] = json!("Finds berths and pilots");
    pulling
        .desk
        .write("harbour", &pulling.desk.manifest("harbour"), &server);
    pulling.lay("two.json", &["--after", &pulling.desk.text("one.json")]);
    let moved = async || {
        let one = harbour(&node, &node.key).await?;
        (one["registered"]["updateAvailable"] == true).then_some(())
    };
    until("an update is available", moved).await;
    node.cli_json(&["partner", "update", "harbour"]);
    let again = node.cli(&["partner", "update", "harbour"]);
    assert_eq!(again.status.code(), Some(1), "it is under review: {again:?}");
    node.cli_json(&["server", "reject", ENTRY, "--reason", "which pilots?"]);
    let updated = node.cli_json(&["partner", "update", "harbour", "--approve"]);
    assert_eq!(
        updated["outcome"]["route"]["version"], "1.0.1-catalogue.2",
        "{updated:#}"
    );
    assert_eq!(tools(&node, &slug).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_older_or_replayed_is_not_taken_and_the_reason_is_shown() {
    let pulling = Pulling::start().await;
    pulling.lay("one.json", &[]);
    pulling.lay("two.json", &["--after", &pulling.desk.text("one.json")]);
    let node = pulling.node().await;
    listed(&node).await;
    let ends_with = async |code: &str| {
        let ended = async || Some(last_pull(&node).await).filter(|last| last["code"] == code);
        until(code, ended).await.0
    };
    ends_with("unchanged").await;
    assert!(pulling.unchanged() > 0, "it is asked for by its ETag");
    let older = fs::read(pulling.desk.at("one.json")).unwrap();
    pulling.lay_bytes(older);
    let last = ends_with("older").await;
    assert!(
        last["message"].as_str().unwrap().contains("version 2 is held"),
        "{last}"
    );
    let text = fs::read_to_string(pulling.desk.at("two.json")).unwrap();
    pulling.lay_bytes(text.replace("Finds berths", "Finds pirates").into_bytes());
    ends_with("forged").await;
    pulling.lay_bytes(Vec::new());
    let last = ends_with("unreachable").await;
    assert!(last["message"].as_str().unwrap().contains("503"), "{last}");
    // What is here stays, for a node that starts anew, too.
    assert_eq!(harbour(&node, &node.key).await.unwrap()["catalogueVersion"], 2);
    let pulled = node.cli(&["partner", "pull"]);
    assert_eq!(pulled.status.code(), Some(1), "{pulled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn j5_6_a_partner_that_fails_or_changes_its_tools_loses_its_tier() {
    use super::vendor::{Manners, berth};
    let pulling = Pulling::start().await;
    let evidence = pulling.evidence();
    pulling.lay("one.json", &["--evidence", &evidence]);
    let node = pulling.node().await;
    let one = listed(&node).await;
    assert_eq!(one["tier"], "verified", "{one:#}");
    registered(&node, json!({})).await;
    let found = async |state: &str| {
        let asked = async || {
            harbour(&node, &node.key)
                .await
                .filter(|one| one["health"]["state"] == state)
        };
        until(state, asked).await.0
    };
    // A look that has begun may find the rest of what changes meanwhile: the next one finds the first thing.
    let failing = async |check: &str| {
        let asked = async || {
            let one = harbour(&node, &node.key).await?;
            let detail = one["health"]["detail"].as_str().unwrap_or_default();
            (one["health"]["state"] == "failing" && detail.contains(check)).then_some(one)
        };
        until(check, asked).await.0
    };
    let one = found("healthy").await;
    assert_eq!(one["tier"], "verified", "{one:#}");
    pulling.desk.vendor.behave(Manners {
        is_mute: true,
        ..Manners::good()
    });
    let one = failing("handshake").await;
    assert_eq!(one["tier"], "unverified", "{one:#}");
    pulling.desk.vendor.behave(Manners::good());
    assert_eq!(found("healthy").await["tier"], "verified");
    // The key that signed is the domain's no more.
    let key = pulling.desk.records.lock().unwrap().pop().unwrap();
    let one = failing("domain-proof").await;
    assert_eq!(one["tier"], "unverified", "{one:#}");
    pulling.desk.records.lock().unwrap().push(key);
    assert_eq!(found("healthy").await["tier"], "verified");
    let mut tool = berth();
    tool["description"] = json!("Finds a free berth, and tells somebody else about it.");
    pulling.desk.vendor.behave(Manners {
        tools: Some(vec![tool]),
        ..Manners::good()
    });
    assert_eq!(found("tools-changed").await["tier"], "unverified");
    let events = node.api("GET", "/audit?limit=200", None).await.text();
    for action in ["partner.fail", "partner.recover", "partner.change-tools"] {
        assert!(events.contains(action), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j5_6_delisted_is_hidden_from_new_users_and_revoked_is_closed_on_every_node() {
    let pulling = Pulling::start().await;
    pulling.lay("one.json", &[]);
    let node = pulling.node().await;
    // Two nodes need a store that both reach.
    let other = match node.engines() {
        Engines::Alone => None,
        Engines::Servers { .. } => Some(pulling.beside(&node).await),
    };
    let far = other.as_ref().unwrap_or(&node);
    listed(&node).await;
    let slug = registered(&node, json!({})).await;
    let open = async || (tools(far, &slug).await.0 == 200).then_some(());
    until("the route serves", open).await;
    let eve = node.new_key("eve");

    node.cli_json(&["partner", "delist", "harbour", "--reason", "being reviewed"]);
    assert_eq!(harbour(&node, &eve).await, None);
    assert_eq!(harbour(&node, &node.key).await.unwrap()["state"], "delisted");
    assert_eq!(tools(&node, &slug).await.0, 200, "who has it keeps it");
    node.cli_json(&["partner", "reinstate", "harbour"]);
    assert!(harbour(&node, &eve).await.is_some());

    // By an administrator, on one node; measured on the other.
    node.cli_json(&[
        "partner",
        "revoke",
        "harbour/harbour",
        "--reason",
        "its keys were stolen",
    ]);
    let closed = async |reason: &str| {
        let asked = async || {
            let (status, text) = tools(far, &slug).await;
            (status == 403 && text.contains(reason)).then_some(())
        };
        until(reason, asked).await.1
    };
    let took = closed("its keys were stolen").await;
    println!("revoked by an administrator: refused after {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let again = node.api("POST", REGISTER, Some(json!({}))).await;
    assert_eq!(again.status, 409, "{}", again.text());
    let refused = node.cli(&["partner", "reinstate", "harbour"]);
    assert_eq!(
        refused.status.code(),
        Some(1),
        "only the server was revoked: {refused:?}"
    );
    node.cli_json(&["partner", "reinstate", "harbour/harbour"]);
    until("the route serves again", open).await;

    // By the keepers, with the next catalogue.
    let file = pulling.desk.text("withdrawn.json");
    let list = json!([{"partner": "harbour", "what": "revoked", "reason": "the vendor is gone"}]);
    fs::write(&file, list.to_string()).unwrap();
    let after = pulling.desk.text("one.json");
    pulling.lay("two.json", &["--after", &after, "--withdrawn", &file]);
    let took = closed("the vendor is gone").await;
    println!("revoked by the catalogue: refused after {took:?}");
    assert!(
        took < Duration::from_secs(6),
        "a second until it is pulled, and five: {took:?}"
    );
    let refused = node.cli(&["partner", "reinstate", "harbour"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let events = node.api("GET", "/audit?limit=200", None).await.text();
    for action in ["partner.delist", "partner.revoke", "partner.reinstate"] {
        assert!(events.contains(action), "{action}");
    }
    // What the keepers said is told like what an administrator said.
    told(&node, "partner.revoke", "catalogue 2").await;
    pulling.lay("three.json", &["--after", &pulling.desk.text("two.json")]);
    until("the route serves once the catalogue takes it back", open).await;
    told(&node, "partner.reinstate", "catalogue 3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_open_ends_when_its_server_is_revoked() {
    let pulling = Pulling::start().await;
    pulling.lay("one.json", &[]);
    let node = pulling.node().await;
    listed(&node).await;
    let slug = registered(&node, json!({})).await;
    let open = async || (tools(&node, &slug).await.0 == 200).then_some(());
    until("the route serves", open).await;
    let url = node.endpoint(&slug).replace("/mcp", "/sse");
    let headers = [
        ("authorization", format!("Bearer {}", node.key)),
        ("accept", "text/event-stream".to_owned()),
    ];
    let mut stream = node.web.open("GET", &url, &headers, String::new()).await;
    assert_eq!(stream.status, 200);
    assert!(stream.event().await.is_some(), "it says where to post");
    node.cli_json(&["partner", "revoke", "harbour/harbour", "--reason", "it leaks"]);
    let over = async { while stream.event().await.is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(5), over).await;
    assert!(ended.is_ok(), "it is still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_under_way_ends_when_its_server_is_revoked() {
    use super::vendor::Manners;
    let pulling = Pulling::start().await;
    pulling.lay("one.json", &[]);
    let node = pulling.node().await;
    listed(&node).await;
    let slug = registered(&node, json!({})).await;
    let open = async || (tools(&node, &slug).await.0 == 200).then_some(());
    until("the route serves", open).await;
    let slow_calls = Arc::new(AtomicUsize::new(0));
    pulling.desk.vendor.behave(Manners {
        is_slow: true,
        slow_calls: Arc::clone(&slow_calls),
        ..Manners::good()
    });
    let calling = called(&node, &slug);
    let revoking = async {
        let under_way = async || (slow_calls.load(Ordering::SeqCst) > 0).then_some(());
        until("the call is at the server", under_way).await;
        node.cli_json(&["partner", "revoke", "harbour/harbour", "--reason", "it leaks"]);
        Instant::now()
    };
    let ((status, text, ended), revoked) = tokio::join!(calling, revoking);
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("it leaks") && text.contains("\"id\":2"), "{text}");
    let took = ended.saturating_duration_since(revoked);
    println!("a call under way: ended after {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}
