//! What passes, passes as the bytes that came: fields that nobody here has heard of at every level, errors in the
//! server's own words, events with and without a name, tokens with their type.

use std::time::Duration;

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::{Speaks, events};

/// Odd on purpose: blanks, order, escapes, numbers, unknown fields at every level.
const RESULT: &str = r#"{ "content" : [ {"type":"text","text":"\u00e9\/é", "x":1.50 ,"annotations":{"x":[]}}, {"type":"x-new","d":{"e":1e400}}, {} ],
  "structuredContent":{"a":{"b":[1,2.0,{"c":null}]},"a":"twice"},"isError":false, "x-more":{"n":-0,"s":""},"_meta":{"x/y":{"z":[ ]}}}"#;

fn json_text(text: String) -> axum::response::Response {
    ([("content-type", "application/json")], text).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_a_call_and_its_answer_pass_byte_for_byte() {
    let served = Served::start(Speaks::Both).await;
    let answer = |id: &str| {
        format!("\n {{ \"result\" :{RESULT}, \"x-envelope\":[1 ,2],\"jsonrpc\":\"2.0\" ,\"id\": {id} }}\n")
    };
    served.upstream.set_script(move |message| {
        let id = if message["id"].is_null() {
            json!(1)
        } else {
            message["id"].clone()
        };
        let named = message["params"]["name"] == "echo" || message.is_null();
        named.then(|| json_text(answer(&id.to_string())))
    });
    let params = |meta: &str| {
        format!(
            "{{ \"name\" : \"ec\\u0068o\", \"x\":{{\"y\":1.0}},\"arguments\":{{\"a\":1,\"a\":2, \"b\":[ 1.50,\"\\/\"]}},\"task\":{{\"ttl\":1}},\"_meta\":{{{meta} \"x/y\": [ ], \"progressToken\":\"7\"}}}}"
        )
    };
    let body = |params: &str| {
        format!(
            " {{\"x-first\":{{}},\"params\": {params},\"method\":\"tools\\/call\",\"id\": 1 ,\"jsonrpc\":\"2.0\"}} "
        )
    };

    let marks = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28", "io.modelcontextprotocol/clientCapabilities":{"x":{}},"io.modelcontextprotocol/clientInfo":{"name":"t","x":1},"#;
    let (headers, _) = served.modern(1, "tools/call", json!({"name": "echo"}));
    let sent = body(&params(marks));
    let got = served.ask("POST", &headers, &sent).await;
    let seen = served.upstream.seen().pop().unwrap();
    assert_eq!(seen.body, sent.as_bytes(), "modern, to the server");
    let typed = answer("1").replacen("{ \"content\"", "{\"resultType\":\"complete\", \"content\"", 1);
    assert_eq!(
        got.text(),
        typed,
        "modern, to the host: all but the type that the revision wants"
    );

    let host = served.legacy().await;
    let sent = body(&params(""));
    let got = served.ask("POST", &host.headers, &sent).await;
    let seen = served.upstream.seen().pop().unwrap();
    let theirs: Value = serde_json::from_slice(&seen.body).unwrap();
    let expected = sent.replacen("\"id\": 1", &format!("\"id\": {}", theirs["id"]), 1);
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        expected,
        "legacy, to the server: all but the id"
    );
    assert_eq!(got.text(), answer("1"), "legacy, to the host");
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_lists_and_handshakes_keep_what_nobody_knows() {
    let served = Served::start(Speaks::Both).await;
    let (headers, list) = served.modern(1, "tools/list", json!({"cursor": "", "x": 1.50}));
    let plain = served.ask("POST", &headers, &list).await.json()["result"]["tools"].clone();
    let tools = plain
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" , ");
    let listed = move |id: &Value| {
        format!(
            "{{\"id\":{id},\"x\":[ ],\"result\":{{\"x-list\":{{\"a\": 1.0}},\"tools\":[ {tools} ],\"nextCursor\":\"\",\"ttlMs\":5 ,\"cacheScope\":\"private\",\"resultType\":\"complete\"}},\"jsonrpc\":\"2.0\"}}"
        )
    };
    let told = listed.clone();
    let discovered = r#"{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"x-new":{"y":1.0}},"instructions":"\u00e9","resultType":"complete","x":[ ]}"#;
    let agreed = r#"{"protocolVersion":"2025-11-25", "capabilities":{"experimental":{"x":1.0},"tasks":{}},"serverInfo":{"name":"s","version":"1","icons":[ ]},"x":1.50}"#;
    served.upstream.set_script(move |message| {
        let id = &message["id"];
        let envelope =
            |result: &str| json_text(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}"));
        match message["method"].as_str()? {
            "tools/list" => Some(json_text(told(id))),
            "server/discover" => Some(envelope(discovered)),
            "initialize" => Some(envelope(agreed)),
            _ => None,
        }
    });
    let got = served.ask("POST", &headers, &list).await;
    assert_eq!(
        got.text(),
        listed(&json!(1))
            .replace("} , {", "},{")
            .replace("[ {", "[{")
            .replace("} ]", "}]")
    );
    assert_eq!(served.upstream.seen().pop().unwrap().body, list.as_bytes());

    let got = served.post(&served.modern(1, "server/discover", json!({}))).await;
    assert_eq!(
        got.text(),
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}}",
            discovered.replacen('{', "{\"ttlMs\":0,\"cacheScope\":\"private\",", 1)
        ),
        "all but how long it may be kept"
    );

    let key = [("authorization", format!("Bearer {}", served.node.key))];
    let hello = r#"{"jsonrpc":"2.0","id":"h","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"x-new":{"y": 1.0}},"clientInfo":{"name":"t","version":"1","x":1}},"x":[ ]}"#;
    let got = served.ask("POST", &key, hello).await;
    assert_eq!(
        got.text(),
        format!("{{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"result\":{agreed}}}")
    );
    let seen = served.upstream.seen().pop().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        hello.replacen("\"h\"", "0", 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p30_events_pass_as_they_came_and_always_have_a_name() {
    let served = Served::start(Speaks::Both).await;
    let note = r#"{"jsonrpc":"2.0", "method":"notifications/message","params":{"level":"info","data":{"x":1.50}},"x":[ ]}"#;
    let end =
        |id: &Value| format!("{{\"result\":{{\"content\":[ ],\"x\":1.0}},\"jsonrpc\":\"2.0\",\"id\":{id}}}");
    served.upstream.set_script(move |message| {
        let (id, end) = (&message["id"], end(&message["id"]));
        let kind = message["params"]["arguments"]["kind"].as_str()?;
        let text = match kind {
            "named" => format!(": hi\n\nevent: message\nid: 1\nretry: 9\ndata: {note}\n\nevent: message\ndata: {end}\n\n"),
            "nameless" => format!("data: {note}\n\ndata:{end}\n\n"),
            "with ids" => format!("id: p\ndata:\n\nid: 1\ndata: {note}\n\nid: 2\ndata: {end}\n\n"),
            "CRLF" => format!("data: {note}\r\n\r\ndata: {end}\r\n\r\n"),
            "CR" => format!("data: {note}\r\rdata: {end}\r\r"),
            "in lines" => format!("data: {note}\n\ndata: {{\"jsonrpc\":\"2.0\",\ndata: \"id\":{id},\ndata: \"result\":{{\"content\":[]}}}}\n\n"),
            _ => format!("\u{feff}x: y\ndata: {note}\n\ndata: {end}\n\n"),
        };
        Some(([("content-type", "text/event-stream; charset=utf-8")], text).into_response())
    });
    let host = served.legacy().await;
    for kind in [
        "named",
        "nameless",
        "with ids",
        "CRLF",
        "CR",
        "in lines",
        "a byte order mark",
    ] {
        let params = json!({"name": "echo", "arguments": {"kind": kind}});
        let modern = served.post(&served.modern(5, "tools/call", params.clone())).await;
        let legacy = host.request(json!(5), "tools/call", params).await;
        for answer in [modern, legacy] {
            let text = answer.text().replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(answer.header("content-type"), "text/event-stream");
            assert_eq!(text.matches("event: message\n").count(), 2, "{kind}: {text}");
            assert!(text.contains(&format!("data: {note}\n")), "{kind}: {text}");
            assert_eq!(text.matches("\"id\":5").count(), 1, "{kind}: {text}");
            if kind == "named" || kind == "with ids" {
                assert!(text.contains("id: 1\n"), "{kind}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p28_errors_of_the_server_pass_in_its_own_words() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    for code in [-32002, -32042, -32000, -32019, -32603, -1, 7] {
        let error = format!(
            r#"{{ "message":"Zeile 7: \u00e9", "code":{code},"data":{{"stack":[ "a" ],"n":1.50}},"x":[ ]}}"#
        );
        let told = error.clone();
        served.upstream.set_script(move |message| {
            let id = &message["id"];
            (message["params"]["name"] == "echo")
                .then(|| json_text(format!("{{\"jsonrpc\":\"2.0\",\"error\":{told},\"id\":{id}}}")))
        });
        let params = json!({"name": "echo", "arguments": {}});
        let modern = served.post(&served.modern(1, "tools/call", params.clone())).await;
        let legacy = host.request(json!(1), "tools/call", params).await;
        for answer in [modern, legacy] {
            assert_eq!(answer.status, 200);
            assert_eq!(
                answer.text(),
                format!("{{\"jsonrpc\":\"2.0\",\"error\":{error},\"id\":1}}")
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_progress_tokens_keep_their_type_and_their_call() {
    let served = Served::start(Speaks::Both).await;
    served.upstream.set_script(|message| {
        let token = message["params"]["_meta"].get("progressToken")?.clone();
        let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}});
        let end = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}});
        Some(events(&[progress, end], Duration::ZERO))
    });
    let hosts = [served.legacy().await, served.legacy().await];
    let tokens = [
        json!(7),
        json!("7"),
        json!(0),
        json!(""),
        json!(9_007_199_254_740_993_u64),
        json!("é"),
    ];
    let calls = tokens.iter().enumerate().map(|(number, token)| {
        let (served, host) = (&served, &hosts[number % 2]);
        async move {
            let params = json!({"name": "echo", "arguments": {}, "_meta": {"progressToken": token}});
            let modern = served.modern(1, "tools/call", params.clone());
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
            let streams = [
                served
                    .node
                    .web
                    .open("POST", &served.url, &modern.0, modern.1)
                    .await,
                host.open(message).await,
            ];
            for mut stream in streams {
                let progress = stream.message().await.unwrap();
                assert_eq!(progress["params"]["progressToken"], *token);
                assert_eq!(stream.message().await.unwrap()["id"], 1);
                assert_eq!(stream.message().await, None);
            }
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_a_host_that_numbers_every_request_the_same_gets_its_answers() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    let calls = (0..40).map(|number| {
        let (served, host) = (&served, &host);
        async move {
            let name = if number % 2 == 0 { "echo" } else { "slow" };
            let params = json!({"name": name, "arguments": {"n": number, "ms": 30}});
            let answer = if number % 4 < 2 {
                host.request(json!(1), "tools/call", params).await
            } else {
                served.post(&served.modern(1, "tools/call", params)).await
            };
            let answer = answer.json();
            let text = answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_default();
            assert!(text.contains(&format!("\"n\":{number},")), "{number}: {answer}");
            assert_eq!(answer["id"], 1);
        }
    });
    futures_util::future::join_all(calls).await;
    let ids: Vec<_> = served
        .upstream
        .seen()
        .iter()
        .filter(|seen| !seen.headers.contains_key("mcp-method"))
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap())
        .filter(|message| message["method"] == "tools/call")
        .map(|message| message["id"].as_u64().unwrap())
        .collect();
    let different: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(
        (ids.len(), different.len()),
        (20, 20),
        "the server sees numbers that differ"
    );
}
