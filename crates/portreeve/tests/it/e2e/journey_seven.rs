//! J7: hosts of every revision, over both transports, see one REST API as the same tools and reach it in the same way.
//! What an import says and what a second one shows is in `rest_import`; that hosts hear of it, in `rest_news`.

use serde_json::{Value, json};

use crate::any_host::{AnyHost, Place, REVISIONS, Transport};
use crate::pets::Pets;

/// One operation with a parameter of every kind.
fn call() -> Value {
    json!({"name": "putPet", "arguments": {"id": "a/b?c", "dryRun": true, "X-Trace": "t", "name": "Ada"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn j7_hosts_of_every_revision_and_transport_see_the_same_tools_and_reach_the_api() {
    let pets = Pets::start().await;
    let place = Place::of(&pets.node);
    let mut lists = Vec::new();
    for transport in [Transport::Http, Transport::Sse] {
        for revision in REVISIONS {
            let host = AnyHost::connect_over(transport, &place, &pets.slug, revision).await;
            let mut host = host.unwrap_or_else(|refused| panic!("{transport:?} {revision}: {refused}"));
            let list = host.talk("tools/list", json!({})).await.answer;
            let tools = list["result"]["tools"].clone();
            assert_eq!(
                tools.as_array().map(Vec::len),
                Some(4),
                "{transport:?} {revision}: {list}"
            );
            lists.push(tools);
            let before = pets.seen().len();
            let called = host.talk("tools/call", call()).await.answer;
            let said = &called["result"]["content"][0]["text"];
            assert!(
                said.as_str().is_some_and(|said| said.contains("Ada")),
                "{transport:?} {revision}: {called}"
            );
            let seen = pets.seen().split_off(before);
            let [one] = &seen[..] else {
                panic!("{transport:?} {revision}: one request reaches the API: {seen:?}");
            };
            assert_eq!(one.method, "PUT");
            assert_eq!(one.uri, "/base/v1/pets/a%2Fb%3Fc?dryRun=true");
            assert_eq!(one.headers["x-trace"], "t");
            let body: Value = serde_json::from_slice(&one.body).unwrap();
            assert_eq!(body, json!({"name": "Ada"}));
        }
    }
    assert_eq!(lists.len(), 10);
    lists.dedup();
    assert_eq!(lists.len(), 1, "all ten see the same tools");
    let hints = |name: &str| {
        let tools = lists[0].as_array().unwrap();
        let found = tools.iter().find(|tool| tool["name"] == name).unwrap();
        found["annotations"].clone()
    };
    assert_eq!(hints("listPets")["readOnlyHint"], true);
    assert_eq!(hints("putPet")["readOnlyHint"], false);
    assert_eq!(hints("deletePet")["destructiveHint"], true);
}
