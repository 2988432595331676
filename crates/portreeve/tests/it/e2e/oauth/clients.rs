//! Clients that administrators enter, and what acts for itself.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portreeve_core::time::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::house::{House, claims};

fn by_itself(house: &House) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("resource", house.resource.clone()),
        ("scope", "billing:read".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_entered_listed_and_removed() {
    let house = House::start().await;
    let own = house.client().await;
    let made = house.node.cli_json(&["client", "create", "Robot"]);
    let id = made["clientId"].as_str().unwrap();
    assert_eq!(made["grants"], json!(["client_credentials"]));
    assert_eq!(made["clientSecret"].as_str().map(str::len), Some(43));
    let listed = house.node.cli_json(&["client", "list"]);
    let ids: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["clientId"])
        .collect();
    assert!(
        ids.contains(&&json!(own)) && ids.contains(&&json!(id)),
        "{listed}"
    );
    assert!(!listed.to_string().contains("ecret\":"), "{listed}");
    let wrong = json!({"name": "x", "redirectUris": ["http://host.example/cb"]});
    let refused = house.node.api("POST", "/clients", Some(wrong)).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    for client in [id, own.as_str()] {
        assert!(house.node.cli(&["client", "delete", client]).status.success());
        let gone = house.node.api("GET", &format!("/clients/{client}"), None).await;
        assert_eq!(gone.status, 404);
    }
    let key = house.node.new_key("nobody");
    let url = format!("{}/api/v1/clients", house.node.url);
    let headers = [("authorization", format!("Bearer {key}"))];
    let refused = house
        .node
        .web
        .ask("GET", &url, &headers, String::new())
        .await
        .unwrap();
    assert_eq!(refused.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_17_a_client_acts_for_itself_with_its_secret() {
    let house = House::start().await;
    let made = house.node.cli_json(&["client", "create", "Robot"]);
    let (id, secret) = (
        made["clientId"].as_str().unwrap(),
        made["clientSecret"].as_str().unwrap(),
    );
    let basic = |secret: &str| {
        let pair = STANDARD.encode(format!("{id}:{secret}"));
        [("authorization", format!("Basic {pair}"))]
    };
    let refused = house.post_as("/token", &by_itself(&house), &basic(secret)).await;
    assert_eq!(
        refused.json()["error"],
        "invalid_grant",
        "it has no right yet: {}",
        refused.text()
    );
    let granted = house.node.cli(&["grant", "add", "--client", id, "--all-servers"]);
    assert!(
        granted.status.success(),
        "{}",
        String::from_utf8_lossy(&granted.stderr)
    );
    let wrong = house
        .post_as("/token", &by_itself(&house), &basic(&"A".repeat(43)))
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (401, &json!("invalid_client"))
    );
    let answer = house.post_as("/token", &by_itself(&house), &basic(secret)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json();
    assert!(token.get("refresh_token").is_none(), "{token}");
    assert_eq!(claims(&token["access_token"])["sub"], json!(id));
    assert_eq!(claims(&token["access_token"])["aud"], json!([house.resource]));
    assert_eq!(token["scope"], "billing:read");
}

/// A client's own key.
pub(super) struct Signer {
    pair: EcdsaKeyPair,
    pub(super) id: String,
}

impl Signer {
    pub(super) fn new() -> Self {
        Self {
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            id: String::new(),
        }
    }

    pub(super) fn jwks(&self) -> Value {
        // 0x04, then both coordinates.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "x": number(x), "y": number(y)}]})
    }

    fn assertion(&self, house: &House, changes: &Value) -> String {
        self.signed(house, "JWT", changes)
    }

    /// A token of a type, with these claims besides the usual ones.
    pub(super) fn signed(&self, house: &House, kind: &str, changes: &Value) -> String {
        let now = SystemClock.now().as_millis() / 1_000;
        let mut claims = json!({
            "iss": self.id, "sub": self.id, "aud": house.node.url, "exp": now + 60, "iat": now, "jti": "one",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(json!({"alg": "ES256", "typ": kind})), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_17_a_client_acts_for_itself_with_its_key_once_per_assertion() {
    let house = House::start().await;
    let mut signer = Signer::new();
    let new = json!({"name": "Robot", "auth": "private_key_jwt", "jwks": signer.jwks()});
    let made = house.node.api("POST", "/clients", Some(new)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.json().get("clientSecret").is_none());
    signer.id = made.json()["clientId"].as_str().unwrap().to_owned();
    let granted = house
        .node
        .cli(&["grant", "add", "--client", &signer.id, "--all-servers"]);
    assert!(
        granted.status.success(),
        "{}",
        String::from_utf8_lossy(&granted.stderr)
    );
    let ask = async |assertion: String| {
        let mut form = by_itself(&house);
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        form.push(("client_assertion_type", kind.to_owned()));
        form.push(("client_assertion", assertion));
        house.post("/token", &form).await
    };
    let past = SystemClock.now().as_millis() / 1_000 - 600;
    for wrong in [
        json!({"aud": "https://other.example"}),
        json!({"sub": "another"}),
        json!({"exp": past}),
        json!({"exp": past + 100_000}),
        json!({"jti": null}),
    ] {
        let refused = ask(signer.assertion(&house, &wrong)).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]),
            (400, &json!("invalid_client")),
            "{wrong}"
        );
    }
    let mut thief = Signer::new();
    thief.id.clone_from(&signer.id);
    assert_eq!(
        ask(thief.assertion(&house, &json!({}))).await.json()["error"],
        "invalid_client"
    );
    let assertion = signer.assertion(&house, &json!({}));
    let answer = ask(assertion.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let replayed = ask(assertion).await;
    assert_eq!(
        (replayed.status, &replayed.json()["error"]),
        (400, &json!("invalid_client"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_say_how_a_client_authenticates() {
    let house = House::start().await;
    let signer = Signer::new();
    let new = json!({"name": "Robot", "jwks": signer.jwks()});
    let made = house.node.api("POST", "/clients", Some(new)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["auth"], "private_key_jwt");
    assert!(made.json().get("clientSecret").is_none());
    // Keys that nothing would be checked with are a mistake.
    let new = json!({"name": "Robot", "auth": "client_secret_basic", "jwks": signer.jwks()});
    let refused = house.node.api("POST", "/clients", Some(new)).await;
    assert!(
        refused.status == 400 || refused.status == 422,
        "{}",
        refused.text()
    );
    assert!(refused.text().contains("private_key_jwt"), "{}", refused.text());
}
