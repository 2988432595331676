//! Assertions of the company's identity provider (ID-JAG).

use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::clients::Signer;
use super::house::House;
use crate::web::Answer;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const KIND: &str = "oauth-id-jag+jwt";

/// An identity provider, with one key.
async fn provider(signer: &mut Signer) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    signer.id = format!("http://{}", listener.local_addr().unwrap());
    let (keys, url) = (signer.jwks(), signer.id.clone());
    let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
    let router = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(async move || axum::Json(discovery.clone())),
        )
        .route("/keys", get(async move || axum::Json(keys.clone())));
    tokio::spawn(async move { axum::serve(listener, router).await });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_18_an_assertion_that_is_wrong_opens_nothing() {
    let (mut signer, mut other) = (Signer::new(), Signer::new());
    provider(&mut signer).await;
    provider(&mut other).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("portreeve.toml");
    std::fs::write(
        &file,
        format!("[oauth.enterprise]\nissuers = [\"{}\"]\n", signer.id),
    )
    .unwrap();
    let house = House::start_with(&["--config", file.to_str().unwrap()]).await;
    let made = house
        .node
        .cli_json(&["client", "create", "Agent", "--grant", GRANT]);
    let (id, secret) = (
        made["clientId"].as_str().unwrap(),
        made["clientSecret"].as_str().unwrap(),
    );
    let basic = [(
        "authorization",
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
    )];
    let ask = async |assertion: String| -> Answer {
        let form = [("grant_type", GRANT.to_owned()), ("assertion", assertion)];
        house.post_as("/token", &form, &basic).await
    };
    let right = json!({"sub": "ada", "client_id": id, "resource": house.resource, "scope": "billing:read"});
    let with = |name: &str, value: Value| {
        let mut claims = right.clone();
        claims[name] = value;
        claims
    };
    for (kind, signed_by, claims, told) in [
        ("JWT", &signer, right.clone(), "type"),
        (KIND, &other, right.clone(), "not trusted"),
        (KIND, &other, with("iss", json!(signer.id)), "not signed"),
        (
            KIND,
            &signer,
            with("aud", json!("https://other.example")),
            "somebody else",
        ),
        (
            KIND,
            &signer,
            with("client_id", json!("another")),
            "another client",
        ),
        (
            KIND,
            &signer,
            with("resource", json!("https://other.example/mcp")),
            "resource",
        ),
        (KIND, &signer, with("exp", json!(1)), "not of this time"),
        (KIND, &signer, with("iat", Value::Null), "not of this time"),
        // All of it is right, but nobody of that name ever signed in here.
        (KIND, &signer, right.clone(), "never signed in"),
    ] {
        let refused = ask(signed_by.signed(&house, kind, &claims)).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]),
            (400, &json!("invalid_grant")),
            "{told}"
        );
        let text = refused.text();
        assert!(text.contains(told), "{told}: {text}");
    }
    // Who is not trusted with it may not use it at all, and without an issuer it is not offered.
    let public = house.client().await;
    let form = [
        ("grant_type", GRANT.to_owned()),
        ("client_id", public),
        ("assertion", "x".to_owned()),
    ];
    assert_eq!(
        house.post("/token", &form).await.json()["error"],
        "unauthorized_client"
    );
}
