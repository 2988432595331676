//! Bodies that no good host sends: each gets its error, the server sees none of them, and the node serves on, this route
//! and the others.

use serde_json::{Value, json};

use crate::node::Node;
use crate::served::{Request, Served, error_of, with};
use crate::upstream::Speaks;
use crate::web::modern;
use crate::wire::Wire;

const IN_META: &str = "io.modelcontextprotocol/protocolVersion";

/// How a body must be refused: status, code, and the id as it is echoed.
type Refusal = (u16, i64, Value);

struct Place {
    served: Served,
    elsewhere: String,
}

impl Place {
    async fn start() -> Self {
        let served = Served::start(Speaks::Both).await;
        let elsewhere = served.node.add("com.acme/second", &served.upstream.url);
        Self { served, elsewhere }
    }

    /// Refuses these bodies, with the headers of a modern call of `echo` and with those of a legacy session.
    async fn refuses(&self, bodies: Vec<(&str, Vec<u8>, Refusal)>) {
        let served = &self.served;
        let host = served.legacy().await;
        let (modern, _) = self.echo();
        let reached = served.reached();
        for (name, body, (status, code, id)) in bodies {
            for headers in [&modern, &host.headers] {
                let answer = raw(&served.node, &served.slug, headers, &body).await;
                assert_eq!(answer.0, status, "{name}: {answer:?}");
                if status != 413 {
                    assert_eq!(
                        (&answer.1["error"]["code"], &answer.1["id"]),
                        (&json!(code), &id),
                        "{name}: {answer:?}"
                    );
                }
            }
            assert_eq!(served.reached(), reached, "{name}: it reached the server");
        }
        assert_eq!(
            host.request(json!(1), "ping", json!({})).await.status,
            200,
            "the session lives"
        );
        self.is_unharmed().await;
    }

    async fn is_unharmed(&self) {
        self.served.is_well().await;
        let node = &self.served.node;
        let (headers, body) = modern(Some(&node.key), 1, "tools/list", json!({}));
        let url = node.endpoint(&self.elsewhere);
        let other = node.web.ask("POST", &url, &headers, body).await.unwrap();
        assert_eq!(other.json()["result"]["tools"].as_array().map(Vec::len), Some(3));
    }

    fn echo(&self) -> Request {
        self.served
            .modern(1, "tools/call", json!({"name": "echo", "arguments": {}}))
    }
}

/// Posts bytes that need not be text.
async fn raw(node: &Node, slug: &str, headers: &[(&'static str, String)], body: &[u8]) -> (u16, Value) {
    let fields: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let host = node.url.trim_start_matches("http://");
    let head = format!(
        "POST /s/{slug}/mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    let mut wire = Wire::connect(&node.url).await;
    wire.write([head.as_bytes(), body].concat()).await;
    let answer = wire.answer().await.expect("an answer");
    (
        answer.status,
        serde_json::from_str(&answer.body).unwrap_or_default(),
    )
}

fn call(arguments: &str) -> Vec<u8> {
    let meta = json!({IN_META: "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{arguments},"_meta":{meta}}}}}"#
    )
    .into_bytes()
}

fn not_json(name: &str, body: impl Into<Vec<u8>>) -> (&str, Vec<u8>, Refusal) {
    (name, body.into(), (400, -32700, Value::Null))
}

fn no_message(name: &str, body: impl Into<Vec<u8>>) -> (&str, Vec<u8>, Refusal) {
    (name, body.into(), (400, -32600, Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_is_refused() {
    let place = Place::start().await;
    let good = call("{}");
    let cut = good.split_at(good.len() - 1).0.to_vec();
    let invalid = |at: &str, bytes: &[u8]| {
        let text = String::from_utf8(call(&format!(r#"{{"x":"{at}"}}"#))).unwrap();
        let (before, after) = text.split_once(at).unwrap();
        [before.as_bytes(), bytes, after.as_bytes()].concat()
    };
    place
        .refuses(vec![
            not_json("nothing", ""),
            not_json("blanks", " \n\t\r "),
            not_json("words", "nonsense"),
            not_json("a form", "jsonrpc=2.0&id=1"),
            not_json("cut short", cut),
            not_json("something behind", [good.as_slice(), b"x"].concat()),
            not_json("two messages", [good.as_slice(), b"\n", good.as_slice()].concat()),
            not_json("a byte order mark", [b"\xef\xbb\xbf", good.as_slice()].concat()),
            not_json("a comment", [b"/* */", good.as_slice()].concat()),
            not_json("single quotes", "{'jsonrpc':'2.0'}"),
            not_json("NaN", call("NaN")),
            not_json("Infinity", call("-Infinity")),
            not_json("a number with a leading zero", call("007")),
            not_json("a hexadecimal number", call("0x7")),
            not_json("a control character in a text", call("{\"x\":\"\u{1}\"}")),
            not_json("a line feed in a text", call("{\"x\":\"\n\"}")),
            not_json("an unknown escape", call(r#"{"x":"\q"}"#)),
            not_json("an escape cut short", call(r#"{"x":"\u12"}"#)),
            not_json("NUL", call("\0")),
            not_json("UTF-8 cut short", invalid("@@", b"\xe2\x82")),
            not_json("UTF-8 too long", invalid("@@", b"\xc0\xaf")),
            not_json("a surrogate in UTF-8", invalid("@@", b"\xed\xa0\x80")),
            not_json("no UTF-8", invalid("@@", b"\xff\xfe")),
            not_json(
                "no UTF-8 in a key that nobody knows",
                b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"\xff\":1}".to_vec(),
            ),
            not_json(
                "UTF-16",
                good.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<_>>(),
            ),
            not_json("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00".to_vec()),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused() {
    let place = Place::start().await;
    let good = String::from_utf8(call("{}")).unwrap();
    let id = |id: &str| good.replacen("\"id\":1", &format!("\"id\":{id}"), 1);
    let long = "x".repeat(1_000_000);
    place
        .refuses(vec![
            no_message("a batch", format!("[{good}]")),
            no_message(
                "a batch of many",
                format!("[{}{good}]", format!("{good},").repeat(100)),
            ),
            no_message("an empty batch", "[]"),
            no_message("a text", format!("\"{long}\"")),
            no_message("null", "null"),
            no_message("a huge id", id(&format!("\"{long}\""))),
            no_message("an id of many digits", id(&"9".repeat(100_000))),
            no_message("an id beyond numbers", id("1e400")),
            no_message("a negative zero with a point", id("-0.0")),
            no_message("an array for an id", id("[1]")),
            no_message("no method", good.replacen("\"method\":\"tools/call\",", "", 1)),
            no_message("no version", good.replacen("\"jsonrpc\":\"2.0\",", "", 1)),
            no_message("a call without an id", good.replacen("\"id\":1,", "", 1)),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_deep_or_too_much_is_refused() {
    let place = Place::start().await;
    let deep = |open: &str, close: &str, depth: usize| {
        call(&format!("{}1{}", open.repeat(depth), close.repeat(depth)))
    };
    place
        .refuses(vec![
            no_message("10,000 arrays", deep("[", "]", 10_000)),
            no_message("10,000 objects", deep("{\"a\":", "}", 10_000)),
            no_message("1,000,000 arrays that never close", call(&"[".repeat(1_000_000))),
            no_message("arrays alone", "[".repeat(10_000)),
            no_message("127 levels in the arguments", deep("[", "]", 127)),
            no_message("100,001 values", call(&format!("[{}1]", "1,".repeat(100_001)))),
            no_message("100,001 members", {
                let members: Vec<_> = (0..100_001).map(|number| format!("\"{number}\":0")).collect();
                call(&format!("{{{}}}", members.join(",")))
            }),
            no_message("100,001 commas", ",".repeat(100_001)),
        ])
        .await;
    let (headers, _) = place.echo();
    for (name, body) in [
        ("125 levels", deep("[", "]", 125)),
        ("99,000 values", call(&format!("[{}1]", "1,".repeat(99_000)))),
        (
            "brackets in a text",
            call(&format!("\"{}\"", "[{".repeat(100_000))),
        ),
    ] {
        let (status, answer) = raw(&place.served.node, &place.served.slug, &headers, &body).await;
        assert!(
            status == 200 && answer["result"].is_object(),
            "{name}: {status} {answer}"
        );
        assert_eq!(place.served.upstream.seen().pop().unwrap().body, body, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_7_a_key_twice_is_refused_wherever_it_decides() {
    let place = Place::start().await;
    let good = String::from_utf8(call("{}")).unwrap();
    let twice = |once: &str, again: &str| good.replacen(once, &format!("{again},{once}"), 1);
    let whole = |name, once: &str, again: &str| no_message(name, twice(once, again));
    let inside =
        |name, once: &str, again: &str| (name, twice(once, again).into_bytes(), (400, -32602, json!(1)));
    let version = format!("\"{IN_META}\":\"2026-07-28\"");
    let capabilities = "\"io.modelcontextprotocol/clientCapabilities\":{}";
    place
        .refuses(vec![
            whole("jsonrpc", "\"jsonrpc\":\"2.0\"", "\"jsonrpc\":\"2.0\""),
            whole("id", "\"id\":1", "\"id\":2"),
            whole("method", "\"method\":\"tools/call\"", "\"method\":\"tools/list\""),
            whole(
                "method, escaped",
                "\"method\":\"tools/call\"",
                "\"m\\u0065thod\":\"tools/list\"",
            ),
            whole(
                "method, in other letters",
                "\"method\":\"tools/call\"",
                "\"Method\":\"tools/list\"",
            ),
            whole("params", "\"params\":", "\"params\":{}"),
            inside("name", "\"name\":\"echo\"", "\"name\":\"wipe\""),
            inside("name, escaped", "\"name\":\"echo\"", "\"n\\u0061me\":\"wipe\""),
            inside("name, in other letters", "\"name\":\"echo\"", "\"NAME\":\"wipe\""),
            inside("uri", "\"name\":\"echo\"", "\"uri\":\"a\",\"uri\":\"b\""),
            inside("arguments", "\"arguments\":{}", "\"arguments\":{\"a\":1}"),
            inside("_meta", "\"_meta\":", "\"_meta\":{}"),
            inside(
                "version in `_meta`",
                &version,
                "\"io.modelcontextprotocol/protocolVersion\":\"2025-11-25\"",
            ),
            inside(
                "version, escaped",
                &version,
                "\"io.modelcontextprotocol\\/protocolVersion\":\"2025-11-25\"",
            ),
            inside(
                "version, in other letters",
                &version,
                "\"IO.modelcontextprotocol/protocolVersion\":\"2025-11-25\"",
            ),
            inside("capabilities", capabilities, capabilities),
            (
                "a name that is no text",
                good.replacen("\"echo\"", "[\"echo\"]", 1).into_bytes(),
                (400, -32602, json!(1)),
            ),
            (
                "a `_meta` that is no object",
                good.replacen("\"_meta\":{", "\"x\":{", 1)
                    .replacen("\"arguments\":{}", "\"arguments\":{},\"_meta\":7", 1)
                    .into_bytes(),
                (400, -32602, json!(1)),
            ),
        ])
        .await;
    // The arguments are the tool's own, and pass as they came.
    let (headers, _) = place.echo();
    let body = call(r#"{"a":1,"a":2,"A":3,"\u0061":4}"#);
    let (status, _) = raw(&place.served.node, &place.served.slug, &headers, &body).await;
    assert_eq!(
        (status, place.served.upstream.seen().pop().unwrap().body.to_vec()),
        (200, body)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_is_held() {
    let place = Place::start().await;
    let served = &place.served;
    let reached = served.reached();
    let (headers, _) = place.echo();
    let limit = 4 * 1024 * 1024;
    let of_size = |size: usize| {
        let empty = call("\"\"").len();
        call(&format!("\"{}\"", "x".repeat(size - empty)))
    };
    let (status, answer) = raw(&served.node, &served.slug, &headers, &of_size(limit + 1)).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (413, &json!(-32600)),
        "declared"
    );
    assert_eq!(served.reached(), reached);

    let fields: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let host = served.node.url.trim_start_matches("http://");
    for (name, piece, pieces) in [("in chunks", 64 * 1024, 65), ("in one chunk", limit + 1, 1)] {
        let mut wire = Wire::connect(&served.node.url).await;
        let head = format!(
            "POST /s/{}/mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n{fields}\r\n",
            served.slug
        );
        wire.write(head).await;
        let chunk = format!("{piece:x}\r\n{}\r\n", " ".repeat(piece));
        for _ in 0..pieces {
            wire.write(&chunk).await;
        }
        let answer = wire.answer().await.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(answer.status, 413, "{name}: {answer:?}");
    }
    assert_eq!(served.reached(), reached);

    let body = of_size(limit);
    let (status, answer) = raw(&served.node, &served.slug, &headers, &body).await;
    assert!(
        status == 200 && answer["result"].is_object(),
        "the limit itself is within it: {status}"
    );
    // The keeper of pins may ask the server in between.
    let seen = served.upstream.seen();
    assert!(seen.iter().any(|request| request.body.len() == limit));
    place.is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_beyond_a_reader_pass_as_they_were_written() {
    let place = Place::start().await;
    let (headers, _) = place.echo();
    for number in [
        "1e400",
        "-1e-400",
        "1.0",
        "1E+2",
        "-0",
        "0.1000000000000000055511151231257827",
        "123456789012345678901234567890",
    ] {
        let body = call(&format!(r#"{{"n": {number} }}"#));
        let (status, answer) = raw(&place.served.node, &place.served.slug, &headers, &body).await;
        assert_eq!(
            place.served.upstream.seen().pop().unwrap().body,
            body,
            "{number}: {status} {answer}"
        );
    }
    place.is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_sessions_origins_hosts_and_types_are_refused() {
    let place = Place::start().await;
    let served = &place.served;
    let host = served.legacy().await;
    let reached = served.reached();
    let list = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/list"}).to_string();
    let refused = |status: u16, code: i64, id: Value| (status, json!(code), id, Value::Null);
    for (header, value, expected) in [
        (
            "mcp-session-id",
            Some("unknown"),
            refused(404, -32000, json!("a")),
        ),
        ("mcp-session-id", None, refused(400, -32000, json!("a"))),
        (
            "origin",
            Some("http://evil.example"),
            refused(403, -32600, Value::Null),
        ),
    ] {
        let answer = served
            .ask("POST", &with(&host.headers, header, value), &list)
            .await;
        assert_eq!(error_of(&answer), expected, "{header}: {value:?}");
    }
    let two_hosts = with(&host.headers, "host", Some("evil.example"));
    let (status, _) = raw(&served.node, &served.slug, &two_hosts, list.as_bytes()).await;
    assert_eq!(status, 403, "another host beside ours");
    for odd in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-seq",
        "application/problem+json",
        "text/json",
    ] {
        let answer = served
            .ask("POST", &with(&host.headers, "content-type", Some(odd)), &list)
            .await;
        assert_eq!(error_of(&answer), refused(415, -32600, Value::Null), "{odd}");
    }
    assert_eq!(served.reached(), reached);
    for fine in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;x=y",
    ] {
        let answer = served
            .ask("POST", &with(&host.headers, "content-type", Some(fine)), &list)
            .await;
        assert_eq!(answer.status, 200, "{fine}");
    }
    place.is_unharmed().await;
}
