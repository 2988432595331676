//! The validation ladder of revision 2026-07-28: the vectors T1 to T18, each with its status, its code, the id with its
//! type, and the data; and what the ladder does with headers that come twice.

use axum::Json;
use axum::response::IntoResponse as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::served::{Request, Served, error_of, with};
use crate::upstream::Speaks;

const VERSION: &str = "mcp-protocol-version";
const IN_META: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// A request that must be refused, and how.
struct Vector {
    name: &'static str,
    request: Request,
    expected: (u16, i64, Value, Value),
}

fn vector(name: &'static str, request: Request, code: i64) -> Vector {
    refused(name, request, (400, code, json!(1), Value::Null))
}

fn refused(name: &'static str, request: Request, expected: (u16, i64, Value, Value)) -> Vector {
    Vector {
        name,
        request,
        expected,
    }
}

async fn check(served: &Served, vectors: Vec<Vector>) {
    let reached = served.reached();
    for Vector {
        name,
        request,
        expected,
    } in vectors
    {
        let answer = served.post(&request).await;
        let (status, code, id, data) = expected;
        assert_eq!(
            error_of(&answer),
            (status, json!(code), id, data),
            "{name}: {}",
            answer.text()
        );
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        assert_eq!(served.reached(), reached, "{name}: it reached the server");
    }
    served.is_well().await;
}

/// The same request, with something else in its body.
fn body(request: Request, change: impl FnOnce(&mut Value)) -> Request {
    let mut body: Value = serde_json::from_str(&request.1).unwrap();
    change(&mut body);
    (request.0, body.to_string())
}

/// The same request, with another header.
fn header(request: Request, name: &'static str, value: Option<&str>) -> Request {
    (with(&request.0, name, value), request.1)
}

#[tokio::test(flavor = "multi_thread")]
async fn t1_to_t7_headers_agree_with_the_body_and_name_a_version_that_is_served() {
    let served = Served::start(Speaks::Both).await;
    let list = || served.modern(1, "tools/list", json!({}));
    let call = || served.modern(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    let differs = |name, request, field, value| vector(name, header(request, field, value), -32020);
    let unserved = |name, request| {
        let data = json!({"supported": ["2026-07-28"], "requested": "2099-01-01"});
        refused(name, request, (400, -32022, json!(1), data))
    };
    let future = || {
        let request = header(list(), VERSION, Some("2099-01-01"));
        body(request, |body| {
            body["params"]["_meta"][IN_META] = "2099-01-01".into();
        })
    };
    let vectors = vec![
        differs("T1", list(), "mcp-method", Some("tools/call")),
        differs("T1, case", list(), "mcp-method", Some("Tools/List")),
        differs("T2", list(), "mcp-method", None),
        differs("T3", call(), "mcp-name", None),
        differs("T3, another name", call(), "mcp-name", Some("wipe")),
        differs("T3, case", call(), "mcp-name", Some("Echo")),
        differs("T4, no base64", call(), "mcp-name", Some("=?base64?%%?=")),
        differs("T4, another", call(), "mcp-name", Some("=?base64?d2lwZQ==?=")),
        differs("T5", list(), VERSION, Some("2025-11-25")),
        differs("T5, no version", list(), VERSION, Some("tomorrow")),
        differs("T6", list(), VERSION, None),
        unserved("T7", future()),
        unserved("T7 before T1", header(future(), "mcp-method", None)),
    ];
    check(&served, vectors).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_to_t10_meta_is_whole_and_the_method_is_served() {
    let served = Served::start(Speaks::Both).await;
    let list = || served.modern(1, "tools/list", json!({}));
    let lacks = |name, change: fn(&mut Value)| vector(name, body(list(), change), -32602);
    let mut both = lacks("T8 before T1", |body| {
        body["params"]["_meta"][CAPABILITIES] = json!(7)
    });
    both.request = header(both.request, "mcp-method", None);
    let mut vectors = vec![
        lacks("T8, no object", |body| {
            body["params"]["_meta"][CAPABILITIES] = json!([]);
        }),
        lacks("T8, null", |body| {
            body["params"]["_meta"][CAPABILITIES] = Value::Null;
        }),
        lacks("T9, no `_meta`", |body| body["params"] = json!({})),
        lacks("T9, null", |body| body["params"]["_meta"] = Value::Null),
        both,
    ];
    for (name, place, key) in [
        ("T8", "/params/_meta", CAPABILITIES),
        ("T9, no version in `_meta`", "/params/_meta", IN_META),
        ("T9", "", "params"),
    ] {
        let request = body(list(), |body| {
            let place = body.pointer_mut(place).unwrap();
            place.as_object_mut().unwrap().remove(key);
        });
        vectors.push(vector(name, request, -32602));
    }
    for method in [
        "foo/bar",
        "ping",
        "initialize",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "Tools/List",
    ] {
        // T10
        let request = served.modern(1, method, json!({}));
        vectors.push(refused(method, request, (404, -32601, json!(1), Value::Null)));
    }
    check(&served, vectors).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_t12_what_is_not_one_request_is_refused() {
    let served = Served::start(Speaks::Both).await;
    let one = served.modern(1, "tools/list", json!({}));
    let with_id = |id: Value| body(one.clone(), |body| body["id"] = id);
    let raw = |text: String| (one.0.clone(), text);
    let fail = |name, request, code| refused(name, request, (400, code, Value::Null, Value::Null));
    let vectors = vec![
        fail("T11", raw(format!("[{}]", one.1)), -32600),
        fail("T11, empty", raw("[]".to_owned()), -32600),
        fail("T11, broken", raw("[{".to_owned()), -32700),
        fail("T12", with_id(Value::Null), -32600),
        fail("L3, fractional id", with_id(json!(1.5)), -32600),
        fail(
            "L3, exponent",
            raw(one.1.replace("\"id\":1", "\"id\":1e0")),
            -32600,
        ),
        fail("L3, object", with_id(json!({})), -32600),
        fail("L3, truth", with_id(json!(true)), -32600),
        fail("L3, no JSON", raw("nonsense".to_owned()), -32700),
        fail("L3, two values", raw(format!("{} {}", one.1, one.1)), -32700),
        fail("L3, comma", raw(one.1.replace("}}}}", "}}},}")), -32700),
        fail("L3, number", raw("7".to_owned()), -32600),
        fail("L3, text", raw("\"tools/list\"".to_owned()), -32600),
        fail("L3, version", raw(one.1.replace("\"2.0\"", "\"1.0\"")), -32600),
        fail(
            "L3, both",
            raw(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#.to_owned()),
            -32600,
        ),
        fail(
            "L3, request and answer",
            body(one.clone(), |body| body["result"] = json!({})),
            -32600,
        ),
        fail(
            "L3, answer",
            raw(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned()),
            -32600,
        ),
        fail(
            "L3, failure",
            raw(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#.to_owned()),
            -32600,
        ),
        fail(
            "L3, params",
            body(one.clone(), |body| body["params"] = json!([])),
            -32600,
        ),
    ];
    check(&served, vectors).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_echoes_the_id_as_it_was_written() {
    let served = Served::start(Speaks::Both).await;
    let (headers, text) = served.modern(1, "tools/list", json!({}));
    let ids = [
        "1",
        "\"1\"",
        "-7",
        "0",
        "18446744073709551615",
        "\"\"",
        "\"a\\u0041\\n\"",
        "\"é\"",
    ];
    for id in ids {
        let text = text.replacen("\"id\":1", &format!("\"id\": {id} "), 1);
        for (name, value, code) in [
            (VERSION, Some("2025-11-25"), -32020),
            ("mcp-method", None, -32020),
        ] {
            let answer = served.ask("POST", &with(&headers, name, value), &text).await;
            assert_eq!(answer.json()["error"]["code"], code, "{id}");
            let echoed = format!("\"id\":{id},");
            assert!(answer.text().contains(&echoed), "{id}: {}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t4_an_encoded_name_is_the_name() {
    let served = Served::start(Speaks::Both).await;
    let (headers, body) = served.modern(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    for name in ["=?base64?ZWNobw==?=", "echo"] {
        let answer = served
            .ask("POST", &with(&headers, "mcp-name", Some(name)), &body)
            .await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert!(answer.json()["result"].is_object(), "{name}");
        let seen = served.upstream.seen().pop().unwrap();
        assert_eq!(seen.headers["mcp-name"], "echo");
        assert_eq!(seen.headers["mcp-method"], "tools/call");
        assert_eq!(seen.body, body.as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirrored_header_that_comes_twice_is_refused() {
    let served = Served::start(Speaks::Both).await;
    let call = served.modern(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    let again = |name: &'static str, value: &str| {
        let mut request = call.clone();
        request.0.push((name, value.to_owned()));
        request
    };
    let vectors = vec![
        vector("version", again(VERSION, "2026-07-28"), -32020),
        vector("older version", again(VERSION, "2025-11-25"), -32020),
        vector("method", again("mcp-method", "tools/call"), -32020),
        vector("another method", again("mcp-method", "tools/list"), -32020),
        vector("name", again("mcp-name", "echo"), -32020),
        vector("another name", again("mcp-name", "wipe"), -32020),
    ];
    check(&served, vectors).await;
    let answer = served.post(&again("mcp-session-id", "a")).await;
    assert_eq!(answer.status, 200, "the modern era ignores sessions");

    let host = served.legacy().await;
    let reached = served.reached();
    let mut headers = host.headers.clone();
    headers.push((VERSION, "2026-07-28".to_owned()));
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let older_first = served.ask("POST", &headers, &list).await;
    assert_eq!(
        error_of(&older_first),
        (400, json!(-32020), json!(1), Value::Null)
    );
    for verb in ["GET", "DELETE"] {
        let answer = served.ask(verb, &headers, "").await;
        assert_eq!(
            error_of(&answer),
            (400, json!(-32020), Value::Null, Value::Null),
            "{verb}"
        );
    }
    assert_eq!(served.reached(), reached);
    assert_eq!(host.request(json!(2), "tools/list", json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn t13_the_modern_era_knows_only_post() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    for verb in ["GET", "DELETE"] {
        for version in ["2026-07-28", "2099-01-01"] {
            let headers = with(&host.headers, VERSION, Some(version));
            let answer = served.ask(verb, &headers, "").await;
            assert_eq!(
                (answer.status, answer.header("allow").contains("POST")),
                (405, true),
                "T13: {verb} {version}"
            );
        }
    }
    let answer = host.request(json!(1), "ping", json!({})).await;
    assert_eq!(answer.status, 200, "the session is none the worse");
}

#[tokio::test(flavor = "multi_thread")]
async fn t14_t15_what_the_server_decides_passes_unchanged() {
    let served = Served::start(Speaks::Both).await;
    let needs = json!({"requiredCapabilities": {"elicitation": {"form": {}}}, "x-more": 1.50});
    let cases = [
        ("T14", "tools/call", json!({"name": "echo"}), 400, -32021, needs),
        (
            "T15",
            "resources/read",
            json!({"uri": "x://y"}),
            200,
            -32602,
            json!({"uri": "x://y"}),
        ),
        ("L9", "prompts/list", json!({}), 404, -32601, Value::Null),
        (
            "L11",
            "prompts/get",
            json!({"name": "p"}),
            400,
            -32602,
            json!(["a", 1, null]),
        ),
    ];
    for (name, method, params, status, code, data) in cases {
        let told = format!(
            r#"{{"error":{{"x-first":[],"code":{code},"message":"its own \u00e9 words","data":{data}}},"jsonrpc":"2.0","id":1}}"#
        );
        let scripted = told.clone();
        served.upstream.set_script(move |message| {
            let status = StatusCode::from_u16(status).unwrap();
            let response = (status, [("content-type", "application/json")], scripted.clone());
            (message["method"] == method).then(|| response.into_response())
        });
        let answer = served.post(&served.modern(1, method, params)).await;
        assert_eq!((answer.status, answer.text()), (status, told), "{name}");
    }
    let unknown = served.modern(1, "tools/call", json!({"name": "nope", "arguments": {}}));
    let answer = served.post(&unknown).await;
    assert_eq!(
        error_of(&answer),
        (200, json!(-32602), json!(1), Value::Null),
        "T15: {}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t16_a_notification_needs_no_mirror_and_may_not_lie() {
    let served = Served::start(Speaks::Both).await;
    let (headers, _) = served.modern(1, "x", json!({}));
    let plain = with(&headers, "mcp-method", None);
    let note = |method: &str, params: Value| {
        json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
    };
    let cancelled = note("notifications/cancelled", json!({"requestId": 1}));
    let reached = served.reached();
    let answer = served.ask("POST", &plain, &cancelled).await;
    assert_eq!((answer.status, answer.text().as_str()), (202, ""), "T16");
    assert_eq!(served.reached(), reached, "it means nothing on the other hop");

    let custom = note("notifications/x-news", json!({"n": 1}));
    let answer = served.ask("POST", &plain, &custom).await;
    assert_eq!(answer.status, 202);
    let seen = served.upstream.seen().pop().unwrap();
    assert_eq!(seen.body, custom.as_bytes(), "others pass");
    assert_eq!(
        seen.headers["mcp-method"], "notifications/x-news",
        "and are mirrored"
    );
    assert_eq!(seen.headers[VERSION], "2026-07-28");

    let reached = served.reached();
    let marked = note("notifications/x-news", json!({"_meta": {IN_META: "2026-07-28"}}));
    let future = note("notifications/x-news", json!({"_meta": {IN_META: "2099-01-01"}}));
    for (name, headers, body, code) in [
        ("L4, no header", with(&plain, VERSION, None), &marked, -32020),
        (
            "L4, another",
            with(&plain, VERSION, Some("2025-11-25")),
            &marked,
            -32020,
        ),
        ("L6", with(&plain, VERSION, Some("2099-01-01")), &future, -32022),
        (
            "L6, no `_meta`",
            with(&plain, VERSION, Some("2099-01-01")),
            &custom,
            -32022,
        ),
        (
            "L7",
            with(&plain, "mcp-method", Some("notifications/cancelled")),
            &custom,
            -32020,
        ),
    ] {
        let answer = served.ask("POST", &headers, body).await;
        let (status, found, id, _) = error_of(&answer);
        assert_eq!((status, found, id), (400, json!(code), Value::Null), "{name}");
    }
    assert_eq!(served.reached(), reached);
}

#[tokio::test(flavor = "multi_thread")]
async fn t17_t18_hosts_of_other_habits_are_served() {
    let served = Served::start(Speaks::Both).await;
    let (headers, body) = served.modern(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    for accept in [Some("application/json"), Some("*/*"), None] {
        let answer = served.ask("POST", &with(&headers, "accept", accept), &body).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json"),
            "T17: {accept:?}"
        );
    }
    let params = json!({"protocolVersion": "2026-07-28", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": params});
    let key = [("authorization", format!("Bearer {}", served.node.key))];
    let answer = served.ask("POST", &key, &hello.to_string()).await;
    assert_eq!(
        (
            answer.status,
            answer.json()["id"].clone(),
            answer.json()["result"]["protocolVersion"].clone()
        ),
        (200, json!("a"), json!("2025-11-25")),
        "T18"
    );
    assert!(
        !answer.header("mcp-session-id").is_empty(),
        "T18: the legacy lane"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_of_the_modern_era_gets_a_new_head() {
    let served = Served::start(Speaks::Both).await;
    served.upstream.set_script(|message| {
        (message["method"] == "prompts/list").then(|| {
            let body = Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": {"prompts": []}}));
            let leaks = [
                ("set-cookie", "a=b"),
                ("www-authenticate", "Basic"),
                ("mcp-session-id", "theirs"),
                ("x-internal", "db-7"),
                ("access-control-allow-origin", "*"),
            ];
            (leaks, body).into_response()
        })
    });
    let answer = served.post(&served.modern(1, "prompts/list", json!({}))).await;
    assert_eq!(answer.status, 200);
    let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names, ["content-length", "content-type", "date", "x-request-id"]);
}
