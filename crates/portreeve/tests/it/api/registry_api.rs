//! The official registry API as hosts use it: paths in every form, headers, errors.

use axum::body::Body;
use http::{Method, Request};
use serde_json::Value;

use super::house::{Answer, House};

async fn stocked() -> House {
    let house = House::new().await;
    house.add("com.acme/billing", "1.0.0+b1", true).await;
    house.add("com.acme/mail", "2.0.0", true).await;
    house.add("com.acme/draft", "0.1.0", false).await;
    house
}

async fn ask(house: &House, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    house.call_with("", (method, path), Value::Null, headers).await
}

fn names(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let servers = body["servers"].as_array().unwrap();
    servers
        .iter()
        .map(|server| server["server"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_host_lists_what_is_approved() {
    let house = stocked().await;
    for path in ["/v0.1/servers", "/v0/servers"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(names(&answer), ["com.acme/billing", "com.acme/mail"], "{path}");
        let first = &answer.json()["servers"][0];
        assert_eq!(
            first["server"]["remotes"][0]["url"],
            "https://gw.acme.example/s/billing/mcp"
        );
        assert_eq!(
            first["_meta"]["io.modelcontextprotocol.registry/official"]["isLatest"],
            true
        );
    }
}

#[tokio::test]
async fn the_editor_pages_with_a_raw_cursor_and_without_its_search() {
    let house = stocked().await;
    house.add("com.acme/mailbox", "1.0.0", true).await;
    let probe = house.get("/v0.1/servers?limit=1").await;
    assert_eq!(probe.status, 200);
    let first = house
        .get("/v0.1/servers?limit=1&version=latest&search=mail")
        .await;
    assert_eq!(names(&first), ["com.acme/mail"]);
    let cursor = first.json()["metadata"]["nextCursor"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        cursor
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)),
        "{cursor}"
    );
    let second = house
        .get(&format!("/v0.1/servers?limit=1&version=latest&cursor={cursor}"))
        .await;
    assert_eq!(names(&second), ["com.acme/mailbox"]);
    let contradiction = house
        .get(&format!("/v0.1/servers?search=bill&cursor={cursor}"))
        .await;
    assert_eq!(contradiction.status, 400);
    assert_eq!(house.get("/v0.1/servers?cursor=forged").await.status, 400);
}

#[tokio::test]
async fn names_work_encoded_and_as_two_segments_and_are_decoded_once() {
    let house = stocked().await;
    for path in [
        "/v0.1/servers/com.acme%2Fbilling/versions/1.0.0%2Bb1",
        "/v0.1/servers/com.acme%2fbilling/versions/1.0.0+b1",
        "/v0.1/servers/com.acme/billing/versions/1.0.0%2Bb1",
        "/v0/servers/com.acme%2Fbilling/versions/latest",
        "/v0.1/servers/v0.1/servers/com.acme%2Fbilling/versions/latest",
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["server"]["version"], "1.0.0+b1", "{path}");
    }
    for path in [
        "/v0.1/servers/com.acme%252Fbilling/versions/latest",
        "/v0.1/servers/com.acme%252Fbilling/versions",
        "/v0.1/servers/com.acme%2Fbilling/versions/9.9.9",
        "/v0.1/servers/com.acme%2Fdraft/versions/latest",
        "/v0.1/servers/nonsense/versions",
        "/v0.1/servers/com.acme%2Fbilling",
        "/v0.1/nonsense",
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        let body = answer.json();
        assert_eq!(
            (body["status"].as_u64(), body["title"].as_str()),
            (Some(404), Some("Not Found")),
            "{path}"
        );
        assert!(
            body["errors"].is_array() && body["error"] == body["detail"],
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn an_unknown_and_a_hidden_server_look_alike() {
    let house = stocked().await;
    let hidden = house.get("/v0.1/servers/com.acme%2Fdraft/versions/latest").await;
    let unknown = house.get("/v0.1/servers/com.acme%2Fnever/versions/latest").await;
    let text = String::from_utf8(unknown.bytes)
        .unwrap()
        .replace("never", "draft");
    assert_eq!(String::from_utf8(hidden.bytes).unwrap(), text);
}

#[tokio::test]
async fn a_slash_at_the_end_moves_and_a_nul_byte_is_refused() {
    let house = stocked().await;
    let answer = house.get("/v0.1/servers/?limit=1").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (308, "/v0.1/servers?limit=1")
    );
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(house.get("/v0.1/servers/a%00b/versions").await.status, 400);
    assert_eq!(house.get("/v0.1/servers?search=%00").await.status, 400);
    assert_eq!(house.get("/v0.1/servers/%FF%2Fa/versions").await.status, 400);
}

#[tokio::test]
async fn the_doubled_path_works_and_says_so() {
    let house = stocked().await;
    for path in [
        "/v0.1/servers/v0.1/servers?limit=1",
        "/v0.1/v0.1/servers",
        "/v0/servers/v0.1/servers",
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("warning").starts_with("299 - "), "{path}");
        assert_eq!(answer.header("deprecation"), "true", "{path}");
    }
    assert_eq!(house.get("/v0.1/servers").await.header("warning"), "");
}

#[tokio::test]
async fn other_origins_may_read_it() {
    let house = stocked().await;
    let asks = [
        ("origin", "https://vscode.dev"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "x-vscode-client"),
    ];
    for path in [
        "/v0.1/servers",
        "/v0.1/servers/com.acme%2Fbilling/versions/latest",
        "/v0.1/servers/a/versions/1",
    ] {
        let preflight = ask(&house, Method::OPTIONS, path, &asks).await;
        assert_eq!(preflight.status, 204, "{path}");
        assert_eq!(preflight.header("access-control-allow-origin"), "*");
        assert_eq!(preflight.header("access-control-allow-methods"), "GET, OPTIONS");
        let headers = preflight.header("access-control-allow-headers");
        assert_eq!(headers, "Authorization, Content-Type, x-vscode-client");
        let answer = house.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "Authorization, Content-Type",
            "{path}"
        );
    }
    let managed = ask(&house, Method::OPTIONS, "/api/v1/servers", &asks).await;
    assert_eq!(
        (
            managed.status.as_u16(),
            managed.header("access-control-allow-origin")
        ),
        (405, "")
    );
}

#[tokio::test]
async fn a11_what_is_not_possible_says_what_is() {
    let house = stocked().await;
    for (method, path, allow) in [
        (Method::DELETE, "/v0.1/servers", "GET,HEAD"),
        (
            Method::POST,
            "/v0.1/servers/com.acme/billing/versions",
            "GET,HEAD",
        ),
        (
            Method::POST,
            "/v0.1/servers/com.acme/billing/versions/latest",
            "GET,HEAD,PUT,DELETE",
        ),
        (Method::GET, "/v0.1/publish", "POST"),
        (Method::PUT, "/v0.1/servers/com.acme/billing/status", "PATCH"),
    ] {
        let answer = ask(&house, method, path, &[]).await;
        assert_eq!(answer.status.as_u16(), 405, "{path}");
        let mut allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
        let mut expected: Vec<&str> = allow.split(',').collect();
        allowed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(allowed, expected, "{path}");
    }
    for path in ["/v0.1/servers", "/v0.1/servers/com.acme/billing/versions/latest"] {
        let head = ask(&house, Method::HEAD, path, &[]).await;
        assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0), "{path}");
        assert!(head.header("etag").starts_with('"'), "{path}");
    }
}

#[tokio::test]
async fn other_origins_may_send_where_something_is_sent() {
    let house = stocked().await;
    let asks = [
        ("origin", "https://tools.acme.example"),
        ("access-control-request-method", "POST"),
    ];
    for path in ["/v0.1/publish", "/v0.1/validate", "/v0/auth/dns"] {
        let preflight = ask(&house, Method::OPTIONS, path, &asks).await;
        assert_eq!(
            preflight.header("access-control-allow-methods"),
            "POST, OPTIONS",
            "{path}"
        );
    }
    let named = ask(
        &house,
        Method::OPTIONS,
        "/v0.1/servers/com.acme/publish/versions",
        &asks,
    )
    .await;
    assert_eq!(named.header("access-control-allow-methods"), "GET, OPTIONS");
}

#[tokio::test]
async fn an_answer_is_sent_again_only_when_it_changed() {
    let house = stocked().await;
    for path in [
        "/v0.1/servers?limit=1",
        "/v0.1/servers/com.acme/mail/versions/latest",
    ] {
        let tag = house.get(path).await.header("etag").to_owned();
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let answer = ask(&house, Method::GET, path, &[("if-none-match", known.as_str())]).await;
            assert_eq!(
                (answer.status.as_u16(), answer.bytes.len()),
                (304, 0),
                "{path} {known}"
            );
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.header("vary"), "Authorization");
        }
    }
    let tag = house.get("/v0.1/servers").await.header("etag").to_owned();
    house.add("com.acme/zoo", "1.0.0", true).await;
    let answer = ask(
        &house,
        Method::GET,
        "/v0.1/servers",
        &[("if-none-match", tag.as_str())],
    )
    .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn wrong_parameters_get_the_official_statuses() {
    let house = stocked().await;
    for (query, status) in [
        ("limit=0", 422),
        ("limit=-1", 422),
        ("limit=abc", 422),
        ("limit=101", 200),
        ("updated_since=yesterday", 400),
        ("updated_since=2026-01-01T00:00:00Z&include_deleted=false", 400),
        ("updated_since=2026-01-01T00:00:00Z", 200),
        ("include_deleted=maybe", 400),
        ("q=mail", 200),
        ("search=%25", 200),
    ] {
        let answer = house.get(&format!("/v0.1/servers?{query}")).await;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
    }
    assert_eq!(
        names(&house.get("/v0.1/servers?search=%25").await),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_missing_database_is_never_a_missing_server() {
    let house = stocked().await;
    house.close_store().await;
    for path in [
        "/v0.1/servers",
        "/v0.1/servers/com.acme%2Fbilling/versions",
        "/v0.1/servers/com.acme%2Fnever/versions/latest",
    ] {
        let answer = house.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after")),
            (503, "5"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    assert_eq!(house.get("/v0.1/health").await.status, 200);
}

#[tokio::test]
async fn a_request_in_absolute_form_is_understood() {
    let house = stocked().await;
    let request = Request::get("http://gw.acme.example/v0.1/servers/com.acme/billing/versions");
    let answer = house.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn it_says_what_it_is() {
    let house = House::new().await;
    assert_eq!(house.get("/v0.1/version").await.json()["version"], "0.0.0-test");
    assert_eq!(house.get("/v0/ping").await.json()["pong"], true);
    assert_eq!(house.get("/v0/health").await.json()["status"], "ok");
}
