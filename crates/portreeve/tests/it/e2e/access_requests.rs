//! Somebody sees a server, may not use it, and asks: whoever may grant it decides, and the grant says where it comes from.

use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, modern};

struct House {
    served: Served,
    /// Wants to use `com.acme/billing`.
    ada: String,
    /// Manages `com.acme`.
    steward: String,
    /// Manages another namespace.
    outsider: String,
}

impl House {
    async fn start() -> Self {
        let served = Served::start(Speaks::Both).await;
        let node = &served.node;
        let key = |name: &str| node.new_key(name);
        let (ada, steward, outsider) = (key("ada"), key("steward"), key("outsider"));
        let manage = |name: &str, namespace: &str| {
            node.cli_json(&[
                "grant",
                "add",
                "--key",
                name,
                "--role",
                "admin",
                "--namespace",
                namespace,
            ])
        };
        manage("steward", "com.acme");
        manage("outsider", "org.other");
        Self {
            served,
            ada,
            steward,
            outsider,
        }
    }

    async fn api(&self, key: &str, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("authorization", format!("Bearer {key}"))];
        let url = format!("{}/api/v1{path}", self.served.node.url);
        let answer = self
            .served
            .node
            .web
            .ask(method, &url, &headers, body.to_string())
            .await;
        answer.unwrap()
    }

    async fn ask(&self, body: Value) -> Answer {
        self.api(&self.ada, "POST", "/access-requests", body).await
    }

    /// What comes of a call of a tool by `ada`.
    async fn calls(&self, tool: &str) -> Value {
        let params = json!({"name": tool, "arguments": {}});
        let (headers, body) = modern(Some(&self.ada), 1, "tools/call", params);
        self.served.ask("POST", &headers, &body).await.json()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_who_may_not_use_a_server_asks_and_is_granted_it_for_a_time() {
    let house = House::start().await;
    assert!(house.calls("echo").await["error"].is_object(), "no grant yet");
    let wish = json!({
        "server": "com.acme/billing", "tools": "read-only", "reason": "The refunds of <b>May</b>.", "forSeconds": 28_800,
    });
    let asked = house.ask(wish.clone()).await;
    assert_eq!(asked.status, 201, "{}", asked.text());
    let asked = asked.json();
    assert_eq!(
        (&asked["state"], &asked["caller"], &asked["mayDecide"]),
        (&json!("open"), &json!("key:ada"), &json!(false))
    );
    let one = format!("/access-requests/{}", asked["name"].as_str().unwrap());
    let again = house.ask(wish).await;
    assert_eq!(again.status, 409, "{}", again.text());

    // Who grants elsewhere sees nothing of it; who asked does not decide.
    let outside = house
        .api(&house.outsider, "GET", "/access-requests", Value::Null)
        .await;
    assert_eq!(outside.json()["items"], json!([]));
    for (method, path) in [
        ("GET", one.clone()),
        ("POST", format!("{one}/grant")),
        ("POST", format!("{one}/refuse")),
    ] {
        let hidden = house
            .api(&house.outsider, method, &path, json!({"note": "x"}))
            .await;
        assert_eq!(hidden.status, 404, "{path}: {}", hidden.text());
    }
    let own = house
        .api(&house.ada, "POST", &format!("{one}/grant"), json!({}))
        .await;
    assert_eq!(own.status, 403, "{}", own.text());

    let list = house
        .api(&house.steward, "GET", "/access-requests?limit=1", Value::Null)
        .await
        .json();
    assert_eq!(list["items"][0]["name"], asked["name"], "{list}");
    assert_eq!(list["items"][0]["reason"], "The refunds of <b>May</b>.");
    let terms = json!({"forSeconds": 3_600, "note": "Until tonight"});
    let granted = house
        .api(&house.steward, "POST", &format!("{one}/grant"), terms)
        .await;
    assert_eq!(granted.status, 200, "{}", granted.text());
    let granted = granted.json();
    assert_eq!(
        (&granted["state"], &granted["decidedBy"], &granted["note"]),
        (&json!("granted"), &json!("key:steward"), &json!("Until tonight"))
    );
    // It is in force at once, and no further than what was asked for.
    let called = house.calls("echo").await;
    assert!(called["result"].is_object(), "{called}");
    assert!(
        house.calls("wipe").await["error"].is_object(),
        "it is not read-only"
    );
    let node = &house.served.node;
    let grants = node.cli_json(&["grant", "list"]);
    let grant = grants["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|grant| grant["name"] == granted["grant"]);
    let grant = grant.unwrap_or_else(|| panic!("{grants}"));
    assert_eq!(
        (&grant["request"], &grant["expiresAt"], &grant["createdBy"]),
        (&asked["name"], &granted["grantedUntil"], &json!("key:steward"))
    );
    is_over_and_told(&house, &one).await;
}

/// It is decided once; who asked sees it, and the audit log names each step.
async fn is_over_and_told(house: &House, one: &str) {
    let node = &house.served.node;
    let twice = house
        .api(
            &house.steward,
            "POST",
            &format!("{one}/refuse"),
            json!({"note": "x"}),
        )
        .await;
    assert_eq!(twice.status, 409, "{}", twice.text());
    let mine = house
        .api(&house.ada, "GET", "/me/access-requests", Value::Null)
        .await
        .json();
    assert_eq!(mine["items"][0]["state"], "granted", "{mine}");
    let audit = node.cli_json(&["audit", "list", "--limit", "100"]).to_string();
    for action in ["access.request", "access.grant", "grant.create"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_bounded_and_a_server_that_is_not_seen_does_not_exist() {
    let house = House::start().await;
    let node = &house.served.node;
    let upstream = Upstream::start(Speaks::Both).await;
    node.cli_json(&[
        "server",
        "add",
        "com.acme/secret",
        "--url",
        &upstream.url,
        "--internal",
    ]);
    let ask = async |server: &str, more: Value| {
        let mut body = json!({"server": server, "reason": "A word"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        house.ask(body).await
    };
    let hidden = ask("com.acme/secret", json!({})).await;
    let unknown = ask("com.acme/nothing", json!({})).await;
    assert_eq!((hidden.status, unknown.status), (404, 404), "{}", hidden.text());
    assert_eq!(
        hidden.text().replace("secret", "nothing"),
        unknown.text(),
        "the same words"
    );
    for wrong in [
        json!({"reason": " "}),
        json!({"reason": "x".repeat(1_001)}),
        json!({"reason": "a\u{1b}[31mb"}),
        json!({"forSeconds": 5}),
        json!({"forSeconds": 999_999_999}),
        json!({"tools": {"named": []}}),
    ] {
        let refused = ask("com.acme/billing", wrong.clone()).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text());
    }
    let anonymous = node
        .web
        .ask(
            "POST",
            &format!("{}/api/v1/access-requests", node.url),
            &[],
            json!({"server": "com.acme/billing", "reason": "x"}).to_string(),
        )
        .await
        .unwrap();
    assert_eq!(anonymous.status, 401);
    // Who may use it all has nothing to ask for.
    let admin = node
        .api(
            "POST",
            "/access-requests",
            Some(json!({"server": "com.acme/billing", "reason": "x"})),
        )
        .await;
    assert_eq!(admin.status, 422, "{}", admin.text());
    assert!(admin.text().contains("already"), "{}", admin.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_asked_refused_and_withdrawn_on_the_command_line() {
    let house = House::start().await;
    let node = &house.served.node;
    let run = |key: &str, words: &[&str]| -> Value {
        let mut all = vec!["--key", key, "access", "request"];
        all.extend(words);
        node.cli_json(&all)
    };
    let ask = [
        "ask",
        "com.acme/billing",
        "--reason",
        "Refunds",
        "--tool",
        "echo",
        "--for",
        "8h",
    ];
    let asked = run(&house.ada, &ask);
    assert_eq!(
        (&asked["tools"], &asked["forSeconds"]),
        (&json!({"named": ["echo"]}), &json!(28_800))
    );
    let id = asked["name"].as_str().unwrap().to_owned();
    let refused = run(&house.steward, &["refuse", &id, "--message", "Ask in May"]);
    assert_eq!(
        (&refused["state"], &refused["note"]),
        (&json!("refused"), &json!("Ask in May"))
    );
    let shown = node.cli(&["--key", &house.ada, "access", "request", "show", &id]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("refused") && shown.contains("note: Ask in May"),
        "{shown}"
    );
    let second = run(&house.ada, &ask)["name"].as_str().unwrap().to_owned();
    assert_eq!(run(&house.ada, &["withdraw", &second])["state"], "withdrawn");
    assert_eq!(run(&house.steward, &["list"])["items"], json!([]));
    let third = run(&house.ada, &ask)["name"].as_str().unwrap().to_owned();
    let granted = run(&house.steward, &["grant", &third]);
    assert!(granted["grantedUntil"].is_string(), "what was wished: {granted}");
    let mine = run(&house.ada, &["list", "--mine"]);
    let states: Vec<&str> = mine["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["granted", "withdrawn", "refused"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_grants_less_than_was_asked_and_never_more() {
    let house = House::start().await;
    let wish = json!({
        "server": "com.acme/billing", "tools": {"named": ["echo", "wipe"]}, "reason": "Refunds",
    });
    let asked = house.ask(wish).await.json();
    let id = asked["name"].as_str().unwrap().to_owned();
    let grant = format!("/access-requests/{id}/grant");
    for more in [
        json!("all"),
        json!("read-only"),
        json!({"named": ["echo", "other"]}),
        json!({"named": []}),
    ] {
        let terms = json!({ "tools": more });
        let refused = house.api(&house.steward, "POST", &grant, terms).await;
        assert_eq!(refused.status, 422, "{more}: {}", refused.text());
    }
    let node = &house.served.node;
    let words = [
        "--key",
        &house.steward,
        "access",
        "request",
        "grant",
        &id,
        "--tool",
        "echo",
        "--message",
        "Wiping is for us",
    ];
    let granted = node.cli_json(&words);
    assert_eq!(
        granted["note"],
        "Granted for less than was asked: echo. Wiping is for us"
    );
    assert!(house.calls("echo").await["result"].is_object());
    assert!(house.calls("wipe").await["error"].is_object());
    let grants = node.cli_json(&["grant", "list"]);
    let items = grants["items"].as_array().unwrap();
    let made = items.iter().find(|made| made["name"] == granted["grant"]);
    assert_eq!(made.unwrap()["tools"], json!({"named": ["echo"]}));
}
