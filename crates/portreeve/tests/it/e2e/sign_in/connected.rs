//! From a URL to a call, over an identity provider, and the end of it: the host knows nothing but the address of its server.

use serde_json::json;
use url::Url;

use super::jar::{Jar, hidden};
use super::provider::{ada, log_out, logout_token, node};
use crate::e2e::oauth::house::{Fields, House, encoded, parameter};
use crate::idp::{Idp, now};
use crate::upstream::{Speaks, Upstream};
use crate::web::modern;

/// What a host finds out by itself: where to ask for authorization, and where to register.
async fn discovered(house: &House) -> (String, String) {
    let (headers, body) = modern(None, 1, "tools/list", json!({}));
    let web = &house.node.web;
    let refused = web.ask("POST", &house.resource, &headers, body).await.unwrap();
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate").to_owned();
    let metadata = challenge.split("resource_metadata=\"").nth(1).unwrap();
    let metadata = web.get(metadata.split('"').next().unwrap()).await.unwrap().json();
    assert_eq!(metadata["resource"], house.resource);
    let issuer = metadata["authorization_servers"][0].as_str().unwrap();
    let document = format!("{issuer}/.well-known/oauth-authorization-server");
    let document = web.get(&document).await.unwrap().json();
    assert_eq!(document["issuer"], issuer);
    let place = |name: &str| document[name].as_str().unwrap().to_owned();
    (place("authorization_endpoint"), place("registration_endpoint"))
}

/// The path of an address, with its query.
fn path(address: &str) -> String {
    let url = Url::parse(address).unwrap();
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// Goes through the browser's part: to the provider, back, and through the page. The answer that leads to the host.
async fn allowed(house: &House, idp: &Idp, jar: &Jar, request: &Fields, authorize: &str) -> String {
    let sent = jar
        .get(&format!("{}?{}", path(authorize), encoded(request)))
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let sign_in = sent.header("location").to_owned();
    let page = jar.get(&sign_in).await;
    assert!(page.text().contains("Sign in with Acme"), "{}", page.text());
    let next = sign_in.split_once('?').unwrap().1;
    let away = jar.get(&format!("/sign-in/acme?{next}")).await;
    let mut claims = ada();
    claims["sid"] = json!("s1");
    let back = jar.get(&idp.sign_in(away.header("location"), claims)).await;
    assert_eq!(back.status, 303, "{}", back.text());
    let page = jar.get(back.header("location")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("Editor"), "{}", page.text());
    let fields = [
        ("csrf", hidden(&page, "/authorize", "csrf")),
        ("request", hidden(&page, "/authorize", "request")),
        ("decision", "allow".to_owned()),
        ("write", "yes".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let answer = jar.post("/authorize", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(
        parameter(&answer, "iss").as_deref(),
        Some(house.node.url.as_str())
    );
    parameter(&answer, "code").expect("a code")
}

#[tokio::test(flavor = "multi_thread")]
async fn j8_a_host_knows_the_address_alone_and_the_provider_ends_what_was_allowed() {
    let idp = Idp::start().await;
    let rules = "groups = [{ value = \"3f0c\", group = \"finance\" }]";
    let (node, _folder) = node(&idp, rules).await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let granted = node.cli(&[
        "grant",
        "add",
        "--group",
        "finance",
        "--server",
        "com.acme/billing",
    ]);
    assert!(granted.status.success(), "{granted:?}");
    let resource = node.endpoint(&slug);
    let house = House {
        node,
        upstream,
        resource,
    };
    let (authorize, register) = discovered(&house).await;
    assert!(register.ends_with("/register"));
    let client = house.client().await;
    let jar = Jar::new(&house.node);
    let code = allowed(&house, &idp, &jar, &house.request(&client), &authorize).await;
    let tokens = house.post("/token", &house.exchange(&client, &code)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let access = tokens.json()["access_token"].as_str().unwrap().to_owned();
    let refresh = tokens.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(house.calls(&access).await, 200);
    let mine = jar.get("/account/clients").await;
    assert!(mine.text().contains("Editor"), "{}", mine.text());

    // Signing out in the browser is not the end of what programs may.
    let home = jar.get("/").await;
    let token = hidden(&home, "/sign-out", "csrf");
    jar.post("/sign-out", &[("csrf", &token)]).await;
    assert_eq!(jar.who().await, None);
    assert_eq!(house.calls(&access).await, 200);

    // The provider's word is.
    let ended = logout_token(&idp, json!({ "sid": "s1" }));
    assert_eq!(log_out(&house.node, &ended).await, 200);
    assert_eq!(house.calls(&access).await, 401);
    let again = house.post("/token", &House::refresh(&client, &refresh)).await;
    assert_eq!(
        (again.status, &again.json()["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_want_its_user_to_have_signed_in_just_now() {
    let idp = Idp::start().await;
    let rules = "groups = [{ value = \"3f0c\", group = \"finance\" }]";
    let (node, _folder) = node(&idp, rules).await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    node.cli_json(&[
        "grant",
        "add",
        "--group",
        "finance",
        "--server",
        "com.acme/billing",
    ]);
    let resource = node.endpoint(&slug);
    let house = House {
        node,
        upstream,
        resource,
    };
    let client = house.client().await;
    let jar = Jar::new(&house.node);
    let enter = async |ago: i64, next: &str| {
        let away = jar.get(&format!("/sign-in/acme?next={next}")).await;
        let mut claims = ada();
        claims["auth_time"] = json!(now() - ago);
        let back = jar.get(&idp.sign_in(away.header("location"), claims)).await;
        assert_eq!(back.status, 303, "{}", back.text());
        (
            away.header("location").to_owned(),
            back.header("location").to_owned(),
        )
    };
    // Somebody who is signed in at the provider since an hour.
    let (away, _) = enter(3_600, "%2F").await;
    assert!(!away.contains("prompt="), "{away}");
    let request = house.request(&client);
    let with = |name: &'static str, value: &str| {
        let mut request = request.clone();
        request.push((name, value.to_owned()));
        format!("/authorize?{}", encoded(&request))
    };
    for enough in [with("max_age", "7200"), with("prompt", "consent")] {
        assert_eq!(jar.get(&enough).await.status, 200);
    }
    let mut asked = None;
    for old in [with("max_age", "600"), with("prompt", "login")] {
        let sent = jar.get(&old).await;
        assert_eq!(sent.status, 303, "{}", sent.text());
        let sign_in = sent.header("location").to_owned();
        assert!(sign_in.starts_with("/sign-in?next="), "{sign_in}");
        asked = sign_in.strip_prefix("/sign-in?next=").map(str::to_owned);
    }
    let quiet = jar
        .get(&with("max_age", "600").replace("max_age", "prompt=none&max_age"))
        .await;
    assert_eq!(parameter(&quiet, "error").as_deref(), Some("login_required"));

    // The provider is told to ask anew. One that does not is no reason to go in circles.
    let next = asked.unwrap();
    let (away, back) = enter(3_600, &next).await;
    assert!(
        away.contains("prompt=login") && away.contains("max_age=0"),
        "{away}"
    );
    let refused = jar.get(&back).await;
    assert_eq!(
        parameter(&refused, "error").as_deref(),
        Some("login_required"),
        "{}",
        refused.text()
    );
    let (_, back) = enter(1, &next).await;
    let page = jar.get(&back).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("Editor"), "{}", page.text());
    let wrong = jar.get(&with("max_age", "soon")).await;
    assert_eq!(parameter(&wrong, "error").as_deref(), Some("invalid_request"));
}
