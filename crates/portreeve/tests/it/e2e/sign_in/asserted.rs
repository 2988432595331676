//! What the company's provider asserts of somebody who signed in over it (ID-JAG) is a token, without a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::jar::Jar;
use super::provider::{ada, node, sent};
use crate::e2e::oauth::house::{House, claims};
use crate::idp::{Idp, now};
use crate::upstream::{Speaks, Upstream};
use crate::web::Answer;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A house that trusts the provider in both ways, and that Ada's group may use.
async fn house(idp: &Idp) -> (House, tempfile::TempDir) {
    let rules = format!(
        "groups = [{{ value = \"3f0c\", group = \"finance\" }}]\n[oauth.enterprise]\nissuers = [\"{}\"]",
        idp.issuer
    );
    let (node, folder) = node(idp, &rules).await;
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
    (house, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_18_an_assertion_about_who_signed_in_is_a_token_for_one_server_once() {
    let idp = Idp::start().await;
    let (house, _folder) = house(&idp).await;
    let made = house
        .node
        .cli_json(&["client", "create", "Agent", "--grant", GRANT]);
    let (id, secret) = (
        made["clientId"].as_str().unwrap(),
        made["clientSecret"].as_str().unwrap(),
    );
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    let basic = [("authorization", format!("Basic {basic}"))];
    let assertion = |jti: &str, scope: &str| {
        let claims = json!({
            "iss": idp.issuer, "aud": house.node.url, "sub": ada()["sub"], "client_id": id,
            "resource": house.resource, "scope": scope, "iat": now(), "exp": now() + 60, "jti": jti,
        });
        idp.token_of("oauth-id-jag+jwt", &claims)
    };
    let ask = async |assertion: &str, more: &[(&str, String)]| -> Answer {
        let mut form = vec![
            ("grant_type", GRANT.to_owned()),
            ("assertion", assertion.to_owned()),
        ];
        form.extend(more.iter().cloned());
        house.post_as("/token", &form, &basic).await
    };
    let both = "billing:read billing:write";
    let early = ask(&assertion("zero", both), &[]).await;
    assert_eq!(early.status, 400, "she was never here: {}", early.text());

    let jar = Jar::new(&house.node);
    let back = idp.sign_in(&sent(&jar, "/").await, ada());
    assert_eq!(jar.get(&back).await.status, 303);
    let first = assertion("one", both);
    let answer = ask(&first, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.json();
    assert_eq!(
        (&token["token_type"], &token["scope"]),
        (&json!("Bearer"), &json!(both))
    );
    assert_eq!(token.get("refresh_token"), None, "it asks its provider again");
    let said = claims(&token["access_token"]);
    assert_eq!(
        (&said["aud"], &said["client_id"]),
        (&json!([house.resource]), &json!(id))
    );
    let access = token["access_token"].as_str().unwrap();
    assert_eq!(house.calls(access).await, 200);

    let again = ask(&first, &[]).await;
    assert_eq!(
        (again.status, &again.json()["error"]),
        (400, &json!("invalid_grant")),
        "it is good once"
    );
    let less = ask(&assertion("two", both), &[("scope", "billing:read".to_owned())]).await;
    assert_eq!(less.json()["scope"], "billing:read", "{}", less.text());
    let more = ask(&assertion("three", "billing:read"), &[("scope", both.to_owned())]).await;
    assert_eq!(
        (more.status, &more.json()["error"]),
        (400, &json!("invalid_scope"))
    );
    house.is_noted("oauth.token", "jwt-bearer").await;
    house.is_noted("oauth.token", "refused").await;

    house.node.cli(&["user", "disable", "ada@acme.example"]);
    let gone = ask(&assertion("four", both), &[]).await;
    assert_eq!(
        (gone.status, &gone.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(house.calls(access).await, 401, "nor does the token work on");
    assert_ne!(said["sub"], Value::Null);
}
