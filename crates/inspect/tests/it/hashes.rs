//! Canonical forms and hashes.

use portreeve_inspect::{InspectError, MAX_DEPTH, canonical, content_hash, sha256_hex};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn canonical_text(json: &str) -> String {
    String::from_utf8(canonical(json).unwrap()).unwrap()
}

#[test]
fn rfc_8785_example() {
    let json = r#"{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }"#;
    let expected = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    assert_eq!(canonical_text(json), expected);
}

#[test]
fn keys_are_sorted_by_utf_16_units() {
    let json = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
    let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
    assert_eq!(canonical_text(json), expected);
}

#[test]
fn numbers_are_doubles() {
    assert_eq!(canonical_text("[1.0,-0.0,1e2,100]"), "[1,0,100,100]");
    assert_eq!(canonical_text("9007199254740993"), "9007199254740992");
    assert_eq!(canonical_text("18446744073709551616"), "18446744073709552000");
    assert!(matches!(canonical("1e400"), Err(InspectError::NotJson { .. })));
}

#[test]
fn a_key_that_appears_twice_is_refused() {
    let json = r#"{"a":{"b":1,"c":2,"\u0062":3}}"#;
    let error = content_hash(json).unwrap_err();
    assert_eq!(error, InspectError::DuplicateKey { key: "b".into() });
    assert_eq!(error.to_string(), "the key `b` appears twice in one object");
}

#[test]
fn serde_jsons_private_keys_are_keys_like_others() {
    for key in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        let json = format!(r#"{{"{key}":"1"}}"#);
        assert_eq!(canonical_text(&json), json);
    }
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    let error = canonical("{\n  \"a\": tru }").unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is not valid JSON: expected ident at line 2, column 11"
    );
    for json in ["", "{} {}", "\u{feff}{}", r#""\ud800""#, "[1,]", "nan", "{'a':1}"] {
        assert!(
            matches!(canonical(json), Err(InspectError::NotJson { .. })),
            "{json}"
        );
    }
}

#[test]
fn depth_is_limited() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(canonical(&nested(MAX_DEPTH)).is_ok());
    for levels in [MAX_DEPTH + 1, 100_000] {
        let error = canonical(&nested(levels)).unwrap_err();
        assert_eq!(error, InspectError::TooDeep { limit: MAX_DEPTH });
    }
    let objects = format!(
        "{}1{}",
        r#"{"a":"#.repeat(MAX_DEPTH + 1),
        "}".repeat(MAX_DEPTH + 1)
    );
    assert_eq!(
        canonical(&objects).unwrap_err(),
        InspectError::TooDeep { limit: MAX_DEPTH }
    );
}

#[test]
fn sha256_of_nothing() {
    assert_eq!(
        sha256_hex(b""),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

/// Any JSON value with keys and texts that need escapes now and then.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same value with the keys of every object in the opposite order.
fn turned_around(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(turned_around).collect(),
        Value::Object(object) => {
            let turned: Map<_, _> = object
                .iter()
                .rev()
                .map(|(key, value)| (key.clone(), turned_around(value)))
                .collect();
            Value::Object(turned)
        }
        leaf => leaf.clone(),
    }
}

proptest! {
    #[test]
    fn neither_key_order_nor_white_space_counts(value in any_json()) {
        let other = serde_json::to_string_pretty(&turned_around(&value)).unwrap();
        prop_assert_eq!(content_hash(&value.to_string()), content_hash(&other));
    }

    #[test]
    fn the_canonical_form_is_its_own_canonical_form(value in any_json()) {
        let once = canonical_text(&value.to_string());
        prop_assert_eq!(canonical_text(&once), once);
    }

    #[test]
    fn different_values_have_different_hashes(one in any_json(), other in any_json()) {
        let same = content_hash(&one.to_string()) == content_hash(&other.to_string());
        prop_assert_eq!(same, one == other || canonical_text(&one.to_string()) == canonical_text(&other.to_string()));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _read = canonical(&text);
    }
}
