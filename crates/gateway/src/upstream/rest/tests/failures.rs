//! APIs that fail: in words that a model can act on, and sent again only where that is safe.

use portreeve_core::limits::Limits;
use serde_json::{Value, json};

use super::{Double, Front, Seen, answered, any, get, ok_json, text};

fn post() -> Value {
    json!({"method": "POST", "path": [{"literal": "/items"}], "retry": "never"})
}

async fn failed(front: &Front) -> String {
    let result = front.result(json!({})).await;
    assert_eq!(result["isError"], true, "{result}");
    text(&result).to_owned()
}

#[tokio::test]
async fn a_status_is_told_with_what_the_api_says_and_what_to_do() {
    for (answer, wanted) in [
        (
            answered(
                "404 Not Found",
                "content-type: application/problem+json\r\n",
                r#"{"title": "No pet", "detail": "7"}"#,
            ),
            r#"The API answered 404 Not Found. It says: {"title":"No pet","detail":"7"} What the arguments name is not there."#,
        ),
        (
            answered(
                "422 Unprocessable Content",
                "content-type: text/plain\r\n",
                "bad\r\n\u{7}name ",
            ),
            "The API answered 422 Unprocessable Entity. It says: bad name Change the arguments.",
        ),
        (
            answered("429 Too Many Requests", "retry-after: 30\r\n", ""),
            "The API answered 429 Too Many Requests. Try again in 30 s.",
        ),
        (
            answered(
                "500 Internal Server Error",
                "content-type: text/html\r\n",
                "<h1>no</h1>",
            ),
            "The API answered 500 Internal Server Error. It is the API that failed, not the arguments.",
        ),
        (
            answered("302 Found", "location: http://169.254.169.254/\r\n", ""),
            "The API answered 302 Found. The gateway follows no redirects. Tell an administrator.",
        ),
    ] {
        let double = Double::start(move |_: &Seen, _| answer.clone()).await;
        let front = Front::new(&double.url, get(json!({})), any());
        assert_eq!(failed(&front).await, wanted);
        assert_eq!(double.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_long_refusal_is_cut() {
    let long = answered(
        "400 Bad Request",
        "content-type: text/plain\r\n",
        &"x".repeat(100_000),
    );
    let double = Double::start(move |_: &Seen, _| long.clone()).await;
    let said = failed(&Front::new(&double.url, get(json!({})), any())).await;
    assert!(said.len() < 5_000, "{}", said.len());
}

#[tokio::test]
async fn what_is_safe_is_sent_again_and_nothing_else() {
    let flaky = |_: &Seen, number: usize| match number {
        1 => String::new(),
        2 => answered("503 Service Unavailable", "", ""),
        _ => ok_json(&json!({"ok": number})),
    };
    let double = Double::start(flaky).await;
    let result = Front::new(&double.url, get(json!({})), any())
        .result(json!({}))
        .await;
    assert_eq!(text(&result), r#"{"ok":3}"#);
    let double = Double::start(flaky).await;
    let said = failed(&Front::new(&double.url, post(), any())).await;
    assert!(said.contains("broke") && said.contains("look before"), "{said}");
    assert_eq!(double.seen().len(), 1);
}

#[tokio::test]
async fn an_api_that_always_fails_gets_few_requests_more() {
    let double = Double::start(|_: &Seen, _| answered("503 Service Unavailable", "", "")).await;
    let front = Front::new(&double.url, get(json!({})), any());
    for _ in 0..60 {
        failed(&front).await;
    }
    let sent = double.seen().len();
    assert!((61..=90).contains(&sent), "{sent}");
}

#[tokio::test]
async fn a_tool_has_a_time_of_its_own_and_the_api_is_told_apart_from_the_gateway() {
    let double = Double::start(|_: &Seen, _| "<WAIT>HTTP/1.1 200 OK\r\n\r\n".to_owned()).await;
    let front = Front::new(&double.url, get(json!({"timeoutMs": 100})), any());
    let said = failed(&front).await;
    assert_eq!(said, "The API did not answer within 0.1 s. Try again later.");
    let gone = Front::new("http://127.0.0.1:1/base/v2", get(json!({})), any());
    let said = failed(&gone).await;
    assert_eq!(
        said,
        "The API cannot be reached just now. Nothing was done. Try again later."
    );
    let metadata = get(json!({"baseUrl": "http://169.254.169.254/latest"}));
    let said = failed(&Front::new(&double.url, metadata, any())).await;
    assert!(said.contains("does not let this request out"), "{said}");
    assert!(!said.contains("169.254"), "{said}");
}

#[tokio::test]
async fn what_is_too_large_or_packed_is_refused_in_words() {
    let large = answered("200 OK", "content-type: text/plain\r\n", &"x".repeat(300 * 1024));
    let double = Double::start(move |_: &Seen, _| large.clone()).await;
    let said = failed(&Front::new(&double.url, get(json!({})), any())).await;
    assert_eq!(
        said,
        "The API's answer is longer than 262144 bytes. Ask for less of it."
    );
    // It fits, but as text and as structured content it does not.
    let json = ok_json(&json!({"x": "y".repeat(150 * 1024)}));
    let double = Double::start(move |_: &Seen, _| json.clone()).await;
    let structured = get(json!({"answers": {"structured": "object"}}));
    let said = failed(&Front::with_limits(
        &double.url,
        structured,
        any(),
        Limits::for_tests(),
    ))
    .await;
    assert!(said.contains("longer than"), "{said}");
    let packed = answered(
        "200 OK",
        "content-encoding: gzip\r\ncontent-type: text/plain\r\n",
        "x",
    );
    let double = Double::start(move |_: &Seen, _| packed.clone()).await;
    let said = failed(&Front::new(&double.url, get(json!({})), any())).await;
    assert!(said.contains("compressed"), "{said}");
}
