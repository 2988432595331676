//! What a virtual server offers beside tools: prompts, resources, completion; and what its members say unasked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream, events};
use crate::web::{Answer, Stream, modern};

struct Pair {
    node: Node,
    one: Upstream,
    two: Upstream,
}

fn replied(message: &Value, mut result: Value) -> Response {
    result["resultType"] = "complete".into();
    axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
}

/// A modern server with a prompt `hello`, a resource, a template, and completion.
fn offers(who: &'static str) -> impl Fn(&Value) -> Option<Response> + Send + Sync + 'static {
    move |message| {
        let params = &message["params"];
        let result = match message["method"].as_str()? {
            "server/discover" => json!({
                "supportedVersions": ["2026-07-28"],
                "capabilities": {
                    "tools": {}, "prompts": {"listChanged": true}, "resources": {"subscribe": true},
                    "completions": {}, "x-own": {},
                },
                "ttlMs": 1_000, "cacheScope": "public",
            }),
            "prompts/list" => match params["cursor"].as_str() {
                None => json!({"prompts": [{"name": "hello", "x": who}], "nextCursor": "2"}),
                Some("2") => json!({"prompts": [{"name": format!("of-{who}")}]}),
                Some(_) => return None,
            },
            "prompts/get" => json!({"messages": [], "description": format!("{} of {who}", params["name"])}),
            "resources/list" => json!({
                "resources": [{"uri": format!("{who}://one"), "name": "one"}, {"uri": "all://same", "name": who}],
            }),
            "resources/templates/list" => json!({
                "resourceTemplates": [{"uriTemplate": format!("{who}://things/{{id}}"), "name": "things"}],
            }),
            "resources/read" => json!({
                "contents": [{"uri": params["uri"], "text": who}], "ttlMs": 0, "cacheScope": "private",
            }),
            "completion/complete" => json!({"completion": {"values": [who, params["ref"]["name"]]}}),
            _ => return None,
        };
        Some(replied(message, result))
    }
}

impl Pair {
    async fn start() -> Self {
        let node = Node::start().await;
        let (one, two) = (
            Upstream::start(Speaks::Modern).await,
            Upstream::start(Speaks::Modern).await,
        );
        one.set_script(offers("one"));
        two.set_script(offers("two"));
        node.add("com.acme/one", &one.url);
        node.add("com.acme/two", &two.url);
        let members = ["--member", "one", "--member", "two", "--approve"];
        node.cli_json(&[&["server", "add", "com.acme/all"], &members[..]].concat());
        Self { node, one, two }
    }

    async fn ask(&self, method: &str, params: Value) -> Answer {
        let (headers, body) = modern(Some(&self.node.key), 7, method, params);
        let url = self.node.endpoint("all");
        self.node.web.ask("POST", &url, &headers, body).await.unwrap()
    }

    async fn result(&self, method: &str, params: Value) -> Value {
        let body = self.ask(method, params).await.json();
        assert!(body["error"].is_null(), "{method}: {body}");
        body["result"].clone()
    }

    async fn listen(&self, wanted: Value) -> Stream {
        let params = json!({"notifications": wanted});
        let (headers, body) = modern(Some(&self.node.key), 7, "subscriptions/listen", params);
        let url = self.node.endpoint("all");
        self.node.web.open("POST", &url, &headers, body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_and_resources_of_all_are_one_and_each_goes_where_it_belongs() {
    let pair = Pair::start().await;
    let capabilities = pair.result("server/discover", json!({})).await["capabilities"].clone();
    assert_eq!(
        capabilities,
        json!({
            "tools": {"listChanged": true}, "prompts": {"listChanged": true}, "resources": {"subscribe": true},
            "completions": {},
        }),
        "what is not carried is not promised"
    );
    for _named_once in 0..2 {
        let prompts = pair.result("prompts/list", json!({})).await;
        let names: Vec<_> = prompts["prompts"].as_array().unwrap().iter().collect();
        assert_eq!(
            names,
            [
                &json!({"name": "hello", "x": "one"}),
                &json!({"name": "of-one"}),
                &json!({"name": "two__hello", "x": "two"}),
                &json!({"name": "of-two"}),
            ],
            "every page of every member"
        );
    }
    for (name, said) in [("hello", "\"hello\" of one"), ("two__hello", "\"hello\" of two")] {
        let got = pair.result("prompts/get", json!({"name": name})).await;
        assert_eq!(got["description"], said);
        let params =
            json!({"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": "a", "value": ""}});
        let completed = pair.result("completion/complete", params).await;
        let who = said.rsplit(' ').next().unwrap();
        assert_eq!(completed["completion"]["values"], json!([who, "hello"]));
    }

    let resources = pair.result("resources/list", json!({})).await;
    let uris = resources["resources"].as_array().unwrap().iter();
    let uris: Vec<_> = uris.map(|one| one["uri"].as_str().unwrap().to_owned()).collect();
    assert_eq!(uris, ["one://one", "all://same", "two://one"]);
    for (uri, who) in [
        ("two://one", "two"),
        ("all://same", "one"),
        ("two://things/7", "two"),
        ("one://things/a/b", "one"),
    ] {
        let read = pair.result("resources/read", json!({"uri": uri})).await;
        assert_eq!(read["contents"], json!([{"uri": uri, "text": who}]));
    }
    let unknown = pair
        .ask("resources/read", json!({"uri": "secret://token"}))
        .await
        .json();
    assert_eq!(
        (&unknown["error"]["code"], &unknown["error"]["data"]["uri"]),
        (&json!(-32602), &json!("secret://token"))
    );
    let told = |upstream: &Upstream| {
        let mut seen = upstream.seen().into_iter();
        seen.any(|seen| String::from_utf8_lossy(&seen.body).contains("secret://"))
    };
    assert!(
        !told(&pair.one) && !told(&pair.two),
        "nobody is told what is not theirs"
    );
}

/// What a server answers to a subscription.
fn telling(
    who: &'static str,
    say: &'static [&'static str],
    open: Duration,
) -> impl Fn(&Value) -> Option<Response> {
    move |message| {
        if message["method"] != "subscriptions/listen" {
            return offers(who)(message);
        }
        let meta = json!({"io.modelcontextprotocol/subscriptionId": message["id"]});
        let acknowledged = json!({
            "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
            "params": {"_meta": meta, "notifications": message["params"]["notifications"]},
        });
        let news = say.iter().map(|method| {
            json!({"jsonrpc": "2.0", "method": method, "params": {"_meta": meta, "uri": format!("{who}://one")}})
        });
        let all: Vec<Value> = std::iter::once(acknowledged).chain(news).collect();
        Some(events(&all, open))
    }
}

async fn next(stream: &mut Stream) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(10), stream.message()).await;
    message.expect("a message in time").expect("a message")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_subscription_hears_all_members_and_survives_each() {
    let pair = Pair::start().await;
    let hour = Duration::from_secs(3_600);
    pair.one
        .set_script(telling("one", &["notifications/resources/updated"], hour));
    // This one breaks off at once, and is listened to again.
    pair.two
        .set_script(telling("two", &[], Duration::from_millis(50)));
    let wanted = json!({"promptsListChanged": true, "resourceSubscriptions": ["one://one"]});
    let mut stream = pair.listen(wanted.clone()).await;
    let first = next(&mut stream).await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(first["params"]["notifications"], wanted);
    assert_eq!(
        first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        7
    );
    let mut told = [next(&mut stream).await, next(&mut stream).await];
    told.sort_by_key(|message| message["method"].as_str().unwrap().to_owned());
    assert_eq!(
        told[0]["method"], "notifications/prompts/list_changed",
        "it was away"
    );
    assert_eq!(told[1]["method"], "notifications/resources/updated");
    assert_eq!(told[1]["params"]["uri"], "one://one");
    for message in &told {
        assert_eq!(
            message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
            7
        );
    }
    let asked = |upstream: &Upstream| {
        let seen = upstream.seen().into_iter();
        let messages = seen.filter_map(|seen| serde_json::from_slice::<Value>(&seen.body).ok());
        let mut listens = messages.filter(|message| message["method"] == "subscriptions/listen");
        listens
            .next()
            .map(|message| message["params"]["notifications"].clone())
    };
    assert_eq!(
        asked(&pair.two),
        Some(json!({"promptsListChanged": true})),
        "not for what is another's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_member_delays_a_subscription_and_does_not_hold_it_up() {
    let pair = Pair::start().await;
    let hour = Duration::from_secs(3_600);
    pair.one.set_script(telling("one", &[], hour));
    pair.two.set_script(move |message| {
        if message["method"] == "subscriptions/listen" {
            return Some(events(&[], hour));
        }
        offers("two")(message)
    });
    let mut stream = pair
        .listen(json!({"promptsListChanged": true, "toolsListChanged": true}))
        .await;
    let first = next(&mut stream).await;
    assert_eq!(
        first["params"]["notifications"],
        json!({"promptsListChanged": true, "toolsListChanged": true})
    );
    // The tools of the server itself changed: somebody hid one.
    pair.node.cli_json(&["tool", "hide", "com.acme/all", "wipe"]);
    assert_eq!(
        next(&mut stream).await["method"],
        "notifications/tools/list_changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_several_rounds_comes_back_to_the_member_that_asked() {
    let pair = Pair::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    pair.two.set_script(move |message| {
        if message["method"] != "tools/call" {
            return offers("two")(message);
        }
        let params = &message["params"];
        kept.lock().unwrap().push(params.clone());
        if params["requestState"].is_null() {
            let asks = json!({"q": {"method": "elicitation/create", "params": {
                "mode": "form", "message": "name?", "requestedSchema": {"type": "object", "properties": {}},
            }}});
            let result =
                json!({"resultType": "input_required", "inputRequests": asks, "requestState": "mine"});
            return Some(
                axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response(),
            );
        }
        Some(replied(
            message,
            json!({"content": [{"type": "text", "text": "done"}]}),
        ))
    });
    let params = json!({"name": "two__echo", "arguments": {"a": 1}, "_meta": {
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    }});
    let asked = able(&pair, params.clone()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let state = asked["requestState"].as_str().unwrap();
    assert_ne!(state, "mine", "a host is not shown it");
    let mut again = params;
    again["requestState"] = state.into();
    again["inputResponses"] = json!({"q": {"action": "accept", "content": {}}});
    let done = able(&pair, again).await;
    assert_eq!(done["content"][0]["text"], "done", "{done}");
    let seen = seen.lock().unwrap();
    assert_eq!(
        (&seen[0]["name"], &seen[1]["name"]),
        (&json!("echo"), &json!("echo"))
    );
    assert_eq!(seen[1]["requestState"], "mine");
}

/// A call of a host that can be asked.
async fn able(pair: &Pair, params: Value) -> Value {
    let (headers, body) = modern(Some(&pair.node.key), 7, "tools/call", params);
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"elicitation": {"form": {}}});
    let url = pair.node.endpoint("all");
    let answer = pair
        .node
        .web
        .ask("POST", &url, &headers, body.to_string())
        .await
        .unwrap()
        .json();
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}
