//! Clients that register themselves.

use serde_json::{Value, json};

use super::house::House;

fn metadata(redirects: &[&str]) -> Value {
    json!({"client_name": "Editor", "redirect_uris": redirects, "token_endpoint_auth_method": "none"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_9_redirects_that_codes_cannot_go_to_are_refused() {
    let house = House::start().await;
    for wrong in [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://host.example/cb",
        "https://u:p@host.example/cb",
        "https://host.example/cb#x",
    ] {
        let refused = house.register(metadata(&[wrong])).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert_eq!(refused.json()["error"], "invalid_redirect_uri", "{wrong}");
        assert!(refused.json()["error_description"].is_string());
    }
    for right in [
        "https://host.example/cb",
        "http://localhost:33418/",
        "cursor://anysphere.cursor-mcp/cb",
        "com.example.app:/cb",
    ] {
        assert_eq!(house.register(metadata(&[right])).await.status, 201, "{right}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_10_a_client_registers_itself_within_limits() {
    let house = House::start_alone().await;
    let mut said = metadata(&["http://127.0.0.1/cb"]);
    said["logo_uri"] = house.upstream.url.as_str().into();
    said["client_uri"] = house.upstream.url.as_str().into();
    said["unknown"] = json!({"a": [1]});
    let reached = house.upstream.reached();
    let answer = house.register(said).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let client = answer.json();
    assert!(client["client_id"].is_string() && client["client_id_issued_at"].is_i64());
    assert!(client.get("client_secret").is_none() && client.get("unknown").is_none());
    assert_eq!(house.upstream.reached(), reached, "nothing of it is fetched");

    let mut secret = metadata(&["http://127.0.0.1/cb"]);
    secret["token_endpoint_auth_method"] = "client_secret_post".into();
    let client = house.register(secret).await.json();
    assert_eq!(client["client_secret"].as_str().map(str::len), Some(43));
    assert_eq!(client["client_secret_expires_at"], 0);

    let eleven: Vec<String> = (0..11).map(|n| format!("https://host.example/{n}")).collect();
    let many = house.register(json!({"redirect_uris": eleven})).await;
    assert_eq!(many.status, 400, "{}", many.text());
    let mut long = metadata(&["http://127.0.0.1/cb"]);
    long["client_name"] = "x".repeat(17_000).into();
    assert_eq!(house.register(long).await.status, 400);
    // One address has a rate.
    let mut answer = house.register(metadata(&["http://127.0.0.1/cb"])).await;
    for _ in 0..60 {
        if answer.status == 429 {
            break;
        }
        answer = house.register(metadata(&["http://127.0.0.1/cb"])).await;
    }
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(!answer.header("retry-after").is_empty());
}
