//! Pitfalls that gateways of others fell into and that no other file tells of. `pitfalls` beside `e2e` says where each of
//! the thirty-two is tested.

use std::time::Duration;

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::{Speaks, events, tool};
use crate::web::LegacyHost;

const SESSION: &str = "mcp-session-id";

/// Two servers' questions may have one id, and so may two sessions' of one server.
#[tokio::test(flavor = "multi_thread")]
async fn p4_questions_with_one_id_are_answered_each_in_its_own_session() {
    let served = Served::start(Speaks::Legacy).await;
    let hosts = [served.legacy().await, served.legacy().await];
    served.upstream.set_script(|message| {
        let number = message["params"]["arguments"]["n"].clone();
        let asks = json!({
            "jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {"message": number.to_string()},
        });
        (message["method"] == "tools/call").then(|| events(&[asks], Duration::from_secs(20)))
    });
    let mut streams = Vec::new();
    for (number, host) in hosts.iter().enumerate() {
        let params = json!({"name": "echo", "arguments": {"n": number}});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        streams.push(host.open(call).await);
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        let asked = stream.message().await.expect("a question");
        assert_eq!(asked["params"]["message"], number.to_string(), "{asked}");
    }
    let called: Vec<_> = sessions(&served, "tools/call");
    // The second is answered first.
    for number in [1, 0] {
        let reply =
            json!({"jsonrpc": "2.0", "id": "q", "result": {"action": "accept", "content": {"n": number}}});
        assert_eq!(hosts[number].post(reply).await.status, 202);
        let seen = served.upstream.seen().pop().expect("the reply");
        let message: Value = serde_json::from_slice(&seen.body).expect("JSON");
        assert_eq!(message["result"]["content"]["n"], number, "{message}");
        assert_eq!(seen.headers[SESSION], called[number], "in the session that asked");
    }
}

/// The sessions in which a method reached the server, in order.
fn sessions(served: &Served, method: &str) -> Vec<String> {
    let mut found = Vec::new();
    for seen in served.upstream.seen() {
        let message: Value = serde_json::from_slice(&seen.body).expect("JSON");
        if message["method"] == method {
            let session = seen.headers[SESSION].to_str().expect("text");
            found.push(session.to_owned());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn p9_no_answer_is_asked_for_that_would_have_to_be_unpacked() {
    let served = Served::start(Speaks::Both).await;
    let call = served.modern(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    let mut headers = call.0.clone();
    headers.push(("accept-encoding", "gzip, br".to_owned()));
    assert_eq!(served.ask("POST", &headers, &call.1).await.status, 200);
    let seen = served.upstream.seen().pop().expect("a call");
    let asked = seen.headers.get("accept-encoding");
    assert!(asked.is_none_or(|asked| asked == "identity"), "{asked:?}");
}

/// A server whose list has two pages; the cursor of the first is an empty text, which is one.
async fn paged() -> Served {
    let served = Served::start(Speaks::Both).await;
    served.upstream.set_script(|message| {
        let (id, modern) = (&message["id"], !message["params"]["_meta"].is_null());
        if message["method"] != "tools/list" {
            return None;
        }
        let mut result = match message["params"].get("cursor") {
            None => json!({"tools": [tool("first", "On the first page", true)], "nextCursor": ""}),
            Some(cursor) if cursor == "" => json!({"tools": [tool("second", "On the second page", true)]}),
            Some(_) => {
                let error = json!({"code": -32602, "message": "Invalid cursor"});
                let body = json!({"jsonrpc": "2.0", "id": id, "error": error});
                return Some(axum::Json(body).into_response());
            }
        };
        if modern {
            result["resultType"] = "complete".into();
            result["ttlMs"] = 0.into();
            result["cacheScope"] = "private".into();
        }
        Some(axum::Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response())
    });
    served.node.cli_json(&[
        "server",
        "add",
        "com.acme/paged",
        "--url",
        &served.upstream.url,
        "--approve",
    ]);
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn p10_every_page_of_a_list_is_there_and_its_tools_can_be_called() {
    let served = paged().await;
    let url = served.node.endpoint("paged");
    let host = LegacyHost::connect(&served.node.web, &url, Some(&served.node.key)).await;
    let mut names = Vec::new();
    let mut params = json!({});
    for _ in 0..3 {
        let page = host.request(json!(1), "tools/list", params).await.json();
        let tools = page["result"]["tools"]
            .as_array()
            .unwrap_or_else(|| panic!("{page}"));
        names.extend(tools.iter().map(|tool| tool["name"].clone()));
        match page["result"].get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => break,
        }
    }
    assert_eq!(names, ["first", "second"]);
    for name in ["first", "second"] {
        let params = json!({"name": name, "arguments": {"n": 1}});
        let called = host.request(json!(2), "tools/call", params).await.json();
        assert!(called["result"]["content"].is_array(), "{called}");
    }
    let params = json!({"cursor": "nobody gave this out"});
    let refused = host.request(json!(3), "tools/list", params).await.json();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}

/// A result that breaks its own schema is the server's business and the host's.
#[tokio::test(flavor = "multi_thread")]
async fn p13_a_result_that_breaks_its_schema_is_still_a_result() {
    let served = Served::start(Speaks::Both).await;
    let mut strict = tool("strict", "Says a number", true);
    strict["outputSchema"] =
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    served.upstream.set_tools(vec![strict]);
    served.node.cli_json(&[
        "server",
        "add",
        "com.acme/strict",
        "--url",
        &served.upstream.url,
        "--approve",
    ]);
    served.upstream.set_script(|message| {
        let result =
            json!({"resultType": "complete", "content": [], "structuredContent": {"n": "no number"}});
        let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
        (message["method"] == "tools/call").then(|| axum::Json(body).into_response())
    });
    let (headers, body) = served.modern(1, "tools/call", json!({"name": "strict", "arguments": {}}));
    let web = &served.node.web;
    let answer = web
        .ask("POST", &served.node.endpoint("strict"), &headers, body)
        .await;
    let answer = answer.expect("an answer").json();
    assert_eq!(
        answer["result"]["structuredContent"]["n"], "no number",
        "{answer}"
    );
}
