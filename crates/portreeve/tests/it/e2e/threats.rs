//! Attacks that security reviews name: headers that say something else than the body, and tools that ask for such headers
//! where they cannot be. (States of calls: `bridge_rounds`. Lists of somebody else: `list_scope`, `list_cache`.)

use serde_json::{Value, json};

use crate::node::Node;
use crate::served::{Served, error_of};
use crate::upstream::{Speaks, Upstream, tool};
use crate::web::LegacyHost;
use crate::wire::Wire;

fn asking(name: &str, properties: &Value) -> Value {
    let mut tool = tool(name, "Says it again", true);
    tool["inputSchema"] = json!({"type": "object", "properties": properties});
    tool
}

async fn served(speaks: Speaks) -> Served {
    let node = Node::start().await;
    let upstream = Upstream::start(speaks).await;
    let region = json!({"region": {"type": "string", "x-mcp-header": "Region"}});
    upstream.set_tools(vec![asking("echo", &region)]);
    let slug = node.add("com.acme/billing", &upstream.url);
    let url = node.endpoint(&slug);
    Served {
        node,
        upstream,
        slug,
        url,
    }
}

/// Calls the tool with this region, and this header beside it. It must not reach the server.
async fn refused(served: &Served, region: &str, given: Option<&str>) {
    let calls = served.upstream.calls();
    let params = json!({"name": "echo", "arguments": {"region": region}});
    let mut request = served.modern(3, "tools/call", params);
    request
        .0
        .extend(given.map(|given| ("mcp-param-region", given.to_owned())));
    let (status, code, id, _) = error_of(&served.post(&request).await);
    assert_eq!(
        (status, code, id),
        (400, json!(-32020), json!(3)),
        "{region:?} {given:?}"
    );
    assert_eq!(served.upstream.calls(), calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_5_a_header_that_differs_from_its_argument_is_refused() {
    let served = served(Speaks::Both).await;
    for (region, given) in [
        ("Bern", "Basel"),
        ("Bern", "bern"),
        ("Bern", ""),
        ("", "Bern"),
        ("Bern", "=?base64?QmFzZWw=?="),
    ] {
        refused(&served, region, Some(given)).await;
    }
    served.is_well_with_its_header().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_5_an_argument_without_its_header_is_refused() {
    let served = served(Speaks::Both).await;
    refused(&served, "Bern", None).await;
    served.is_well_with_its_header().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_5_a_header_with_a_line_break_or_beyond_ascii_is_refused() {
    let served = served(Speaks::Both).await;
    let body = |region: &str| {
        let params = json!({"name": "echo", "arguments": {"region": region}});
        served.modern(3, "tools/call", params)
    };
    // As bytes, since no HTTP client writes these. What cannot be a head is answered by nobody who reads bodies.
    for (region, given, code) in [
        ("Z\u{fc}rich", "Z\u{fc}rich".as_bytes(), -32020),
        ("Z\u{fc}rich", b"Z\xfcrich", -32020),
        ("a\u{7f}", b"a\x7f", 0),
        ("a\nb", b"a\nb", 0),
        ("a b", b"a\r\n b", 0),
        ("a", b"a\0", 0),
    ] {
        let (headers, body) = body(region);
        let origin = served.node.url.trim_start_matches("http://");
        let mut head = format!("POST /s/{}/mcp HTTP/1.1\r\nhost: {origin}\r\n", served.slug);
        for (name, value) in &headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {}\r\nmcp-param-region: ",
            body.len()
        ));
        let mut wire = Wire::connect(&served.node.url).await;
        wire.write([head.as_bytes(), given, b"\r\n\r\n", body.as_bytes()].concat())
            .await;
        let answer = wire.answer().await.expect("an answer");
        assert_eq!(
            (answer.status, answer.code()),
            (400, code),
            "{given:?}: {}",
            answer.body
        );
    }
    assert_eq!(served.upstream.calls(), 0);
    // Encoded, it is the same text, and the server gets it as it came.
    let (mut headers, body) = body("a\nb");
    headers.push(("mcp-param-region", "=?base64?YQpi?=".to_owned()));
    assert_eq!(served.post(&(headers, body)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_5_an_argument_of_a_legacy_host_becomes_no_second_header() {
    let served = served(Speaks::Modern).await;
    let host = LegacyHost::connect(&served.node.web, &served.url, Some(&served.node.key)).await;
    let call = json!({"name": "echo", "arguments": {"region": "a\r\nx-other: b"}});
    let answer = host.request(json!(1), "tools/call", call).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = served.upstream.seen().pop().expect("the call");
    assert_eq!(
        seen.headers["mcp-param-region"],
        "=?base64?YQ0KeC1vdGhlcjogYg==?="
    );
    assert!(seen.headers.get("x-other").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_6_a_tool_that_breaks_the_rules_for_headers_is_dropped_and_said_to_be_and_others_stay() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let broken = [
        json!({"a": {"type": "string", "x-mcp-header": ""}}),
        json!({"a": {"type": "string", "x-mcp-header": "not a token"}}),
        json!({"a": {"type": "string", "x-mcp-header": "Same"}, "b": {"type": "string", "x-mcp-header": "same"}}),
        json!({"a": {"type": "number", "x-mcp-header": "A"}}),
        json!({"a": {"type": "object", "x-mcp-header": "A"}}),
        json!({"a": {"type": "array", "x-mcp-header": "A"}}),
        json!({"a": {"oneOf": [{"type": "string", "x-mcp-header": "A"}]}}),
    ];
    let mut tools: Vec<Value> = broken
        .iter()
        .enumerate()
        .map(|(at, properties)| asking(&format!("broken-{at}"), properties))
        .collect();
    tools.push(asking(
        "echo",
        &json!({"a": {"type": "integer", "x-mcp-header": "A"}}),
    ));
    upstream.set_tools(tools);
    let slug = node.add("com.acme/billing", &upstream.url);
    let served = Served {
        url: node.endpoint(&slug),
        node,
        upstream,
        slug,
    };
    let names = |list: &Value| -> Vec<Value> {
        let tools = list["result"]["tools"]
            .as_array()
            .unwrap_or_else(|| panic!("{list}"));
        tools.iter().map(|tool| tool["name"].clone()).collect()
    };
    let list = served
        .post(&served.modern(1, "tools/list", json!({})))
        .await
        .json();
    assert_eq!(names(&list), ["echo"]);
    let host = served.legacy().await;
    let list = host.request(json!(1), "tools/list", json!({})).await.json();
    assert_eq!(names(&list), ["echo"]);
    for at in 0..broken.len() {
        let name = format!("broken-{at}");
        let params = json!({"name": name, "arguments": {}});
        let refused = served.post(&served.modern(2, "tools/call", params)).await.json();
        assert_eq!(refused["error"]["message"], format!("Unknown tool: {name}"));
        let why = served.node.cli(&["why", "com.acme/billing", &name]);
        let why = String::from_utf8_lossy(&why.stdout).into_owned();
        assert!(why.contains("cannot be called in this era"), "{why}");
    }
    // Administrators see which, and why.
    let known = served.node.cli_json(&["server", "tools", "com.acme/billing"]);
    for tool in known["items"].as_array().expect("tools") {
        let problem = tool["problem"].as_str().unwrap_or_default();
        assert_eq!(
            problem.starts_with("left out of every list: "),
            tool["name"] != "echo",
            "{tool}"
        );
    }
    let shown = served.node.cli(&["server", "tools", "com.acme/billing"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(
        shown.matches("left out of every list: ").count(),
        broken.len(),
        "{shown}"
    );
}

impl Served {
    async fn is_well_with_its_header(&self) {
        let params = json!({"name": "echo", "arguments": {"region": "Bern"}});
        let mut request = self.modern(4, "tools/call", params);
        request.0.push(("mcp-param-region", "Bern".to_owned()));
        assert_eq!(self.post(&request).await.status, 200);
    }
}
