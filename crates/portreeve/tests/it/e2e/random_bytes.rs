//! What nobody here has heard of passes as the bytes that came, at every level and both ways: generated messages with
//! fields between the known ones, odd blanks, odd numbers and escapes. `passing` tells the same with chosen messages.

mod bridged;
mod maker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use self::maker::{DEPTH, ID, Maker};
use crate::served::Served;
use crate::upstream::Speaks;

/// Messages of each kind.
const MESSAGES: u64 = 60;

/// What the server says to the call with a mark: notifications and the answer. Without notifications it is no stream.
type Prepared = Arc<Mutex<HashMap<u64, (Vec<String>, String)>>>;

/// A node in front of a server that says what was prepared.
async fn served(speaks: Speaks) -> (Served, Prepared) {
    let served = Served::start(speaks).await;
    let prepared = Prepared::default();
    let answers = Arc::clone(&prepared);
    served.upstream.set_script(move |message| {
        let mark = message["params"]["arguments"]["mark"].as_u64()?;
        let (notes, answer) = answers.lock().unwrap().get(&mark)?.clone();
        let answer = answer.replace(ID, &message["id"].to_string());
        if notes.is_empty() {
            return Some(([("content-type", "application/json")], answer).into_response());
        }
        let events = notes.iter().chain([&answer]);
        let text: String = events.map(|data| event(data)).collect();
        Some(([("content-type", "text/event-stream")], text).into_response())
    });
    (served, prepared)
}

/// Line breaks of a message are lines of their own in an event.
fn event(message: &str) -> String {
    let lines = message.lines().map(|line| format!("data: {line}\n"));
    format!("{}\n", lines.collect::<String>())
}

/// Sends a message, and compares what comes back; tells what the server got.
async fn round(
    served: &Served,
    headers: &[(&'static str, String)],
    sent: &str,
    (notes, answer): &(Vec<String>, String),
) -> String {
    let web = &served.node.web;
    let mut stream = web.open("POST", &served.url, headers, sent.to_owned()).await;
    let answer = answer.replace(ID, "1");
    if notes.is_empty() {
        assert_eq!(stream.whole().await.text(), answer, "to the host");
    } else {
        for expected in notes.iter().chain([&answer]) {
            let data = stream.event().await.expect("an event").data.expect("a message");
            assert_eq!(String::from_utf8_lossy(&data), **expected, "to the host");
        }
    }
    let seen = served.upstream.seen().pop().expect("a request");
    String::from_utf8_lossy(&seen.body).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_generated_messages_pass_byte_for_byte_within_an_era() {
    let (served, prepared) = served(Speaks::Both).await;
    let host = served.legacy().await;
    let mut maker = Maker::new();
    let (headers, _) = served.modern(1, "tools/call", json!({"name": "echo"}));
    for mark in 0..MESSAGES {
        let modern = mark % 2 == 0;
        let capabilities = maker.object(DEPTH, &[]);
        let marks = [
            (
                "io.modelcontextprotocol/protocolVersion",
                "\"2026-07-28\"".to_owned(),
            ),
            ("io.modelcontextprotocol/clientCapabilities", capabilities),
            ("io.modelcontextprotocol/logLevel", "\"info\"".to_owned()),
        ];
        let typed = [("resultType", "\"complete\"".to_owned())];
        let (marks, typed) = if modern {
            (&marks[..], &typed[..])
        } else {
            Default::default()
        };
        let notes = (0..maker.below(3)).map(|_| maker.note()).collect::<Vec<_>>();
        let said = (notes, maker.answer(typed));
        prepared.lock().unwrap().insert(mark, said.clone());
        let sent = maker.call(mark, marks);
        let headers = if modern { &headers } else { &host.headers };
        let got = round(&served, headers, &sent, &said).await;
        if modern {
            assert_eq!(got, sent, "to the server");
            continue;
        }
        // The id is the gateway's own, in the place of the host's.
        let theirs: Value = serde_json::from_str(&got).expect("JSON");
        let id = theirs["id"].to_string();
        assert!(id.parse::<u64>().is_ok(), "{got}");
        let with = |id: &str, text: &str| {
            let (before, after) = at_id(text, id);
            format!("{before}{ID}{after}")
        };
        assert_eq!(with(&id, &got), with("1", &sent), "to the server");
    }
    served.is_well().await;
}

/// What stands before and behind the id of a message, which is the only member of that name.
fn at_id<'a>(text: &'a str, id: &str) -> (&'a str, &'a str) {
    let (before, rest) = text.split_once("\"id\"").expect("an id");
    let (blank, after) = rest.split_once(id).expect("its value");
    assert!(blank.trim() == ":", "{text}");
    (before, after)
}
