//! The MCP server in front of an API, and what reaches the API.

use portreeve_core::protocol::Era;
use serde_json::{Value, json};

use super::{Double, Front, Seen, any, get, ok_json};

#[tokio::test]
async fn both_eras_shake_hands_and_list_what_was_approved() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let front = Front::new(&double.url, get(json!({})), any());
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let hello = front
            .ask(Era::Legacy, "initialize", json!({"protocolVersion": version}))
            .await;
        assert_eq!(hello["result"]["protocolVersion"], version);
        assert_eq!(hello["result"]["serverInfo"]["name"], "com.acme/petstore");
        assert_eq!(hello["result"]["capabilities"]["tools"]["listChanged"], true);
    }
    let unknown = front
        .ask(
            Era::Legacy,
            "initialize",
            json!({"protocolVersion": "1999-01-01"}),
        )
        .await;
    assert_eq!(unknown["result"]["protocolVersion"], "2025-11-25");
    let found = front.ask(Era::Modern, "server/discover", json!({})).await;
    assert_eq!(found["result"]["resultType"], "complete");
    assert!(
        found["result"]["supportedVersions"]
            .as_array()
            .unwrap()
            .contains(&json!("2026-07-28"))
    );
    for era in [Era::Legacy, Era::Modern] {
        let list = front.ask(era, "tools/list", json!({})).await;
        assert_eq!(
            list["result"]["tools"],
            json!([{"name": "do", "inputSchema": {"type": "object"}}])
        );
        assert_eq!(list["result"].get("nextCursor"), None);
        let wrong = front.ask(era, "tools/list", json!({"cursor": "%%"})).await;
        assert_eq!(wrong["error"]["code"], -32602);
        let none = front.ask(era, "resources/list", json!({})).await;
        assert_eq!(none["result"]["resources"], json!([]));
        let missing = front.ask(era, "resources/read", json!({"uri": "a:b"})).await;
        let code = if era == Era::Legacy { -32002 } else { -32602 };
        assert_eq!(missing["error"]["code"], code);
        let unknown = front
            .ask(era, "tools/call", json!({"name": "other", "arguments": {}}))
            .await;
        assert_eq!(unknown["error"]["message"], "Unknown tool: other");
    }
    assert_eq!(
        front.ask(Era::Legacy, "ping", json!({})).await["result"],
        json!({})
    );
    assert_eq!(double.seen().len(), 0, "nothing of this is the API's");
}

#[tokio::test]
async fn the_api_sees_what_the_binding_says_and_nothing_of_the_caller() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({"ok": true}))).await;
    let binding = json!({
        "method": "POST", "retry": "never",
        "path": [{"literal": "/pets/"}, {"parameter": "id"}],
        "parameters": [
            {"place": "path", "name": "id", "source": {"argument": "id"}, "encoding": {"styled": {"style": "simple", "explode": false}}},
            {"place": "query", "name": "q", "source": {"argument": "q"}, "encoding": {"styled": {"style": "form", "explode": true}}},
        ],
        "body": {"contentType": "application/json", "form": "json", "required": true, "content": {"whole": {"argument": "body"}}},
        "answers": {"accept": ["application/json", "text/plain"], "structured": "object"},
    });
    let front = Front::new(&double.url, binding, any());
    let result = front
        .result(json!({"id": "a/b/admin?x=1#y", "q": "a&b=c\r\nHost: evil", "body": {"a": 1}}))
        .await;
    assert_eq!(result["structuredContent"], json!({"ok": true}));
    let seen = double.seen().pop().unwrap();
    assert_eq!(
        seen.line,
        "POST /base/v2/pets/a%2Fb%2Fadmin%3Fx%3D1%23y?q=a%26b%3Dc%0D%0AHost%3A%20evil HTTP/1.1"
    );
    let mut names: Vec<_> = seen
        .fields
        .iter()
        .map(|field| field.split(':').next().unwrap().to_ascii_lowercase())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "user-agent"
        ]
    );
    assert_eq!(seen.field("accept"), Some("application/json, text/plain"));
    assert!(double.url.contains(seen.field("host").unwrap()));
    assert_eq!(seen.body, br#"{"a":1}"#);
}

#[tokio::test]
async fn arguments_are_judged_before_the_api_is_touched() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let schema = json!({
        "type": "object", "required": ["id"], "additionalProperties": false,
        "properties": {"id": {"type": "integer"}, "limit": {"type": "integer", "maximum": 100}},
    });
    let front = Front::new(&double.url, get(json!({})), schema.clone());
    let refused = front.call(json!({"limit": 200, "other": 1})).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let problems = refused["error"]["data"]["problems"].as_array().unwrap();
    let mut places: Vec<_> = problems
        .iter()
        .map(|problem| problem["path"].as_str().unwrap())
        .collect();
    places.sort_unstable();
    assert_eq!(places, ["", "", "/limit"]);
    let words = refused["error"]["message"].as_str().unwrap();
    assert!(
        words.contains("`/limit`") && words.contains("100") && words.contains("other"),
        "{words}"
    );
    // A plainer schema may be shown than the one that judges.
    let strict = get(json!({"arguments": {"type": "object", "required": ["id"]}}));
    let flat = Front::new(&double.url, strict, any());
    assert_eq!(flat.call(json!({})).await["error"]["code"], -32602);
    assert!(flat.call(json!({"id": 1})).await["result"].is_object());
    assert_eq!(double.seen().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_beside_what_does_not_fit() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let binding = json!({
        "method": "GET", "retry": "safe",
        "path": [{"literal": "/pets/"}, {"parameter": "id"}],
        "parameters": [
            {"place": "path", "name": "id", "source": {"argument": "id"}, "encoding": {"styled": {"style": "simple", "explode": false}}},
            {"place": "header", "name": "X-A", "source": {"argument": "a"}, "encoding": {"styled": {"style": "simple", "explode": false}}},
        ],
    });
    let schema =
        json!({"type": "object", "properties": {"size": {"type": "integer"}, "a": {"type": "string"}}});
    let front = Front::new(&double.url, binding, schema);
    let refused = front.call(json!({"id": "..", "size": "x", "a": 7})).await["error"].clone();
    assert_eq!(refused["code"], -32602);
    let mut paths: Vec<&str> = refused["data"]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/a", "/id", "/size"]);
    assert_eq!(double.seen().len(), 0);
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_reaches_nobody() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    for schema in [
        json!({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/a.json"}}}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}),
    ] {
        let front = Front::new(&double.url, get(json!({})), schema);
        let result = front.result(json!({"a": 1})).await;
        assert_eq!(result["isError"], true, "{result}");
    }
    assert_eq!(double.seen().len(), 0);
}

#[tokio::test]
async fn events_are_progress_where_the_host_wants_it_and_a_result_in_any_case() {
    let double = Double::start(|_: &Seen, _| {
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
         e\r\ndata: {\"n\":1}\n\r\n1\r\n\n\r\n<WAIT>a\r\ndata: two\n\r\n1\r\n\n\r\n0\r\n\r\n"
            .to_owned()
    })
    .await;
    let front = Front::new(&double.url, get(json!({})), any());
    for era in [Era::Legacy, Era::Modern] {
        let params = json!({"name": "do", "arguments": {}, "_meta": {"progressToken": "t"}});
        let message = json!({"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params});
        let messages = front.messages(era, message).await;
        let told: Vec<_> = messages
            .iter()
            .map(|message| {
                (
                    message["method"].clone(),
                    message["params"]["progress"].clone(),
                    message["params"]["message"].clone(),
                )
            })
            .collect();
        assert_eq!(
            told[..2],
            [
                (json!("notifications/progress"), json!(1), json!("{\"n\":1}")),
                (json!("notifications/progress"), json!(2), json!("two")),
            ]
        );
        assert_eq!(messages[2]["id"], "x");
        assert_eq!(messages[2]["result"]["content"][0]["text"], "{\"n\":1}\ntwo");
    }
    let result = front.result(json!({})).await;
    assert_eq!(result["content"][0]["text"], "{\"n\":1}\ntwo");
}

#[tokio::test]
async fn modern_results_say_that_they_are_complete() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!([1]))).await;
    let front = Front::new(&double.url, get(json!({})), any());
    let params = json!({"name": "do", "arguments": {}});
    let modern = front.ask(Era::Modern, "tools/call", params.clone()).await;
    assert_eq!(modern["result"]["resultType"], "complete");
    let legacy = front.ask(Era::Legacy, "tools/call", params).await;
    assert_eq!(
        legacy["result"],
        json!({"content": [{"type": "text", "text": "[1]"}]})
    );
    let mut bare: Value = modern["result"].clone();
    bare.as_object_mut().unwrap().retain(|name, _| name == "content");
    assert_eq!(bare, legacy["result"]);
}
