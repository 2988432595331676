//! The tables, each once in words and once over anything.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::level::Level;
use crate::method::Method;
use portreeve_core::protocol::Revision;

const CLIENT: Client<'static> = Client {
    capabilities: r#"{"roots":{}}"#,
    info: Some(r#"{"name":"old"}"#),
    level: Some(Level::Warning),
    version: "2026-07-28",
};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

const MODERN: &str = r#"{"jsonrpc":"2.0", "id":"a","method":"tools/call","params":{"name":"t" ,"arguments":{"_meta":1.0},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","x/y":[1.50],"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}},"x":{}},"io.modelcontextprotocol/clientInfo":{"name":"n"},"progressToken":"p","io.modelcontextprotocol/logLevel":"notice"},"requestState":"s","z":0}}"#;

#[test]
fn a_request_to_a_legacy_server_says_nothing_of_the_hosts_hop() {
    let told = told(MODERN.as_bytes());
    assert_eq!(told.level, Some(Level::Notice));
    assert_eq!(told.token.as_deref().map(RawValue::get), Some("\"p\""));
    assert_eq!(told.client.as_deref(), Some(r#"{"name":"n"}"#));
    let capabilities = told.capabilities.unwrap();
    assert_eq!(
        declared_to_legacy(&capabilities, false),
        r#"{"elicitation":{"url":{}},"x":{}}"#
    );
    let all = r#"{"elicitation":{"form":{}},"roots":{},"sampling":{},"tasks":{}}"#;
    assert_eq!(
        declared_to_legacy(all, true),
        r#"{"elicitation":{"form":{}},"roots":{},"sampling":{}}"#
    );
    assert_eq!(
        declared_to_legacy(r#"{"elicitation":{},"roots":{}}"#, false),
        "{}"
    );
    let legacy = to_legacy(MODERN.as_bytes(), 7).unwrap();
    assert_eq!(
        text(legacy),
        r#"{"jsonrpc":"2.0", "id":7,"method":"tools/call","params":{"name":"t" ,"arguments":{"_meta":1.0},"_meta":{"x/y":[1.50],"progressToken":7},"z":0}}"#
    );
}

#[test]
fn a_request_to_a_modern_server_says_all_of_the_hop() {
    let meta = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/clientInfo":{"name":"old"},"io.modelcontextprotocol/logLevel":"warning""#;
    let bare = r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#;
    let made = to_modern(bare.as_bytes(), 3, CLIENT).unwrap();
    assert_eq!(
        text(made),
        format!(r#"{{"params":{{"_meta":{{{meta}}}}},"jsonrpc":"2.0","id":3,"method":"tools/list"}}"#)
    );
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","task":{"ttl":1},"_meta":{"progressToken":5, "io.modelcontextprotocol/logLevel":"debug"}}}"#;
    let made = to_modern(
        call.as_bytes(),
        3,
        Client {
            level: None,
            ..CLIENT
        },
    )
    .unwrap();
    assert_eq!(
        text(made),
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"t","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/clientInfo":{"name":"old"},"progressToken":5}}}"#
    );
}

#[test]
fn a_host_that_comes_is_introduced_to_the_server() {
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"elicitation":{},"x":{},"tasks":{},"extensions":{"io.modelcontextprotocol/tasks":{}}},"clientInfo":{"name":"old"}}}"#;
    let introduction = introduction(hello.as_bytes());
    assert_eq!(introduction.proposed, Some(Revision::V2025_06_18));
    assert_eq!(introduction.info.as_deref(), Some(r#"{"name":"old"}"#));
    let capabilities = declared_to_modern(&introduction.capabilities.unwrap());
    let client = Client {
        capabilities: &capabilities,
        level: None,
        ..CLIENT
    };
    assert_eq!(
        text(discover(0, client)),
        r#"{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}},"x":{},"extensions":{}},"io.modelcontextprotocol/clientInfo":{"name":"old"}}}}"#
    );
}

#[test]
fn results_get_what_the_modern_era_asks_for_and_lose_it_again() {
    let legacy = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[ ],"_meta":{"k":1}}}"#;
    let modern = to_modern_result(legacy.as_bytes(), Method::ListTools, Some(r#"{"name":"s"}"#)).unwrap();
    let modern = text(modern);
    assert_eq!(
        modern,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[ ],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"},"k":1}}}"#
    );
    assert_eq!(text(to_legacy_result(modern.as_bytes()).unwrap()), legacy);
    let call = to_modern_result(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Method::CallTool, None).unwrap();
    assert_eq!(
        text(call),
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#
    );
}

#[test]
fn either_handshake_is_made_of_the_other() {
    let initialized = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"tasks":{},"logging":{},"x":{"y":1}},"serverInfo":{"name":"s","version":"1"},"instructions":"do"}}"#;
    let discovered: Value = serde_json::from_slice(&discovery(initialized.as_bytes()).unwrap()).unwrap();
    assert_eq!(
        discovered["result"],
        json!({
            "supportedVersions": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"],
            "capabilities": {"tools": {"listChanged": true}, "logging": {}, "x": {"y": 1}}, "instructions": "do", "resultType": "complete",
            "ttlMs": 0, "cacheScope": "private",
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1"}},
        })
    );
    let back = discovered.to_string();
    let (back, agreed) = initialization(back.as_bytes(), Some(Revision::V2025_06_18), "n").unwrap();
    assert_eq!(agreed, Revision::V2025_06_18);
    let back: Value = serde_json::from_slice(&back).unwrap();
    assert_eq!(
        back["result"],
        json!({
            "protocolVersion": "2025-06-18", "capabilities": {"tools": {"listChanged": true}, "logging": {}, "x": {"y": 1}},
            "serverInfo": {"name": "s", "version": "1"}, "instructions": "do", "_meta": {},
        })
    );
    let bare = br#"{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"],"capabilities":{}}}"#;
    let (made, agreed) = initialization(bare, Some(Revision::V2026_07_28), "com.acme/x").unwrap();
    assert_eq!(agreed, Revision::NEWEST_LEGACY);
    assert!(text(made).contains(r#""serverInfo":{"name":"com.acme/x","version":""}"#));
}

#[test]
fn errors_keep_their_words_and_change_their_codes() {
    let error = |code: i64, data: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code": {code},"message":"m","data":{data}}}}}"#)
    };
    let modern = |code, data: &str| failure_to_modern(error(code, data).as_bytes()).unwrap();
    let (bytes, code) = modern(-32002, r#"{"uri":"a"}"#);
    assert_eq!(
        (text(bytes.unwrap()), code),
        (error(-32602, r#"{"uri":"a"}"#), -32602)
    );
    assert_eq!(modern(-32042, "{}"), (None, -32042));
    let legacy = |code, data: &str, method| failure_to_legacy(error(code, data).as_bytes(), method).unwrap();
    assert_eq!(legacy(-32602, r#"{"uri":"a"}"#, Method::ReadResource).1, -32002);
    assert_eq!(legacy(-32602, "{}", Method::ReadResource), (None, -32602));
    assert_eq!(legacy(-32602, r#"{"uri":"a"}"#, Method::CallTool), (None, -32602));
    assert_eq!(legacy(-32020, "{}", Method::CallTool).1, -32603);
    assert_eq!(legacy(-32601, "{}", Method::CallTool), (None, -32601));
}

#[test]
fn progress_of_another_request_is_told_apart() {
    let token = RawValue::from_string("\"host\"".to_owned()).unwrap();
    for (said, ours) in [("7", true), ("\"7\"", true), ("8", false), ("\"x\"", false)] {
        let params = format!(r#"{{"progress":1,"progressToken":{said}}}"#);
        let body = format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#);
        let part = body.get(body.len() - params.len() - 1..body.len() - 1).unwrap();
        let made = progress(body.as_bytes(), part, 7, &token).unwrap();
        let wanted = ours.then(|| body.replace(said, "\"host\""));
        assert_eq!(made.map(text), wanted, "{said}");
    }
}

fn anything() -> impl proptest::strategy::Strategy<Value = String> {
    "(1\\.50|-7e3|true|null|\"[a-z ,}{\\[]{0,6}\"|\\[ 1,\"x\"\\]|\\{\"resultType\" :1\\})"
}

proptest::proptest! {
    #[test]
    fn what_no_table_names_stays(
        keys in proptest::collection::btree_map("k[a-z]{1,4}", anything(), 0..6), at in 0_usize..6,
    ) {
        let mut members: Vec<String> = keys.iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
        members.insert(at.min(members.len()), format!("\"_meta\":{{{}}}", members.join(" ,")));
        let object = format!("{{{}}}", members.join(", "));
        let same = |made: &str| members.iter().filter(|member| !member.starts_with("\"_meta\"")).all(|member| made.contains(member));
        let response = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{object}}}"#);
        let modern = text(to_modern_result(response.as_bytes(), Method::ListTools, Some("{}")).unwrap());
        proptest::prop_assert!(same(&modern));
        proptest::prop_assert_eq!(text(to_legacy_result(modern.as_bytes()).unwrap()), response);
        let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{object}}}"#);
        let modern = text(to_modern(request.as_bytes(), 1, CLIENT).unwrap());
        proptest::prop_assert!(same(&modern));
        proptest::prop_assert_eq!(text(to_legacy(modern.as_bytes(), 1).unwrap()), request);
    }
}

#[test]
fn a_legacy_host_gets_structured_results_that_are_objects() {
    let answer = |result: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
    for (modern, legacy) in [
        (
            r#"{"content":[ ],"structuredContent":[1, "a"]}"#,
            r#"{"content":[{"type":"text","text":"[1, \"a\"]"}]}"#,
        ),
        (
            r#"{"structuredContent":7}"#,
            r#"{"content":[{"type":"text","text":"7"}]}"#,
        ),
        (
            r#"{"content":[{"type":"text","text":"7"}],"structuredContent":7}"#,
            r#"{"content":[{"type":"text","text":"7"}]}"#,
        ),
        (
            r#"{"content":[],"structuredContent":{"a":1.0}}"#,
            r#"{"content":[],"structuredContent":{"a":1.0}}"#,
        ),
        (
            r#"{"tools":[{"name":"a","outputSchema":{"type":"array"}},{"name":"b","outputSchema":{"type":"object"}},{"name":"c","outputSchema":true,"x":1}]}"#,
            r#"{"tools":[{"name":"a"},{"name":"b","outputSchema":{"type":"object"}},{"name":"c","x":1}]}"#,
        ),
    ] {
        let made = to_legacy_result(answer(modern).as_bytes()).unwrap();
        assert_eq!(text(made), answer(legacy));
    }
}
