//! Connections to servers that are kept and go stale: a call that was not sent is sent again on another one, and a call
//! that may have been sent never is.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::bad_upstreams_house::{ERAS, House};
use crate::rogue::{hang, well};

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
