//! Access policies through the door: J12, step 2, and what a forbid with arguments does to a call.

use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::Speaks;
use crate::web::modern;

const NO_WRITE: &str = r#"// No tools that write, for interns.
forbid (principal in Group::"interns", action == Action::"call", resource)
unless { resource.read_only };
"#;

/// A key that belongs to a group, and may use everything.
fn key_of(served: &Served, name: &str, group: &str) -> String {
    let made = served.node.cli_json(&["key", "create", name, "--group", group]);
    served
        .node
        .cli_json(&["grant", "add", "--key", name, "--all-servers"]);
    let secret = ["secret", "key"].iter().find_map(|field| made[*field].as_str());
    secret.unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Writes a file into the node's folder, and says where.
fn file(served: &Served, name: &str, content: &str) -> String {
    let path = served.node.data().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_string_lossy().into_owned()
}

async fn said(served: &Served, key: &str, method: &str, params: Value) -> Value {
    let (headers, body) = modern(Some(key), 1, method, params);
    served.ask("POST", &headers, &body).await.json()
}

async fn listed(served: &Served, key: &str) -> Vec<String> {
    let answer = said(served, key, "tools/list", json!({})).await;
    let tools = answer["result"]["tools"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

fn told(output: &std::process::Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// What the last refused event of the audit log says.
fn refused(served: &Served) -> (Value, Vec<String>) {
    let events = served.node.cli_json(&["audit", "list", "--outcome", "refused"]);
    let event = &events["items"][0];
    let policies = event["policies"].as_array().cloned().unwrap_or_default();
    let policies = policies.iter().filter_map(|one| one.as_str().map(str::to_owned));
    (event["reason"].clone(), policies.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn j12_step_2_interns_neither_see_nor_call_tools_that_write() {
    let served = Served::start(Speaks::Modern).await;
    let (ada, bob) = (key_of(&served, "ada", "interns"), key_of(&served, "bob", "staff"));
    let everything = listed(&served, &bob).await;
    assert!(everything.contains(&"echo".to_owned()) && everything.contains(&"wipe".to_owned()));
    assert_eq!(listed(&served, &ada).await, everything);

    let text = file(&served, "no-write.cedar", NO_WRITE);
    let tests = json!([
        {"who": "key:ada", "groups": ["interns"], "action": "call", "server": "com.acme/billing", "tool": "wipe", "expect": "forbid"},
        {"who": "key:bob", "groups": ["staff"], "action": "call", "server": "com.acme/billing", "tool": "wipe", "expect": "nothing"},
    ]);
    let tests = file(&served, "tests.json", &tests.to_string());
    let tried = served
        .node
        .cli_json(&["access", "dry-run", "no-write", "-f", &text, "--as", "key:ada"]);
    let loses: Vec<&Value> = tried["changes"].as_array().unwrap().iter().collect();
    assert!(
        loses
            .iter()
            .any(|one| one["change"] == "loses" && one["tool"] == "wipe"),
        "{tried}"
    );
    assert_eq!(listed(&served, &ada).await, everything, "nothing was saved");

    served
        .node
        .cli_json(&["access", "set", "no-write", "-f", &text, "--tests", &tests]);
    assert_eq!(listed(&served, &bob).await, everything);
    let seen = listed(&served, &ada).await;
    assert!(!seen.contains(&"wipe".to_owned()), "{seen:?}");
    let reached = served.upstream.calls();
    let call = json!({"name": "wipe", "arguments": {}});
    let answer = said(&served, &ada, "tools/call", call.clone()).await;
    assert_eq!(answer["error"]["message"], "Unknown tool: wipe", "{answer}");
    assert_eq!(served.upstream.calls(), reached, "the server heard of it");
    let (reason, policies) = refused(&served);
    assert_eq!(reason, "unknown-tool");
    assert!(policies.contains(&"policy:no-write".to_owned()), "{policies:?}");

    let why = served.node.cli(&["why", "--as", "key:ada", &served.slug, "wipe"]);
    let why = told(&why);
    assert!(
        why.contains("forbidden by policy:no-write") && why.contains("`resource.read_only` is false"),
        "{why}"
    );
    let as_staff = served.node.cli(&[
        "why",
        "--as",
        "key:bob",
        "--group",
        "interns",
        &served.slug,
        "wipe",
    ]);
    assert!(told(&as_staff).contains("policy:no-write"), "{}", told(&as_staff));

    // What was exported is set again unchanged; disabled, it says nothing.
    let shown = served.node.cli_json(&["access", "show", "no-write"]);
    let export = file(&served, "export.json", &shown.to_string());
    let again = served
        .node
        .cli_json(&["access", "set", "no-write", "-f", &export]);
    for member in ["text", "tests", "description", "enabled"] {
        assert_eq!(again[member], shown[member], "{member}");
    }
    served.node.cli_json(&["access", "disable", "no-write"]);
    assert_eq!(listed(&served, &ada).await, everything);
    served.node.cli_json(&["access", "remove", "no-write"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbid_with_arguments_refuses_the_call_and_the_audit_names_it() {
    let served = Served::start(Speaks::Modern).await;
    let ada = key_of(&served, "ada", "interns");
    let text = r#"@id("inside")
forbid (principal, action == Action::"call", resource == Tool::"com.acme/billing/echo")
unless { context.text.hasTag("to") && context.text.getTag("to") like "*@acme.example" };"#;
    let text = file(&served, "inside.cedar", text);
    served.node.cli_json(&["access", "set", "mail", "-f", &text]);
    assert!(listed(&served, &ada).await.contains(&"echo".to_owned()));
    let call = |to: &str| json!({"name": "echo", "arguments": {"to": to}});
    let reached = served.upstream.calls();
    let good = said(&served, &ada, "tools/call", call("bob@acme.example")).await;
    assert!(good.get("result").is_some(), "{good}");
    assert_eq!(served.upstream.calls(), reached + 1);
    for wrong in [
        call("eve@evil.example"),
        json!({"name": "echo", "arguments": {}}),
        json!({"name": "echo"}),
    ] {
        let answer = said(&served, &ada, "tools/call", wrong).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("`policy:mail#inside` does not let you call `echo`"),
            "{answer}"
        );
    }
    assert_eq!(served.upstream.calls(), reached + 1);
    let (reason, policies) = refused(&served);
    assert_eq!(reason, "forbidden-arguments");
    assert!(
        policies.contains(&"policy:mail#inside".to_owned()),
        "{policies:?}"
    );

    let why = served.node.cli(&[
        "why",
        "--as",
        "key:ada",
        "--arg",
        "to=eve@evil.example",
        &served.slug,
        "echo",
    ]);
    let why = told(&why);
    assert!(
        why.contains("argument `to` (text) is \"eve@evil.example\""),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_text_is_said_with_line_and_column() {
    let served = Served::start(Speaks::Modern).await;
    let text = file(
        &served,
        "wrong.cedar",
        "// a comment\npermit (principal, action == Action::\"manage\", resource);\n",
    );
    let checked = served.node.cli(&["access", "check", "-f", &text]);
    assert!(!checked.status.success());
    let shown = told(&checked);
    assert!(
        shown.contains("wrong.cedar:2:") && shown.contains("given by grants alone"),
        "{shown}"
    );
    let refused = served.node.cli(&["access", "set", "wrong", "-f", &text]);
    assert!(!refused.status.success());
    assert!(told(&refused).contains("text:2:"), "{}", told(&refused));
    let all = served.node.cli_json(&["access", "list"]);
    assert_eq!(all["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_route_is_closed_to_strangers_by_a_forbid_and_opened_by_no_permit() {
    let served = Served::start(Speaks::Modern).await;
    let stranger = async || {
        let (headers, body) = modern(None, 1, "tools/call", json!({"name": "echo", "arguments": {}}));
        served.ask("POST", &headers, &body).await
    };
    let permit = file(
        &served,
        "permit.cedar",
        "permit (principal, action in Action::\"use\", resource);",
    );
    served
        .node
        .cli_json(&["access", "set", "everybody", "-f", &permit]);
    assert_eq!(stranger().await.status, 401);
    served
        .node
        .cli_json(&["route", "set", &served.slug, "--anonymous", "on"]);
    assert!(stranger().await.json().get("result").is_some());
    let forbid = file(
        &served,
        "forbid.cedar",
        "forbid (principal, action == Action::\"discover\", resource in Server::\"com.acme/billing\");",
    );
    served.node.cli_json(&["access", "set", "closed", "-f", &forbid]);
    let answer = stranger().await.json();
    assert_eq!(answer["error"]["message"], "Unknown tool: echo", "{answer}");
    let (headers, body) = modern(None, 1, "tools/list", json!({}));
    let answer = served.ask("POST", &headers, &body).await.json();
    assert_eq!(answer["result"]["tools"], json!([]), "{answer}");
}
