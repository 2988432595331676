//! Hosts that do nothing: connections that rest, streams that nobody reads, streams that never end. Each is waited for
//! as long as `[limits]` says, and then costs nothing more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bad_upstreams_house::{ERAS, House};
use crate::http2::{self, Http2};
use crate::node::Node;
use crate::rogue::{STREAM, json_answer, result, well};
use crate::web::modern;

/// Long enough for a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A configuration file with these limits.
fn limits(keys: &str) -> (TempDir, String) {
    let folder = TempDir::new().expect("a temporary directory");
    let file = folder.path().join("portreeve.toml");
    std::fs::write(&file, format!("[limits]\n{keys}\n")).expect("a configuration file");
    let name = file.display().to_string();
    (folder, name)
}

async fn impatient(keys: &str) -> House {
    let (_folder, file) = limits(keys);
    House::start_with(&["--config", &file]).await
}

async fn connect(node: &Node) -> TcpStream {
    let connected = TcpStream::connect(node.url.trim_start_matches("http://")).await;
    connected.expect("a connection")
}

/// A modern call as bytes of HTTP/1.1.
fn call(house: &House, arguments: Value) -> String {
    let params = json!({"name": "echo", "arguments": arguments});
    let (headers, body) = modern(Some(&house.node.key), 1, "tools/call", params);
    let path = house.endpoint().replacen(&house.node.url, "", 1);
    let fields: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let host = house.node.url.trim_start_matches("http://");
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{fields}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads until a text came.
async fn read_until(stream: &mut TcpStream, text: &str) {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&read).contains(text) {
        let length = stream.read(&mut piece).await.expect("an open connection");
        assert!(length > 0, "closed after {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut rest))
        .await
        .is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_rests_is_closed_and_one_that_waits_for_an_answer_is_not() {
    let house = impatient("idle_connection_seconds = 1").await;
    house.rogue.on_call(|mut stream, asked| async move {
        // The host waits three times as long as it may rest.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let _ = stream.write_all(&well(&asked.message)).await;
        Some(stream)
    });
    // The first request is there when the connection is looked at, or comes later.
    for pause in [Duration::ZERO, Duration::from_millis(300)] {
        let mut connection = connect(&house.node).await;
        tokio::time::sleep(pause).await;
        for text in ["one", "two"] {
            let request = call(&house, json!({"said": text}));
            connection
                .write_all(request.as_bytes())
                .await
                .expect("an open connection");
            read_until(&mut connection, text).await;
        }
        assert!(is_closed(&mut connection).await, "it rests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http2_connection_that_rests_is_closed() {
    let house = impatient("idle_connection_seconds = 1").await;
    let mut connection = Http2::connect(&house.node.url).await;
    connection.post(1, "/s/none/mcp", &[], "{}").await;
    let answered = connection.until(|frame| frame.kind == http2::HEADERS).await;
    assert!(answered.is_some_and(|frame| frame.stream == 1));
    let ended = tokio::time::timeout(SOON, async { while connection.frame().await.is_some() {} });
    assert!(ended.await.is_ok());
}

/// Counts the connections on which the server still sends.
fn flood(house: &House) -> Arc<AtomicUsize> {
    let open = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&open);
    house.rogue.on_call(move |mut stream, _| {
        let open = Arc::clone(&counted);
        async move {
            open.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(STREAM).await;
            let note = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x".repeat(100_000)}});
            let event = format!("data: {note}\n\n");
            while stream.write_all(event.as_bytes()).await.is_ok() {}
            open.fetch_sub(1, Ordering::SeqCst);
            None
        }
    });
    open
}

async fn becomes(count: &AtomicUsize, wanted: usize) {
    let reached = tokio::time::timeout(SOON, async {
        while count.load(Ordering::SeqCst) != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(
        reached.await.is_ok(),
        "{} are open, not {wanted}",
        count.load(Ordering::SeqCst)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_its_host_does_not_read_is_let_go() {
    let house = impatient("host_write_seconds = 1\nstreams_per_caller = 1").await;
    let open = flood(&house);
    let mut deaf = connect(&house.node).await;
    deaf.write_all(call(&house, json!({})).as_bytes())
        .await
        .expect("an open connection");
    becomes(&open, 1).await;
    let refused = house.call(ERAS[0], json!({})).await;
    assert_eq!(refused.status, 429, "one stream for a caller: {}", refused.text());
    becomes(&open, 0).await;
    house
        .rogue
        .say(|id| crate::rogue::stream(&format!("data: {}\n\n", result(id, "again"))));
    let answer = house.call(ERAS[0], json!({})).await;
    assert!(
        answer.text().contains("again"),
        "its place is free: {}",
        answer.text()
    );
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_has_so_many_streams_and_says_when_to_come_back() {
    let house = impatient("streams_per_node = 1").await;
    let open = flood(&house);
    let mut reader = connect(&house.node).await;
    reader
        .write_all(call(&house, json!({})).as_bytes())
        .await
        .expect("an open connection");
    becomes(&open, 1).await;
    // Its place is taken once something comes of it.
    reader.read_u8().await.expect("the beginning of the stream");
    for era in ERAS {
        let refused = house.call(era, json!({})).await;
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (429, "1"),
            "{}",
            refused.text()
        );
        assert_eq!(refused.json()["id"], era.id());
    }
    drop(reader);
    becomes(&open, 0).await;
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_http2_host_gives_no_window_is_let_go() {
    let house = impatient("host_write_seconds = 1\nstreams_per_caller = 1").await;
    let open = flood(&house);
    let params = json!({"name": "echo", "arguments": {}});
    let (headers, body) = modern(Some(&house.node.key), 1, "tools/call", params);
    let mut fields = headers;
    fields.push(("content-type", "application/json".to_owned()));
    let path = house.endpoint().replacen(&house.node.url, "", 1);
    let mut deaf = Http2::connect(&house.node.url).await;
    deaf.post(1, &path, &fields, &body).await;
    // The host reads all that comes, so the connection itself is not stuck.
    let reading = tokio::spawn(async move { while deaf.frame().await.is_some() {} });
    becomes(&open, 1).await;
    becomes(&open, 0).await;
    reading.abort();
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_its_host_does_not_read_closes_the_connection() {
    let house = impatient("host_write_seconds = 1").await;
    house
        .rogue
        .say(|id| json_answer(&result(id, &"x".repeat(7_000_000))));
    let mut deaf = connect(&house.node).await;
    deaf.write_all(call(&house, json!({})).as_bytes())
        .await
        .expect("an open connection");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut read = Vec::new();
    let ended = tokio::time::timeout(SOON, deaf.read_to_end(&mut read)).await;
    assert!(ended.is_ok(), "it is closed");
    assert!(read.len() < 7_000_000, "what was not taken in time is gone");
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_have_an_age_at_which_they_end() {
    let house = impatient("stream_lifetime_seconds = 2").await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(STREAM).await;
        let note = b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n";
        while stream.write_all(note).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    });
    house.must_fail(200, "is open for longer than 2 s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_that_are_taken_back_ends_the_connection() {
    let node = Node::start().await;
    let mut connection = Http2::connect(&node.url).await;
    for number in 0..2_000_u32 {
        connection.post(number * 2 + 1, "/s/none/mcp", &[], "{}").await;
        connection.reset(number * 2 + 1).await;
    }
    let end = tokio::time::timeout(SOON, connection.until(|frame| frame.kind == http2::GOAWAY)).await;
    let end = end.expect("an end in time").expect("a reason for the end");
    assert_eq!(end.error(), 11, "ENHANCE_YOUR_CALM");
    assert!(
        node.web
            .get(&format!("{}/healthz", node.url))
            .await
            .is_ok_and(|answer| answer.status == 200)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http2_connection_carries_a_hundred_requests_at_once() {
    let house = House::start().await;
    let waiting = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&waiting);
    house.rogue.on_call(move |stream, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        crate::rogue::hang(stream)
    });
    let params = json!({"name": "echo", "arguments": {}});
    let (headers, body) = modern(Some(&house.node.key), 1, "tools/call", params);
    let mut fields = headers;
    fields.push(("content-type", "application/json".to_owned()));
    let path = house.endpoint().replacen(&house.node.url, "", 1);
    let mut connection = Http2::connect(&house.node.url).await;
    for number in 0..101 {
        connection.post(number * 2 + 1, &path, &fields, &body).await;
    }
    let refused = tokio::time::timeout(SOON, connection.until(|frame| frame.kind == http2::RST_STREAM)).await;
    let refused = refused.expect("a refusal in time").expect("an open connection");
    assert_eq!((refused.stream, refused.error()), (201, 7), "REFUSED_STREAM");
    becomes(&waiting, 100).await;
}
