//! Servers that ask something before a call can go on: a modern one asks a legacy host in the middle of its call, a legacy
//! one sends a modern host to a page first.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream, events};
use crate::web::{LegacyHost, modern};

fn answer(message: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": message["id"], "result": result})
}

/// Asks for a name, then for an answer of a model, then says both.
fn curious(message: &Value) -> Option<Response> {
    if message["method"] != "tools/call" {
        return None;
    }
    let params = &message["params"];
    let answers = &params["inputResponses"];
    let result = if answers.is_null() {
        let form = json!({"mode": "form", "message": "name?", "requestedSchema": {"type": "object"}});
        json!({
            "resultType": "input_required", "requestState": "one",
            "inputRequests": {"name": {"method": "elicitation/create", "params": form}},
        })
    } else if params["requestState"] == "one" {
        assert_eq!(answers["name"]["content"]["name"], "bob");
        let sample = json!({"method": "sampling/createMessage", "params": {"maxTokens": 1, "messages": []}});
        let page = json!({"method": "elicitation/create", "params": {"mode": "url", "url": "https://a.example", "message": "go"}});
        json!({"resultType": "input_required", "requestState": "two", "inputRequests": {"s": sample, "u": page}})
    } else {
        let text = format!("{} {}", params["requestState"], answers["s"]["model"]);
        json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
    };
    let log =
        json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": 1}});
    let reply = answer(message, result);
    Some(if params["arguments"]["stream"] == true {
        events(&[log, reply], Duration::ZERO)
    } else {
        axum::Json(reply).into_response()
    })
}

async fn setting(able: Value) -> (Node, Upstream, LegacyHost) {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let slug = node.add("com.acme/new", &upstream.url);
    let host = LegacyHost::connect_able(&node.web, &node.endpoint(&slug), Some(&node.key), able).await;
    upstream.forget();
    (node, upstream, host)
}

fn call(id: i64, stream: bool) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "echo", "arguments": {"stream": stream}}})
}

async fn reply(host: &LegacyHost, question: &Value, result: Value) {
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": result});
    assert_eq!(host.post(answer).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_host_is_asked_in_the_middle_of_its_call() {
    let able = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}});
    let (_node, upstream, host) = setting(able).await;
    upstream.set_script(curious);
    for (id, stream) in [(1, false), (2, true)] {
        let mut call = host.open(call(id, stream)).await;
        let mut next = async || loop {
            let message = call.message().await?;
            if message["method"] != "notifications/message" {
                return Some(message);
            }
        };
        let question = next().await.unwrap();
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(question["params"]["requestedSchema"], json!({"type": "object"}));
        let content = json!({"action": "accept", "content": {"name": "bob"}});
        reply(&host, &question, content).await;
        let (one, other) = (next().await.unwrap(), next().await.unwrap());
        let (sample, page) = if one["method"] == "sampling/createMessage" {
            (one, other)
        } else {
            (other, one)
        };
        assert_eq!(page["params"]["elicitationId"], page["id"]);
        assert_ne!(page["id"], sample["id"]);
        reply(&host, &page, json!({"action": "accept"})).await;
        reply(
            &host,
            &sample,
            json!({"model": "m", "role": "assistant", "content": {"type": "text", "text": "x"}}),
        )
        .await;
        let end = next().await.unwrap();
        assert_eq!(end["id"], id);
        assert_eq!(
            end["result"],
            json!({"content": [{"type": "text", "text": "\"two\" \"m\""}]})
        );
        assert_eq!(next().await, None);
    }
    let read = |seen: crate::upstream::Seen| serde_json::from_slice::<Value>(&seen.body).unwrap();
    let calls: Vec<Value> = upstream
        .seen_of_all()
        .into_iter()
        .map(read)
        .filter(|message| message["method"] == "tools/call")
        .collect();
    assert_eq!(calls.len(), 6);
    let capabilities = &calls[0]["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(
        capabilities,
        &json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}})
    );
    assert!(calls.iter().all(|call| call["params"]["arguments"].is_object()));
    assert_ne!(calls[0]["id"], calls[1]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_a_host_is_not_left_without_a_word_while_a_server_thinks_about_its_answers() {
    let (_node, upstream, host) = setting(json!({"roots": {}})).await;
    upstream.set_script(|message| {
        if message["method"] != "tools/call" {
            return None;
        }
        if message["params"]["inputResponses"].is_null() {
            let roots =
                json!({"resultType": "input_required", "inputRequests": {"r": {"method": "roots/list"}}});
            return Some(axum::Json(answer(message, roots)).into_response());
        }
        let text = answer(message, json!({"resultType": "complete", "content": []})).to_string();
        let body = futures_util::stream::once(async move {
            // Longer than any silence may be.
            tokio::time::sleep(Duration::from_secs(17)).await;
            Ok::<_, std::io::Error>(text)
        });
        let body = axum::body::Body::from_stream(body);
        Some(([("content-type", "application/json")], body).into_response())
    });
    let mut stream = host.open(call(1, false)).await;
    let question = stream.message().await.unwrap();
    reply(&host, &question, json!({"roots": []})).await;
    let comment = stream.event().await.expect("an open stream");
    assert!(comment.data.is_none(), "{comment:?}");
    assert_eq!(stream.message().await.unwrap()["result"], json!({"content": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_cannot_be_asked_is_told_in_the_place_of_the_result() {
    let (_node, upstream, host) = setting(json!({})).await;
    upstream.set_script(curious);
    let told = host.post(call(1, false)).await.json();
    let text = told["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(told["result"]["isError"], true);
    assert!(
        text.contains("`elicitation/create`") && text.contains("did not declare"),
        "{text}"
    );

    upstream.set_script(|message| {
        let roots = json!({"resultType": "input_required", "inputRequests": {"r": {"method": "roots/list"}}});
        (message["method"] == "prompts/get").then(|| axum::Json(answer(message, roots)).into_response())
    });
    let told = host
        .request(json!(2), "prompts/get", json!({"name": "p"}))
        .await
        .json();
    assert_eq!(told["error"]["code"], -32603, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_stops_asking_and_a_host_that_refuses_end_the_call() {
    let (_node, upstream, host) = setting(json!({"roots": {}})).await;
    upstream.set_script(|message| {
        let roots = json!({"resultType": "input_required", "inputRequests": {"r": {"method": "roots/list"}}});
        (message["method"] == "tools/call").then(|| axum::Json(answer(message, roots)).into_response())
    });
    let mut stream = host.open(call(1, false)).await;
    let mut asked = 0;
    let end = loop {
        let message = stream.message().await.unwrap();
        if message["method"] != "roots/list" {
            break message;
        }
        asked += 1;
        reply(&host, &message, json!({"roots": []})).await;
    };
    assert_eq!((asked, &end["result"]["isError"]), (8, &json!(true)), "{end}");

    let mut stream = host.open(call(2, false)).await;
    let question = stream.message().await.unwrap();
    let refusal =
        json!({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -1, "message": "not now"}});
    assert_eq!(host.post(refusal).await.status, 202);
    let end = stream.message().await.unwrap();
    assert_eq!(end["id"], 2);
    assert!(
        end["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("not now"),
        "{end}"
    );
    let stray = json!({"jsonrpc": "2.0", "id": question["id"], "result": {}});
    assert_eq!(
        host.post(stray).await.status,
        202,
        "an answer to nothing is taken and forgotten"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_host_is_sent_to_the_pages_that_a_legacy_server_wants_to_be_seen() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    upstream.set_script(|message| {
        let page = json!({"mode": "url", "elicitationId": "e", "url": "https://a.example", "message": "go"});
        let error = json!({"code": -32042, "message": "first", "data": {"elicitations": [page]}});
        let body = json!({"jsonrpc": "2.0", "id": message["id"], "error": error});
        (message["method"] == "tools/call").then(|| axum::Json(body).into_response())
    });
    let able = json!({"elicitation": {"url": {}}});
    let ask = async |able: &Value, more: Value| {
        let mut params = json!({"name": "echo", "arguments": {}});
        params
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        let (headers, body) = modern(Some(&node.key), 1, "tools/call", params);
        let body = body.replace(
            "\"io.modelcontextprotocol/clientCapabilities\":{}",
            &format!("\"io.modelcontextprotocol/clientCapabilities\":{able}"),
        );
        let answer = node
            .web
            .ask("POST", &node.endpoint(&slug), &headers, body)
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
        answer.json()
    };
    let asked = ask(&able, json!({})).await;
    assert_eq!(
        asked["result"],
        json!({"resultType": "input_required", "inputRequests": {"page-1": {
            "method": "elicitation/create", "params": {"mode": "url", "url": "https://a.example", "message": "go"},
        }}})
    );
    let unable = ask(&json!({}), json!({})).await;
    assert_eq!(unable["error"]["code"], -32042);
    let declined = ask(
        &able,
        json!({"inputResponses": {"page-1": {"action": "decline"}}}),
    )
    .await;
    assert_eq!(
        (&declined["result"]["isError"], &declined["result"]["resultType"]),
        (&json!(true), &json!("complete"))
    );
    upstream.set_script(|_| None);
    let seen = ask(
        &able,
        json!({"inputResponses": {"page-1": {"action": "accept"}}, "requestState": "x"}),
    )
    .await;
    assert_eq!(seen["result"]["content"][0]["text"], "{}");
    let read = |seen: crate::upstream::Seen| serde_json::from_slice::<Value>(&seen.body).unwrap();
    let calls = upstream
        .seen_of_all()
        .into_iter()
        .map(read)
        .filter(|message| message["method"] == "tools/call");
    let last = calls.last().unwrap();
    assert_eq!(
        (
            last["params"].get("inputResponses"),
            last["params"].get("requestState")
        ),
        (None, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_10_a_state_is_good_for_its_caller_and_its_call_alone() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/new", &upstream.url);
    let other = node.new_key("other");
    node.cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    upstream.set_script(|message| {
        let params = &message["params"];
        let result = if params.get("requestState").is_none() {
            json!({"resultType": "input_required", "requestState": "a\u{e9}", "inputRequests": {}})
        } else {
            let text = params["requestState"].to_string();
            json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
        };
        (message["method"] == "tools/call").then(|| axum::Json(answer(message, result)).into_response())
    });
    let ask = async |key: &str, tool: &str, arguments: Value, state: Option<&Value>| {
        let mut params = json!({"name": tool, "arguments": arguments});
        if let Some(state) = state {
            params["requestState"] = state.clone();
        }
        let (headers, body) = modern(Some(key), 1, "tools/call", params);
        let url = node.endpoint(&slug);
        node.web.ask("POST", &url, &headers, body).await.unwrap()
    };
    let arguments = json!({"a": 1, "b": [2]});
    let first = ask(&node.key, "echo", arguments.clone(), None).await.json();
    let state = &first["result"]["requestState"];
    let sealed = state.as_str().unwrap();
    assert!(!sealed.contains('\u{e9}') && sealed.len() > 40, "{sealed}");
    let good = ask(&node.key, "echo", json!({"b": [2], "a": 1}), Some(state))
        .await
        .json();
    assert_eq!(good["result"]["content"][0]["text"], "\"a\u{e9}\"");
    let calls = upstream.reached();
    let tampered = json!(sealed.replace(sealed.get(20..22).unwrap(), "zz"));
    for (key, tool, arguments, state) in [
        (&other, "echo", &arguments, state),
        (&node.key, "wipe", &arguments, state),
        (&node.key, "echo", &json!({"a": 2, "b": [2]}), state),
        (&node.key, "echo", &arguments, &tampered),
        (&node.key, "echo", &arguments, &json!("a\u{e9}")),
        (&node.key, "echo", &arguments, &json!(7)),
    ] {
        let refused = ask(key, tool, arguments.clone(), Some(state)).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["code"]),
            (400, &json!(-32602))
        );
    }
    // Some servers read other spellings as the same, and the first of two.
    let params = json!({"name": "echo", "arguments": arguments, "requestState": state});
    let (headers, body) = modern(Some(&node.key), 1, "tools/call", params);
    let own = format!("\"requestState\":{state}");
    assert!(body.contains(&own), "{body}");
    for written in [
        r#""requestStat\u0065":"made up""#.to_owned(),
        r#""RequestState":"made up""#.to_owned(),
        format!(r#""requestState":"made up",{own}"#),
        format!(r#""inputresponses":{{}},{own}"#),
    ] {
        let body = body.replace(&own, &written);
        let url = node.endpoint(&slug);
        let refused = node.web.ask("POST", &url, &headers, body).await.unwrap();
        let code = &refused.json()["error"]["code"];
        assert_eq!((refused.status, code), (400, &json!(-32602)), "{written}");
    }
    assert_eq!(upstream.reached(), calls, "none of it reached the server");
}
