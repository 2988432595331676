//! The laws, asked for what looks like messages and streams, and for what does not.

use proptest::prelude::*;

use super::{envelope, splice, sse};

/// White space between tokens.
fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

/// A string with escapes, as it stands in JSON.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 {}\\[\\]:,/_.-]{0,6}",
        Just("\\\"".to_owned()),
        Just("\\\\".to_owned()),
        Just("\\u00e9".to_owned()),
        Just("\\ud83d\\ude00".to_owned()),
        Just("\\n".to_owned()),
        Just("é😀".to_owned()),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// Any JSON value, written in any way.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,18})",
        "-?[1-9]\\.[0-9]{1,5}([eE][+-]?[0-9])?",
        string(),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let member = (space(), string(), space(), inner.clone())
            .prop_map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            proptest::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// Keys that mean something, keys that nearly do, and others.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(vec!["jsonrpc", "id", "method", "params", "result", "error", "name", "uri"])
            .prop_map(|key| format!("\"{key}\"")),
        1 => proptest::sample::select(vec!["Method", "\\u006dethod", "_meta", "arguments", "x"])
            .prop_map(|key| format!("\"{key}\"")),
        1 => string(),
    ]
}

/// An object whose members are likely to be those of a message.
fn object() -> impl Strategy<Value = String> {
    let member = (space(), key(), space(), value(), space())
        .prop_map(|(a, key, b, value, c)| format!("{a}{key}{b}:{value}{c}"));
    proptest::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// A message that is one most of the time.
fn message() -> impl Strategy<Value = String> {
    let id = prop_oneof!["-?[1-9][0-9]{0,18}", string(), value()];
    (space(), id, string(), object(), value(), any::<bool>()).prop_map(
        |(space, id, method, params, extra, first)| {
            let extra = format!("\"x-extra\":{extra}");
            let fields = format!("\"id\":{id},{space}\"method\" :{method},\"params\":{params}");
            if first {
                format!("{space}{{{extra},\"jsonrpc\":\"2.0\",{fields}}}{space}")
            } else {
                format!("{{{fields},\"jsonrpc\":{space}\"2.0\",{extra}}}")
            }
        },
    )
}

/// What looks like a stream of events.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "data:", "data: ", "data", "id: ", "event:", ":", "retry: 1", "\u{feff}", " ",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n"])
            .prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    (any::<bool>(), proptest::collection::vec(piece, 0..40)).prop_map(|(mark, pieces)| {
        let mark: &[u8] = if mark { b"\xef\xbb\xbf" } else { b"" };
        [mark, &pieces.concat()].concat()
    })
}

proptest! {
    #[test]
    fn a_message_is_read_as_a_general_reader_reads_it(text in message()) {
        envelope(text.as_bytes());
    }

    #[test]
    fn what_may_be_a_message_is_read_so_or_refused(text in object()) {
        envelope(text.as_bytes());
    }

    #[test]
    fn a_damaged_message_is_read_so_or_refused(text in message(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        envelope(&bytes);
    }

    #[test]
    fn any_bytes_are_read_so_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        envelope(&bytes);
    }

    #[test]
    fn splicing_changes_what_it_was_told_and_no_other_byte(text in object(), choice in any::<u64>()) {
        splice(text.as_bytes(), choice);
    }

    #[test]
    fn a_stream_says_the_same_in_any_chunks(
        bytes in stream(), cuts in proptest::collection::vec(1_u8..12, 1..8), limit in 0_usize..80,
    ) {
        sse(&bytes, &cuts, limit);
    }
}
