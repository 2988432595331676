//! Access tokens: issued, shown, refused.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use portreeve_access::{Access, NewToken, Place, TOKEN_LIFETIME, Unauthenticated};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::id::{AuthorizationId, ClientIdentity, UserId};
use portreeve_core::oauth::{ClientId, Scopes};
use portreeve_core::ports::Authorizer as _;
use portreeve_core::route::Credentials;
use serde_json::{Value, json};

use crate::house::{House, ISSUER, START};

const BILLING: &str = "https://portreeve.example/s/billing/mcp";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn new() -> NewToken {
    NewToken {
        subject: Principal::User(UserId::LOCAL_ADMIN),
        client: client(),
        audience: BILLING.to_owned(),
        scopes: Scopes::known_in("billing:read"),
        authorization: AuthorizationId::from_u128(7),
        signed_in_at: Some(START),
    }
}

fn client() -> ClientId {
    "https://host.example/client.json".parse().unwrap()
}

async fn issue(access: &Access, new: &NewToken) -> String {
    access.issue_token(new).await.unwrap().token.expose().to_owned()
}

/// Who shows it to the billing server.
async fn shown(access: &Access, token: &str) -> Result<Caller, Unauthenticated> {
    shown_at(access, token, BILLING).await
}

async fn shown_at(access: &Access, token: &str, resource: &str) -> Result<Caller, Unauthenticated> {
    let place = Place {
        resource,
        route: &"billing".parse().unwrap(),
        takes: &Credentials::default(),
    };
    access.authenticate_at(token, &place).await
}

/// Whatever the token says, read with the published keys as anybody would.
async fn read(access: &Access, token: &str) -> (Header, Value) {
    let keys: JwkSet = serde_json::from_value(access.jwks().await.unwrap()).unwrap();
    let header = decode_header(token).unwrap();
    let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[BILLING]);
    validation.validate_exp = false;
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation);
    (header, claims.unwrap().claims)
}

#[tokio::test]
async fn a_token_says_what_rfc_9068_asks() {
    let house = House::started().await;
    let token = issue(&house.access, &new()).await;
    let (header, mut claims) = read(&house.access, &token).await;
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().unwrap().len(), 22);
    let now = START.as_millis() / 1_000;
    let expected = json!({
        "iss": ISSUER,
        "aud": [BILLING],
        "sub": format!("user:{}", UserId::LOCAL_ADMIN),
        "client_id": "https://host.example/client.json",
        "scope": "billing:read",
        "sid": AuthorizationId::from_u128(7).to_string(),
        "iat": now,
        "exp": now + 600,
        "auth_time": now,
    });
    assert_eq!(claims, expected);
    assert_ne!(token, issue(&house.access, &new()).await);
}

#[tokio::test]
async fn a_token_names_user_client_and_scopes() {
    let house = House::started().await;
    let token = issue(&house.access, &new()).await;
    for _ in 0..2 {
        let caller = shown(&house.access, &token).await.unwrap();
        assert_eq!(caller.principal, Principal::User(UserId::LOCAL_ADMIN));
        assert_eq!(&*caller.label, "user:admin");
        let grant = caller.token.clone().unwrap();
        assert_eq!(grant.client, client());
        assert_eq!(grant.scopes, Scopes::known_in("billing:read"));
        let may = house.access.may(&caller, Action::Manage, &Target::Installation);
        assert!(
            may.is_permit(),
            "it stands for the user; the gateway looks at the scopes"
        );
    }
    assert_eq!(
        house.access.authenticate(&token),
        Err(Unauthenticated::Malformed),
        "where no resource is named, only keys work"
    );
}

#[tokio::test]
async fn a_rs_3_a_token_is_for_one_resource() {
    let house = House::started().await;
    let token = issue(&house.access, &new()).await;
    for other in [
        "https://portreeve.example/s/crm/mcp",
        "https://portreeve.example",
        "",
    ] {
        let refused = shown_at(&house.access, &token, other).await;
        assert_eq!(refused, Err(Unauthenticated::OtherResource), "{other}");
    }
}

#[tokio::test]
async fn a_rs_2_a_token_ends_with_its_time() {
    let house = House::started().await;
    let token = issue(&house.access, &new()).await;
    house.clock.pass(TOKEN_LIFETIME - Duration::from_secs(1));
    assert!(shown(&house.access, &token).await.is_ok());
    house.clock.pass(Duration::from_secs(1));
    let refused = shown(&house.access, &token).await;
    assert_eq!(refused, Err(Unauthenticated::Expired));
}

#[tokio::test]
async fn a_client_stands_for_itself_and_for_no_other() {
    let house = House::started().await;
    let subject = Principal::Client(ClientIdentity::of(&client()));
    let token = issue(&house.access, &NewToken { subject, ..new() }).await;
    let caller = shown(&house.access, &token).await.unwrap();
    assert_eq!(
        (caller.principal, &*caller.label),
        (subject, "client:https://host.example/client.json")
    );
    let other = Principal::Client(ClientIdentity::of(&"other".parse().unwrap()));
    for subject in [other, Principal::System, Principal::Anonymous] {
        assert!(
            house
                .access
                .issue_token(&NewToken { subject, ..new() })
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn an_unknown_user_has_no_token() {
    let house = House::started().await;
    let subject = Principal::User(UserId::of_subject("https://issuer.example", "ada"));
    let token = issue(&house.access, &NewToken { subject, ..new() }).await;
    let refused = shown(&house.access, &token).await;
    assert_eq!(refused, Err(Unauthenticated::Unknown));
}

#[tokio::test]
async fn what_ended_is_refused_at_once_and_on_other_nodes_with_the_feed() {
    let house = House::started().await;
    let other = house.another_node();
    house.access.tend_signing_keys().await.unwrap();
    other.load(&house.snapshot());
    let token = issue(&house.access, &new()).await;
    let caller = shown(&house.access, &token).await.unwrap();
    assert!(shown(&other, &token).await.is_ok());

    house
        .access
        .end_authorization(AuthorizationId::from_u128(7))
        .await
        .unwrap();
    assert_eq!(shown(&house.access, &token).await, Err(Unauthenticated::Unknown));
    let may = house.access.may(&caller, Action::Manage, &Target::Installation);
    assert!(!may.is_permit(), "a stream that was opened with it ends, too");
    other.load(&house.snapshot());
    assert_eq!(shown(&other, &token).await, Err(Unauthenticated::Unknown));

    let next = NewToken {
        authorization: AuthorizationId::from_u128(8),
        ..new()
    };
    let token = issue(&house.access, &next).await;
    assert!(shown(&house.access, &token).await.is_ok());
}

#[tokio::test]
async fn two_keys_are_published_and_take_turns() {
    let house = House::started().await;
    let names = async || {
        let keys: JwkSet = serde_json::from_value(house.access.jwks().await.unwrap()).unwrap();
        let names = keys.keys.into_iter().map(|key| key.common.key_id.unwrap());
        names.collect::<Vec<_>>()
    };
    let first = names().await;
    assert_eq!(first.len(), 2);
    let signed_by = |token: &str| decode_header(token).unwrap().kid.unwrap();
    let old = issue(&house.access, &new()).await;
    assert_eq!(signed_by(&old), first[0]);

    house.clock.pass(30 * DAY - Duration::from_secs(60));
    let token = issue(&house.access, &new()).await;
    house.clock.pass(Duration::from_secs(60));
    house.access.tend_signing_keys().await.unwrap();
    assert_eq!(signed_by(&issue(&house.access, &new()).await), first[1]);
    assert!(
        shown(&house.access, &token).await.is_ok(),
        "signed by the one before"
    );
    let then = names().await;
    assert_eq!((then.len(), &then[..2]), (3, &first[..]));
    house.clock.pass(2 * 60 * 60 * Duration::from_secs(1));
    assert_eq!(names().await, then[1..]);
    house.access.tend_signing_keys().await.unwrap();
    assert_eq!(names().await, then[1..], "nothing is missing, nothing is made");
}

#[tokio::test]
async fn two_nodes_sign_with_the_same_keys() {
    let house = House::started().await;
    let other = house.another_node();
    let (here, there) = tokio::join!(house.access.tend_signing_keys(), other.tend_signing_keys());
    here.and(there).unwrap();
    assert_eq!(house.access.jwks().await.unwrap(), other.jwks().await.unwrap());
    let token = issue(&other, &new()).await;
    assert!(shown(&house.access, &token).await.is_ok());
}

#[tokio::test]
async fn a_rs_4_forged_tokens_are_nobody() {
    let house = House::started().await;
    let token = issue(&house.access, &new()).await;
    let (header, claims) = read(&house.access, &token).await;
    let keys = house.access.jwks().await.unwrap();
    let public = keys["keys"][0]["x"].as_str().unwrap().to_owned();
    let ours = EncodingKey::from_ec_der(&strangers_key());
    let kid = header.kid.clone();
    let with = |typ: &str, algorithm: Algorithm| {
        let mut header = Header::new(algorithm);
        header.typ = Some(typ.to_owned());
        header.kid.clone_from(&kid);
        header
    };
    let secret = EncodingKey::from_secret(public.as_bytes());
    let mut parts = token.split('.');
    let (head, body, signature) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let forged = [
        encode(&with("at+jwt", Algorithm::ES256), &claims, &ours).unwrap(),
        encode(&with("at+jwt", Algorithm::HS256), &claims, &secret).unwrap(),
        encode(&with("JWT", Algorithm::ES256), &claims, &ours).unwrap(),
        format!("{none}.{body}."),
        format!("{none}.{body}.{signature}"),
        format!("{head}.{body}."),
        format!("{head}.{body}.{}", signature.chars().rev().collect::<String>()),
        format!("{head}.{}.{signature}", body.chars().skip(1).collect::<String>()),
        "eyJ.eyJ.".to_owned(),
        format!("{head}.{body}.{signature}x"),
    ];
    for forged in forged {
        let refused = shown(&house.access, &forged).await.unwrap_err();
        assert!(
            matches!(refused, Unauthenticated::Unknown | Unauthenticated::Malformed),
            "{forged}: {refused:?}"
        );
    }
}

/// A key of P-256 that is not ours.
fn strangers_key() -> Vec<u8> {
    let rng = crate::house::TestRng::default();
    portreeve_inspect::Es256Pair::draw(&rng).unwrap().pkcs8().unwrap()
}
