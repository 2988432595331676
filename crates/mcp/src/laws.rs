//! What must hold for any bytes. The property tests ask it here on every run, the fuzz targets of `fuzz/` for as long as
//! somebody lets them; neither is part of a build for users.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::depth;
use crate::envelope::{InvalidMessage, Message, Outcome};
use crate::params::Params;
use crate::splice::Splice;
use crate::sse::{Event, Reader};

/// An accepted message says what a general JSON reader reads in the same bytes; what is refused as no JSON is none.
pub fn envelope(bytes: &[u8]) {
    let value = serde_json::from_slice::<Value>(bytes).ok();
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(InvalidMessage::NotJson(reason)) => {
            assert!(value.is_none(), "it is JSON: {reason}");
            return;
        }
        Err(_) => return,
    };
    assert!(depth::check(bytes).is_ok());
    // A general reader is stricter in two things that pass untouched: halves of characters, and numbers beyond all bounds.
    let Some(value) = value else { return };
    let is = |raw: Option<&RawValue>, found: Option<&Value>| match (raw, found) {
        (Some(raw), Some(found)) => assert_eq!(&read(raw), found),
        (None, found) => assert!(found.is_none_or(Value::is_null), "{found:?} was not seen"),
        (Some(raw), None) => panic!("{raw} is not there"),
    };
    assert_eq!(value.get("jsonrpc").and_then(Value::as_str), Some("2.0"));
    assert_eq!(value.get("method").and_then(Value::as_str), message.method());
    is(message.id(), value.get("id"));
    match message {
        Message::Request { params: raw, .. } | Message::Notification { params: raw, .. } => {
            is(raw, value.get("params"));
            params(raw, value.get("params"));
        }
        Message::Response {
            outcome: Outcome::Result(raw),
            ..
        } => is(Some(raw), value.get("result")),
        Message::Response {
            outcome: Outcome::Error(raw),
            ..
        } => is(Some(raw), value.get("error")),
    }
}

fn params(raw: Option<&RawValue>, value: Option<&Value>) {
    let Ok(params) = Params::parse(raw) else { return };
    let field = |name: &str| value.and_then(|value| value.get(name));
    assert_eq!(params.name.as_deref(), field("name").and_then(Value::as_str));
    assert_eq!(params.uri.as_deref(), field("uri").and_then(Value::as_str));
    for (raw, name) in [
        (params.arguments, "arguments"),
        (params.protocol_version, "protocolVersion"),
        (params.request_id, "requestId"),
    ] {
        assert_eq!(raw.map(value_of).as_ref(), field(name), "{name}");
    }
    let in_meta = |name: &str| field("_meta").and_then(|meta| meta.get(name));
    let meta = params.meta.unwrap_or_default();
    for (raw, name) in [
        (meta.protocol_version, "io.modelcontextprotocol/protocolVersion"),
        (
            meta.client_capabilities,
            "io.modelcontextprotocol/clientCapabilities",
        ),
    ] {
        assert_eq!(raw.map(value_of).as_ref(), in_meta(name), "{name}");
    }
}

fn read(raw: &RawValue) -> Value {
    value_of(raw.get())
}

fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Replacing some values of an object changes these, and no other byte. `choice` says which: a bit for each member.
pub fn splice(bytes: &[u8], choice: u64) {
    let Ok(members) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(bytes) else {
        return;
    };
    let chosen: Vec<(&String, &str)> = members
        .iter()
        .enumerate()
        .filter(|(at, _)| choice & (1 << (at % 64)) != 0)
        .map(|(_, (key, raw))| (key, raw.get()))
        .collect();
    let mut splice = Splice::new(bytes);
    let mut places: Vec<(Range<usize>, String)> = Vec::new();
    for (at, (_, part)) in chosen.iter().enumerate() {
        let new = format!("[{at}, \"\u{e9}\\n\"]");
        let place = splice.place_of(part);
        assert!(splice.replace(part, new.clone()).is_ok(), "{part}");
        assert!(splice.replace(part, "twice").is_err(), "{part}");
        places.extend(place.map(|place| (place, new)));
    }
    let spliced = splice.finish();
    // From the end, so that no place moves.
    places.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut expected = bytes.to_vec();
    for (place, new) in places {
        expected.splice(place, new.into_bytes());
    }
    assert_eq!(spliced, expected);
    if let (Ok(Value::Object(mut before)), Ok(after)) = (
        serde_json::from_slice(bytes),
        serde_json::from_slice::<Value>(&spliced),
    ) {
        for (at, (key, _)) in chosen.into_iter().enumerate() {
            before.insert(key.clone(), serde_json::json!([at, "\u{e9}\n"]));
        }
        assert_eq!(after, Value::Object(before));
    }
}

/// What an event says, without the bytes that it came in.
type Said = (Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);

/// A stream says the same however it is cut into chunks, and what the standard says that it says; no event is larger
/// than the limit, and none is refused that is not.
pub fn sse(bytes: &[u8], cuts: &[u8], limit: usize) {
    let expected = by_the_standard(bytes);
    let whole = read_in(std::iter::once(bytes), usize::MAX);
    assert_eq!(whole, (expected.clone(), false));
    assert_eq!(
        read_in(chunks(bytes, cuts), usize::MAX),
        (expected.clone(), false)
    );
    let (bounded, refused) = read_in(chunks(bytes, cuts), limit);
    assert!(expected.starts_with(&bounded));
    assert!(refused || bounded.len() == expected.len());
    assert!(!refused || bytes.len() > limit);
}

/// Cuts bytes into chunks of these lengths, over and over.
fn chunks<'a>(bytes: &'a [u8], cuts: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = cuts.iter().map(|cut| usize::from(*cut)).cycle();
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = lengths.next().unwrap_or(1).clamp(1, rest.len().max(1));
        let (chunk, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(chunk)
    })
}

/// The events, and whether one was refused.
fn read_in<'a>(chunks: impl Iterator<Item = &'a [u8]>, limit: usize) -> (Vec<Said>, bool) {
    let (mut reader, mut events) = (Reader::new(limit), Vec::new());
    for chunk in chunks {
        reader.feed(chunk);
        loop {
            match reader.next_event() {
                Ok(Some(event)) => {
                    assert!(event.raw.len() <= limit);
                    rewritten(&event);
                    let bytes = |part: Option<bytes::Bytes>| part.map(|part| part.to_vec());
                    events.push((bytes(event.data), bytes(event.id), bytes(event.name)));
                }
                Ok(None) => break,
                Err(_) => return (events, true),
            }
        }
    }
    (events, false)
}

/// An event with other data is the same event with other data. One without a name may get the one that it means.
fn rewritten(event: &Event) {
    let mut reader = Reader::new(usize::MAX);
    reader.feed(b"\n");
    reader.feed(&event.with_data(b"{\n}"));
    assert!(matches!(reader.next_event(), Ok(Some(_))));
    let Ok(Some(again)) = reader.next_event() else {
        panic!("an event with other data is none");
    };
    assert_eq!(again.data.as_deref(), Some(&b"{\n}"[..]));
    assert_eq!(again.id, event.id);
    let named = event.name.is_none() && again.name.as_deref() == Some(b"message");
    assert!(named || again.name == event.name);
}

/// The event stream format of the HTML standard, read plainly.
fn by_the_standard(bytes: &[u8]) -> Vec<Said> {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut events = Vec::new();
    let (mut data, mut id, mut name) = (Vec::new(), None, None);
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        let (line, after) = rest.split_at(end);
        rest = after
            .strip_prefix(b"\r\n")
            .or_else(|| after.get(1..))
            .unwrap_or_default();
        if line.is_empty() {
            let lines: Vec<Vec<u8>> = std::mem::take(&mut data);
            let joined = Some(lines.join(&b'\n')).filter(|data| !data.is_empty());
            events.push((joined, id.take(), name.take()));
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
        match field {
            b"data" => data.push(value),
            b"id" => id = Some(value),
            b"event" => name = Some(value),
            _ => {}
        }
    }
    events
}

#[cfg(test)]
mod tests;
