//! Headers that repeat arguments: computed, compared, and asked for wrongly.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn tool(properties: Value) -> String {
    json!({"name": "t", "inputSchema": {"type": "object", "properties": properties}}).to_string()
}

fn mirrors(properties: Value) -> Mirrors {
    Mirrors::of_tool(&tool(properties)).unwrap()
}

fn region() -> Mirrors {
    mirrors(json!({
        "region": {"type": "string", "x-mcp-header": "Region"},
        "size": {"type": ["integer", "null"], "x-mcp-header": "Size"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "in": {"type": "object", "properties": {"deep": {"type": "string", "x-mcp-header": "Deep"}}},
        "x-mcp-header": {"type": "string"},
    }))
}

fn computed(arguments: &str) -> Vec<(String, String)> {
    let headers = region().headers(Some(arguments)).unwrap();
    let mut all: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    all.sort();
    all
}

#[test]
fn headers_are_computed_as_the_revision_says() {
    let pair = |name: &str, value: &str| (format!("mcp-param-{name}"), value.to_owned());
    assert_eq!(
        computed(r#"{"region":"eu-west","size":42,"dry":false,"in":{"deep":"a b"},"other":1}"#),
        [
            pair("deep", "a b"),
            pair("dry", "false"),
            pair("region", "eu-west"),
            pair("size", "42")
        ]
    );
    assert_eq!(
        computed(r#"{"region":"","size":4.20e1,"dry":true}"#),
        [pair("dry", "true"), pair("region", ""), pair("size", "42")]
    );
    for nothing in [
        "{}",
        "[1]",
        r#"{"region":null,"size":null,"dry":null,"in":null}"#,
        r#"{"region":{},"size":1.5,"in":"deep"}"#,
    ] {
        assert_eq!(computed(nothing), [], "{nothing}");
    }
    assert_eq!(region().headers(None).unwrap().len(), 0);
    assert_eq!(
        computed(r#"{"region":"Z\u00fcrich"}"#),
        [pair("region", "=?base64?WsO8cmljaA==?=")]
    );
    for odd in [" a", "a ", "\\ta", "a\\nb", "=?base64?YQ==?="] {
        let found = computed(&format!(r#"{{"region":"{odd}"}}"#));
        assert!(found[0].1.starts_with("=?base64?"), "{odd:?}: {found:?}");
    }
}

fn compare(given: &[(&str, &str)], arguments: &str) -> Result<(), Disagreement> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::try_from(format!("Mcp-Param-{name}")).unwrap(), value);
    }
    region().compare(&headers, Some(arguments))
}

#[test]
fn headers_that_say_what_the_arguments_say_pass() {
    for (given, arguments) in [
        (
            &[("Region", "eu"), ("Size", "42"), ("X", "?")][..],
            r#"{"region":"eu","size":42}"#,
        ),
        (&[("Size", "42.0")], r#"{"size":42}"#),
        (&[("Size", "042")], r#"{"size":42}"#),
        (
            &[("Size", "123456789012345678901234567890")],
            r#"{"size":123456789012345678901234567890}"#,
        ),
        (&[("region", " =?base64?ZXU=?= ")], r#"{"region":"eu"}"#),
        (&[("region", "eu")], r#"{"re\u0067ion":"eu"}"#),
        (
            &[("Region", "=?base64?SGVsbG8")],
            r#"{"region":"=?base64?SGVsbG8"}"#,
        ),
        (&[("Region", "SGVsbG8=")], r#"{"region":"SGVsbG8="}"#),
        (&[], r#"{"region":null}"#),
        (&[("Dry", "true")], r#"{"dry":true}"#),
    ] {
        assert_eq!(compare(given, arguments), Ok(()), "{given:?} {arguments}");
    }
}

#[test]
fn headers_that_say_something_else_are_found() {
    let name = |name: &str| HeaderName::try_from(format!("mcp-param-{name}")).unwrap();
    for (given, arguments, found) in [
        (
            &[][..],
            r#"{"region":"eu"}"#,
            Disagreement::Missing(name("region")),
        ),
        (
            &[("Region", "us")],
            r#"{"region":"eu"}"#,
            Disagreement::Differs(name("region")),
        ),
        (
            &[("Region", "EU")],
            r#"{"region":"eu"}"#,
            Disagreement::Differs(name("region")),
        ),
        (&[("Region", "eu")], "{}", Disagreement::Unfounded(name("region"))),
        (
            &[("Region", "eu"), ("Region", "eu")],
            r#"{"region":"eu"}"#,
            Disagreement::Twice(name("region")),
        ),
        (
            &[("Region", "eu")],
            r#"{"region":"eu","region":"us"}"#,
            Disagreement::TwoArguments(name("region")),
        ),
        (
            &[("Region", "Zürich")],
            r#"{"region":"Zürich"}"#,
            Disagreement::Unreadable(name("region")),
        ),
        (
            &[("Region", "=?base64?SGVsbG8?=")],
            r#"{"region":"Hello"}"#,
            Disagreement::Unreadable(name("region")),
        ),
        (
            &[("Size", "43")],
            r#"{"size":42}"#,
            Disagreement::Differs(name("size")),
        ),
        (
            &[("Size", "")],
            r#"{"size":42}"#,
            Disagreement::Differs(name("size")),
        ),
        (
            &[("Dry", "True")],
            r#"{"dry":true}"#,
            Disagreement::Differs(name("dry")),
        ),
        (
            &[("Deep", "a")],
            r#"{"in":{"deep":"b"}}"#,
            Disagreement::Differs(name("deep")),
        ),
    ] {
        assert_eq!(compare(given, arguments), Err(found), "{given:?} {arguments}");
    }
}

#[test]
fn annotations_that_nobody_may_follow_are_found() {
    let string = |name: Value| json!({"type": "string", "x-mcp-header": name});
    for properties in [
        json!({"a": string(json!(""))}),
        json!({"a": string(json!("My Region"))}),
        json!({"a": string(json!("Region:Primary"))}),
        json!({"a": string(json!("Région"))}),
        json!({"a": string(json!("Region\t1"))}),
        json!({"a": string(json!(7))}),
        json!({"a": string(json!("R")), "b": string(json!("R"))}),
        json!({"a": string(json!("MyField")), "b": string(json!("myfield"))}),
        json!({"a": {"type": "object", "x-mcp-header": "A"}}),
        json!({"a": {"type": "array", "x-mcp-header": "A"}}),
        json!({"a": {"type": "null", "x-mcp-header": "A"}}),
        json!({"a": {"type": "number", "x-mcp-header": "A"}}),
        json!({"a": {"type": ["string", "integer"], "x-mcp-header": "A"}}),
        json!({"a": {"x-mcp-header": "A"}}),
        json!({"a": {"type": "array", "items": string(json!("A"))}}),
        json!({"a": {"anyOf": [string(json!("A")), {"type": "null"}]}}),
        json!({"a": {"type": "object", "additionalProperties": string(json!("A"))}}),
        json!({"a": {"not": {"type": "object", "properties": {"b": string(json!("A"))}}}}),
    ] {
        assert!(
            Mirrors::of_tool(&tool(properties.clone())).is_err(),
            "{properties}"
        );
    }
    let outside = json!({"name": "t", "inputSchema": {"type": "object", "$defs": {"d": string(json!("A"))}}});
    assert_eq!(Mirrors::of_tool(&outside.to_string()), Err(InvalidMirror::Place));
    let root = json!({"name": "t", "inputSchema": {"type": "string", "x-mcp-header": "A"}});
    assert_eq!(Mirrors::of_tool(&root.to_string()), Err(InvalidMirror::Place));
    // What only looks like one is none.
    for harmless in [
        json!({"x-mcp-header": {"type": "string"}}),
        json!({"a": {"type": "string", "default": {"x-mcp-header": "A"}, "description": "x-mcp-header"}}),
    ] {
        assert!(mirrors(harmless).is_empty());
    }
    assert!(Mirrors::of_tool(r#"{"name":"x-mcp-header"}"#).is_err());
    assert!(Mirrors::of_tool("7").is_ok_and(|found| found.is_empty()));
}

proptest! {
    #[test]
    fn what_is_computed_is_agreed_with(region_value in ".*", size in any::<i64>(), dry in any::<bool>()) {
        let arguments = json!({"region": region_value, "size": size, "dry": dry}).to_string();
        let headers = region().headers(Some(&arguments)).unwrap();
        prop_assert_eq!(headers.len(), 3);
        prop_assert_eq!(region().compare(&headers, Some(&arguments)), Ok(()));
        let other = json!({"region": format!("{region_value}."), "size": size, "dry": dry}).to_string();
        prop_assert!(region().compare(&headers, Some(&other)).is_err());
    }

    #[test]
    fn any_arguments_come_to_an_end(text in "[\\[\\]{}\":,a\\\\é1 ]{0,60}") {
        let _ = region().headers(Some(&text));
    }
}
