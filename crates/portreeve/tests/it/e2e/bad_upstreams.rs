//! Servers that misbehave, one way for each test: the host gets the right error with its id, the audit log and usage
//! say what happened, the other route does not notice, and the bad route works as soon as its server does.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::bad_upstreams_house::{ERAS, Era, House};
use crate::rogue::{STREAM, When, drip, hang, json_answer, reset, result, stream, well};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down() {
    let mut house = House::start().await;
    house.rogue.stop().await;
    // The ends of its connections have to arrive: what is written before may have been read.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    for era in ERAS {
        let answer = house.call(era, json!({})).await;
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, &answer.json()["id"]),
            (502, &era.id()),
            "{}",
            answer.text()
        );
        assert_eq!(error["message"], "Upstream error: the server cannot be reached");
    }
    house.errors_were_counted(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_before_its_answer() {
    let house = House::impatient().await;
    house.rogue.on_call(|stream, _| hang(stream));
    house.must_fail(504, "did not answer in time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_within_its_answer() {
    let house = House::impatient().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(format!("{HEAD}{{\"jsonrpc\"").as_bytes()).await;
        hang(stream).await
    });
    house.must_fail(504, "did not answer in time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_instead_of_an_answer() {
    let house = House::start().await;
    house.rogue.say(|_| {
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<h1>Log in</h1>".to_vec()
    });
    house.must_fail(502, "neither JSON nor an event stream").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_says_that_the_server_failed() {
    let house = House::start().await;
    house.rogue.say(|_| {
        b"HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<h1>Oops</h1>".to_vec()
    });
    house.must_fail(502, "the server answered 500").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let house = House::start().await;
    house.rogue.say(|_| {
        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/\r\ncontent-length: 0\r\n\r\n".to_vec()
    });
    house.must_fail(502, "the server answered 302").await;
    assert_eq!(house.rogue.calls(), 4, "two that failed, two that did not");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_none() {
    let house = House::start().await;
    house.rogue.say(|_| json_answer(r#"{"jsonrpc":"2.0","result":"#));
    house.must_fail(502, "not an answer to this request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_request() {
    let house = House::start().await;
    house
        .rogue
        .say(|_| json_answer(&result(&json!(4_711), "of somebody else")));
    house.must_fail(502, "not an answer to this request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_request_on_a_stream() {
    let house = House::start().await;
    house.rogue.say(|_| {
        stream(&format!(
            "data: {}\n\n",
            result(&json!(4_711), "of somebody else")
        ))
    });
    house.must_fail(502, "not an answer to this request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_in_one() {
    let house = House::start().await;
    house
        .rogue
        .say(|id| json_answer(&format!("{}{}", result(id, "one"), result(id, "two"))));
    house.must_fail(502, "not an answer to this request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_on_a_stream_are_one() {
    let house = House::start().await;
    house.rogue.say(|id| {
        let (one, two) = (result(id, "one"), result(id, "two"));
        stream(&format!("data: {one}\n\ndata: {two}\n\n"))
    });
    for era in ERAS {
        let text = house.call(era, json!({})).await.text();
        assert!(text.contains("one") && !text.contains("two"), "{era:?}: {text}");
    }
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_its_empty_line() {
    let house = House::start().await;
    house
        .rogue
        .say(|id| stream(&format!("data: {}\n", result(id, "lost"))));
    house.must_fail(200, "ended its stream without an answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_rubbish() {
    let house = House::start().await;
    house
        .rogue
        .say(|_| stream("\u{0}\u{1}\n\nno field\n\ndata: {]\n\ndata: 7\n\n:\n\nid\n\n\r\r\n"));
    house.must_fail(200, "ended its stream without an answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_within_an_event() {
    let house = House::start().await;
    house.rogue.say(|id| {
        let event = format!("data: {}\n\n", result(id, "cut"));
        let half = event.get(..event.len() / 2).unwrap_or_default();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{half}",
            event.len()
        )
        .into_bytes()
    });
    house.must_fail(200, "broke off").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_answers() {
    let house = House::impatient().await;
    house.rogue.on_call(|mut stream, _| async move {
        let note = r#"data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
        let _ = stream
            .write_all(&[STREAM, note.as_bytes(), b"\n\n"].concat())
            .await;
        hang(stream).await
    });
    house.must_fail(200, "fell silent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_drips() {
    let house = House::impatient().await;
    house.rogue.on_call(|mut stream, asked| async move {
        let _ = stream.write_all(STREAM).await;
        let event = format!("data: {}\n\n", result(&asked.message["id"], &"x".repeat(10_000)));
        drip(&mut stream, event.into_bytes()).await;
        None
    });
    house.must_fail(200, "fell silent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips() {
    let house = House::impatient().await;
    house.rogue.on_call(|mut stream, _| async move {
        drip(&mut stream, HEAD.bytes()).await;
        None
    });
    house.must_fail(504, "did not answer in time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips() {
    let house = House::impatient().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(HEAD.as_bytes()).await;
        drip(&mut stream, [b' '; 1_000]).await;
        None
    });
    house.must_fail(504, "did not answer in time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_before_the_answer() {
    let house = House::start().await;
    house.rogue.on_call(|stream, _| async move {
        reset(stream);
        None
    });
    house
        .must_fail(502, "broke off before its answer was there")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_within_the_answer() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(format!("{HEAD}{{\"jsonrpc\"").as_bytes()).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        reset(stream);
        None
    });
    house
        .must_fail(502, "broke off before its answer was there")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_within_a_stream() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, _| async move {
        let _ = stream.write_all(&[STREAM, b"data: {\"jsonrpc\""].concat()).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        reset(stream);
        None
    });
    house.must_fail(200, "broke off").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_http() {
    let house = House::start().await;
    house.rogue.say(|_| b"SSH-2.0-OpenSSH_9.2\r\n".to_vec());
    house
        .must_fail(502, "broke off before its answer was there")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_continue_comes_before_the_answer() {
    let house = House::start().await;
    house.rogue.on_call(|mut stream, asked| async move {
        let first = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
        let _ = stream
            .write_all(&[first, &well(&asked.message)[..]].concat())
            .await;
        Some(stream)
    });
    for era in ERAS {
        let answer = house.call(era, json!({"a": "continued"})).await;
        assert_eq!((answer.status, &answer.json()["id"]), (200, &era.id()));
        assert!(answer.text().contains("continued"));
    }
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_without_end() {
    let house = House::impatient().await;
    house.rogue.on_call(|mut stream, _| async move {
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        None
    });
    house.must_fail(504, "did not answer in time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_before_the_request_is_there() {
    let house = House::start().await;
    house.rogue.on(When::HeadRead, |mut stream, asked| async move {
        let body = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"too much for me"}}"#;
        let head = format!(
            "HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(head.as_bytes()).await;
        let length = asked
            .head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut rest = vec![0; length.unwrap_or(0)];
        let _ = stream.read_exact(&mut rest).await;
        Some(stream)
    });
    for era in ERAS {
        let answer = house.call(era, json!({"large": "x".repeat(3_000_000)})).await;
        assert_eq!(
            (answer.status, &answer.json()["id"]),
            (413, &era.id()),
            "{}",
            answer.text()
        );
        assert_eq!(answer.json()["error"]["message"], "too much for me");
    }
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_without_an_id_gets_the_hosts() {
    let house = House::start().await;
    house
        .rogue
        .say(|_| json_answer(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}"#));
    for era in [Era::Legacy, Era::Modern] {
        let answer = house.call(era, json!({})).await;
        assert_eq!((answer.status, &answer.json()["id"]), (200, &era.id()));
        assert_eq!(answer.json()["error"]["code"], -32700);
    }
    house.is_well().await;
}
