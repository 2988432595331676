//! An identity provider that speaks OpenID Connect, and misbehaves where a test wants it.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// Our name there.
pub(crate) const CLIENT: &str = "portreeve";
/// What proves it.
pub(crate) const SECRET: &str = "s3cret of the client";

/// What a code is redeemed for: the challenge that was sent along, and the claims.
struct Grant {
    challenge: String,
    redirect_uri: String,
    claims: Value,
}

#[derive(Default)]
struct Book {
    codes: HashMap<String, Grant>,
    redeemed: u64,
}

/// The running provider.
#[derive(Clone)]
pub(crate) struct Idp {
    pub(crate) issuer: String,
    key: Arc<EcdsaKeyPair>,
    book: Arc<Mutex<Book>>,
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the node under test reads the same clock"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

impl Idp {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let idp = Self {
            issuer: format!("http://{}/tenant", listener.local_addr().unwrap()),
            key: Arc::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            book: Arc::default(),
        };
        let router = Router::new()
            .route("/tenant/.well-known/openid-configuration", get(discovery))
            .route("/tenant/keys", get(keys))
            .route("/tenant/token", post(token))
            .with_state(idp.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        idp
    }

    /// What somebody who was sent here is given after signing in: the address to come back to, for these claims.
    pub(crate) fn sign_in(&self, sent_to: &str, claims: Value) -> String {
        let address = Url::parse(sent_to).unwrap();
        let asked: HashMap<String, String> = address.query_pairs().into_owned().collect();
        assert!(
            sent_to.starts_with(&format!("{}/authorize?", self.issuer)),
            "{sent_to}"
        );
        assert_eq!(
            (asked["response_type"].as_str(), asked["client_id"].as_str()),
            ("code", CLIENT)
        );
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let mut whole = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": now(), "exp": now() + 300, "nonce": asked["nonce"],
            "auth_time": now() - 30, "sid": "session-1",
        });
        whole
            .as_object_mut()
            .unwrap()
            .extend(claims.as_object().unwrap().clone());
        let mut book = self.book.lock().unwrap();
        let code = format!("code-{}", book.codes.len());
        let grant = Grant {
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            claims: whole,
        };
        book.codes.insert(code.clone(), grant);
        let mut back = Url::parse(&asked["redirect_uri"]).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &asked["state"])
            .append_pair("iss", &self.issuer);
        back.into()
    }

    /// How many codes were redeemed.
    pub(crate) fn redeemed(&self) -> u64 {
        self.book.lock().unwrap().redeemed
    }

    /// A token of these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_of("JWT", claims)
    }

    /// One whose header says what it is.
    pub(crate) fn token_of(&self, kind: &str, claims: &Value) -> String {
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({ "alg": "ES256", "kid": "one", "typ": kind });
        let signed = format!("{}.{}", encoded(&head), encoded(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

async fn discovery(State(idp): State<Idp>) -> Json<Value> {
    let issuer = &idp.issuer;
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "end_session_endpoint": format!("{issuer}/out?realm=acme"),
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(State(idp): State<Idp>) -> Json<Value> {
    let point = idp.key.public_key().as_ref();
    let (x, y) = (&point[1..33], &point[33..65]);
    let key = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one",
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    });
    // One that nobody knows is no reason to take none.
    Json(json!({ "keys": [{ "kty": "FUTURE", "kid": "two" }, key] }))
}

async fn token(
    State(idp): State<Idp>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:s3cret+of+the+client"));
    let is_known = headers
        .get("authorization")
        .is_some_and(|value| *value == format!("Basic {expected}"));
    let refused = |error: &str| {
        let body = json!({ "error": error, "error_description": "the test said so" });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    if !is_known {
        return refused("invalid_client");
    }
    let grant = idp.book.lock().unwrap().codes.remove(&form["code"]);
    let Some(grant) = grant else {
        return refused("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()).as_ref());
    if challenge != grant.challenge || form["redirect_uri"] != grant.redirect_uri {
        return refused("invalid_grant");
    }
    idp.book.lock().unwrap().redeemed += 1;
    let access_token = "an access token";
    let half = digest(&SHA256, access_token.as_bytes());
    let mut claims = grant.claims;
    let hash = URL_SAFE_NO_PAD.encode(&half.as_ref()[..16]);
    claims
        .as_object_mut()
        .unwrap()
        .entry("at_hash")
        .or_insert(json!(hash));
    let body =
        json!({ "access_token": access_token, "token_type": "Bearer", "id_token": idp.token(&claims) });
    Json(body).into_response()
}
