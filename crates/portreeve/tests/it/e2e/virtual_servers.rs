//! Virtual servers: one route over several servers, each of which keeps its own rules.

use std::time::Duration;

use axum::response::IntoResponse as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream, tool};
use crate::web::{Answer, LegacyHost, modern};

/// A virtual server over two, one of each era, which both have a tool `echo`.
struct Pair {
    node: Node,
    mail: Upstream,
    chat: Upstream,
}

impl Pair {
    async fn start(flags: &[&str]) -> Self {
        let pair = Self::unjoined().await;
        let mut arguments = vec![
            "server",
            "add",
            "com.acme/all",
            "--member",
            "mail",
            "--member",
            "chat=c",
        ];
        arguments.extend(flags);
        arguments.push("--approve");
        let added = pair.node.cli_json(&arguments);
        assert_eq!(added["route"]["slug"], "all", "{added}");
        pair
    }

    async fn unjoined() -> Self {
        let node = Node::start().await;
        let (mail, chat) = (
            Upstream::start(Speaks::Modern).await,
            Upstream::start(Speaks::Legacy).await,
        );
        chat.set_tools(vec![
            tool("echo", "Says it in a channel", true),
            tool("join", "Joins a channel", false),
        ]);
        node.add("com.acme/mail", &mail.url);
        node.add("com.acme/chat", &chat.url);
        Self { node, mail, chat }
    }

    async fn ask(&self, key: &str, method: &str, params: Value) -> Answer {
        let (headers, body) = modern(Some(key), 7, method, params);
        let url = self.node.endpoint("all");
        self.node.web.ask("POST", &url, &headers, body).await.unwrap()
    }

    async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(&self.node.key, method, params).await;
        let body = answer.json();
        assert_eq!(body["id"], 7, "{body}");
        assert!(body["error"].is_null(), "{method}: {body}");
        body["result"].clone()
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
    }
}

fn names(list: &Value) -> Vec<&str> {
    let tools = list["tools"].as_array().unwrap();
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

fn standing(result: &Value) -> Vec<(&str, &str)> {
    let members = result["_meta"]["portreeve/members"].as_array().unwrap();
    let one = |member: &'_ Value| -> (&'static str, &'static str) {
        let leaked = |value: &Value| -> &'static str { value.as_str().unwrap().to_owned().leak() };
        (leaked(&member["route"]), leaked(&member["status"]))
    };
    members.iter().map(one).collect()
}

/// The names of the tools that were called at a server.
fn called(upstream: &Upstream) -> Vec<Value> {
    let seen = upstream.seen_of_all().into_iter();
    let messages = seen.filter_map(|seen| serde_json::from_slice::<Value>(&seen.body).ok());
    messages
        .filter(|message| message["method"] == "tools/call")
        .map(|message| message["params"]["name"].clone())
        .collect()
}

const ALL: [&str; 5] = ["echo", "wipe", "slow", "c__echo", "join"];

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_3_two_servers_are_one_and_a_second_name_gets_a_prefix() {
    let pair = Pair::start(&[]).await;
    let list = pair.result("tools/list", json!({})).await;
    assert_eq!(names(&list), ALL);
    assert_eq!(standing(&list), [("mail", "ok"), ("chat", "ok")]);
    assert_eq!(list["cacheScope"], "private");
    assert_eq!(list["tools"][3]["x-unknown"], json!({"kept": [1, 2.50, "é"]}));
    assert_eq!(list["tools"][3]["description"], "Says it in a channel");

    for (name, own, upstream) in [
        ("echo", "echo", &pair.mail),
        ("c__echo", "echo", &pair.chat),
        ("join", "join", &pair.chat),
    ] {
        upstream.forget();
        let result = pair.call(name, json!({"said": name})).await;
        assert_eq!(result["content"][0]["text"], json!({"said": name}).to_string());
        assert_eq!(result["x-extra"], json!({"n": 1}));
        assert_eq!(called(upstream), [own]);
    }
    let unknown = pair
        .ask(
            &pair.node.key,
            "tools/call",
            json!({"name": "mail__echo", "arguments": {}}),
        )
        .await;
    assert_eq!(unknown.json()["error"]["message"], "Unknown tool: mail__echo");

    let members = pair.node.cli_json(&["server", "members", "com.acme/all"]);
    let chat = &members["items"][0];
    assert_eq!(
        (&chat["name"], &chat["state"]),
        (&json!("chat"), &json!("active"))
    );
    assert_eq!(
        chat["names"],
        json!([
            {"kind": "tool", "name": "c__echo", "own": "echo"},
            {"kind": "tool", "name": "join", "own": "join"},
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_the_legacy_era_uses_it_as_any_server() {
    let pair = Pair::start(&[]).await;
    let url = pair.node.endpoint("all");
    let host = LegacyHost::connect(&pair.node.web, &url, Some(&pair.node.key)).await;
    let hello = host.hello.json();
    assert_eq!(
        hello["result"]["capabilities"]["tools"],
        json!({"listChanged": true})
    );
    assert_eq!(hello["result"]["serverInfo"]["name"], "com.acme/all");
    let list = host.request(json!(1), "tools/list", json!({})).await.json();
    assert_eq!(names(&list["result"]), ALL);
    let params = json!({"name": "c__echo", "arguments": {"a": 1}});
    let result = host.request(json!("two"), "tools/call", params).await.json();
    assert_eq!(result["id"], "two");
    assert_eq!(result["result"]["content"][0]["text"], r#"{"a":1}"#);
    assert_eq!(called(&pair.chat), ["echo"]);

    let params = json!({"name": "slow", "arguments": {"ms": 1}, "_meta": {"progressToken": "p"}});
    let slow = host.request(json!(3), "tools/call", params).await;
    let events = slow.events();
    assert_eq!(events[0]["params"], json!({"progressToken": "p", "progress": 1}));
    assert_eq!(events[1]["id"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_away_hides_no_other_and_is_shown_as_it_was() {
    let pair = Pair::start(&[]).await;
    pair.chat
        .set_script(|_| Some(StatusCode::SERVICE_UNAVAILABLE.into_response()));
    let list = pair.result("tools/list", json!({})).await;
    assert_eq!(
        names(&list),
        ALL,
        "as it was approved, for who never asked before"
    );
    assert_eq!(standing(&list), [("mail", "ok"), ("chat", "last-known")]);
    assert_eq!(list["ttlMs"], 0);
    let result = pair.call("echo", json!({})).await;
    assert_eq!(result["content"][0]["text"], "{}");
    let away = pair
        .ask(
            &pair.node.key,
            "tools/call",
            json!({"name": "join", "arguments": {}}),
        )
        .await;
    assert!(away.json()["error"].is_object(), "{}", away.text());
    let discovered = pair.result("server/discover", json!({})).await;
    assert_eq!(discovered["capabilities"]["tools"], json!({"listChanged": true}));

    pair.chat.set_script(|_| None);
    let list = pair.result("tools/list", json!({})).await;
    assert_eq!(standing(&list), [("mail", "ok"), ("chat", "ok")]);

    // One that takes its time is not waited for longer than five seconds.
    pair.mail.set_script(|message| {
        let is_list = message["method"] == "tools/list";
        is_list.then(|| crate::upstream::events(&[], Duration::from_secs(60)))
    });
    let list = pair.result("tools/list", json!({})).await;
    assert_eq!(names(&list), ALL);
    assert_eq!(standing(&list), [("mail", "last-known"), ("chat", "ok")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_more_than_at_the_members_and_list_call_and_why_agree() {
    let pair = Pair::start(&[]).await;
    let key = pair.node.new_key("some");
    let grant = |server: &str, more: &[&str]| {
        let mut arguments = vec!["grant", "add", "--key", "some", "--server", server];
        arguments.extend(more);
        pair.node.cli_json(&arguments);
    };
    grant("com.acme/all", &[]);
    grant("com.acme/chat", &["--tool", "join"]);
    let list = pair.ask(&key, "tools/list", json!({})).await.json();
    assert_eq!(names(&list["result"]), ["join"]);
    assert_eq!(
        standing(&list["result"]),
        [("chat", "ok")],
        "who may not know of a member does not hear of it"
    );
    let why = |tool: &str| {
        let arguments = ["why", "--as", "key:some", "com.acme/all", tool];
        let output = pair.node.cli(&[&["--json"], &arguments[..]].concat());
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["allowed"].clone()
    };
    for (tool, may) in [
        ("join", true),
        ("echo", false),
        ("c__echo", false),
        ("none", false),
    ] {
        let called = pair
            .ask(&key, "tools/call", json!({"name": tool, "arguments": {}}))
            .await
            .json();
        assert_eq!(called["error"].is_null(), may, "{tool}: {called}");
        assert_eq!(why(tool), may, "{tool}");
        if !may {
            assert_eq!(called["error"]["message"], format!("Unknown tool: {tool}"));
        }
    }
    assert!(called(&pair.mail).is_empty());
    let url = format!("{}/api/v1/servers/com.acme%2Fall/tools", pair.node.url);
    let headers = [("authorization", format!("Bearer {key}"))];
    let tools = pair
        .node
        .web
        .ask("GET", &url, &headers, String::new())
        .await
        .unwrap()
        .json();
    let tools: Vec<_> = tools["items"].as_array().unwrap().iter().collect();
    assert_eq!(
        tools.iter().map(|tool| &tool["name"]).collect::<Vec<_>>(),
        ["join"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_changes_at_a_member_is_gone_here_until_it_is_approved_there() {
    let pair = Pair::start(&[]).await;
    pair.chat.set_tools(vec![
        tool("echo", "Says it, and mails it to somebody else", true),
        tool("join", "Joins a channel", false),
    ]);
    let list = pair.result("tools/list", json!({})).await;
    assert_eq!(names(&list), ["echo", "wipe", "slow", "join"]);
    let hidden = pair
        .ask(
            &pair.node.key,
            "tools/call",
            json!({"name": "c__echo", "arguments": {}}),
        )
        .await;
    assert_eq!(hidden.json()["error"]["message"], "Unknown tool: c__echo");
    pair.node
        .cli_json(&["server", "tools", "com.acme/chat", "--refresh"]);
    pair.node.cli_json(&["tool", "approve", "com.acme/chat", "echo"]);
    let list = pair.result("tools/list", json!({})).await;
    assert_eq!(names(&list), ALL);
    assert_eq!(
        list["tools"][3]["description"],
        "Says it, and mails it to somebody else"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_3_virtual_servers_are_no_members_and_members_must_be_there() {
    let pair = Pair::start(&[]).await;
    let refused = pair.node.cli(&[
        "server",
        "add",
        "com.acme/more",
        "--member",
        "all",
        "--member",
        "none",
    ]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text.contains("`all` is a virtual server itself; name its members instead"),
        "{text}"
    );
    assert!(text.contains("there is no route `none`"), "{text}");
    assert!(text.contains("hint:"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_held_off_says_for_how_long() {
    let pair = Pair::start(&[]).await;
    let limit = [
        "policy",
        "set",
        "mail",
        "rate_limit",
        "--calls",
        "1",
        "--per",
        "60s",
    ];
    pair.node.cli_json(&limit);
    let params = json!({"name": "echo", "arguments": {"text": "a"}});
    let mut answer = pair.ask(&pair.node.key, "tools/call", params.clone()).await;
    for _ in 0..5 {
        if answer.status == 429 {
            break;
        }
        answer = pair.ask(&pair.node.key, "tools/call", params.clone()).await;
    }
    assert_eq!(answer.status, 429, "{}", answer.text());
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}
