//! Connections to servers that are kept and go stale: a call that was not sent is sent again on another one, and a call
//! that may have been sent never is.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::bad_upstreams_house::{ERAS, House};
use crate::rogue::{When, hang, well};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_closed_meanwhile_costs_no_call() {
    let house = House::start().await;
    // The server closes after each answer without having said so.
    house.rogue.on_call(|mut stream, asked| async move {
        let _ = stream.write_all(&well(&asked.message)).await;
        None
    });
    let before = house.rogue.connections();
    for _ in 0..10 {
        for era in ERAS {
            let answer = house.call(era, json!({})).await;
            assert_eq!(
                (answer.status, &answer.json()["id"]),
                (200, &era.id()),
                "{}",
                answer.text()
            );
            // The end of the connection has to arrive: what was written before it did may have been read.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(house.rogue.calls(), 20, "each call came once");
    assert!(house.rogue.connections() >= before + 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_read_is_not_sent_again() {
    let house = House::start().await;
    for era in ERAS {
        house.rogue.behave();
        // The connection is kept, and used for the next call.
        assert_eq!(house.call(era, json!({})).await.status, 200);
        // The host's connection has to be given back, too: another one may be served by a thread with connections of its own.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (calls, connections) = (house.rogue.calls(), house.rogue.connections());
        house.rogue.on_call(|stream, _| async move {
            drop(stream);
            None
        });
        let answer = house.call(era, json!({})).await;
        assert_eq!(
            (answer.status, &answer.json()["id"]),
            (502, &era.id()),
            "{}",
            answer.text()
        );
        assert_eq!(house.rogue.calls(), calls + 1, "{era:?}: it may have had effects");
        assert_eq!(
            house.rogue.connections(),
            connections,
            "{era:?}: on the kept connection"
        );
    }
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_for_a_moment_is_found_again() {
    let house = House::impatient().await;
    house.rogue.on_call(|stream, _| hang(stream));
    for era in ERAS {
        assert_eq!(house.call(era, json!({})).await.status, 504);
    }
    assert_eq!(
        house.rogue.calls(),
        2,
        "a call that took too long may have had effects"
    );
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_the_server_stopped_reading_serves_no_other_call() {
    let house = House::impatient().await;
    house.rogue.on(When::HeadRead, |mut stream, _| async move {
        let body = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"too much for me"}}"#;
        let head = "HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length:";
        let _ = stream
            .write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes())
            .await;
        // The rest of the request waits in the connection, which looks as if it were done.
        tokio::time::sleep(Duration::from_secs(60)).await;
        None
    });
    for era in ERAS {
        let answer = house.call(era, json!({"large": "x".repeat(3_000_000)})).await;
        assert_eq!(
            (answer.status, &answer.json()["id"]),
            (413, &era.id()),
            "{}",
            answer.text()
        );
    }
    house.is_well().await;
}
