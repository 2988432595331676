//! Answers that come as events: told as progress, gathered for the result, and never without an end.

use std::time::Duration;

use portreeve_client::ReplyBody;
use portreeve_core::limits::{Limits, RestLimits};
use portreeve_core::protocol::Era;
use serde_json::{Value, json};

use super::{Double, Front, Seen, answered, any, get, text};

const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n\
    9\r\ndata: one\r\n2\r\n\n\n\r\n<WAIT>FOREVER";

fn asked(token: Option<&str>) -> Value {
    let mut params = json!({"name": "do", "arguments": {}});
    if let Some(token) = token {
        params["_meta"] = json!({"progressToken": token});
    }
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
}

#[tokio::test]
async fn events_without_end_end_all_the_same() {
    let double = Double::start(|_: &Seen, _| ENDLESS.to_owned()).await;
    let limits = Limits {
        rest: RestLimits {
            events: Duration::from_millis(100),
            ..RestLimits::default()
        },
        ..Limits::for_tests()
    };
    for (token, own) in [
        (None, json!({"timeoutMs": 90})),
        (Some("t"), json!({"timeoutMs": 90})),
    ] {
        let front = Front::with_limits(&double.url, get(own), any(), limits.clone());
        let last = front.messages(Era::Legacy, asked(token)).await.pop().unwrap();
        assert_eq!(last["result"]["isError"], true, "{last}");
        let told = last["result"]["content"][1]["text"].as_str().unwrap();
        assert!(told.contains("longer than a call may take"), "{told}");
        assert!(text(&last["result"]).starts_with("one\n"), "{last}");
    }
}

#[tokio::test]
async fn a_host_that_leaves_ends_the_connection_to_the_api() {
    for (era, token) in [(Era::Legacy, None), (Era::Modern, None), (Era::Legacy, Some("t"))] {
        let double = Double::start(|_: &Seen, _| ENDLESS.to_owned()).await;
        let front = Front::new(&double.url, get(json!({})), any());
        let ReplyBody::Events(body) = front.reply(era, asked(token)).await else {
            panic!("no events");
        };
        drop(body);
        while double.seen().last().unwrap().line != "GONE" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_tool_that_promises_structure_says_that_events_are_none() {
    let double = Double::start(|_: &Seen, _| {
        answered(
            "200 OK",
            "content-type: text/event-stream\r\n",
            "data: {\"n\":1}\n\n",
        )
    })
    .await;
    let promised = get(json!({"answers": {"structured": "object"}}));
    let result = Front::new(&double.url, promised, any()).result(json!({})).await;
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result["content"][1]["text"], "{\"n\":1}");
    let plain = Front::new(&double.url, get(json!({})), any())
        .result(json!({}))
        .await;
    assert_eq!((text(&plain), plain.get("isError")), ("{\"n\":1}", None));
}
