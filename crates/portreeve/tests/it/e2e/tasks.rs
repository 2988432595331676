//! Tasks of modern servers: known by an identity that is worth nothing to anybody else, and decided about like the call that
//! made them.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::served::{Request, Served, error_of};
use crate::upstream::{Speaks, Upstream, events};
use crate::web::modern;

/// The server's own identity of the one task.
const THEIRS: &str = "t-1";

fn script(message: &Value) -> Option<Response> {
    let task = |status: &str| json!({"resultType": "complete", "taskId": THEIRS, "status": status, "x": {"taskId": "kept"}});
    let result = match message["method"].as_str()? {
        "tools/call" => {
            json!({"resultType": "task", "taskId": THEIRS, "status": "working", "pollIntervalMs": 5})
        }
        "tasks/get" => task("completed"),
        "tasks/update" => task("working"),
        "tasks/cancel" => task("cancelled"),
        "subscriptions/listen" => {
            let ids = &message["params"]["notifications"]["taskIds"];
            let ack = json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
                             "params": {"notifications": {"taskIds": ids}}});
            let news = |id: &str| {
                json!({"jsonrpc": "2.0", "method": "notifications/tasks",
                                         "params": {"taskId": id, "status": "completed"}})
            };
            return Some(events(
                &[ack, news("t-2"), news(THEIRS)],
                Duration::from_millis(200),
            ));
        }
        _ => return None,
    };
    Some(axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response())
}

/// A request of a client that follows tasks.
fn following(key: &str, id: i64, method: &str, params: Value) -> Request {
    let task = params["taskId"].as_str().map(str::to_owned);
    let (mut headers, body) = modern(Some(key), id, method, params);
    headers.extend(task.map(|task| ("mcp-name", task)));
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    (headers, body.to_string())
}

async fn begun(served: &Served, key: &str) -> String {
    let call = following(key, 1, "tools/call", json!({"name": "echo", "arguments": {}}));
    let made = served.post(&call).await.json();
    assert_eq!(
        (&made["result"]["resultType"], &made["result"]["status"]),
        (&json!("task"), &json!("working"))
    );
    made["result"]["taskId"].as_str().expect("an identity").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_asked_for_by_whoever_made_it_and_nobody_else() {
    let served = Served::start(Speaks::Both).await;
    served.upstream.set_script(script);
    let (node, admin) = (&served.node, served.node.key.clone());
    let other = node.new_key("other");
    node.cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let second = Upstream::start(Speaks::Both).await;
    second.set_script(script);
    let elsewhere = node.add("com.acme/second", &second.url);
    let ours = begun(&served, &admin).await;
    assert!(!ours.contains(THEIRS), "{ours}");
    for (method, status) in [
        ("tasks/get", "completed"),
        ("tasks/update", "working"),
        ("tasks/cancel", "cancelled"),
    ] {
        let params = json!({"taskId": ours, "inputResponses": {}});
        let answer = served.post(&following(&admin, 2, method, params)).await;
        let result = &answer.json()["result"];
        assert_eq!(
            (result["status"].as_str(), result["taskId"].as_str()),
            (Some(status), Some(&*ours))
        );
        assert_eq!(result["x"]["taskId"], "kept", "nothing else is changed");
        let seen = served.upstream.seen().pop().expect("the request");
        assert_eq!(
            (&seen.headers["mcp-name"], &seen.headers["mcp-method"]),
            (&"t-1".parse().unwrap(), &method.parse().unwrap())
        );
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["params"]["taskId"], THEIRS);
        let audit = node
            .api("GET", &format!("/audit?action={method}&limit=1"), None)
            .await
            .json();
        assert_eq!(audit["items"][0]["target"], "echo", "{audit}");
    }
    let reached = (served.reached(), second.reached());
    let ask = |key: &str, id: &str| following(key, 3, "tasks/get", json!({"taskId": id}));
    let mut forged = ours.clone();
    let last = forged.pop().expect("a letter");
    forged.push(if last == '0' { '1' } else { '0' });
    for request in [
        ask(&other, &ours),
        ask(&admin, THEIRS),
        ask(&admin, &forged),
        ask(&admin, ""),
    ] {
        let (status, code, id, _) = error_of(&served.post(&request).await);
        assert_eq!((status, code, id), (400, json!(-32602), json!(3)));
    }
    let request = ask(&admin, &ours);
    let there = node
        .web
        .ask("POST", &node.endpoint(&elsewhere), &request.0, request.1)
        .await
        .unwrap();
    assert_eq!(error_of(&there).1, json!(-32602), "on another route");
    assert_eq!((served.reached(), second.reached()), reached);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_revision_wants_of_such_a_request_is_asked_first() {
    let served = Served::start(Speaks::Both).await;
    served.upstream.set_script(script);
    let admin = served.node.key.clone();
    let ours = begun(&served, &admin).await;
    let mut undeclared = modern(Some(&admin), 4, "tasks/get", json!({"taskId": ours}));
    undeclared.0.push(("mcp-name", ours.clone()));
    let (status, code, _, data) = error_of(&served.post(&undeclared).await);
    assert_eq!((status, code), (400, json!(-32021)));
    assert_eq!(
        data["requiredCapabilities"]["extensions"],
        json!({"io.modelcontextprotocol/tasks": {}})
    );
    let mut nameless = following(&admin, 5, "tasks/get", json!({"taskId": ours}));
    nameless.0.retain(|(name, _)| *name != "mcp-name");
    assert_eq!(error_of(&served.post(&nameless).await).1, json!(-32020));
    // The rules for the tool are those for its task.
    let key = served.node.new_key("caller");
    served.node.cli_json(&[
        "grant",
        "add",
        "--key",
        "caller",
        "--server",
        "com.acme/billing",
        "--read-only",
    ]);
    let task = begun(&served, &key).await;
    let get = || following(&key, 6, "tasks/get", json!({"taskId": task}));
    assert_eq!(served.post(&get()).await.status, 200);
    served
        .node
        .cli_json(&["tool", "hide", "com.acme/billing", "echo"]);
    let hidden = served.post(&get()).await.json();
    assert_eq!(hidden["error"]["message"], "Unknown tool: echo", "{hidden}");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_tasks_come_under_the_identity_that_was_asked_for() {
    let served = Served::start(Speaks::Both).await;
    served.upstream.set_script(script);
    let admin = served.node.key.clone();
    let ours = begun(&served, &admin).await;
    let listen = |ids: Value| {
        following(
            &admin,
            7,
            "subscriptions/listen",
            json!({"notifications": {"taskIds": ids}}),
        )
    };
    let request = listen(json!([ours]));
    let mut stream = served
        .node
        .web
        .open("POST", &served.url, &request.0, request.1)
        .await;
    let ack = stream.message().await.expect("an acknowledgement");
    assert_eq!(ack["params"]["notifications"]["taskIds"], json!([ours]));
    let news = stream.message().await.expect("news");
    assert_eq!(
        (&news["params"]["taskId"], &news["params"]["status"]),
        (&json!(ours), &json!("completed")),
        "and not of a task of somebody else"
    );
    let foreign = served.post(&listen(json!([ours, "t-2"]))).await;
    assert_eq!(error_of(&foreign).1, json!(-32602));
}
