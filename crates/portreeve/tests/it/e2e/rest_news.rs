//! Hosts with an open stream hear when the tools of a REST API changed: after an approval, and not before.

use std::time::Duration;

use serde_json::{Value, json};

use crate::pets::{Pets, document, import, names};
use crate::sse_host::SseHost;
use crate::web::{Stream, modern};

const CHANGED: &str = "notifications/tools/list_changed";

/// The API with one operation more.
fn grown(url: &str) -> Value {
    let mut grown = document(url);
    grown["info"]["version"] = json!("1.1.0");
    grown["paths"]["/v1/cats"] = json!({"get": {"operationId": "listCats", "summary": "Lists cats"}});
    grown
}

async fn heard(stream: &mut Stream) -> Value {
    let next = tokio::time::timeout(Duration::from_secs(30), stream.message());
    let next = next.await.expect("news in time");
    next.expect("an open stream")
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_every_transport_hear_of_an_approved_import_and_not_of_a_waiting_one() {
    let pets = Pets::start().await;
    let (node, url) = (&pets.node, pets.node.endpoint(&pets.slug));
    let host = pets.legacy(&node.key).await;
    let mut session = node.web.open("GET", &url, &host.headers, String::new()).await;
    let params = json!({"notifications": {"toolsListChanged": true}});
    let (headers, body) = modern(Some(&node.key), 5, "subscriptions/listen", params);
    let mut subscription = node.web.open("POST", &url, &headers, body).await;
    let honoured = heard(&mut subscription).await;
    assert_eq!(
        honoured["params"]["notifications"],
        json!({"toolsListChanged": true})
    );
    let mut old = SseHost::ready(node, &pets.slug, &node.key).await;

    let waiting = import(node, &grown(&pets.url), &[]);
    assert_eq!(
        waiting["outcome"]["version"]["approval"], "submitted",
        "{waiting}"
    );
    // What comes next on this stream is the answer, so nothing was told before it.
    let list = old.ask(json!(1), "tools/list", json!({})).await;
    assert_eq!(names(&list).len(), 4, "{list}");

    node.cli_json(&["server", "approve", "com.acme/pets"]);
    for stream in [&mut session, &mut subscription, &mut old.stream] {
        assert_eq!(heard(stream).await["method"], CHANGED);
    }
    let list = old.ask(json!(2), "tools/list", json!({})).await;
    assert!(names(&list).contains(&"listCats".to_owned()), "{list}");
    let list = host.request(json!(3), "tools/list", json!({})).await.json();
    assert!(names(&list).contains(&"listCats".to_owned()), "{list}");
}
