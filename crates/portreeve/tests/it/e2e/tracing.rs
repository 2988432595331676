//! Trace contexts: the server is told of a span of the gateway's own, in the trace that the host says, wherever it says it.

use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::Speaks;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn context(span: &str) -> String {
    format!("00-{TRACE}-{span}-01")
}

/// The context that the server was told, in the header and in the message.
fn told(served: &Served) -> (String, Value) {
    let seen = served.upstream.seen().pop().expect("a request");
    let header = seen
        .headers
        .get("traceparent")
        .map(|value| value.to_str().unwrap().to_owned());
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    (
        header.unwrap_or_default(),
        body["params"]["_meta"]["traceparent"].clone(),
    )
}

fn is_a_child(text: &str, parent: &str) {
    assert!(
        text.starts_with(&format!("00-{TRACE}-")) && text.ends_with("-01"),
        "{text}"
    );
    assert_ne!(text, parent);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_told_a_span_of_the_gateway_in_the_trace_of_the_host() {
    let served = Served::start(Speaks::Both).await;
    let (outer, inner) = (context("00f067aa0ba902b7"), context("1111111111111111"));
    let params = |meta: Option<&str>| {
        let mut params = json!({"name": "echo", "arguments": {"traceparent": "mine"}, "_meta": {"other": 1}});
        if let Some(meta) = meta {
            params["_meta"]["traceparent"] = meta.into();
        }
        params
    };
    for (header, meta, parent) in [
        (None, None, None),
        (Some(&outer), None, Some(&outer)),
        (None, Some(&inner), Some(&inner)),
        (Some(&outer), Some(&inner), Some(&inner)),
    ] {
        let mut request = served.modern(1, "tools/call", params(meta.map(String::as_str)));
        request
            .0
            .extend(header.map(|header| ("traceparent", header.clone())));
        assert_eq!(served.post(&request).await.status, 200);
        let (sent, written) = told(&served);
        match parent {
            Some(parent) => is_a_child(&sent, parent),
            None => assert_eq!(sent, ""),
        }
        if meta.is_some() {
            assert_eq!(written, sent.as_str(), "both say the same");
        } else {
            assert_eq!(written, Value::Null);
        }
        let audit = served
            .node
            .api("GET", "/audit?action=tools/call&limit=1", None)
            .await
            .json();
        let kept = audit["items"][0]["traceparent"].clone();
        assert_eq!(
            kept,
            parent.map_or(Value::Null, |parent| json!(parent)),
            "{audit}"
        );
    }
    // Of the legacy era, too.
    let host = served.legacy().await;
    host.request(json!(1), "tools/call", params(Some(&inner))).await;
    let (sent, written) = told(&served);
    is_a_child(&sent, &inner);
    assert_eq!(written, sent.as_str());
}
