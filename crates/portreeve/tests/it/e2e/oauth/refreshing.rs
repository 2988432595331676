//! Refresh tokens, and the end of them.

use serde_json::{Value, json};

use super::house::{Browser, House, but};

fn refreshed(answer: &crate::web::Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_13_a_lost_answer_can_be_had_again_and_parallel_refreshes_have_one_successor() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let other = house.client().await;
    let first = house.tokens(&browser, &client).await;
    let spent = first["refresh_token"].as_str().unwrap();
    let request = House::refresh(&client, spent);
    let (one, two, three) = tokio::join!(
        house.post("/token", &request),
        house.post("/token", &request),
        house.post("/token", &request),
    );
    let next = refreshed(&one);
    for answer in [two, three] {
        let again = refreshed(&answer);
        assert_eq!(again["refresh_token"], next["refresh_token"]);
        assert_eq!(again["access_token"], next["access_token"]);
    }
    assert_ne!(next["refresh_token"], first["refresh_token"]);
    let stolen = house.post("/token", &House::refresh(&other, spent)).await;
    assert_eq!(stolen.json()["error"], "invalid_grant", "only to the same client");
    let last = next["refresh_token"].as_str().unwrap();
    refreshed(&house.post("/token", &House::refresh(&client, last)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_13_a_spent_refresh_token_ends_its_family_later() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let first = house.tokens(&browser, &client).await;
    let spent = first["refresh_token"].as_str().unwrap();
    let next = refreshed(&house.post("/token", &House::refresh(&client, spent)).await);
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    let late = house.post("/token", &House::refresh(&client, spent)).await;
    assert_eq!(
        (late.status, &late.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    let last = next["refresh_token"].as_str().unwrap();
    let dead = house.post("/token", &House::refresh(&client, last)).await;
    assert_eq!(dead.json()["error"], "invalid_grant");
    house.is_noted("oauth.end", "refresh-token-used-twice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_14_a_refresh_widens_nothing() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let page = browser.authorize(&house, &house.request(&client)).await;
    // The user lets it read only.
    let form = but(&Browser::form(&page, "allow"), "write", None);
    let answer = browser.post(&house, "/authorize", &form).await;
    let code = super::house::parameter(&answer, "code").unwrap();
    let first = house.post("/token", &house.exchange(&client, &code)).await.json();
    assert_eq!(first["scope"], "billing:read");
    let refresh = House::refresh(&client, first["refresh_token"].as_str().unwrap());
    let ask = |name, value: &str| but(&refresh, name, Some(value));
    let wide = house.post("/token", &ask("scope", "billing:write")).await;
    assert_eq!(
        (wide.status, &wide.json()["error"]),
        (400, &json!("invalid_scope"))
    );
    let other = house
        .post("/token", &ask("resource", &format!("{}/mcp", house.node.url)))
        .await;
    assert_eq!(
        (other.status, &other.json()["error"]),
        (400, &json!("invalid_target"))
    );
    let same = house.post("/token", &ask("resource", &house.resource)).await;
    assert_eq!(refreshed(&same)["scope"], "billing:read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_15_a_client_gives_its_tokens_back() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let tokens = house.tokens(&browser, &client).await;
    let revoke =
        |client: &str, token: &str| vec![("client_id", client.to_owned()), ("token", token.to_owned())];
    for unknown in ["nonsense", &"A".repeat(43), "eyJ.eyJ.x"] {
        assert_eq!(
            house.post("/revoke", &revoke(&client, unknown)).await.status,
            200,
            "{unknown}"
        );
    }
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let other = house.client().await;
    assert_eq!(house.post("/revoke", &revoke(&other, refresh)).await.status, 200);
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        house.calls(access).await,
        200,
        "it was not the other's to give back"
    );
    assert_eq!(house.post("/revoke", &revoke(&client, refresh)).await.status, 200);
    assert_eq!(house.calls(access).await, 401, "access tokens die at once");
    let dead = house.post("/token", &House::refresh(&client, refresh)).await;
    assert_eq!(dead.json()["error"], "invalid_grant");
    // The same by the access token.
    let tokens = house.tokens(&browser, &client).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(house.post("/revoke", &revoke(&client, access)).await.status, 200);
    assert_eq!(house.calls(access).await, 401);
}
