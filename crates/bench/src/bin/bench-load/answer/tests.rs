//! Answers come in pieces of any size, and what is wrong with one is seen.

use std::collections::VecDeque;

use portreeve_bench::message::PROGRESS;

use super::*;

/// A connection that hands over what it has in pieces.
struct Pieces(VecDeque<Vec<u8>>);

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.pop_front().unwrap_or_default();
        room[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

fn target(mode: &str, words: &[&str]) -> Target {
    let words = [&["--port", "1"], words].concat();
    let options = portreeve_bench::options::Options::read(words.into_iter().map(str::to_owned)).unwrap();
    Target::read(&options, mode).unwrap()
}

/// Whether the answer to the first request is right, and whether it had events. `None`: it never became complete.
fn judged(target: &Target, text: &str, size: usize) -> Option<(bool, bool)> {
    let mut request = target.request(0);
    request.renew();
    let text = text.replace("ID", std::str::from_utf8(request.id()).unwrap());
    let mut source = Pieces(text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect());
    let mut inbox = Inbox::default();
    while inbox.fill(&mut source).is_ok() {
        if let Found::Answer(answer) = inbox.look().unwrap() {
            return Some((answer.is_right(target, &request), answer.first_event.is_some()));
        }
    }
    None
}

fn whole(status: &str, body: &str) -> String {
    let length = body.replace("ID", "100000000001").len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn chunked(pieces: &[&str]) -> String {
    let chunk = |piece: &&str| format!("{:x}\r\n{piece}\r\n", piece.replace("ID", "100000000001").len());
    let body: String = pieces.iter().map(chunk).collect();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n")
}

#[test]
fn an_answer_is_read_in_pieces_of_any_size() {
    let calls = target("calls", &["--size", "2"]);
    let text = whole("200 OK", r#"{"jsonrpc":"2.0","id":ID,"result":{"text":"xx"}}"#);
    for size in 1..text.len() {
        assert_eq!(
            judged(&calls, &text, size),
            Some((true, false)),
            "pieces of {size}"
        );
    }
    let events = target("events", &["--count", "2"]);
    let event = format!("data: {{{PROGRESS}}}\n\n");
    let last = "data: {\"id\":ID,\"result\":{}}\n\n";
    let text = chunked(&[&event, &event, last]);
    for size in 1..text.len() {
        assert_eq!(
            judged(&events, &text, size),
            Some((true, true)),
            "pieces of {size}"
        );
    }
}

#[test]
fn what_is_wrong_with_an_answer_is_seen() {
    let calls = target("calls", &["--size", "2"]);
    for (status, body) in [
        ("500 Oh", r#"{"id":ID,"result":{"text":"xx"}}"#),
        ("200 OK", r#"{"id":7,"result":{"text":"xx"}}"#),
        ("200 OK", r#"{"id":ID,"error":{"code":-32602}}"#),
        ("200 OK", r#"{"id":ID,"result":{"isError":true}}"#),
    ] {
        assert_eq!(
            judged(&calls, &whole(status, body), 64),
            Some((false, false)),
            "{status} {body}"
        );
    }
    let long = target("calls", &["--size", "1000"]);
    assert_eq!(
        judged(&long, &whole("200 OK", r#"{"id":ID,"result":{}}"#), 64),
        Some((false, false))
    );
    let events = target("events", &["--count", "2"]);
    let event = format!("data: {{{PROGRESS}}}\n\n");
    let few = chunked(&[&event, "data: {\"id\":ID,\"result\":{}}\n\n"]);
    assert_eq!(judged(&events, &few, 64), Some((false, true)));
}

#[test]
fn half_an_answer_is_none() {
    let calls = target("calls", &[]);
    let text = whole("200 OK", r#"{"id":ID,"result":{}}"#);
    assert_eq!(judged(&calls, text.strip_suffix('}').unwrap(), 64), None);
}

#[test]
fn a_request_has_the_length_that_it_says() {
    for (mode, words) in [
        ("calls", &["--size", "100"][..]),
        ("calls", &["--method", "tools/list"]),
        ("events", &["--count", "7"]),
        ("hold", &[]),
    ] {
        let mut request = target(mode, words).request(3);
        let before = request.id().to_vec();
        request.renew();
        assert_ne!(request.id(), before, "{mode}");
        let text = std::str::from_utf8(request.bytes()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())),
            "{head}"
        );
        let message: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(message["id"].to_string().as_bytes(), request.id());
        assert!(message["params"]["_meta"].is_object(), "{body}");
    }
}
