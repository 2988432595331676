//! How publishers get a registry token, and what it is worth.

use aws_lc_rs::signature::Ed25519KeyPair;
use http::Method;
use portreeve_core::limits::Limits;
use serde_json::{Value, json};

use super::house::{Answer, DOMAIN_SEED, House, document};

/// The clock of the house begins here.
const NOW: &str = "2026-11-23T12:00:01Z";

fn claim(domain: &str, seed: &[u8; 32], timestamp: &str) -> Value {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
    let signature: String = pair
        .sign(timestamp.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({"domain": domain, "timestamp": timestamp, "signed_timestamp": signature})
}

async fn sign_in(house: &House, method: &str, claim: Value) -> Answer {
    house
        .call("", Method::POST, &format!("/v0/auth/{method}"), claim)
        .await
}

fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json()["expires_at"].as_i64().unwrap() > 1_795_435_200);
    answer.json()["registry_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a10_a_domain_publishes_under_its_namespace_and_those_below() {
    let house = House::new().await;
    let token = token(&sign_in(&house, "dns", claim("publisher.example", &DOMAIN_SEED, NOW)).await);
    let publish = async |name: &str| {
        house
            .call(&token, Method::POST, "/v0/publish", document(name, "1.0.0"))
            .await
    };
    for name in ["example.publisher/mail", "example.publisher.dev/post"] {
        assert_eq!(publish(name).await.status, 200, "{name}");
    }
    let foreign = publish("com.microsoft/mail2").await;
    assert_eq!(foreign.status, 403);
    let detail = foreign.detail();
    assert!(
        detail.contains("`publish example.publisher/*`, `publish example.publisher.*`"),
        "{detail}"
    );

    let status = "/v0/servers/example.publisher%2Fmail/versions/1.0.0";
    let seen = house
        .call(
            &token,
            Method::GET,
            &format!("{status}?include_deleted=true"),
            Value::Null,
        )
        .await;
    assert_eq!(
        seen.json()["_meta"]["io.modelcontextprotocol.registry/official"]["status"],
        "active"
    );
    let changed = house
        .call(
            &token,
            Method::PATCH,
            &format!("{status}/status"),
            json!({"status": "deleted"}),
        )
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let edit = house
        .call(
            &token,
            Method::PUT,
            status,
            document("example.publisher/mail", "1.0.0"),
        )
        .await;
    assert_eq!(edit.status, 403, "to publish is not to edit");
    let log = house
        .admin_get("/api/v1/audit?action=server.publish")
        .await
        .json();
    assert_eq!(log["items"][0]["actor"], "dns:publisher.example", "{log}");
    let sign_ins = house
        .admin_get("/api/v1/audit?action=registry.sign-in")
        .await
        .json();
    assert_eq!(sign_ins["items"][0]["detail"]["method"], "dns", "{sign_ins}");
}

#[tokio::test]
async fn a10_a_claim_is_fresh_signed_by_the_domain_and_used_once() {
    let house = House::new().await;
    let good = claim("publisher.example", &DOMAIN_SEED, NOW);
    assert_eq!(sign_in(&house, "dns", good.clone()).await.status, 200);
    let again = sign_in(&house, "dns", good).await;
    assert_eq!(again.status, 401);
    assert!(again.detail().contains("used already"), "{}", again.detail());
    let at = |moment: &str| claim("publisher.example", &DOMAIN_SEED, moment);
    for (what, claim, status) in [
        ("late", at("2026-11-23T11:59:40Z"), 401),
        ("early", at("2026-11-23T12:00:20Z"), 401),
        ("inside the window", at("2026-11-23T11:59:50Z"), 200),
        (
            "another key",
            claim("publisher.example", &[1; 32], "2026-11-23T12:00:02Z"),
            401,
        ),
        (
            "another domain",
            claim("acme.example", &DOMAIN_SEED, "2026-11-23T12:00:03Z"),
            401,
        ),
        (
            "a sub-domain",
            claim("dev.publisher.example", &DOMAIN_SEED, "2026-11-23T12:00:04Z"),
            401,
        ),
        (
            "no domain",
            claim("publisher", &DOMAIN_SEED, "2026-11-23T12:00:05Z"),
            422,
        ),
        ("no time", at("now"), 422),
        ("nothing", json!({}), 422),
        (
            "no signature",
            json!({"domain": "publisher.example", "timestamp": NOW, "signed_timestamp": "xyz"}),
            422,
        ),
    ] {
        let answer = sign_in(&house, "dns", claim).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn nobody_proves_nothing_and_gets_a_namespace_that_says_so() {
    let house = House::new().await;
    let token = token(&sign_in(&house, "none", Value::Null).await);
    let published = house
        .call(
            &token,
            Method::POST,
            "/v0.1/publish",
            document("io.modelcontextprotocol.anonymous/try", "1.0.0"),
        )
        .await;
    assert_eq!(published.status, 200, "{published:?}");
    let foreign = house
        .call(
            &token,
            Method::POST,
            "/v0.1/publish",
            document("com.acme/mail", "1.0.0"),
        )
        .await;
    assert_eq!(foreign.status, 403);
}

#[tokio::test]
async fn a_method_is_switched_on_or_it_is_not_there() {
    let house = House::new().await;
    let off = sign_in(&house, "http", claim("publisher.example", &DOMAIN_SEED, NOW)).await;
    assert_eq!(off.status, 403);
    assert!(off.json()["hint"].as_str().unwrap().contains("[registry.auth]"));
    for method in ["github-at", "github-oidc", "oidc"] {
        assert_eq!(sign_in(&house, method, json!({})).await.status, 403, "{method}");
    }
    assert_eq!(sign_in(&house, "magic", json!({})).await.status, 404);
}

#[tokio::test]
async fn a_registry_token_opens_nothing_else_and_is_not_made_up() {
    let house = House::new().await;
    let token = token(&sign_in(&house, "none", Value::Null).await);
    for path in ["/api/v1/whoami", "/api/v1/servers"] {
        assert_eq!(
            house.call(&token, Method::GET, path, Value::Null).await.status,
            401,
            "{path}"
        );
    }
    let (head, rest) = token.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let claims = json!({"iss": "https://gw.acme.example", "sub": "dns:x", "iat": 0, "exp": 9_999_999_999_i64,
        "permissions": [{"action": "publish", "resource": "*"}]});
    let forged = {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims.to_string())
    };
    for text in [
        format!("{head}.{forged}.{signature}"),
        format!("eyJhbGciOiJub25lIn0.{forged}."),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}A"),
        format!("{token}.x"),
    ] {
        let answer = house
            .call(
                &text,
                Method::POST,
                "/v0.1/publish",
                document("com.acme/mail", "1.0.0"),
            )
            .await;
        assert_eq!(answer.status, 401, "{text}");
    }
}

#[tokio::test]
async fn more_claims_than_are_looked_into_wait_outside() {
    let limits = Limits {
        proofs_at_once: 0,
        ..Limits::default()
    };
    let house = House::with(limits).await;
    let answer = sign_in(&house, "dns", claim("publisher.example", &DOMAIN_SEED, NOW)).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"));
}

#[tokio::test]
async fn a_publisher_who_writes_too_fast_is_told_when_to_go_on() {
    let limits = Limits {
        writes_per_publisher: 1,
        ..Limits::default()
    };
    let house = House::with(limits).await;
    let token = token(&sign_in(&house, "none", Value::Null).await);
    let publish = async |version: &str| {
        let content = document("io.modelcontextprotocol.anonymous/try", version);
        house.call(&token, Method::POST, "/v0.1/publish", content).await
    };
    assert_eq!(publish("1.0.0").await.status, 200);
    let second = publish("1.1.0").await;
    assert_eq!(second.status, 429, "{second:?}");
    assert!((1..=5).contains(&second.header("retry-after").parse::<u32>().unwrap()));
}
