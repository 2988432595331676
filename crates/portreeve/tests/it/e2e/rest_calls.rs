//! REST APIs as MCP servers, through a real node: what hosts of every transport see, what reaches the API, and that the
//! corridor is the same as for every server.

use serde_json::{Value, json};

use crate::pets::{NAME, Pets, names};

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_both_eras_see_the_same_tools_and_reach_the_same_api() {
    let pets = Pets::start().await;
    let list = pets.modern("tools/list", json!({})).await;
    let tools = names(&list);
    assert_eq!(tools.len(), 4, "{list}");
    let host = pets.legacy(&pets.node.key).await;
    let legacy = host.request(json!(1), "tools/list", json!({})).await.json();
    assert_eq!(legacy["result"]["tools"], list["result"]["tools"]);
    let put = tools
        .iter()
        .find(|name| name.to_lowercase().contains("put"))
        .unwrap();
    let arguments = json!({"id": "a/b/admin?a=b#c", "dryRun": true, "X-Trace": "t", "name": "Ada"});
    let called = pets.call(put, arguments.clone()).await;
    assert_eq!(called["result"]["structuredContent"]["name"], "Ada", "{called}");
    let again = host
        .request(
            json!(2),
            "tools/call",
            json!({"name": put, "arguments": arguments}),
        )
        .await
        .json();
    assert_eq!(
        again["result"]["structuredContent"],
        called["result"]["structuredContent"]
    );
    let seen = pets.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for one in seen {
        assert_eq!(one.method, "PUT");
        assert_eq!(one.uri, "/base/v1/pets/a%2Fb%2Fadmin%3Fa%3Db%23c?dryRun=true");
        assert_eq!(one.headers["x-trace"], "t");
        let body: Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!(body, json!({"name": "Ada"}));
        assert!(
            !one.headers.contains_key("authorization"),
            "nothing of the caller reaches the API"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_and_what_fails_is_told() {
    let pets = Pets::start().await;
    let tools = names(&pets.modern("tools/list", json!({})).await);
    let find = |word: &str| {
        tools
            .iter()
            .find(|name| name.to_lowercase().contains(word))
            .unwrap()
    };
    let refused = pets.call(find("list"), json!({"limit": 1000})).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(refused["error"]["data"]["problems"][0]["path"], "/limit");
    for id in ["..", "../../admin", "a/..;x/b", "a\\..\\b"] {
        let dots = pets.call(find("getpet"), json!({"id": id})).await;
        assert_eq!(dots["error"]["data"]["problems"][0]["path"], "/id", "{dots}");
    }
    assert_eq!(pets.seen().len(), 0);
    let missing = pets.call(find("getpet"), json!({"id": "0"})).await;
    assert_eq!(missing["result"]["isError"], true, "{missing}");
    let text = missing["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("404") && text.contains("No pet"), "{text}");
    let gone = pets.call(find("delete"), json!({"id": "1"})).await;
    assert_eq!(gone["result"].get("isError"), None, "{gone}");
    let unknown = pets.call("no_such_tool", json!({})).await;
    assert_eq!(unknown["error"]["message"], "Unknown tool: no_such_tool");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corridor_is_the_same_as_for_every_server() {
    let pets = Pets::start().await;
    let node = &pets.node;
    let key = node.new_key("reader");
    node.cli_json(&["grant", "add", "--key", "reader", "--server", NAME, "--read-only"]);
    let reader = pets.legacy(&key).await;
    let mut seen = names(&reader.request(json!(1), "tools/list", json!({})).await.json());
    seen.sort();
    assert_eq!(seen.len(), 2, "{seen:?}");
    let tools = names(&pets.modern("tools/list", json!({})).await);
    let delete = tools
        .iter()
        .find(|name| !seen.contains(name) && name.to_lowercase().contains("delete"))
        .unwrap();
    let hidden = reader
        .request(
            json!(2),
            "tools/call",
            json!({"name": delete, "arguments": {"id": "1"}}),
        )
        .await
        .json();
    assert_eq!(hidden["error"]["message"], format!("Unknown tool: {delete}"));
    assert_eq!(pets.seen().len(), 0);
    node.cli_json(&[
        "policy",
        "set",
        NAME,
        "rate_limit",
        "--calls",
        "1",
        "--per",
        "60s",
    ]);
    let params = json!({"name": seen[0], "arguments": {"id": "1"}});
    let mut limited = false;
    for number in 0..20 {
        let answer = reader.request(json!(number), "tools/call", params.clone()).await;
        limited |= answer.status == 429;
        if limited {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(limited, "the limit holds for tools of APIs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_comes_from_the_vault_and_shows_nowhere_else() {
    let pets = Pets::start().await;
    let node = &pets.node;
    let secret = "s3cr3t-of-the-pets";
    pets.show_token(secret).await;
    let keys = node.cli_json(&["key", "list"]);
    let who = format!("key:{}", keys["items"][0]["name"].as_str().unwrap());
    let why = node.cli_json(&["why", "--as", &who, NAME, "listPets"]);
    let reasons = why["policies"].to_string();
    assert!(reasons.contains("secret:pets"), "{why}");
    let log = node.log_text();
    let audit = node.cli_json(&["audit", "list"]).to_string();
    assert!(!log.contains(secret) && !audit.contains(secret) && !why.to_string().contains(secret));
    let bad = node.cli(&[
        "policy",
        "set",
        NAME,
        "credential",
        "--config",
        r#"{"scheme": "bearer", "secret": "env:HOME"}"#,
    ]);
    assert!(!bad.status.success());
    // A second one stands beside the first, unless it stands where that does.
    let set = |config: &str| {
        node.cli(&[
            "policy",
            "set",
            NAME,
            "credential",
            "--beside",
            "--config",
            config,
        ])
    };
    let beside = set(r#"{"scheme": "query", "name": "app_id", "secret": "secret:pets"}"#);
    assert!(
        beside.status.success(),
        "{}",
        String::from_utf8_lossy(&beside.stderr)
    );
    let in_the_way = set(r#"{"scheme": "basic", "user": "ada", "secret": "secret:pets"}"#);
    let told = String::from_utf8_lossy(&in_the_way.stderr).into_owned();
    assert!(told.contains("another `credential` stands already"), "{told}");
    let listed = node.cli_json(&["policy", "list", NAME]);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    let nowhere = r#"{"scheme": "bearer", "secret": "secret:nowhere"}"#;
    let bad = node.cli(&["policy", "set", NAME, "credential", "--config", nowhere]);
    let told = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(told.contains("secret `nowhere` does not exist"), "{told}");

    // What is used is not deleted by mistake.
    let kept = node.cli(&["secret", "delete", "pets"]);
    let told = String::from_utf8_lossy(&kept.stderr).into_owned();
    assert!(told.contains("is used by route `"), "{told}");
    assert!(
        node.cli(&["secret", "delete", "pets", "--force"])
            .status
            .success()
    );
}
