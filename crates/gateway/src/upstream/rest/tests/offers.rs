//! Resources and prompts of an API, in both eras.

use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use serde_json::{Value, json};

use super::{Double, Front, Seen, answered, any, get, ok_json};

fn parameter(place: &str, name: &str) -> Value {
    let style = if place == "path" { "simple" } else { "form" };
    json!({"place": place, "name": name, "source": {"argument": name},
        "encoding": {"styled": {"style": style, "explode": true}}})
}

fn bindings() -> Value {
    let ship = json!({
        "method": "GET", "retry": "safe",
        "path": [{"literal": "/ships/"}, {"parameter": "id"}],
        "parameters": [parameter("path", "id"), parameter("query", "page"), parameter("query", "tags")],
        "arguments": {"type": "object", "additionalProperties": false, "required": ["id"], "properties": {
            "id": {"type": "string"}, "page": {"type": "integer", "maximum": 9}, "tags": {"type": "array", "items": {"type": "string"}}}},
    });
    json!({
        "format": 1,
        "tools": {"do": get(json!({}))},
        "resources": {
            "items": {"uri": "api:///items", "name": "items", "mimeType": "application/json", "binding": get(json!({}))},
            "ship": {"uri": "api:///ships/{id}{?page,tags*}", "name": "ship", "title": "A ship",
                "variables": {"id": "text", "page": "plain", "tags": "texts"}, "binding": ship},
        },
        "prompts": {
            "brief": {"description": "A brief", "arguments": [{"name": "ship", "required": true}, {"name": "tone"}],
                "messages": [{"role": "user", "text": "About {{ship}}, {{tone}}."}]},
        },
    })
}

async fn front(script: impl Fn(&Seen, usize) -> String + Send + Sync + 'static) -> (Double, Front) {
    let double = Double::start(script).await;
    let front = Front::with_bindings(&double.url, bindings(), any(), Limits::for_tests());
    (double, front)
}

#[tokio::test]
async fn what_there_is_is_listed_and_promised_and_nothing_else() {
    let (_double, front) = front(|_, _| ok_json(&json!({}))).await;
    let all = json!({"tools": {"listChanged": true}, "resources": {"listChanged": true}, "prompts": {"listChanged": true}});
    let hello = front.ask(Era::Legacy, "initialize", json!({})).await;
    assert_eq!(hello["result"]["capabilities"], all);
    let found = front.ask(Era::Modern, "server/discover", json!({})).await;
    assert_eq!(found["result"]["capabilities"], all);
    for era in [Era::Legacy, Era::Modern] {
        let list = front.ask(era, "resources/list", json!({})).await;
        assert_eq!(
            list["result"]["resources"],
            json!([{"uri": "api:///items", "name": "items", "mimeType": "application/json"}])
        );
        let list = front.ask(era, "resources/templates/list", json!({})).await;
        assert_eq!(
            list["result"]["resourceTemplates"],
            json!([{"uriTemplate": "api:///ships/{id}{?page,tags*}", "name": "ship", "title": "A ship"}])
        );
        let list = front.ask(era, "prompts/list", json!({})).await;
        let prompt = &list["result"]["prompts"][0];
        assert_eq!(
            (&prompt["name"], &prompt["arguments"][0]["required"]),
            (&json!("brief"), &json!(true))
        );
        assert_eq!(list["result"].get("ttlMs").is_some(), era == Era::Modern);
    }
    let plain = Front::new("http://127.0.0.1:1", get(json!({})), any());
    let hello = plain.ask(Era::Legacy, "initialize", json!({})).await;
    assert_eq!(
        hello["result"]["capabilities"],
        json!({"tools": {"listChanged": true}})
    );
}

#[tokio::test]
async fn a_uri_is_read_as_text_or_bytes_and_stays_in_its_place() {
    let (double, front) = front(|seen: &Seen, _| match seen.line.contains("/items") {
        true => answered("200 OK", "content-type: image/png\r\n", "PNG"),
        false => ok_json(&json!({"name": "Ada"})),
    })
    .await;
    let uri = "api:///ships/a%2F7%3Fx?page=2&tags=a&tags=b%26c";
    let read = front
        .ask(Era::Legacy, "resources/read", json!({"uri": uri}))
        .await;
    assert_eq!(
        read["result"],
        json!({"contents": [{"uri": uri, "mimeType": "application/json", "text": r#"{"name":"Ada"}"#}]})
    );
    let line = double.seen()[0].line.clone();
    assert_eq!(
        line,
        "GET /base/v2/ships/a%2F7%3Fx?page=2&tags=a&tags=b%26c HTTP/1.1"
    );
    let read = front
        .ask(Era::Modern, "resources/read", json!({"uri": "api:///items"}))
        .await;
    assert_eq!(
        read["result"]["contents"],
        json!([{"uri": "api:///items", "mimeType": "image/png", "blob": "UE5H"}])
    );
    assert_eq!(
        (
            &read["result"]["resultType"],
            &read["result"]["ttlMs"],
            &read["result"]["cacheScope"]
        ),
        (&json!("complete"), &json!(0), &json!("private"))
    );
}

#[tokio::test]
async fn what_is_not_there_or_does_not_fit_is_told_as_its_era_does() {
    let (double, front) = front(|_, _| answered("404 Not Found", "", "")).await;
    for (era, code) in [(Era::Legacy, -32002), (Era::Modern, -32602)] {
        for uri in [
            "api:///none",
            "api:///ships/1?other=1",
            "https://example.org/items",
            "api:///ships/1/2",
        ] {
            let read = front.ask(era, "resources/read", json!({"uri": uri})).await;
            assert_eq!(read["error"]["code"], code, "{read}");
            assert_eq!(read["error"]["data"], json!({"uri": uri}));
        }
        assert_eq!(double.seen().len(), 0);
        let unfit = json!({"uri": "api:///ships/1?page=10"});
        let unfit = front.ask(era, "resources/read", unfit).await;
        assert_eq!(unfit["error"]["code"], -32602, "{unfit}");
        assert_eq!(unfit["error"]["data"]["problems"][0]["path"], "/page");
        let none = front.ask(era, "resources/read", json!({})).await;
        assert_eq!(none["error"]["code"], -32602, "{none}");
        // The API has no such thing.
        assert_eq!(double.seen().len(), 0);
        let gone = front
            .ask(era, "resources/read", json!({"uri": "api:///ships/1"}))
            .await;
        assert_eq!(gone["error"]["code"], code, "{gone}");
        double.forget();
    }
}

#[tokio::test]
async fn an_api_that_fails_fails_to_be_read() {
    let (_double, front) = front(|seen: &Seen, _| match seen.line.contains("/items") {
        true => answered("200 OK", "content-type: image/png\r\n", &"x".repeat(250 * 1024)),
        false => answered("403 Forbidden", "content-type: text/plain\r\n", "not you"),
    })
    .await;
    let refused = front
        .ask(Era::Modern, "resources/read", json!({"uri": "api:///ships/1"}))
        .await;
    assert_eq!(refused["error"]["code"], -32603, "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("403") && message.contains("not you"),
        "{message}"
    );
    // In Base64 it is longer than an answer may be.
    let long = front
        .ask(Era::Legacy, "resources/read", json!({"uri": "api:///items"}))
        .await;
    let message = long["error"]["message"].as_str().unwrap();
    assert!(message.contains("longer than"), "{message}");
}

#[tokio::test]
async fn prompts_are_filled_with_what_they_need_and_nothing_else() {
    let (double, front) = front(|_, _| ok_json(&json!({}))).await;
    for era in [Era::Legacy, Era::Modern] {
        let filled = json!({"name": "brief", "arguments": {"ship": "{{tone}}"}});
        let filled = front.ask(era, "prompts/get", filled).await;
        assert_eq!(filled["result"]["description"], "A brief");
        assert_eq!(
            filled["result"]["messages"],
            json!([{"role": "user", "content": {"type": "text", "text": "About {{tone}}, ."}}])
        );
        assert_eq!(filled["result"].get("ttlMs"), None);
        for (asked, path) in [
            (json!({"name": "brief"}), "/ship"),
            (
                json!({"name": "brief", "arguments": {"ship": "a", "crew": "b"}}),
                "/crew",
            ),
        ] {
            let refused = front.ask(era, "prompts/get", asked).await;
            assert_eq!(refused["error"]["code"], -32602, "{refused}");
            assert_eq!(refused["error"]["data"]["problems"][0]["path"], path);
        }
        for asked in [
            json!({"name": "none"}),
            json!({"name": "brief", "arguments": {"ship": 7}}),
            json!({}),
        ] {
            let refused = front.ask(era, "prompts/get", asked).await;
            assert_eq!(refused["error"]["code"], -32602, "{refused}");
        }
    }
    assert_eq!(double.seen().len(), 0);
}
