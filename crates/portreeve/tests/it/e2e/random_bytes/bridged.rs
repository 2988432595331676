//! The same from one era to the other: what the bridge does not name arrives as it was written.

use serde_json::{Value, json};

use super::maker::{DEPTH, Maker};
use super::{MESSAGES, Prepared, served};
use crate::served::Served;
use crate::upstream::Speaks;

/// What a request of the modern era says in its `_meta`, and no other says.
const META: [&str; 4] = [
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/logLevel",
];
/// What a result of the modern era says, and no other says.
const RESULT: [&str; 3] = ["resultType", "ttlMs", "cacheScope"];
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// A host of the era that the server does not speak.
struct Stranger {
    headers: Vec<(&'static str, String)>,
    /// What its requests say in `_meta`.
    marks: Vec<(&'static str, String)>,
    /// What the server's results say.
    typed: Vec<(&'static str, String)>,
}

impl Stranger {
    async fn to(speaks: Speaks, served: &Served, maker: &mut Maker) -> Self {
        if speaks == Speaks::Legacy {
            let capabilities = maker.object(DEPTH, &[]);
            let (headers, _) = served.modern(1, "tools/call", json!({"name": "echo"}));
            return Self {
                headers,
                marks: vec![(META[0], "\"2026-07-28\"".to_owned()), (META[2], capabilities)],
                typed: Vec::new(),
            };
        }
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"},
        });
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let key = [("authorization", format!("Bearer {}", served.node.key))];
        let welcome = served.ask("POST", &key, &hello.to_string()).await;
        assert!(welcome.json()["result"].is_object(), "{}", welcome.text());
        let mut headers = vec![
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-session-id", welcome.header("mcp-session-id").to_owned()),
            ("mcp-protocol-version", "2025-11-25".to_owned()),
        ];
        headers.extend(key);
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(served.ask("POST", &headers, &note.to_string()).await.status, 202);
        Self {
            headers,
            marks: Vec::new(),
            typed: vec![(RESULT[0], "\"complete\"".to_owned())],
        }
    }
}

/// A message without what the bridge names.
fn unnamed(text: &str) -> Value {
    let mut message: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let members = message.as_object_mut().expect("a message");
    members.remove("id");
    for (part, names, meta) in [
        ("params", &[][..], &META[..]),
        ("result", &RESULT[..], &[SERVER_INFO][..]),
    ] {
        let Some(part) = members.get_mut(part).and_then(Value::as_object_mut) else {
            continue;
        };
        names.iter().for_each(|name| drop(part.remove(*name)));
        let Some(inner) = part.get_mut("_meta").and_then(Value::as_object_mut) else {
            continue;
        };
        meta.iter().for_each(|name| drop(inner.remove(*name)));
        if inner.is_empty() {
            part.remove("_meta");
        }
    }
    message
}

/// What arrived is what was sent: as values, and every member that nobody knows as it was written.
fn must_be_alike(sent: &str, got: &str, members: &[String], way: &str) {
    assert_eq!(unnamed(got), unnamed(sent), "{way}");
    for member in members {
        assert!(got.contains(member.as_str()), "{way}: {member} is not in {got}");
    }
}

/// One call.
async fn crossed(served: &Served, prepared: &Prepared, stranger: &Stranger, maker: &mut Maker, mark: u64) {
    // What the other hop has no place for is not looked for.
    maker.written();
    let answer = maker.answer(&stranger.typed);
    let to_host = maker.written();
    let said = (Vec::new(), answer.clone());
    prepared.lock().unwrap().insert(mark, said);
    let sent = maker.call(mark, &stranger.marks);
    let to_server = maker.written();
    let got = served.ask("POST", &stranger.headers, &sent).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let is_this = |body: &String| {
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        message["params"]["arguments"]["mark"] == mark
    };
    let seen = served.upstream.seen_of_all().into_iter();
    let mut bodies = seen.map(|seen| String::from_utf8_lossy(&seen.body).into_owned());
    let arrived = bodies.find(is_this).expect("it reached the server");
    must_be_alike(&sent, &arrived, &to_server, "to the server");
    let answer = answer.replace(super::maker::ID, "1");
    must_be_alike(&answer, &got.text(), &to_host, "to the host");
    assert_eq!(got.json()["id"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_generated_messages_keep_what_the_bridge_does_not_name() {
    let mut maker = Maker::new();
    for speaks in [Speaks::Legacy, Speaks::Modern] {
        let (served, prepared) = served(speaks).await;
        let stranger = Stranger::to(speaks, &served, &mut maker).await;
        for mark in 0..MESSAGES {
            crossed(&served, &prepared, &stranger, &mut maker, mark).await;
        }
    }
}
