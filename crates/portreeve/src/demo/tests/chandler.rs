//! The sample REST API keeps its own description: every operation is there and answers as it says.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use portreeve_core::limits::Limits;
use portreeve_core::time::SystemClock;
use portreeve_registry::import::openapi;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::demo::chandler::{BASE_PATH, DESCRIPTION, router};

fn shop() -> Router {
    router(Arc::new(SystemClock))
}

fn description() -> Value {
    openapi::read(DESCRIPTION, &Limits::default()).unwrap()
}

/// Header fields.
type Fields = &'static [(&'static str, &'static str)];

/// Status, media type and body of an answer.
async fn ask(
    shop: &Router,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, String, Vec<u8>) {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{BASE_PATH}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (head, body) = shop.clone().oneshot(request).await.unwrap().into_parts();
    let kind = head.headers.get("content-type");
    let kind = kind
        .map(|kind| kind.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (head.status, kind, body)
}

/// A request of each operation that succeeds, in an order that leaves the later ones possible.
const SUCCEED: [(&str, Fields, &str); 14] = [
    (
        "GET /parts?q=line&category=deck,rigging&inStock=true&limit=3",
        &[],
        "",
    ),
    (
        "POST /parts",
        &[],
        r#"{"sku":"DK-900","name":"Fender","category":"deck","price":25,"stock":5}"#,
    ),
    ("GET /parts/DK-900", &[], ""),
    (
        "PUT /parts/DK-900",
        &[("x-changed-by", "Ada")],
        r#"{"name":"Fender, large","category":"deck","price":35.5,"stock":2}"#,
    ),
    ("GET /parts/DK-900/picture", &[], ""),
    ("DELETE /parts/DK-900", &[], ""),
    ("POST /stocktake", &[], "DK-110,7\nDK-120, 8\n"),
    ("GET /orders?state=open&state=cancelled", &[], ""),
    (
        "POST /orders",
        &[("idempotency-key", "a")],
        r#"{"ship":"Aurelia","lines":[{"sku":"DK-110","quantity":7}],"note":null}"#,
    ),
    ("GET /orders/O-1013", &[], ""),
    (
        "POST /orders/O-1013/shipments?notify=true",
        &[("x-requested-by", "Ada")],
        r#"{"berth":"north 2","carrier":"launch"}"#,
    ),
    ("GET /shipments?filter[carrier]=launch", &[], ""),
    ("GET /shipments/S-507/label", &[], ""),
    ("DELETE /orders/O-1012?reason=late", &[], ""),
];

#[tokio::test]
async fn every_operation_of_the_description_answers_as_it_says() {
    let (shop, description) = (shop(), description());
    let mut asked = Vec::new();
    for (line, headers, body) in SUCCEED {
        let (status, kind, bytes) = ask(&shop, line, headers, body).await;
        let (method, path) = line.split_once(' ').unwrap();
        let path = path.split('?').next().unwrap();
        let (operation, described) = described(&description, &method.to_lowercase(), path);
        asked.push(operation);
        let text = String::from_utf8_lossy(&bytes);
        assert!(status.is_success(), "{line}: {status} {text}");
        let answer = &described["responses"][status.as_str()];
        let answer = answer["$ref"].as_str().map_or(answer, |at| {
            description.pointer(at.trim_start_matches('#')).unwrap()
        });
        let content = answer["content"].as_object();
        let media = kind.split(';').next().unwrap();
        let Some(said) = content.and_then(|content| content.get(media)) else {
            assert!(
                content.is_none() && bytes.is_empty(),
                "{line}: {status} {media} is not described"
            );
            continue;
        };
        if media == "application/json" {
            let mut schema = said["schema"].clone();
            schema["components"] = description["components"].clone();
            let judge = jsonschema::validator_for(&schema).unwrap();
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            let problems: Vec<String> = judge.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{line}: {text}: {problems:?}");
        }
    }
    let paths = description["paths"].as_object().unwrap().values();
    let all = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut all: Vec<&str> = all.filter_map(|one| one["operationId"].as_str()).collect();
    all.sort_unstable();
    asked.sort_unstable();
    assert_eq!(asked, all, "every operation was asked once");
}

/// The operation of a path in which the parameters are filled in, and its name.
fn described<'a>(description: &'a Value, method: &str, path: &str) -> (&'a str, &'a Value) {
    let is_it = |pattern: &str| {
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        pattern
            .by_ref()
            .zip(path.by_ref())
            .all(|(one, other)| one.starts_with('{') || one == other)
            && pattern.next().is_none()
            && path.next().is_none()
    };
    let same_length = |pattern: &str| pattern.split('/').count() == path.split('/').count();
    let paths = description["paths"].as_object().unwrap();
    let (_, found) = paths
        .iter()
        .find(|(pattern, _)| same_length(pattern) && is_it(pattern))
        .unwrap();
    (found[method]["operationId"].as_str().unwrap(), &found[method])
}

#[tokio::test]
async fn what_cannot_be_done_is_told() {
    let shop = shop();
    let refused: [(&str, Fields, &str, u16, &str); 12] = [
        ("GET /parts/ZZ-999", &[], "", 404, "ZZ-999"),
        ("GET /parts?limit=21", &[], "", 422, "limit"),
        ("GET /parts?category=sails", &[], "", 422, "sails"),
        ("DELETE /parts/DK-110", &[], "", 409, "O-1012"),
        (
            "POST /parts",
            &[],
            r#"{"sku":"DK-110","name":"x","category":"deck","price":1,"stock":1}"#,
            409,
            "DK-110",
        ),
        (
            "POST /parts",
            &[],
            r#"{"sku":"DK-999","name":"x","category":"deck","price":-1,"stock":1}"#,
            422,
            "price",
        ),
        (
            "POST /orders",
            &[],
            r#"{"ship":"A","lines":[{"sku":"DK-130","quantity":5}]}"#,
            409,
            "4 of `DK-130`",
        ),
        (
            "POST /orders",
            &[],
            r#"{"ship":"A","lines":[],"more":1}"#,
            422,
            "more",
        ),
        ("DELETE /orders/O-1001", &[], "", 409, "not open"),
        (
            "POST /orders/O-1012/shipments",
            &[],
            r#"{"berth":"north 1"}"#,
            422,
            "X-Requested-By",
        ),
        ("GET /shipments/S-1/label", &[], "", 404, "S-1"),
        ("POST /stocktake", &[], "DK-110\n", 422, "line 1"),
    ];
    for (line, headers, body, status, word) in refused {
        let (answered, kind, bytes) = ask(&shop, line, headers, body).await;
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(answered.as_u16(), status, "{line}: {text}");
        assert_eq!(kind, "application/problem+json", "{line}");
        assert!(text.contains(word), "{line}: {text}");
    }
    let (foreign, ..) = ask(&shop, "GET /parts", &[("host", "evil.example")], "").await;
    assert_eq!(foreign, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_order_takes_from_the_stock_once_and_gives_back() {
    let shop = shop();
    let stock = async || {
        let (_, _, bytes) = ask(&shop, "GET /parts/DK-130", &[], "").await;
        serde_json::from_slice::<Value>(&bytes).unwrap()["stock"].clone()
    };
    let body = json!({"ship": "Aurelia", "lines": [{"sku": "DK-130", "quantity": 3}]}).to_string();
    let key = [("idempotency-key", "once")];
    let (_, _, first) = ask(&shop, "POST /orders", &key, &body).await;
    let (_, _, again) = ask(&shop, "POST /orders", &key, &body).await;
    assert_eq!(first, again);
    assert_eq!(stock().await, 1);
    let (status, ..) = ask(&shop, "DELETE /orders/O-1013", &[], "").await;
    assert_eq!((status.as_u16(), stock().await), (200, json!(4)));
}
