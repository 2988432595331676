//! From the request to the first token.

use serde_json::json;

use super::house::{Browser, CALLBACK, House, but, claims, encoded, parameter};

#[tokio::test(flavor = "multi_thread")]
async fn a_as_2_a_as_3_a_as_6_refusals_go_where_it_is_safe() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let asked = house.request(&client);
    for (fields, error) in [
        (but(&asked, "code_challenge", None), "invalid_request"),
        (
            but(&asked, "code_challenge_method", Some("plain")),
            "invalid_request",
        ),
        (but(&asked, "code_challenge_method", None), "invalid_request"),
        (
            but(&asked, "response_type", Some("token")),
            "unsupported_response_type",
        ),
        (
            but(&asked, "resource", Some("https://other.example/mcp")),
            "invalid_target",
        ),
        (
            but(&asked, "resource", Some(&format!("{}#x", house.resource))),
            "invalid_target",
        ),
    ] {
        let answer = browser.authorize(&house, &fields).await;
        assert_eq!(answer.status, 303, "{error}: {}", answer.text());
        assert!(answer.header("location").starts_with(CALLBACK));
        assert_eq!(parameter(&answer, "error").as_deref(), Some(error));
        assert_eq!(parameter(&answer, "iss"), Some(house.node.url.clone()));
        assert_eq!(parameter(&answer, "state").as_deref(), Some("a b&c"));
    }
    let twice = format!("/authorize?{}&client_id=x", encoded(&asked));
    for page in [
        browser
            .authorize(&house, &but(&asked, "client_id", Some("nobody")))
            .await,
        browser.authorize(&house, &but(&asked, "client_id", None)).await,
        browser
            .authorize(
                &house,
                &but(&asked, "redirect_uri", Some("http://127.0.0.1/other")),
            )
            .await,
        browser
            .authorize(
                &house,
                &but(&asked, "redirect_uri", Some("http://127.0.0.1.evil.com/callback")),
            )
            .await,
        browser
            .authorize(
                &house,
                &but(&asked, "redirect_uri", Some("http://localhost:1/callback")),
            )
            .await,
        browser.get(&house, &twice).await,
    ] {
        assert_eq!(page.status, 400, "{}", page.text());
        assert_eq!(page.header("location"), "");
        assert!(page.header("content-type").starts_with("text/html"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_4_a_as_7_a_as_16_a_code_becomes_a_token_for_one_resource() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let written = format!("{}/", house.resource.replace("http://", "HTTP://"));
    let asked = but(&house.request(&client), "resource", Some(&written));
    let page = browser.authorize(&house, &asked).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let answer = browser
        .post(&house, "/authorize", &Browser::form(&page, "allow"))
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(parameter(&answer, "state").as_deref(), Some("a b&c"));
    assert_eq!(parameter(&answer, "iss"), Some(house.node.url.clone()));
    let code = parameter(&answer, "code").unwrap();
    let token = house.post("/token", &house.exchange(&client, &code)).await;
    assert_eq!(token.status, 200, "{}", token.text());
    assert_eq!(token.header("cache-control"), "no-store");
    assert_eq!(token.header("access-control-allow-origin"), "*");
    let token = token.json();
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["scope"], "billing:read billing:write");
    assert_eq!(claims(&token["access_token"])["aud"], json!([house.resource]));
    assert_eq!(claims(&token["access_token"])["client_id"], json!(client));
    // Errors are JSON of RFC 6749, with 401 only for who used the header.
    let wrong = house
        .post("/token", &[("grant_type", "password".to_owned())])
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (400, &json!("unsupported_grant_type"))
    );
    let unknown = but(&house.exchange("nobody", &code), "resource", None);
    let wrong = house.post("/token", &unknown).await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (400, &json!("invalid_client"))
    );
    assert_eq!(wrong.header("www-authenticate"), "");
    let basic = [("authorization", "Basic bm9ib2R5Ong=".to_owned())];
    let wrong = house
        .post_as("/token", &but(&unknown, "client_id", None), &basic)
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (401, &json!("invalid_client"))
    );
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_5_a_code_is_for_its_client_its_redirect_and_its_key_and_works_once() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let (client, other) = (house.client().await, house.client().await);
    let code = browser.code(&house, &client).await;
    let right = house.exchange(&client, &code);
    for wrong in [
        but(&right, "code_verifier", Some(&"x".repeat(43))),
        but(&right, "code_verifier", None),
        but(&right, "client_id", Some(&other)),
        but(&right, "redirect_uri", Some("http://127.0.0.1:1/callback")),
        but(&right, "code", Some(&"A".repeat(43))),
    ] {
        let answer = house.post("/token", &wrong).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (400, &json!("invalid_grant")),
            "{wrong:?}"
        );
    }
    let elsewhere = but(&right, "resource", Some("https://other.example/mcp"));
    assert_eq!(
        house.post("/token", &elsewhere).await.json()["error"],
        "invalid_target"
    );
    let first = house.post("/token", &right).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let first = first.json();
    let again = house.post("/token", &right).await;
    assert_eq!(
        (again.status, &again.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    let refresh = first["refresh_token"].as_str().unwrap();
    let dead = house.post("/token", &House::refresh(&client, refresh)).await;
    assert_eq!(
        dead.json()["error"],
        "invalid_grant",
        "what came of it died with it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_8_programs_on_the_users_computer_listen_on_any_port() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let registered = house
        .register(json!({
            "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
        }))
        .await
        .json();
    let client = registered["client_id"].as_str().unwrap();
    for (redirect, status) in [
        ("http://localhost:51234/callback", 200),
        ("http://127.0.0.1:3118/callback", 200),
        ("http://[::1]:3118/callback", 400),
        ("http://localhost@evil.example/callback", 400),
        ("http://127.0.0.1.evil.com/callback", 400),
        ("http://127.0.0.1:3118/callback/../x", 400),
        ("http://127.0.0.1:3118/%2e%2e/callback", 400),
        ("http://127.0.0.1:3118/callback#x", 400),
        ("http://127.0.0.1:3118/other", 400),
        ("https://127.0.0.1:3118/callback", 400),
    ] {
        let asked = but(&house.request(client), "redirect_uri", Some(redirect));
        let answer = browser.authorize(&house, &asked).await;
        assert_eq!(answer.status, status, "{redirect}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_all_the_time_does_not_fill_the_audit_log() {
    let house = House::start_alone().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let foreign = but(
        &house.request(&client),
        "redirect_uri",
        Some("http://127.0.0.1/other"),
    );
    for _ in 0..100 {
        assert_eq!(browser.authorize(&house, &foreign).await.status, 400);
    }
    let mut noted = 0;
    for _ in 0..100 {
        let path = "/audit?action=oauth.authorize&limit=200";
        let events = house.node.api("GET", path, None).await.json();
        noted = events["items"].as_array().unwrap().len();
        if noted >= 20 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!((20..60).contains(&noted), "{noted}");
}
