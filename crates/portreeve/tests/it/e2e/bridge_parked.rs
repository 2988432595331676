//! A legacy server that asks something in the middle of a modern host's call, on a route where such calls wait.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::node::Node;
use crate::upstream::{Seen, Speaks, Upstream};
use crate::web::{Answer, modern};

/// A server whose tool asks for a name, then for an answer of a model, and says both.
struct Curious {
    upstream: Upstream,
}

fn data(message: &Value) -> Result<String, Infallible> {
    Ok(format!("event: message\ndata: {message}\n\n"))
}

/// The call: each question waits for its answer.
fn asking(call: Value, heard: watch::Receiver<Vec<Value>>) -> Response {
    let ask = |id: &str, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let form = json!({"mode": "form", "message": "name?", "requestedSchema": {"type": "object"}, "x": 1.5});
    let questions = vec![
        ask("q-1", "elicitation/create", form),
        ask(
            "q-2",
            "sampling/createMessage",
            json!({"maxTokens": 1, "messages": []}),
        ),
    ];
    let steps = futures_util::stream::unfold((0_usize, heard), move |(step, mut heard)| {
        let (call, questions) = (call.clone(), questions.clone());
        async move {
            if step > questions.len() {
                return None;
            }
            // What was asked before must be answered.
            let _ = heard.wait_for(|heard| heard.len() >= step).await;
            let Some(question) = questions.get(step) else {
                let said: Vec<_> = heard
                    .borrow()
                    .iter()
                    .map(|answer| answer.get("result").or(answer.get("error")).cloned())
                    .collect();
                let result = json!({"content": [{"type": "text", "text": json!(said).to_string()}]});
                let end = json!({"jsonrpc": "2.0", "id": call["id"], "result": result});
                return Some((data(&end), (step + 1, heard)));
            };
            let token = &call["params"]["_meta"]["progressToken"];
            let mut text = String::new();
            if !token.is_null() {
                let about = json!({"progressToken": token, "progress": step});
                let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": about});
                text.push_str(&data(&progress).unwrap_or_default());
            }
            text.push_str(&data(question).unwrap_or_default());
            Some((Ok(text), (step + 1, heard)))
        }
    });
    ([("content-type", "text/event-stream")], Body::from_stream(steps)).into_response()
}

impl Curious {
    async fn start() -> Self {
        let upstream = Upstream::start(Speaks::Legacy).await;
        // One call at a time: its questions, and the answers to them.
        let heard = Arc::new(Mutex::new(watch::channel(Vec::new())));
        upstream.set_script(move |message| {
            let mut channel = heard.lock().unwrap();
            if message["method"] == "tools/call" {
                *channel = watch::channel(Vec::new());
                return Some(asking(message.clone(), channel.1.clone()));
            }
            let is_answer = message["method"].is_null() && message["id"].as_str().is_some();
            is_answer.then(|| {
                channel.0.send_modify(|heard| heard.push(message.clone()));
                StatusCode::ACCEPTED.into_response()
            })
        });
        Self { upstream }
    }

    fn sent(&self, which: impl Fn(&Value) -> bool) -> Vec<(Seen, Value)> {
        let read = |seen: Seen| {
            let message = serde_json::from_slice(&seen.body).unwrap();
            (seen, message)
        };
        let all = self.upstream.seen_of_all().into_iter().map(read);
        all.filter(|(_, message)| which(message)).collect()
    }
}

struct Host<'a> {
    node: &'a Node,
    url: String,
    key: String,
    able: Value,
}

impl Host<'_> {
    async fn call(&self, id: i64, more: Value) -> Answer {
        let about = json!({
            "io.modelcontextprotocol/clientCapabilities": self.able,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "progressToken": id,
        });
        let mut params = json!({"name": "echo", "arguments": {"a": 1}, "_meta": about});
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        let (headers, body) = modern(Some(&self.key), id, "tools/call", params);
        self.node
            .web
            .ask("POST", &self.url, &headers, body)
            .await
            .unwrap()
    }
}

fn last(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    if answer.header("content-type") == "application/json" {
        return answer.json();
    }
    answer.events().pop().expect("a message")
}

fn refused(answer: &Answer) -> String {
    let message = answer.json();
    assert_eq!(message["error"]["code"], -32602, "{message}");
    message["error"]["message"].to_string() + &message["error"]["data"].to_string()
}

async fn setting(sessions: &str) -> (Node, Curious, String) {
    let node = Node::start().await;
    let server = Curious::start().await;
    let slug = node.add("com.acme/old", &server.upstream.url);
    node.cli_json(&[
        "route",
        "set",
        &slug,
        "--server-requests",
        "park",
        "--sessions",
        sessions,
    ]);
    server.upstream.forget();
    (node, server, slug)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_while_its_host_is_asked_and_runs_once() {
    for sessions in ["per-request", "principal"] {
        let (node, server, slug) = setting(sessions).await;
        let host = Host {
            node: &node,
            url: node.endpoint(&slug),
            key: node.key.clone(),
            able: json!({"elicitation": {"form": {}}, "sampling": {}}),
        };
        let first = last(&host.call(1, json!({})).await);
        let result = &first["result"];
        assert_eq!(result["resultType"], "input_required", "{first}");
        let asked = &result["inputRequests"]["asked"];
        assert_eq!(asked["method"], "elicitation/create");
        assert_eq!(asked["params"]["x"], 1.5, "what no table names stays");
        let state = result["requestState"].clone();

        let name = json!({"action": "accept", "content": {"name": "bob"}});
        let second = host
            .call(
                2,
                json!({"requestState": state, "inputResponses": {"asked": name}}),
            )
            .await;
        let events = second.events();
        assert!(
            events[0]["params"]["progressToken"] == 2,
            "the token of the request that goes on: {events:?}"
        );
        let second = last(&second);
        assert_eq!(second["id"], 2);
        assert_eq!(
            second["result"]["inputRequests"]["asked"]["method"],
            "sampling/createMessage"
        );
        let model = json!({"model": "m", "role": "assistant", "content": {"type": "text", "text": "x"}});
        let more =
            json!({"requestState": second["result"]["requestState"], "inputResponses": {"asked": model}});
        let third = last(&host.call(3, more).await);
        assert_eq!(
            (&third["id"], &third["result"]["resultType"]),
            (&json!(3), &json!("complete"))
        );
        let text = third["result"]["content"][0]["text"].as_str().unwrap().to_owned();
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!([name, model])
        );

        let calls = server.sent(|message| message["method"] == "tools/call");
        assert_eq!(calls.len(), 1, "it ran once");
        let session = &calls[0].0.headers["mcp-session-id"];
        let answers = server.sent(|message| message["method"].is_null());
        assert_eq!(answers.len(), 2);
        for (seen, _) in &answers {
            assert_eq!(
                &seen.headers["mcp-session-id"], session,
                "in the session that asked"
            );
        }
        let hellos = server.sent(|message| {
            message["method"] == "initialize" && message["params"]["clientInfo"]["name"] == "test"
        });
        assert_eq!(
            hellos[0].1["params"]["capabilities"],
            json!({"elicitation": {"form": {}}, "sampling": {}})
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_10_a_waiting_call_goes_on_for_its_caller_and_its_arguments_alone() {
    let (node, server, slug) = setting("per-request").await;
    let key = node.new_key("other");
    node.cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let host = |key: &str, able: Value| Host {
        node: &node,
        url: node.endpoint(&slug),
        key: key.to_owned(),
        able,
    };
    let able = json!({"elicitation": {"form": {}}, "sampling": {}});
    let owner = host(&node.key, able.clone());
    let state = last(&owner.call(1, json!({})).await)["result"]["requestState"].clone();
    let answers = json!({"asked": {"action": "accept", "content": {"name": "bob"}}});
    let with = |more: Value| {
        let mut all = json!({"requestState": state, "inputResponses": answers});
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let other = host(&key, able);
    assert!(refused(&other.call(2, with(json!({}))).await).contains("not given"));
    let changed = with(json!({"arguments": {"a": 2}}));
    assert!(refused(&owner.call(3, changed).await).contains("not given"));
    let forged = with(json!({"requestState": "x"}));
    assert!(refused(&owner.call(4, forged).await).contains("not given"));

    let again = last(
        &owner
            .call(5, json!({"requestState": state, "inputResponses": {}}))
            .await,
    );
    assert_eq!(
        again["result"]["inputRequests"]["asked"]["method"],
        "elicitation/create"
    );
    assert!(
        refused(&owner.call(6, with(json!({}))).await).contains("did not wait"),
        "a state is good once"
    );
    let fresh = again["result"]["requestState"].clone();
    let on = last(&owner.call(7, with(json!({"requestState": fresh}))).await);
    assert_eq!(
        on["result"]["inputRequests"]["asked"]["method"],
        "sampling/createMessage"
    );
    assert_eq!(server.sent(|message| message["method"] == "tools/call").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_did_not_declare_is_refused_to_the_server_and_the_call_goes_on() {
    let (node, _server, slug) = setting("per-request").await;
    let host = Host {
        node: &node,
        url: node.endpoint(&slug),
        key: node.key.clone(),
        able: json!({"sampling": {}}),
    };
    let first = last(&host.call(1, json!({})).await);
    assert_eq!(
        first["result"]["inputRequests"]["asked"]["method"], "sampling/createMessage",
        "{first}"
    );
    let model = json!({"model": "m"});
    let more = json!({"requestState": first["result"]["requestState"], "inputResponses": {"asked": model}});
    let end = last(&host.call(2, more).await);
    let text = end["result"]["content"][0]["text"].as_str().unwrap();
    let said: Value = serde_json::from_str(text).unwrap();
    assert_eq!((&said[0]["code"], &said[1]), (&json!(-32601), &model));
}
