//! The writing side of the registry API: what publishers send, and what everybody sees of it.

use axum::body::Body;
use http::{Method, Request};
use portreeve_core::limits::Limits;
use serde_json::{Value, json};

use super::house::{Answer, House, document};

const NAME: &str = "com.trusted/mail";
const VERSION: &str = "/v0.1/servers/com.trusted%2Fmail/versions/1.0.0";

async fn publish(house: &House, name: &str, version: &str) -> Answer {
    send(house, Method::POST, "/v0.1/publish", document(name, version)).await
}

async fn send(house: &House, method: Method, path: &str, content: Value) -> Answer {
    house.call(&house.admin, method, path, content).await
}

fn official(answer: &Answer) -> Value {
    answer.json()["_meta"]["io.modelcontextprotocol.registry/official"].clone()
}

#[tokio::test]
async fn what_waits_is_seen_by_its_publisher_and_does_not_exist_for_others() {
    let house = House::new().await;
    let published = publish(&house, "com.acme/mail", "1.0.0").await;
    assert_eq!(published.status, 200, "{published:?}");
    assert_eq!(published.json()["server"], document("com.acme/mail", "1.0.0"));
    let review = |answer: &Answer| answer.json()["_meta"]["io.portreeve/review"]["approval"].clone();
    assert_eq!(review(&published), "submitted");

    let path = "/v0.1/servers/com.acme%2Fmail/versions/1.0.0";
    let own = house.admin_get(path).await;
    assert_eq!((own.status.as_u16(), review(&own)), (200, json!("submitted")));
    assert_eq!(own.header("cache-control"), "private, no-cache");
    assert_eq!(own.header("vary"), "Authorization");
    let all = house.admin_get("/v0.1/servers/com.acme%2Fmail/versions").await;
    assert_eq!(all.json()["metadata"]["count"], 1);
    for key in [
        "",
        house.stranger.as_str(),
        "prv_nonsense",
        "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.e30.AA",
    ] {
        let other = house.call(key, Method::GET, path, Value::Null).await;
        assert_eq!(other.status, 404, "{key}");
        let unknown = path.replace("mail", "never");
        let never = house.call(key, Method::GET, &unknown, Value::Null).await;
        let text = String::from_utf8(never.bytes).unwrap().replace("never", "mail");
        assert_eq!(String::from_utf8(other.bytes).unwrap(), text);
    }
    assert_eq!(house.get("/v0.1/servers").await.json()["metadata"]["count"], 0);

    let approved = house
        .admin_post("/api/v1/servers/com.acme%2Fmail/approve", json!({}))
        .await;
    assert_eq!(approved.status, 200);
    let everybody = house.get(path).await;
    assert_eq!(everybody.status, 200);
    assert_eq!(everybody.json()["_meta"].as_object().unwrap().len(), 1);
    assert_eq!(everybody.header("cache-control"), "public, no-cache");
}

#[tokio::test]
async fn who_has_no_right_is_told_what_he_has() {
    let house = House::new().await;
    let content = document("com.acme/mail", "1.0.0");
    let nobody = house
        .call("", Method::POST, "/v0.1/publish", content.clone())
        .await;
    assert_eq!(nobody.status, 401);
    assert!(nobody.header("www-authenticate").starts_with("Bearer"));
    let wrong = house
        .call("nonsense", Method::POST, "/v0.1/publish", content.clone())
        .await;
    assert_eq!(wrong.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    let stranger = house
        .call(&house.stranger, Method::POST, "/v0.1/publish", content)
        .await;
    assert_eq!(stranger.status, 403);
    assert!(
        stranger.detail().ends_with("it was granted nothing"),
        "{}",
        stranger.detail()
    );
}

#[tokio::test]
async fn a10_a_refused_document_is_explained_by_validate() {
    let house = House::new().await;
    let mut bad = document("com.acme/mail", "^1.0");
    bad["remotes"][0]["type"] = json!("ws");
    let refused = send(&house, Method::POST, "/v0.1/publish", bad.clone()).await;
    assert_eq!(refused.status, 422);
    let hint = refused.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("/v0.1/validate"), "{hint}");
    let verdict = house.call("", Method::POST, "/v0.1/validate", bad).await;
    assert_eq!(verdict.status, 200);
    let verdict = verdict.json();
    assert_eq!(verdict["valid"], false);
    let issues = verdict["issues"].as_array().unwrap();
    let paths: Vec<&str> = issues
        .iter()
        .map(|issue| issue["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["version", "remotes[0].type"]);
    for issue in issues {
        assert_eq!(
            (&issue["type"], &issue["severity"]),
            (&json!("schema"), &json!("error"))
        );
        assert!(issue["message"].is_string() && issue["reference"].is_string());
    }
    let good = house
        .call(
            "",
            Method::POST,
            "/v0/validate",
            document("com.acme/mail", "1.0.0"),
        )
        .await;
    assert_eq!(good.json(), json!({"valid": true, "issues": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a5_of_two_who_publish_one_version_one_is_refused() {
    let house = House::new().await;
    for round in 0..5 {
        let version = format!("1.0.{round}");
        let (one, other) = tokio::join!(publish(&house, NAME, &version), publish(&house, NAME, &version));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400], "{one:?} {other:?}");
        let loser = if one.status == 400 { one } else { other };
        assert!(
            loser.detail().contains("cannot publish duplicate version"),
            "{}",
            loser.detail()
        );
    }
    let all = house
        .get("/v0.1/servers/com.trusted%2Fmail/versions")
        .await
        .json();
    assert_eq!(all["metadata"]["count"], 5);
}

#[tokio::test]
async fn a4_the_latest_follows_the_status() {
    let house = House::new().await;
    let latest = async || {
        let answer = house
            .get("/v0.1/servers/com.trusted%2Fmail/versions/latest")
            .await;
        answer.json()["server"]["version"].as_str().map(str::to_owned)
    };
    for version in ["1.0.0", "0.0.59"] {
        assert_eq!(publish(&house, NAME, version).await.status, 200);
    }
    let path = format!("{VERSION}/status");
    let deleted = send(
        &house,
        Method::PATCH,
        &path,
        json!({"status": "deleted", "statusMessage": "broken"}),
    )
    .await;
    assert_eq!(official(&deleted)["status"], "deleted", "{deleted:?}");
    assert_eq!(latest().await.as_deref(), Some("0.0.59"));
    assert_eq!(publish(&house, NAME, "0.0.60").await.status, 200);
    assert_eq!(latest().await.as_deref(), Some("0.0.60"));
    let since = official(&deleted)["updatedAt"].as_str().unwrap().to_owned();
    let restored = send(&house, Method::PATCH, &path, json!({"status": "active"})).await;
    assert_eq!(
        (restored.status.as_u16(), official(&restored)["isLatest"].clone()),
        (200, json!(true))
    );
    assert_eq!(latest().await.as_deref(), Some("1.0.0"));
    let changed = house
        .get(&format!("/v0.1/servers?updated_since={since}"))
        .await
        .json();
    let versions: Vec<&str> = changed["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["server"]["version"].as_str().unwrap())
        .collect();
    assert_eq!(
        versions,
        ["0.0.59", "0.0.60", "1.0.0"],
        "every row that a mark came to or left"
    );

    let all = send(
        &house,
        Method::PATCH,
        "/v0.1/servers/com.trusted%2Fmail/status",
        json!({"status": "deleted"}),
    )
    .await;
    assert_eq!(
        (all.status.as_u16(), all.json()["updatedCount"].clone()),
        (200, json!(3))
    );
    assert_eq!(
        house
            .get("/v0.1/servers/com.trusted%2Fmail/versions/latest")
            .await
            .status,
        404
    );
    let path = "/v0.1/servers/com.trusted%2Fmail/versions/latest?include_deleted=true";
    assert_eq!(house.get(path).await.json()["server"]["version"], "1.0.0");
}

#[tokio::test]
async fn a9_what_a_status_refuses() {
    let house = House::new().await;
    publish(&house, NAME, "1.0.0").await;
    let path = format!("{VERSION}/status");
    for (content, status) in [
        (json!({"status": "active"}), 400),
        (json!({"status": "active", "statusMessage": "fine"}), 400),
        (
            json!({"status": "deprecated", "statusMessage": "x".repeat(501)}),
            422,
        ),
        (json!({"status": "gone"}), 422),
        (json!({}), 422),
        (json!([]), 422),
        (json!({"status": "deprecated", "statusMessage": "use 2"}), 200),
        (json!({"status": "deprecated", "statusMessage": "use 2"}), 400),
    ] {
        let answer = send(&house, Method::PATCH, &path, content.clone()).await;
        assert_eq!(answer.status, status, "{content}: {answer:?}");
    }
    let nothing = json!({"status": "deleted"});
    for path in [
        "/v0.1/servers/com.trusted%2Fmail/versions/9.9.9/status",
        "/v0.1/servers/com.trusted%2Fnever/status",
    ] {
        assert_eq!(
            send(&house, Method::PATCH, path, nothing.clone()).await.status,
            404,
            "{path}"
        );
    }
    let stranger = house.call(&house.stranger, Method::PATCH, &path, nothing).await;
    assert_eq!(stranger.status, 403);
}

#[tokio::test]
async fn an_edit_goes_back_to_the_approver() {
    let house = House::new().await;
    house.add("com.acme/mail", "1.0.0", true).await;
    let path = "/v0.1/servers/com.acme%2Fmail/versions/1.0.0";
    let mut changed = document("com.acme/mail", "1.0.0");
    changed["description"] = json!("Mail for everyone");
    let edited = send(&house, Method::PUT, path, changed).await;
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!(
        edited.json()["_meta"]["io.portreeve/review"]["approval"],
        "submitted"
    );
    assert_eq!(
        house.get(path).await.status,
        404,
        "the approval was for other content"
    );
    let log = house.admin_get("/api/v1/audit?action=server.edit").await.json();
    assert_eq!(log["items"][0]["detail"]["approvalVoid"], true, "{log}");
    for (content, status) in [
        (document("com.acme/post", "1.0.0"), 400),
        (document("com.acme/mail", "1.0.1"), 400),
        (json!({"name": "com.acme/mail", "version": "1.0.0"}), 422),
    ] {
        let answer = send(&house, Method::PUT, path, content).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let status = json!({"status": "deleted"});
    assert_eq!(
        send(&house, Method::PATCH, &format!("{path}/status"), status)
            .await
            .status,
        200
    );
    let content = document("com.acme/mail", "1.0.0");
    assert_eq!(send(&house, Method::PUT, path, content).await.status, 404);
}

#[tokio::test]
async fn a11_content_is_of_its_type_and_within_its_limit() {
    let house = House::with(Limits::for_tests()).await;
    let ask = async |content_type: &str, body: Vec<u8>| {
        let request = Request::post("/v0.1/publish")
            .header("authorization", format!("Bearer {}", house.admin))
            .header("content-type", content_type);
        house
            .send(request.body(Body::from(body)).unwrap())
            .await
            .status
            .as_u16()
    };
    let good = document(NAME, "1.0.0").to_string().into_bytes();
    assert_eq!(ask("text/plain", good.clone()).await, 415);
    assert_eq!(ask("", good.clone()).await, 415);
    assert_eq!(ask("application/json", vec![b' '; 65 * 1024]).await, 413);
    assert_eq!(ask("application/json", vec![0xff, 0xfe]).await, 400);
    assert_eq!(ask("application/json", b"{".to_vec()).await, 422);
    assert_eq!(ask("application/json; charset=utf-8", good).await, 200);
    let deleted = send(&house, Method::DELETE, VERSION, Value::Null).await;
    assert_eq!(
        (deleted.status.as_u16(), deleted.detail()),
        (501, "Deletion is not supported by this registry".to_owned())
    );
}

#[tokio::test]
async fn a7_a_missing_database_is_no_refusal_of_a_publication() {
    let house = House::new().await;
    house.close_store().await;
    let answer = publish(&house, NAME, "1.0.0").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"));
    let path = format!("{VERSION}/status");
    assert_eq!(
        send(&house, Method::PATCH, &path, json!({"status": "deleted"}))
            .await
            .status,
        503
    );
}

#[tokio::test]
async fn a13_a_visible_change_changes_the_tag_and_views_are_not_shared() {
    let house = House::new().await;
    publish(&house, NAME, "1.0.0").await;
    let paths = [
        "/v0.1/servers",
        "/v0.1/servers/com.trusted%2Fmail/versions",
        VERSION,
    ];
    let tags = async || {
        let mut tags = Vec::new();
        for path in paths {
            tags.push(house.get(path).await.header("etag").to_owned());
        }
        tags
    };
    let before = tags().await;
    assert_eq!(before, tags().await);
    let path = format!("{VERSION}/status");
    send(&house, Method::PATCH, &path, json!({"status": "deprecated"})).await;
    for (one, other) in before.iter().zip(tags().await) {
        assert_ne!(*one, other);
    }
    let own = house.admin_get(VERSION).await;
    assert_ne!(own.header("etag"), house.get(VERSION).await.header("etag"));
    let known = [("if-none-match", own.header("etag"))];
    let everybody = house
        .call_with("", (Method::GET, VERSION), Value::Null, &known)
        .await;
    assert_eq!(everybody.status, 200, "another caller's tag is not theirs");
    let again = house
        .call_with(&house.admin, (Method::GET, VERSION), Value::Null, &known)
        .await;
    assert_eq!(again.status, 304);
}
