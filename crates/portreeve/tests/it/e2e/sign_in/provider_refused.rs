//! What comes back from a provider and is not taken.

use serde_json::{Value, json};

use super::jar::Jar;
use super::provider::{ada, node, sent};
use crate::idp::{Idp, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_4_the_address_of_an_attempt_is_worth_nothing_in_another_browser() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "").await;
    let attacker = Jar::new(&node);
    let (naive, careful) = (Jar::new(&node), Jar::new(&node));
    // One victim never was here; the other has loaded the page, and so has a cookie of their own.
    careful.get("/sign-in").await;
    for victim in [&naive, &careful] {
        // The provider knows the victim, and asks nothing.
        let back = idp.sign_in(&sent(&attacker, "/").await, ada());
        let refused = victim.get(&back).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(
            refused.text().contains("You are not signed in"),
            "{}",
            refused.text()
        );
        assert!(
            !refused
                .headers
                .get_all("set-cookie")
                .iter()
                .any(|cookie| { cookie.to_str().unwrap().contains("session") })
        );
        assert_eq!(victim.who().await, None);
    }
    assert_eq!(idp.redeemed(), 0, "no code was redeemed");
    let audit = node
        .api("GET", "/audit?action=sign-in&outcome=refused", None)
        .await
        .json();
    let reasons: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["reason"].clone())
        .collect();
    assert!(reasons.contains(&json!("not-begun-here")), "{audit}");
    let users = node.api("GET", "/users", None).await.json();
    assert_eq!(users["items"].as_array().unwrap().len(), 1, "nobody was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_9_what_comes_back_fits_the_attempt_or_is_refused() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "").await;
    let jar = Jar::new(&node);
    let refused = async |back: &str, why: &str| {
        let answer = jar.get(back).await;
        assert_eq!(answer.status, 400, "{why}: {}", answer.text());
        assert_eq!(jar.who().await, None, "{why}");
    };
    let fresh = async |claims: Value| idp.sign_in(&sent(&jar, "/").await, claims);

    let back = fresh(ada()).await;
    let (base, query) = back.split_once('?').unwrap();
    let without = |name: &str| {
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.starts_with(&format!("{name}=")))
            .collect();
        format!("{base}?{}", kept.join("&"))
    };
    refused(&without("state"), "no state").await;
    refused(
        &format!("{}&state=nonsense", without("state")),
        "a state of nobody",
    )
    .await;

    let back = fresh(ada()).await;
    let other = back.replace(
        &url::form_urlencoded::byte_serialize(idp.issuer.as_bytes()).collect::<String>(),
        "https%3A%2F%2Fevil.example",
    );
    assert_ne!(other, back);
    refused(&other, "another issuer (RFC 9207)").await;
    refused(&back, "the state was used up").await;

    let back = fresh(ada()).await;
    let silent: Vec<&str> = back.split('&').filter(|pair| !pair.starts_with("iss=")).collect();
    refused(&silent.join("&"), "no issuer, which it promised").await;

    for (why, wrong) in [
        ("nonce", json!({ "nonce": "of another attempt" })),
        ("nonce missing", json!({ "nonce": null })),
        ("audience", json!({ "aud": "another" })),
        ("several audiences", json!({ "aud": ["portreeve", "another"] })),
        ("azp", json!({ "azp": "another" })),
        ("issuer", json!({ "iss": "https://idp.example" })),
        ("expired", json!({ "exp": now() - 300 })),
        ("old", json!({ "iat": now() - 3_600 })),
        ("at_hash", json!({ "at_hash": "bm90IGl0" })),
        ("no subject", json!({ "sub": "" })),
    ] {
        let mut claims = ada();
        claims
            .as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        let back = fresh(claims).await;
        refused(&back, why).await;
    }
    let back = fresh(ada()).await;
    assert_eq!(jar.get(&back).await.status, 303, "and a good one is taken");
    assert_eq!(jar.get(&back).await.status, 400, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_says_is_told_and_its_markup_is_not() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "").await;
    let jar = Jar::new(&node);
    let address = sent(&jar, "/").await;
    let state = address.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let said = "error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E%20no";
    let answer = jar
        .get(&format!("/sign-in/acme/callback?state={state}&{said}"))
        .await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("access_denied"), "{}", answer.text());
    assert!(!answer.text().contains("<script>alert"), "{}", answer.text());
    // Without an attempt of this browser, nothing that somebody writes into an address stands on our page.
    let answer = jar
        .get("/sign-in/acme/callback?error=call+0900-1234&state=x")
        .await;
    assert!(
        answer.status == 400 && !answer.text().contains("0900"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_admitted_is_told_so_and_is_not_made() {
    let idp = Idp::start().await;
    let rules = "admit = [{ claim = \"groups\", values = [\"staff\"] }]";
    let (node, _folder) = node(&idp, rules).await;
    let jar = Jar::new(&node);
    let back = idp.sign_in(&sent(&jar, "/").await, ada());
    let answer = jar.get(&back).await;
    assert!(
        answer.status == 400 && answer.text().contains("does not admit you"),
        "{}",
        answer.text()
    );
    // Entra leaves groups out of the token of who is in many: that is told, and not taken for none.
    let mut many = ada();
    many.as_object_mut().unwrap().remove("groups");
    many["_claim_names"] = json!({ "groups": "src1" });
    let back = idp.sign_in(&sent(&jar, "/").await, many);
    let answer = jar.get(&back).await;
    assert!(
        answer.status == 400 && answer.text().contains("too many of them"),
        "{}",
        answer.text()
    );
    let users = node.api("GET", "/users", None).await.json();
    assert_eq!(users["items"].as_array().unwrap().len(), 1);
}
