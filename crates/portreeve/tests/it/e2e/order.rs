//! The fixed order of checks: size of the head, `Host`, `Origin`, HTTP method, credential, size of the body, and from
//! the JSON on the ladder. Faults are combined in pairs, and the earlier one is answered.

use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::Speaks;
use crate::wire::Wire;

/// A modern call, taken apart.
#[derive(Clone)]
struct Call {
    padding: usize,
    host: Option<&'static str>,
    origin: Option<&'static str>,
    verb: &'static str,
    key: Option<String>,
    declared: Option<usize>,
    media_type: &'static str,
    instead: Option<&'static str>,
    version: &'static str,
    meta: Value,
    method: &'static str,
    mirrored_method: Option<&'static str>,
    mirrored_name: &'static str,
}

impl Call {
    fn of(key: &str) -> Self {
        Self {
            padding: 0,
            host: None,
            origin: None,
            verb: "POST",
            key: Some(key.to_owned()),
            declared: None,
            media_type: "application/json",
            instead: None,
            version: "2026-07-28",
            meta: json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            }),
            method: "tools/call",
            mirrored_method: None,
            mirrored_name: "echo",
        }
    }

    fn written(&self, served: &Served) -> String {
        let params = json!({"name": "echo", "arguments": {}, "_meta": self.meta});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": params});
        let body = self.instead.map_or(body.to_string(), str::to_owned);
        let ours = served.node.url.trim_start_matches("http://");
        let mut fields = vec![
            ("Host", self.host.unwrap_or(ours).to_owned()),
            ("Content-Type", self.media_type.to_owned()),
            ("Content-Length", self.declared.unwrap_or(body.len()).to_string()),
            ("MCP-Protocol-Version", self.version.to_owned()),
            (
                "Mcp-Method",
                self.mirrored_method.unwrap_or(self.method).to_owned(),
            ),
            ("Mcp-Name", self.mirrored_name.to_owned()),
            ("X-Padding", "x".repeat(self.padding)),
        ];
        fields.extend(self.origin.map(|origin| ("Origin", origin.to_owned())));
        fields.extend(
            self.key
                .as_ref()
                .map(|key| ("Authorization", format!("Bearer {key}"))),
        );
        let fields: String = fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!(
            "{} /s/{}/mcp HTTP/1.1\r\n{fields}\r\n{body}",
            self.verb, served.slug
        )
    }
}

/// What is wrong, how it is answered, and how it is done to a call.
struct Fault {
    name: &'static str,
    status: u16,
    code: i64,
    /// The first words of the message.
    words: &'static str,
    commit: fn(&mut Call),
}

const fn fault(
    name: &'static str,
    status: u16,
    code: i64,
    words: &'static str,
    commit: fn(&mut Call),
) -> Fault {
    Fault {
        name,
        status,
        code,
        words,
        commit,
    }
}

/// In the order in which they are looked for.
const FAULTS: [Fault; 15] = [
    fault("head", 431, -32600, "Request Header Fields", |call| {
        call.padding = 16 * 1024
    }),
    fault("host", 403, -32600, "Forbidden: the `Host`", |call| {
        call.host = Some("evil.example")
    }),
    fault("origin", 403, -32600, "Forbidden: this `Origin`", |call| {
        call.origin = Some("http://evil.example");
    }),
    fault("method", 405, -32600, "Method not allowed", |call| {
        call.verb = "PUT"
    }),
    fault("credential", 401, -32600, "Unauthorized", |call| call.key = None),
    fault("body", 413, -32600, "Payload Too Large", |call| {
        call.declared = Some(5 * 1024 * 1024)
    }),
    fault("media type", 415, -32600, "Unsupported Media", |call| {
        call.media_type = "text/plain"
    }),
    fault("L3, JSON", 400, -32700, "Parse error", |call| {
        call.instead = Some("{")
    }),
    fault("L3, batch", 400, -32600, "Invalid Request", |call| {
        call.instead = Some("[]")
    }),
    fault(
        "L4",
        400,
        -32020,
        "Header mismatch: the header `MCP-Protocol-Version`",
        |call| {
            call.version = "2025-11-25";
        },
    ),
    fault("L5", 400, -32602, "Invalid params", |call| {
        let meta = call.meta.as_object_mut().unwrap();
        meta.remove("io.modelcontextprotocol/clientCapabilities");
    }),
    fault("L6", 400, -32022, "Unsupported protocol", |call| {
        call.meta["io.modelcontextprotocol/protocolVersion"] = "2099-01-01".into();
        call.version = "2099-01-01";
    }),
    fault(
        "L7",
        400,
        -32020,
        "Header mismatch: the header `Mcp-Method`",
        |call| {
            call.mirrored_method = Some("tools/list");
        },
    ),
    fault(
        "L8",
        400,
        -32020,
        "Header mismatch: the header `Mcp-Name`",
        |call| {
            call.mirrored_name = "wipe";
        },
    ),
    fault("L9", 404, -32601, "Method not found", |call| {
        call.method = "foo/bar"
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn of_two_faults_the_earlier_one_is_answered() {
    let served = Served::start(Speaks::Both).await;
    let good = Call::of(&served.node.key);
    let reached = served.reached();
    for (at, first) in FAULTS.iter().enumerate() {
        let alone = std::iter::once(None);
        for second in alone.chain(FAULTS.iter().skip(at + 1).map(Some)) {
            let name = format!(
                "{} and {}",
                first.name,
                second.map_or("nothing", |second| second.name)
            );
            if name == "L8 and L9" {
                // A method that nobody knows has no name to mirror.
                continue;
            }
            let mut call = good.clone();
            if let Some(second) = second {
                (second.commit)(&mut call);
            }
            (first.commit)(&mut call);
            let mut wire = Wire::connect(&served.node.url).await;
            wire.write(call.written(&served)).await;
            let answer = wire.answer().await.unwrap_or_else(|| panic!("{name}: no answer"));
            assert_eq!(
                (answer.status, answer.code()),
                (first.status, first.code),
                "{name}: {answer:?}"
            );
            assert!(
                answer.body.contains(&format!("\"message\":\"{}", first.words)),
                "{name}: {answer:?}"
            );
        }
    }
    assert_eq!(served.reached(), reached, "nothing reached the server");
    let mut wire = Wire::connect(&served.node.url).await;
    wire.write(good.written(&served)).await;
    assert_eq!(wire.answer().await.map(|answer| answer.status), Some(200));
    served.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_body_is_awaited_before_the_credential_is_good() {
    let served = Served::start(Speaks::Both).await;
    let mut call = Call::of("prv_00000000000000000000000000000000_x");
    call.instead = Some("");
    call.declared = Some(1_000);
    for key in [None, Some("prv_00000000000000000000000000000000_x"), Some("")] {
        call.key = key.map(str::to_owned);
        let mut wire = Wire::connect(&served.node.url).await;
        wire.write(call.written(&served)).await;
        let answer = wire.answer().await.expect("an answer without a body");
        assert_eq!(answer.status, 401, "{key:?}: {answer:?}");
        // What comes later is no request of its own.
        wire.write(Call::of(&served.node.key).written(&served)).await;
        assert!(wire.is_closed().await, "{key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_first_is_told_before_it_sends_its_body() {
    let served = Served::start(Speaks::Both).await;
    let ask_first = |call: &Call| {
        let (head, body) = call
            .written(&served)
            .rsplit_once("\r\n\r\n")
            .map(|(head, body)| (head.to_owned(), body.to_owned()))
            .unwrap();
        (format!("{head}\r\nExpect: 100-continue\r\n\r\n"), body)
    };
    let good = Call::of(&served.node.key);
    let mut wire = Wire::connect(&served.node.url).await;
    let (head, body) = ask_first(&good);
    wire.write(head).await;
    assert_eq!(wire.answer().await.map(|answer| answer.status), Some(100));
    wire.write(body).await;
    assert_eq!(wire.answer().await.map(|answer| answer.status), Some(200));
    for fault in FAULTS.iter().take(7) {
        let mut call = good.clone();
        (fault.commit)(&mut call);
        let mut wire = Wire::connect(&served.node.url).await;
        wire.write(ask_first(&call).0).await;
        let status = wire.answer().await.map(|answer| answer.status);
        assert_eq!(status, Some(fault.status), "{}", fault.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_9_a_head_has_a_limit_on_every_path() {
    let served = Served::start(Speaks::Both).await;
    let ours = served.node.url.trim_start_matches("http://");
    let endpoint = format!("/s/{}/mcp", served.slug);
    for path in [
        endpoint.as_str(),
        "/",
        "/v0.1/servers",
        "/api/v1/servers",
        "/healthz",
    ] {
        let long = "x".repeat(16 * 1024);
        let many = |fields: usize| "X-A: b\r\n".repeat(fields);
        for (name, target, fields) in [
            ("one long field", path.to_owned(), format!("X-A: {long}\r\n")),
            ("a long target", format!("{path}?{long}"), String::new()),
            ("65 fields", path.to_owned(), many(64)),
            ("100 fields", path.to_owned(), many(99)),
            ("70 KiB", path.to_owned(), format!("X-A: {long}\r\n").repeat(5)),
        ] {
            let mut wire = Wire::connect(&served.node.url).await;
            wire.write(format!("GET {target} HTTP/1.1\r\nHost: {ours}\r\n{fields}\r\n"))
                .await;
            let answer = wire.answer().await.unwrap_or_else(|| panic!("{path} {name}"));
            assert_eq!(answer.status, 431, "{path}, {name}: {answer:?}");
        }
        let mut wire = Wire::connect(&served.node.url).await;
        let padding = "x".repeat(15 * 1024);
        let fields = format!("X-A: {padding}\r\n{}", many(60));
        wire.write(format!("GET {path} HTTP/1.1\r\nHost: {ours}\r\n{fields}\r\n"))
            .await;
        let answer = wire.answer().await.expect("an answer");
        assert_ne!(answer.status, 431, "{path}: within the limits");
    }
    served.is_well().await;
}
