//! Direct mode: access tokens of an issuer that the configuration file names (A-RS-4).

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::doubles::Issuer;
use crate::served::{Request, Served};
use crate::upstream::Speaks;
use crate::web::modern;

const AUDIENCE: &str = "api://portreeve";

/// A node that knows the issuer, and a route that takes its tokens; both go with the folder of the configuration.
async fn house(issuer: &Issuer, types: &str) -> (Served, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portreeve.toml");
    let text = format!(
        r#"
        [[oauth.issuers]]
        name = "acme"
        issuer = "{}"
        audiences = ["{AUDIENCE}", "11111111-2222-3333-4444-555555555555"]
        token_types = "{types}"

        [[oauth.issuers.groups]]
        claim = "roles"
        value = "Finance.Read"
        group = "finance"
        "#,
        issuer.url
    );
    std::fs::write(&file, text).unwrap();
    let served = Served::start_with(&["--config", file.to_str().unwrap()], Speaks::Both).await;
    (served, folder)
}

fn call(token: &str, tool: &str) -> Request {
    modern(
        Some(token),
        1,
        "tools/call",
        json!({"name": tool, "arguments": {}}),
    )
}

async fn status(served: &Served, token: &str) -> u16 {
    served
        .post(&modern(Some(token), 1, "tools/list", json!({})))
        .await
        .status
}

fn claims(more: Value) -> Value {
    let mut claims = json!({
        "aud": AUDIENCE, "sub": "ada-0815", "preferred_username": "ada@acme.example", "azp": "copilot",
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_takes_tokens_of_an_issuer_where_it_says_so() {
    let issuer = Issuer::start().await;
    let (served, _folder) = house(&issuer, "unmarked").await;
    let token = issuer.token(&claims(json!({})));
    assert_eq!(status(&served, &token).await, 401, "no route does by itself");
    assert_eq!(
        issuer.asked.load(Ordering::SeqCst),
        0,
        "nor is anybody asked for keys"
    );

    let set = ["route", "set", &served.slug, "--issuer", "nobody"];
    assert!(
        !served.node.cli(&set).status.success(),
        "an issuer that no file names"
    );
    let route = served
        .node
        .cli_json(&["route", "set", &served.slug, "--issuer", "acme"]);
    assert_eq!(
        route["credentials"],
        json!({"tokens": true, "keys": true, "issuers": ["acme"]})
    );
    assert_eq!(status(&served, &token).await, 200);
    let place = format!(
        "{}/.well-known/oauth-protected-resource/s/{}/mcp",
        served.node.url, served.slug
    );
    let metadata = served.node.web.get(&place).await.unwrap().json();
    assert_eq!(
        metadata["authorization_servers"],
        json!([served.node.url, issuer.url])
    );

    let route = served.node.cli_json(&[
        "route",
        "set",
        &served.slug,
        "--issuer",
        "acme",
        "--tokens",
        "off",
        "--keys",
        "off",
    ]);
    assert_eq!(
        route["credentials"],
        json!({"tokens": false, "keys": false, "issuers": ["acme"]})
    );
    assert_eq!(
        status(&served, &served.node.key.clone()).await,
        401,
        "keys are not taken"
    );
    let metadata = served.node.web.get(&place).await.unwrap().json();
    assert_eq!(metadata["authorization_servers"], json!([issuer.url]));
    let none = ["route", "set", &served.slug, "--no-issuers"];
    assert!(
        !served.node.cli(&none).status.success(),
        "nobody could come in any more"
    );
    served
        .node
        .cli_json(&["route", "set", &served.slug, "--no-issuers", "--keys", "on"]);
    assert_eq!(status(&served, &token).await, 401);
    assert_eq!(
        issuer.asked.load(Ordering::SeqCst),
        1,
        "its keys were fetched once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_4_what_is_no_access_token_for_us_is_refused() {
    let issuer = Issuer::start().await;
    let other = Issuer::start().await;
    let (served, _folder) = house(&issuer, "unmarked").await;
    served
        .node
        .cli_json(&["route", "set", &served.slug, "--issuer", "acme"]);
    let good = issuer.token(&claims(json!({})));
    assert_eq!(status(&served, &good).await, 200);
    let guid = issuer.token(&claims(
        json!({"aud": ["x", "11111111-2222-3333-4444-555555555555"]}),
    ));
    assert_eq!(status(&served, &guid).await, 200, "either audience, among others");
    let reached = served.reached();
    for (name, token) in [
        (
            "another audience",
            issuer.token(&claims(json!({"aud": "api://crm"}))),
        ),
        ("no audience", issuer.token(&claims(json!({"aud": null})))),
        ("no end", issuer.token(&claims(json!({"exp": null})))),
        (
            "its time is over",
            issuer.token(&claims(json!({"exp": 1_700_000_000}))),
        ),
        (
            "its time has not come",
            issuer.token(&claims(json!({"nbf": 4_102_444_000_i64}))),
        ),
        ("no subject", issuer.token(&claims(json!({"sub": ""})))),
        (
            "an ID token of Keycloak",
            issuer.token(&claims(json!({"typ": "ID"}))),
        ),
        (
            "an ID token with a nonce",
            issuer.token(&claims(json!({"nonce": "n"}))),
        ),
        ("another issuer", other.token(&claims(json!({})))),
        (
            "another issuer in its name",
            other.token(&claims(json!({"iss": issuer.url}))),
        ),
        ("no algorithm", issuer.forged("none", &claims(json!({})))),
        (
            "HS256 with the public key",
            issuer.forged("HS256", &claims(json!({}))),
        ),
    ] {
        assert_eq!(status(&served, &token).await, 401, "{name}");
    }
    assert_eq!(served.reached(), reached);
    assert_eq!(other.asked.load(Ordering::SeqCst), 0);
    assert!(
        issuer.asked.load(Ordering::SeqCst) <= 1,
        "unknown keys are not hunted for"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_4_marked_access_tokens_are_the_default() {
    let issuer = Issuer::start().await;
    let (served, _folder) = house(&issuer, "marked").await;
    served
        .node
        .cli_json(&["route", "set", &served.slug, "--issuer", "acme"]);
    assert_eq!(
        status(&served, &issuer.token(&claims(json!({})))).await,
        401,
        "`typ` is `JWT`"
    );
    let marked = issuer.signed(
        &json!({"alg": "RS256", "typ": "at+jwt", "kid": "one"}),
        &claims(json!({})),
    );
    assert_eq!(status(&served, &marked).await, 200);
    let unknown = issuer.signed(
        &json!({"alg": "RS256", "typ": "at+jwt", "kid": "two"}),
        &claims(json!({})),
    );
    for _ in 0..5 {
        assert_eq!(status(&served, &unknown).await, 401);
    }
    assert_eq!(
        issuer.asked.load(Ordering::SeqCst),
        1,
        "at most once in five minutes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_an_issuer_may_what_was_granted_and_is_named_in_the_audit_log() {
    let issuer = Issuer::start().await;
    let (served, _folder) = house(&issuer, "unmarked").await;
    served
        .node
        .cli_json(&["route", "set", &served.slug, "--issuer", "acme"]);
    let token = issuer.token(&claims(json!({"roles": ["Finance.Read"]})));
    let refused = served.post(&call(&token, "echo")).await;
    assert_eq!(
        refused.json()["error"]["code"],
        -32602,
        "nothing was granted: {}",
        refused.text()
    );
    served
        .node
        .cli_json(&["route", "set", &served.slug, "--anonymous", "on"]);
    let answer = served.post(&call(&token, "wipe")).await;
    assert!(answer.json().get("result").is_some(), "{}", answer.text());
    let narrow = claims(json!({"scope": format!("{}:read", served.slug)}));
    let answer = served.post(&call(&issuer.token(&narrow), "wipe")).await;
    assert_eq!(
        answer.status,
        403,
        "where the issuer knows our scopes, they count: {}",
        answer.text()
    );
    let audit = served.node.api("GET", "/audit?limit=50", None).await.json();
    let events = audit["items"].as_array().unwrap();
    let event = events.iter().find(|event| event["target"] == "wipe").unwrap();
    assert_eq!(event["actor"], "user:acme:ada@acme.example", "{event}");
    assert_eq!(event["client"], "copilot");
    assert!(event["principal"].as_str().unwrap().starts_with("user:"));
}
