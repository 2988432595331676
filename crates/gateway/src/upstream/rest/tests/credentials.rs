//! Where the route's credential goes, where it does not, and that nobody hears it from the API.

use http::HeaderName;
use portreeve_core::protocol::Era;
use serde_json::{Value, json};

use super::{Double, Form, Front, SECRET, Seen, answered, get, ok_json, text};

fn header() -> Form {
    Form::Header(HeaderName::from_static("x-key"))
}

fn of(binding: Value) -> Value {
    json!({"format": 1, "tools": {"do": binding}})
}

#[tokio::test]
async fn a_credential_is_shown_to_the_origin_of_the_route_alone() {
    let own = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let other = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let elsewhere = get(json!({"baseUrl": other.url}));
    let beside = get(json!({"baseUrl": own.url.replace("/base/v2", "/beside")}));
    for form in [
        Form::Bearer,
        Form::Basic("ada".to_owned()),
        header(),
        Form::Query("api_key".to_owned()),
        Form::Cookie("session".to_owned()),
    ] {
        let front = |binding: &Value| {
            Front::with_credential(&own.url, form.clone(), of(binding.clone()), &[&other.url])
        };
        let sent = |seen: &Seen| format!("{}\n{}", seen.line, seen.fields.join("\n"));
        front(&elsewhere).result(json!({})).await;
        let seen = sent(&other.seen().pop().unwrap());
        for word in ["s3cr3t", "api_key", "authorization", "cookie", "x-key"] {
            assert!(!seen.to_ascii_lowercase().contains(word), "{word} in {seen}");
        }
        for binding in [&beside, &get(json!({}))] {
            front(binding).result(json!({})).await;
            let seen = sent(&own.seen().pop().unwrap());
            let is_shown = ["s3cr3t", "Basic "].iter().any(|word| seen.contains(word));
            assert!(is_shown, "{seen}");
        }
    }
}

#[tokio::test]
async fn a_credential_in_the_query_goes_with_every_page_once() {
    for next in [
        "?page=2",
        "?page=2&api_key=from-the-api",
        "/base/v2/items?Api%5FKey=x&page=2",
    ] {
        let double = Double::start(move |_: &Seen, number| {
            let link = if number == 1 {
                format!("link: <{next}>; rel=next\r\n")
            } else {
                String::new()
            };
            let fields = format!("content-type: application/json\r\n{link}");
            answered("200 OK", &fields, &json!([number]).to_string())
        })
        .await;
        let binding = get(json!({"paging": {"kind": "link", "mostPages": 5}}));
        let form = Form::Query("api_key".to_owned());
        let result = Front::with_credential(&double.url, form, of(binding), &[])
            .result(json!({}))
            .await;
        assert_eq!(text(&result), "[1,2]");
        assert_eq!(
            double.seen()[1].line,
            "GET /base/v2/items?api_key=s3cr3t%2Fof%2Dthe%2Droute&page=2 HTTP/1.1"
        );
    }
}

#[tokio::test]
async fn an_api_that_asks_for_several_is_shown_all_of_them() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let forms = vec![
        header(),
        Form::Query("app_id".to_owned()),
        Form::Query("app_key".to_owned()),
        Form::Cookie("session".to_owned()),
        Form::Cookie("user".to_owned()),
    ];
    let front = Front::with_credentials(&double.url, forms, of(get(json!({}))), &[]);
    front.result(json!({})).await;
    let seen = double.seen().pop().unwrap();
    let encoded = "s3cr3t%2Fof%2Dthe%2Droute";
    let line = format!("GET /base/v2/items?app_id={encoded}&app_key={encoded} HTTP/1.1");
    assert_eq!(seen.line, line);
    assert_eq!(seen.field("x-key"), Some(SECRET));
    let cookies = format!("user={SECRET}; session={SECRET}");
    assert_eq!(seen.field("cookie"), Some(cookies.as_str()));
}

#[tokio::test]
async fn an_api_that_repeats_the_credential_is_not_repeated() {
    let echo = |seen: &Seen, _: usize| {
        let key = seen.field("x-key").unwrap();
        match seen.line.split(' ').nth(1).unwrap() {
            "/base/v2/json" => ok_json(&json!({"headers": {"key": key}, "n": 1.50})),
            "/base/v2/text" => answered("200 OK", "content-type: text/plain\r\n", &format!("key={key}.")),
            _ => answered(
                "200 OK",
                "content-type: text/event-stream\r\n",
                &format!("data: {key}\n\n"),
            ),
        }
    };
    let double = Double::start(echo).await;
    for (path, answers) in [
        ("/json", json!({"structured": "object"})),
        ("/text", json!({})),
        ("/events", json!({})),
    ] {
        let binding = get(json!({"path": [{"literal": path}], "answers": answers}));
        let resource = json!({"uri": "api:///it", "name": "it", "binding": binding});
        let bindings = json!({"format": 1, "tools": {"do": binding}, "resources": {"it": resource}});
        let front = Front::with_credential(&double.url, header(), bindings, &[]);
        let called = front.call(json!({})).await.to_string();
        let read = front
            .ask(Era::Legacy, "resources/read", json!({"uri": "api:///it"}))
            .await;
        for said in [called, read.to_string()] {
            assert!(!said.contains(SECRET) && !said.contains("s3cr3t"), "{said}");
            assert!(said.contains("[secret]") || path == "/events", "{said}");
        }
    }
}
