//! Calls that a person must allow first: held back in the words of each host, shown with their very arguments, made once.

use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::{Speaks, tool};
use crate::web::{Answer, LegacyHost, modern};

/// Every call of `wipe` needs an approval; `agent` may call everything, `ada` is one of the approvers.
async fn held(speaks: Speaks) -> (Served, String, String) {
    let served = Served::start(speaks).await;
    let node = &served.node;
    let agent = node.new_key("agent");
    node.cli_json(&["grant", "add", "--key", "agent", "--all-servers"]);
    let ada = node.new_key("ada");
    let config = json!({"tools": ["wipe"], "approvers": ["key:ada"], "wait_seconds": 0}).to_string();
    node.cli_json(&["policy", "set", "billing", "approval", "--config", &config]);
    node.cli_json(&[
        "policy",
        "set",
        "billing",
        "rate_limit",
        "--calls",
        "100",
        "--per",
        "1s",
    ]);
    (served, agent, ada)
}

async fn asked(served: &Served, key: &str, method: &str, path: &str, body: Value) -> Answer {
    let headers = [("authorization", format!("Bearer {key}"))];
    let url = format!("{}/api/v1{path}", served.node.url);
    served
        .node
        .web
        .ask(method, &url, &headers, body.to_string())
        .await
        .unwrap()
}

async fn call(served: &Served, key: &str, params: Value) -> Value {
    let (headers, body) = modern(Some(key), 1, "tools/call", params);
    let answer = served.ask("POST", &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn wipe(arguments: Value) -> Value {
    json!({"name": "wipe", "arguments": arguments})
}

fn opens_pages(mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {"url": {}}});
    params
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_made_once_after_somebody_saw_its_arguments() {
    let (served, agent, ada) = held(Speaks::Modern).await;
    let made = served.upstream.calls();
    let free = call(&served, &agent, json!({"name": "echo", "arguments": {}})).await;
    assert_ne!(free["result"]["isError"], true, "{free}");
    assert_eq!(served.upstream.calls(), made + 1, "another tool needs none");

    let told = call(&served, &agent, wipe(json!({"id": 7, "all": false}))).await;
    assert_eq!(told["result"]["isError"], true, "{told}");
    let text = told["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("key:ada") && text.contains("/approvals/"), "{text}");
    let again = call(&served, &agent, wipe(json!({"all": false, "id": 7}))).await;
    assert_eq!(
        again["result"]["content"][0]["text"], text,
        "the same call, written another way"
    );
    assert_eq!(served.upstream.calls(), made + 1);

    // Who does not decide sees nothing; who does sees the very arguments.
    let stranger = served.node.new_key("stranger");
    assert_eq!(
        asked(&served, &stranger, "GET", "/approvals", json!({}))
            .await
            .json()["items"],
        json!([])
    );
    let waiting = asked(&served, &ada, "GET", "/approvals", json!({})).await.json();
    let approval = &waiting["items"][0];
    assert_eq!(waiting["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(approval["arguments"], json!({"id": 7, "all": false}));
    assert_eq!(
        (&approval["caller"], &approval["state"]),
        (&json!("key:agent"), &json!("waiting"))
    );
    let id = approval["name"].as_str().unwrap().to_owned();
    assert!(text.contains(&id));
    let hidden = asked(&served, &stranger, "GET", &format!("/approvals/{id}"), json!({})).await;
    assert_eq!(hidden.status, 404, "{}", hidden.text());
    let own = asked(
        &served,
        &agent,
        "POST",
        &format!("/approvals/{id}/allow"),
        json!({}),
    )
    .await;
    assert_eq!(
        own.status,
        403,
        "nobody approves a call of their own: {}",
        own.text()
    );
    let allowed = asked(
        &served,
        &ada,
        "POST",
        &format!("/approvals/{id}/allow"),
        json!({}),
    )
    .await;
    assert_eq!(
        (allowed.status, &allowed.json()["state"]),
        (200, &json!("approved"))
    );
    let twice = asked(&served, &ada, "POST", &format!("/approvals/{id}/deny"), json!({})).await;
    assert_eq!(twice.status, 409, "{}", twice.text());

    // Other arguments, and other callers, are other calls.
    let other = call(&served, &agent, wipe(json!({"id": 8, "all": false}))).await;
    assert_eq!(other["result"]["isError"], true);
    let admin = call(&served, &served.node.key, wipe(json!({"id": 7, "all": false}))).await;
    assert_eq!(admin["result"]["isError"], true);
    assert_eq!(served.upstream.calls(), made + 1);
    let done = call(&served, &agent, wipe(json!({"id": 7, "all": false}))).await;
    assert_ne!(done["result"]["isError"], true, "{done}");
    assert_eq!(served.upstream.calls(), made + 2);
    let once = call(&served, &agent, wipe(json!({"id": 7, "all": false}))).await;
    assert_eq!(once["result"]["isError"], true, "it is used up");
    assert_eq!(served.upstream.calls(), made + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_told_with_its_reason_and_stands() {
    let (served, agent, _) = held(Speaks::Modern).await;
    call(&served, &agent, wipe(json!({}))).await;
    let node = &served.node;
    let id = node.cli_json(&["approval", "list"])["items"][0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = node.cli(&["approval", "show", &id]);
    assert!(
        String::from_utf8_lossy(&shown.stdout).contains("key:agent wants to call wipe"),
        "{shown:?}"
    );
    let denied = node.cli_json(&["approval", "deny", &id, "--message", "Not on a Friday"]);
    assert_eq!(denied["state"], "denied");
    for _ in 0..2 {
        let told = call(&served, &agent, wipe(json!({}))).await;
        let text = told["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(text, "The call of `wipe` was not allowed: Not on a Friday");
    }
    assert_eq!(
        node.cli_json(&["approval", "list"])["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let why = node.cli(&["--json", "why", "--as", "key:agent", "com.acme/billing", "wipe"]);
    assert_eq!(why.status.code(), Some(1), "it is not simply allowed");
    let why = String::from_utf8_lossy(&why.stdout);
    assert!(why.contains("allowed first by one of: key:ada"), "{why}");
    let audit = node.api("GET", "/audit?limit=50", None).await.text();
    for word in ["approval.ask", "approval.deny", "not-approved", "Not on a Friday"] {
        assert!(audit.contains(word), "{word}: {audit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_opens_pages_is_sent_to_the_page_in_the_words_of_its_era() {
    let (served, agent, ada) = held(Speaks::Both).await;
    let params = opens_pages(wipe(json!({"id": 1})));
    let asks = call(&served, &agent, params.clone()).await["result"].clone();
    assert_eq!(asks["resultType"], "input_required", "{asks}");
    let question = &asks["inputRequests"]["portreeve.approval"];
    assert_eq!(
        (&question["method"], &question["params"]["mode"]),
        (&json!("elicitation/create"), &json!("url"))
    );
    let page = question["params"]["url"].as_str().unwrap().to_owned();
    assert!(
        page.starts_with(&format!("{}/approvals/", served.node.url)),
        "{page}"
    );

    // It comes back before anybody decided: the model is told, and the user is not sent there in circles.
    let mut back = params.clone();
    back["inputResponses"] = json!({"portreeve.approval": {"action": "accept"}});
    let told = call(&served, &agent, back.clone()).await["result"].clone();
    assert_eq!(
        (&told["isError"], &told["resultType"]),
        (&json!(true), &json!("complete")),
        "{told}"
    );

    let host = LegacyHost::connect_able(
        &served.node.web,
        &served.url,
        Some(&agent),
        json!({"elicitation": {"url": {}}}),
    )
    .await;
    let refused = host.request(json!(5), "tools/call", wipe(json!({"id": 1}))).await;
    assert_eq!(refused.status, 200);
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], -32042, "{error}");
    assert_eq!(error["data"]["elicitations"][0]["url"], page);
    let plain = LegacyHost::connect(&served.node.web, &served.url, Some(&agent)).await;
    let told = plain
        .request(json!(6), "tools/call", wipe(json!({"id": 1})))
        .await
        .json();
    assert!(
        told["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains(&page),
        "{told}"
    );

    let id = page.rsplit('/').next().unwrap();
    assert_eq!(error["data"]["elicitations"][0]["elicitationId"], id);
    let allowed = asked(
        &served,
        &ada,
        "POST",
        &format!("/approvals/{id}/allow"),
        json!({}),
    )
    .await;
    assert_eq!(allowed.status, 200, "{}", allowed.text());
    let made = served.upstream.calls();
    let done = call(&served, &agent, back).await;
    assert_ne!(done["result"]["isError"], true, "{done}");
    assert_eq!(served.upstream.calls(), made + 1);
    let seen = served.upstream.seen();
    let sent: Value = serde_json::from_slice(&seen.last().unwrap().body).unwrap();
    assert!(
        sent["params"]["inputResponses"].is_null(),
        "it asked nothing: {sent}"
    );
    assert_eq!(sent["params"]["arguments"], json!({"id": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_after_all_keeps_its_approval() {
    let (served, agent, ada) = held(Speaks::Modern).await;
    let mut mirrored = tool("wipe", "Wipes a region", false);
    mirrored["inputSchema"] = json!({"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
    }});
    served.upstream.set_tools(vec![mirrored]);
    let path = "/servers/com.acme%2Fbilling/tools/refresh";
    let seen = served.node.api("POST", path, None).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    served
        .node
        .cli_json(&["tool", "approve", "com.acme/billing", "wipe"]);
    let call = async |region: &'static str| {
        let params = wipe(json!({"region": "north"}));
        let (mut headers, body) = modern(Some(&agent), 1, "tools/call", params);
        headers.push(("mcp-param-region", region.to_owned()));
        served.ask("POST", &headers, &body).await
    };
    let told = call("north").await.json();
    assert_eq!(told["result"]["isError"], true, "{told}");
    let waiting = asked(&served, &ada, "GET", "/approvals", json!({})).await.json();
    let id = waiting["items"][0]["name"].as_str().unwrap().to_owned();
    let path = format!("/approvals/{id}/allow");
    assert_eq!(asked(&served, &ada, "POST", &path, json!({})).await.status, 200);
    // The headers say something else: refused, and nothing is used up.
    assert_eq!(call("south").await.status, 400);
    let made = served.upstream.calls();
    let done = call("north").await.json();
    assert_ne!(done["result"]["isError"], true, "{done}");
    assert_eq!(served.upstream.calls(), made + 1);
}

/// The same behind a virtual server that wants approvals, too.
async fn held_twice() -> (Served, String, String) {
    let (served, agent, ada) = held(Speaks::Modern).await;
    let node = &served.node;
    node.cli_json(&[
        "server",
        "add",
        "com.acme/all",
        "--member",
        "billing",
        "--approve",
    ]);
    wants(&served, "all", &["key:ada"]);
    (served, agent, ada)
}

fn wants(served: &Served, server: &str, approvers: &[&str]) {
    let config = json!({"tools": ["wipe"], "approvers": approvers, "wait_seconds": 0}).to_string();
    served
        .node
        .cli_json(&["policy", "set", server, "approval", "--config", &config]);
}

fn may_approve(served: &Served, key: &str, server: &str) {
    served.node.cli_json(&[
        "grant", "add", "--key", key, "--role", "approver", "--server", server,
    ]);
}

/// Whether a call by way of the virtual server is made.
async fn passes(served: &Served, agent: &str, number: i64) -> bool {
    let (headers, body) = modern(Some(agent), number, "tools/call", wipe(json!({"id": number})));
    let endpoint = served.node.endpoint("all");
    let answer = served.node.web.ask("POST", &endpoint, &headers, body);
    answer.await.unwrap().json()["result"]["isError"] != json!(true)
}

/// Allows, or denies, everything that somebody sees waiting; tells how much that is.
async fn decide(served: &Served, by: &str, word: &str) -> usize {
    let waiting = asked(served, by, "GET", "/approvals", json!({})).await.json();
    let items = waiting["items"].as_array().unwrap().clone();
    let open: Vec<_> = items.iter().filter(|item| item["state"] == "waiting").collect();
    for item in &open {
        let path = format!("/approvals/{}/{word}", item["name"].as_str().unwrap());
        assert_eq!(asked(served, by, "POST", &path, json!({})).await.status, 200);
    }
    open.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_server_and_its_member_ask_once() {
    let (served, agent, ada) = held_twice().await;
    let made = served.upstream.calls();
    assert!(!passes(&served, &agent, 1).await);
    assert_eq!(decide(&served, &ada, "allow").await, 1);
    assert!(passes(&served, &agent, 1).await, "the member does not ask again");
    assert_eq!(served.upstream.calls(), made + 1);

    // Whom the member does not let decide has not decided for it.
    let bob = served.node.new_key("bob");
    wants(&served, "all", &["key:ada", "key:bob"]);
    assert!(!passes(&served, &agent, 2).await);
    assert_eq!(decide(&served, &bob, "allow").await, 1);
    assert!(!passes(&served, &agent, 2).await, "the member asks, too");
    assert_eq!(served.upstream.calls(), made + 1);
}

/// No policy names an approver here, so rights alone say who decides.
#[tokio::test(flavor = "multi_thread")]
async fn an_approver_of_a_virtual_server_is_none_of_its_members() {
    let (served, agent, _) = held_twice().await;
    wants(&served, "all", &[]);
    wants(&served, "billing", &[]);
    let eve = served.node.new_key("eve");
    may_approve(&served, "eve", "com.acme/all");
    let made = served.upstream.calls();
    assert!(!passes(&served, &agent, 1).await);
    assert_eq!(decide(&served, &eve, "allow").await, 1);
    assert!(!passes(&served, &agent, 1).await, "the member asks, too");
    assert_eq!(served.upstream.calls(), made);

    // Who may decide about both is asked once.
    may_approve(&served, "eve", "com.acme/billing");
    assert_eq!(decide(&served, &eve, "deny").await, 1, "what the member asks for");
    assert!(!passes(&served, &agent, 2).await);
    assert_eq!(decide(&served, &eve, "allow").await, 1);
    assert!(passes(&served, &agent, 2).await, "the member does not ask again");
    assert_eq!(served.upstream.calls(), made + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_that_come_with_one_approval_make_one_call() {
    let (served, agent, ada) = held(Speaks::Modern).await;
    call(&served, &agent, wipe(json!({"id": 3}))).await;
    let waiting = asked(&served, &ada, "GET", "/approvals", json!({})).await.json();
    let id = waiting["items"][0]["name"].as_str().unwrap();
    asked(
        &served,
        &ada,
        "POST",
        &format!("/approvals/{id}/allow"),
        json!({}),
    )
    .await;
    let made = served.upstream.calls();
    let calls = (0..12).map(|_| call(&served, &agent, wipe(json!({"id": 3}))));
    let answers = futures_util::future::join_all(calls).await;
    let through = answers
        .iter()
        .filter(|answer| answer["result"]["isError"] != true)
        .count();
    assert_eq!((through, served.upstream.calls()), (1, made + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_hold_is_refused_with_its_field() {
    let served = Served::start(Speaks::Modern).await;
    for (policy, told) in [
        (json!({"approvers": ["finance"]}), "approvers"),
        (json!({"valid_seconds": 3}), "valid_seconds"),
        (json!({"wait_seconds": 61}), "wait_seconds"),
        (json!({"tool": "x"}), "tool"),
    ] {
        let set = [
            "policy",
            "set",
            "billing",
            "approval",
            "--config",
            &policy.to_string(),
        ];
        let refused = served.node.cli(&set);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{policy}");
        assert!(said.contains(told), "{policy}: {said}");
    }
}
