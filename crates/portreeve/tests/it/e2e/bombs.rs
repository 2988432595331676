//! Servers that send more than anybody can want: what comes is refused, and little of it is ever held.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::IntoResponse as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::bad_upstreams_house::House;
use crate::node::Node;
use crate::rogue::{STREAM, json_answer, result};
use crate::upstream::{Speaks, Upstream, tool};

const MIB: usize = 1024 * 1024;

/// What one bomb may cost the node, in KiB: an answer of the largest size is held whole, is read and written anew.
const ROOM: u64 = 64 * 1024;

/// Lets the bomb go off in both eras; the memory that the node ever had must stay within its bound.
async fn must_be_defused(house: &House, status: u16, says: &str) {
    let before = house.node.memory("VmHWM");
    house.must_fail(status, says).await;
    let grown = house.node.memory("VmHWM") - before;
    assert!(grown < ROOM, "the node grew by {grown} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_end() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(STREAM).await;
        let note =
            json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x".repeat(MIB)}});
        let event = format!("data: {note}\n\n");
        while stream.write_all(event.as_bytes()).await.is_ok() {}
        None
    });
    must_be_defused(&house, 200, "longer than 67108864 bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_that_nobody_gets() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(STREAM).await;
        let event = format!("data: {}\n\n", result(&json!(4_711), &"x".repeat(MIB)));
        while stream.write_all(event.as_bytes()).await.is_ok() {}
        None
    });
    must_be_defused(&house, 502, "not an answer to this request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_end() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(&[STREAM, b"data: "].concat()).await;
        let part = vec![b'x'; MIB];
        while stream.write_all(&part).await.is_ok() {}
        None
    });
    must_be_defused(&house, 200, "larger than 8388608 bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_announced_to_be_huge() {
    let house = House::start().await;
    house.rogue.say(|_| {
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10000000000\r\n\r\n{\"jsonrpc\"".to_vec()
    });
    must_be_defused(&house, 502, "longer than `8388608` bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_without_end() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, _| async move {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        let chunk = format!("{:x}\r\n{}\r\n", MIB, " ".repeat(MIB));
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        None
    });
    must_be_defused(&house, 502, "longer than `8388608` bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_as_deep_as_it_is_long() {
    let house = House::start().await;
    house.rogue.say(|_| json_answer(&"[".repeat(7 * MIB)));
    must_be_defused(&house, 502, "not an answer to this request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_of_millions_of_values() {
    let house = House::start().await;
    house.rogue.say(|id| {
        let many = "1,".repeat(3 * MIB);
        json_answer(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{many}1]}}}}"#
        ))
    });
    must_be_defused(&house, 502, "not an answer to this request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_is_not_unpacked() {
    let house = House::start().await;
    for kind in ["application/json", "text/event-stream"] {
        house.rogue.say(move |_| {
            // What the bytes would unpack to is never found out.
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n"
            );
            [head.as_bytes(), b"\x1f\x8b\x08\x00"].concat()
        });
        for era in super::bad_upstreams_house::ERAS {
            let answer = house.call(era, json!({})).await;
            assert_eq!(
                (answer.status, &answer.json()["id"]),
                (502, &era.id()),
                "{}",
                answer.text()
            );
            let message = answer.json()["error"]["message"].to_string();
            assert!(message.contains("encoded as `gzip`"), "{message}");
        }
    }
    house.errors_were_counted(4).await;
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_list_of_large_pages_without_end() {
    let (node, upstream) = (Node::start().await, Upstream::start(Speaks::Both).await);
    let page = AtomicU64::new(0);
    let tools: Vec<_> = (0..25)
        .map(|number| tool(&format!("tool-{number}"), &"x".repeat(200_000), true))
        .collect();
    let tools = json!(tools).to_string();
    upstream.set_script(move |message| {
        let (id, page) = (&message["id"], page.fetch_add(1, Ordering::Relaxed));
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","nextCursor":"{page}","tools":{tools}}}}}"#
        );
        (message["method"] == "tools/list").then(|| ([("content-type", "application/json")], text).into_response())
    });
    let before = node.memory("VmHWM");
    let added = node.cli_json(&[
        "server",
        "add",
        "com.acme/large",
        "--url",
        &upstream.url,
        "--approve",
    ]);
    assert!(added.to_string().contains("does not end"), "{added}");
    let grown = node.memory("VmHWM") - before;
    assert!(grown < ROOM, "the node grew by {grown} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_end() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        let field = format!("x-more: {}\r\n", "x".repeat(8_000));
        while stream.write_all(field.as_bytes()).await.is_ok() {}
        None
    });
    must_be_defused(&house, 502, "broke off before its answer was there").await;
}
