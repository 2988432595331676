//! Queries of GraphQL: one text whatever is asked, and errors that come with the status of a success.

use serde_json::{Value, json};

use super::{Double, Front, Seen, any, ok_json, text};

const QUERY: &str = "query ship($id: ID!, $tone: String) { ship(id: $id, tone: $tone) { id } }";

fn ship() -> Value {
    let member = |name: &str| json!({"name": name, "source": {"argument": name}});
    json!({
        "method": "POST", "retry": "safe", "path": [{"literal": "/graphql"}],
        "body": {"contentType": "application/json", "form": {"graphql": {"query": QUERY}}, "required": true,
            "content": {"members": {"members": [member("id"), member("tone")]}}},
        "answers": {"accept": ["application/json"], "structured": {"wrapped": "result"}, "graphql": "ship"},
    })
}

async fn asked(answer: Value) -> (Value, Vec<Seen>) {
    let double = Double::start(move |_, _| ok_json(&answer)).await;
    let front = Front::new(&double.url, ship(), any());
    let result = front.result(json!({"id": "1\") { id } scrap(id: \"2"})).await;
    (result, double.seen())
}

#[tokio::test]
async fn arguments_are_variables_and_no_part_of_the_query() {
    let (result, seen) = asked(json!({"data": {"ship": {"id": "1"}}})).await;
    assert_eq!(result["structuredContent"], json!({"result": {"id": "1"}}));
    assert_eq!(result.get("isError"), None);
    assert_eq!(seen[0].line, "POST /base/v2/graphql HTTP/1.1");
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    let variables = json!({"id": "1\") { id } scrap(id: \"2"});
    assert_eq!(body, json!({"query": QUERY, "variables": variables}));
}

#[tokio::test]
async fn errors_are_errors_whatever_came_with_them() {
    let errors = json!([{"message": "No such\u{7} ship", "path": ["ship", 0, "id"]}, {}]);
    let (result, _) = asked(json!({"data": {"ship": null}, "errors": errors})).await;
    assert_eq!(result["isError"], true);
    assert_eq!(
        text(&result),
        "The API says: No such ship (at ship.0.id); an error without a message"
    );
    let (result, _) = asked(json!({"data": {"ship": {"id": "1"}}, "errors": errors})).await;
    assert_eq!(result["isError"], true);
    assert!(result.to_string().contains("What came all the same"), "{result}");
    for odd in [
        json!({}),
        json!([]),
        json!({"data": {}}),
        json!({"data": 7, "errors": {}}),
    ] {
        let (result, _) = asked(odd).await;
        assert_eq!(result["isError"], true, "{result}");
    }
    // A field may be null, and that is no error.
    let (result, _) = asked(json!({"data": {"ship": null}})).await;
    assert_eq!(result["structuredContent"], json!({"result": null}));
}
