//! Webhooks through the door: what happens is told, signed, until it is taken.

mod failures;
mod survival;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node::Node;
use crate::receiver::{Manner, Receiver, Told};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEXT_KEY: &str = "whsec_bmV4dC1rZXktbmV4dC1rZXktbmV4dC1rZXk=";
const NAME: &str = "com.acme/billing";

/// A configuration in which failures are tried again soon.
fn hasty(retries: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("portreeve.toml");
    // What is found is told, too, whenever that is.
    let text = format!(
        "[webhooks]\nretry_seconds = {retries}\nattempt_seconds = 2\n[assessment]\nevery_hours = 0\n"
    );
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    (folder, file)
}

/// A node with a key in its vault.
async fn node(config: &str) -> Node {
    let node = Node::start_with(&["--config", config]).await;
    set_key(&node, "hook", KEY);
    node
}

fn set_key(node: &Node, name: &str, value: &str) {
    let set = node.cli_with(&["secret", "set", name], value);
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
}

fn subscribe(node: &Node, receiver: &Receiver, more: &[&str]) -> Value {
    let mut line = vec![
        "webhook",
        "create",
        "chat",
        "--to",
        &receiver.url,
        "--secret",
        "hook",
        "--internal",
    ];
    line.extend(more);
    node.cli_json(&line)
}

/// The deliveries in a state, as soon as there are so many.
async fn deliveries(node: &Node, state: &str, number: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let page = node
            .api("GET", &format!("/webhooks/chat/deliveries?state={state}"), None)
            .await;
        let items = page.json()["items"].as_array().unwrap().clone();
        if items.len() == number {
            return items;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{number} that are {state}: {}",
            page.text()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn package(version: &str) -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME, "description": "Invoices", "version": version,
        "packages": [{"registryType": "npm", "identifier": "billing", "version": version, "transport": {"type": "stdio"}}],
    })
}

async fn add(node: &Node, version: &str) {
    let added = node
        .api("POST", "/servers", Some(json!({"document": package(version)})))
        .await;
    assert_eq!(added.status, 201, "{}", added.text());
}

fn kinds(told: &[Told]) -> Vec<String> {
    told.iter().map(Told::kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_an_entry_is_told_signed_and_in_order() {
    let (_folder, config) = hasty("[1, 1]");
    let node = node(&config).await;
    let receiver = Receiver::start().await;
    subscribe(&node, &receiver, &["--server", "com.acme/*"]);
    // The first attempt of the first event fails; everything else waits its turn behind it, or comes before it.
    receiver.behave(|number, _| Manner::status(if number == 0 { 500 } else { 204 }));
    add(&node, "1.0.0").await;
    node.cli_json(&["server", "reject", NAME, "--reason", "no licence"]);
    node.cli_json(&["server", "submit", NAME, "--version", "1.0.0"]);
    node.cli_json(&["server", "approve", NAME]);
    node.cli_json(&["server", "edit", NAME, "--owner", "user:ada"]);
    node.cli_json(&["server", "deprecate", NAME, "--message", "use another"]);
    node.cli_json(&["server", "retire", NAME]);
    node.cli_json(&[
        "server",
        "add",
        "org.else/x",
        "--url",
        "https://mcp.else.example/mcp",
    ]);
    assert_eq!(node.cli(&["server", "remove", NAME]).status.code(), Some(0));

    let told = receiver
        .until("eight events and a repetition", |told| told.len() >= 9)
        .await;
    let expected = [
        "server.added",
        "server.rejected",
        "server.submitted",
        "server.approved",
        "server.described",
        "server.deprecated",
        "server.retired",
        "server.removed",
    ];
    let mut seen = kinds(&told);
    assert_eq!(seen.remove(0), "server.added", "{seen:?}");
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    let mut all = expected.map(str::to_owned).to_vec();
    all.sort_unstable();
    assert_eq!(sorted, all, "each of them once more, and nothing else");
    let without_first: Vec<_> = seen.iter().filter(|kind| *kind != "server.added").collect();
    assert_eq!(
        without_first,
        expected[1..].iter().collect::<Vec<_>>(),
        "in order"
    );

    let again: Vec<_> = told.iter().filter(|one| one.kind() == "server.added").collect();
    assert_eq!(again.len(), 2);
    assert_eq!(again[0].header("webhook-id"), again[1].header("webhook-id"));
    assert_eq!(again[0].body, again[1].body, "byte for byte");
    for one in &told {
        assert!(one.is_signed_by(KEY), "{:?}", one.headers);
        assert!(!one.is_signed_by(NEXT_KEY));
        assert_eq!(one.header("content-type"), "application/json");
        let body = one.json();
        assert_eq!(body["data"]["server"], NAME);
        assert_eq!(body["data"]["actor"], "user:admin");
        assert_eq!(body["data"]["id"], one.header("webhook-id"));
        let text = String::from_utf8_lossy(&one.body).into_owned();
        assert!(!text.contains(KEY) && !text.contains(&node.key), "{text}");
    }
    let rejected = told
        .iter()
        .find(|one| one.kind() == "server.rejected")
        .unwrap()
        .json();
    assert_eq!(rejected["data"]["message"], "no licence");
    assert_eq!(rejected["data"]["version"], "1.0.0");
    // The identity leads into the audit log.
    let audit = node.api("GET", "/audit?action=server.reject", None).await.json();
    assert_eq!(audit["items"][0]["id"], rejected["data"]["id"]);
    let done = deliveries(&node, "delivered", 8).await;
    assert!(done.iter().all(|one| one["lastStatus"] == 204), "{done:?}");
}

/// The check that the documentation shows, run as it stands there.
#[tokio::test(flavor = "multi_thread")]
async fn the_check_of_the_documentation_tells_right_from_wrong() {
    let (_folder, config) = hasty("[1]");
    let node = node(&config).await;
    let receiver = Receiver::start().await;
    subscribe(&node, &receiver, &[]);
    let tested = node.cli(&["webhook", "test", "chat"]);
    assert!(
        tested.status.success(),
        "{}",
        String::from_utf8_lossy(&tested.stderr)
    );
    let told = receiver.told().remove(0);
    assert_eq!(told.kind(), "ping");

    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhooks.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let (_, code) = docs.split_once("```python\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let headers: serde_json::Map<String, Value> = told
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect();
    let body = String::from_utf8(told.body.to_vec()).unwrap();
    let input = json!({ "headers": headers, "body": body, "key": KEY, "next": NEXT_KEY });
    let program = format!(
        "{code}\nimport json, sys\nit = json.load(sys.stdin)\nbody = it['body'].encode()\nh = it['headers']\n\
         print(is_from_portreeve([it['key']], h, body), is_from_portreeve([it['next'], it['key']], h, body),\
         is_from_portreeve([it['next']], h, body), is_from_portreeve([it['key']], h, body + b' '),\
         is_from_portreeve([it['key']], h, body, now=time.time() + 301))\n"
    );
    let folder = TempDir::new().unwrap();
    let (script, data) = (folder.path().join("check.py"), folder.path().join("input.json"));
    std::fs::write(&script, program).unwrap();
    std::fs::write(&data, input.to_string()).unwrap();
    let checked = std::process::Command::new("python3")
        .arg(&script)
        .stdin(std::fs::File::open(&data).unwrap())
        .output()
        .expect("python3 is needed for the tests");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(said.trim(), "True True False False False", "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_without_losing_an_event() {
    let (_folder, config) = hasty("[1, 1]");
    let node = node(&config).await;
    let receiver = Receiver::start().await;
    subscribe(&node, &receiver, &[]);
    let ping = async |number: usize| -> Told {
        let tested = node.cli(&["webhook", "test", "chat"]);
        assert!(
            tested.status.success(),
            "{}",
            String::from_utf8_lossy(&tested.stdout)
        );
        receiver
            .until("a ping", |told| told.len() == number)
            .await
            .remove(number - 1)
    };
    let first = ping(1).await;
    assert!(first.is_signed_by(KEY) && !first.is_signed_by(NEXT_KEY));

    set_key(&node, "hook-2", NEXT_KEY);
    let edited = node.cli_json(&["webhook", "edit", "chat", "--secret", "hook-2"]);
    assert_eq!(edited["secret"], "secret:hook-2");
    assert_eq!(edited["formerSecret"], "secret:hook");
    let both = ping(2).await;
    assert!(both.is_signed_by(KEY) && both.is_signed_by(NEXT_KEY));

    // What a webhook names stays in the vault, unless somebody insists.
    let refused = node.cli(&["secret", "delete", "hook"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("is used by webhook `chat`"), "{told}");
    let shown = node.api("GET", "/secrets/hook-2", None).await.json();
    assert_eq!(shown["usedBy"], json!(["webhook `chat`"]));
    node.cli_json(&["webhook", "edit", "chat", "--forget-former"]);
    assert_eq!(node.cli(&["secret", "delete", "hook"]).status.code(), Some(0));
    let last = ping(3).await;
    assert!(!last.is_signed_by(KEY) && last.is_signed_by(NEXT_KEY));

    assert_eq!(
        node.cli(&["secret", "delete", "hook-2", "--force"]).status.code(),
        Some(0)
    );
    let failed = node.cli(&["webhook", "test", "chat"]);
    assert_eq!(failed.status.code(), Some(1));
    let told = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(told.contains("there is no secret `hook-2`"), "{told}");
    assert_eq!(receiver.told().len(), 3, "nothing unsigned leaves");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_work_is_not_saved() {
    let (_folder, config) = hasty("[1]");
    let node = node(&config).await;
    set_key(&node, "weak", "whsec_c2hvcnQ=");
    set_key(&node, "plain", "open-sesame");
    let url = "https://chat.example/hook";
    let hook = |more: Value| {
        let mut hook = json!({"name": "chat", "url": url, "secret": "secret:hook"});
        for (key, value) in more.as_object().unwrap() {
            hook[key] = value.clone();
        }
        hook
    };
    for (more, status, told) in [
        (json!({"url": "ftp://chat.example/"}), 422, "https"),
        (json!({"url": "https://ada:pw@chat.example/"}), 422, "user name"),
        (json!({"url": "http://169.254.169.254/"}), 422, "metadata"),
        (json!({"url": "http://127.0.0.1:1/"}), 422, "private"),
        (json!({"url": "http://chat.example/"}), 422, "plain http"),
        (json!({"url": "nonsense"}), 422, "not a URL"),
        (json!({"events": []}), 422, "at least one"),
        (json!({"events": ["server.exploded"]}), 422, "kind of event"),
        (json!({"servers": ["nonsense"]}), 422, "name pattern"),
        (json!({"secret": "hook"}), 422, "secret:NAME"),
        (json!({"secret": "secret:nowhere"}), 422, "no secret `nowhere`"),
        (json!({"secret": "secret:weak"}), 422, "24 to 64 bytes"),
        (json!({"secret": "secret:plain"}), 422, "whsec_"),
        (json!({"formerSecret": "secret:hook"}), 422, "another secret"),
        (json!({"name": "No Name"}), 422, "webhook"),
        (json!({"more": 1}), 422, "unknown field"),
    ] {
        let answer = node.api("POST", "/webhooks", Some(hook(more.clone()))).await;
        assert_eq!(answer.status, status, "{more}: {}", answer.text());
        assert!(answer.text().contains(told), "{more}: {}", answer.text());
        assert!(!answer.text().contains("open-sesame"), "{}", answer.text());
    }
    let made = node.api("POST", "/webhooks", Some(hook(json!({})))).await;
    assert_eq!(
        (made.status, made.header("etag")),
        (201, "\"1\""),
        "{}",
        made.text()
    );
    let again = node.api("POST", "/webhooks", Some(hook(json!({})))).await;
    assert_eq!(again.status, 409, "{}", again.text());
    let audit = node.api("GET", "/audit?action=webhook.*", None).await;
    let detail = &audit.json()["items"][0]["detail"];
    assert_eq!(detail["origin"], "https://chat.example");
    assert!(
        !audit.text().contains("/hook\""),
        "the path may be a credential: {}",
        audit.text()
    );
}
