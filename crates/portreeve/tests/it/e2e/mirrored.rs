//! Arguments that headers repeat (2026-07-28, `x-mcp-header`): headers and body must say the same.

use serde_json::{Value, json};

use crate::node::Node;
use crate::served::{Served, error_of};
use crate::upstream::{Speaks, Upstream, tool};
use crate::web::LegacyHost;

fn annotated(name: &str, schema: Value) -> Value {
    let mut tool = tool(name, "Says it again", true);
    tool["inputSchema"] = schema;
    tool
}

async fn served() -> Served {
    speaking(Speaks::Both).await
}

async fn speaking(eras: Speaks) -> Served {
    let region = json!({"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "size": {"type": "integer", "x-mcp-header": "Size"},
    }});
    let wrong = json!({"type": "object", "properties": {"data": {"type": "object", "x-mcp-header": "Data"}}});
    let node = Node::start().await;
    let upstream = Upstream::start(eras).await;
    upstream.set_tools(vec![annotated("echo", region), annotated("wipe", wrong)]);
    let slug = node.add("com.acme/billing", &upstream.url);
    let url = node.endpoint(&slug);
    Served {
        node,
        upstream,
        slug,
        url,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_differ_from_the_body_are_refused_before_the_server() {
    let served = served().await;
    let arguments = json!({"region": "Zürich", "size": 42});
    let call = |given: &[(&'static str, &str)]| {
        let mut request = served.modern(3, "tools/call", json!({"name": "echo", "arguments": arguments}));
        let fields = given.iter().map(|(name, value)| (*name, (*value).to_owned()));
        request.0.extend(fields);
        request
    };
    let encoded = "=?base64?WsO8cmljaA==?=";
    let calls = served.upstream.calls();
    for given in [
        &[][..],
        &[("mcp-param-region", encoded)],
        &[("mcp-param-region", encoded), ("mcp-param-size", "43")],
        &[("mcp-param-region", "Bern"), ("mcp-param-size", "42")],
        &[("mcp-param-region", "=?base64?%%?="), ("mcp-param-size", "42")],
        &[
            ("mcp-param-region", encoded),
            ("mcp-param-region", encoded),
            ("mcp-param-size", "42"),
        ],
    ] {
        let refused = served.post(&call(given)).await;
        let (status, code, id, _) = error_of(&refused);
        assert_eq!((status, code, id), (400, json!(-32020), json!(3)), "{given:?}");
    }
    assert_eq!(served.upstream.calls(), calls);
    let given = [
        ("mcp-param-region", encoded),
        ("mcp-param-size", "42.0"),
        ("mcp-param-other", "x"),
    ];
    let passed = served.post(&call(&given)).await;
    assert_eq!(passed.status, 200, "{}", passed.text());
    let seen = served.upstream.seen().pop().expect("the call");
    assert_eq!(seen.headers["mcp-param-region"], encoded);
    assert_eq!(seen.headers["mcp-param-other"], "x", "what nobody knows passes");
    served.node.cli_json(&[
        "call",
        "com.acme/billing",
        "echo",
        "--arg",
        "region=Bern",
        "--arg",
        "size=7",
    ]);
    let seen = served.upstream.seen_of_all().pop().expect("the call");
    assert_eq!(
        (&seen.headers["mcp-param-region"], &seen.headers["mcp-param-size"]),
        (&"Bern".parse().unwrap(), &"7".parse().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_no_host_may_call_is_left_out() {
    let served = served().await;
    let listed = served
        .post(&served.modern(1, "tools/list", json!({})))
        .await
        .json();
    let names: Vec<_> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].clone())
        .collect();
    assert_eq!(names, ["echo"]);
    let refused = served
        .post(&served.modern(2, "tools/call", json!({"name": "wipe", "arguments": {}})))
        .await;
    assert_eq!(refused.json()["error"]["message"], "Unknown tool: wipe");
    // Hosts of the legacy era know nothing of such headers.
    let host = served.legacy().await;
    let answer = host
        .request(json!(1), "tools/call", json!({"name": "wipe", "arguments": {}}))
        .await;
    assert!(answer.json()["result"].is_object(), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_server_gets_the_headers_that_a_legacy_host_does_not_know_of() {
    let served = speaking(Speaks::Modern).await;
    let host = LegacyHost::connect(&served.node.web, &served.url, Some(&served.node.key)).await;
    let call = json!({"name": "echo", "arguments": {"region": "Zürich", "size": 42}});
    let answer = host.request(json!(1), "tools/call", call).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = served.upstream.seen().pop().expect("the call");
    assert_eq!(seen.headers["mcp-param-region"], "=?base64?WsO8cmljaA==?=");
    assert_eq!(seen.headers["mcp-param-size"], "42");
}
