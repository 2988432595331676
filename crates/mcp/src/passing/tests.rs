//! Results in pieces: whatever the pieces, the same passes.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

/// What passes of a text that comes in pieces of this length.
fn passed(text: &str, piece: usize, adds_type: bool) -> Result<(String, Passing), NotAResult> {
    let mut passing = Passing::new("\"host\"", adds_type);
    let mut out = BytesMut::new();
    for piece in text.as_bytes().chunks(piece.max(1)) {
        passing.feed(piece, &mut out)?;
    }
    passing.finish()?;
    Ok((String::from_utf8(out.to_vec()).unwrap(), passing))
}

#[test]
fn the_id_is_another_one_and_every_other_byte_the_same() {
    for (text, id) in [
        (r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#, "7"),
        (
            r#" { "result" : {"a":[1,{"id":9}],"b":"\"}"} , "jsonrpc" : "2.0" , "id" : "x\"y" } "#,
            r#""x\"y""#,
        ),
        (r#"{"result":{},"\u0069d":-12}"#, "-12"),
        (
            r#"{"x":[{"id":1}],"result":{"result":{"id":2},"id":3},"id":4,"jsonrpc":"2.0"}"#,
            "4",
        ),
        ("{\"result\":{\"text\":\"\\\\\"},\n\"id\":1\n}", "1"),
    ] {
        for piece in 1..=text.len() {
            let (out, passing) = passed(text, piece, false).unwrap();
            let at = text.rfind(id).unwrap();
            let (before, after) = (text.get(..at).unwrap(), text.get(at + id.len()..).unwrap());
            let expected = format!("{before}\"host\"{after}");
            assert_eq!(out, expected, "{piece}");
            assert_eq!(passing.id(), Some(id));
        }
    }
}

#[test]
fn what_is_no_result_does_not_pass() {
    for (text, found) in [
        ("", NotAResult::Unfinished),
        ("[]", NotAResult::NotJson),
        ("xxx", NotAResult::NotJson),
        (r#"{"id":1,"result":{}"#, NotAResult::Unfinished),
        (r#"{"id":1,"result":{}}}"#, NotAResult::NotJson),
        (r#"{"id":1,"result":{}} {"#, NotAResult::NotJson),
        (r#"{"id":1,"error":{}}"#, NotAResult::Other),
        (r#"{"method":"x","result":{}}"#, NotAResult::Other),
        (r#"{"id":1}"#, NotAResult::Other),
        (r#"{"result":{}}"#, NotAResult::Other),
        (r#"{"id":1,"result":{},"id":2}"#, NotAResult::Ambiguous),
        (r#"{"id":1,"result":{},"\u0069d":2}"#, NotAResult::Ambiguous),
        (r#"{"id":1,"result":{},"result":{}}"#, NotAResult::Ambiguous),
        (r#"{"ID":1,"result":{},"id":1}"#, NotAResult::Ambiguous),
        (r#"{"id":1 "result":{}}"#, NotAResult::NotJson),
        (r#"{,"id":1}"#, NotAResult::NotJson),
    ] {
        for piece in [1, 3, 1_000] {
            assert_eq!(passed(text, piece, false).err(), Some(found), "{text}");
        }
    }
    let deep = format!(r#"{{"id":1,"result":{{"a":{}"#, "[".repeat(200));
    assert_eq!(passed(&deep, 7, false).err(), Some(NotAResult::TooDeep));
    let long = format!(r#"{{"id":"{}","result":{{}}}}"#, "x".repeat(2_000));
    assert_eq!(passed(&long, 7, false).err(), Some(NotAResult::Other));
}

#[test]
fn a_type_is_added_where_there_is_none_and_a_failure_is_seen() {
    for (result, expected, failure) in [
        ("{}", r#"{"resultType":"complete"}"#, false),
        (r#"{"a":1 }"#, r#"{"a":1 ,"resultType":"complete"}"#, false),
        (
            r#"{"resultType":"task","isError":true}"#,
            r#"{"resultType":"task","isError":true}"#,
            true,
        ),
        (
            r#"{"a":{"isError":true,"resultType":1},"isError": false}"#,
            r#"{"a":{"isError":true,"resultType":1},"isError": false,"resultType":"complete"}"#,
            false,
        ),
        ("7", "7", false),
    ] {
        for piece in [1, 2, 5, 1_000] {
            let (out, passing) = passed(&format!(r#"{{"id":1,"result":{result}}}"#), piece, true).unwrap();
            assert_eq!(out, format!(r#"{{"id":"host","result":{expected}}}"#));
            assert_eq!(passing.is_failure(), failure, "{result}");
        }
    }
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-zA-Z\"\\\\é]{0,6}", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_the_result_and_the_pieces_only_the_id_differs(result in json(), piece in 1_usize..40) {
        let text = json!({"jsonrpc": "2.0", "id": 17, "result": result}).to_string();
        let (out, _) = passed(&text, piece, false).unwrap();
        let expected = json!({"jsonrpc": "2.0", "id": "host", "result": result});
        prop_assert_eq!(serde_json::from_str::<Json>(&out).unwrap(), expected);
    }

    #[test]
    fn any_text_comes_to_an_end(text in "[\\[\\]{}\":,a\\\\é1 ]{0,80}", piece in 1_usize..9) {
        let _ = passed(&text, piece, true);
    }
}
