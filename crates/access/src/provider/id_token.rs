//! ID tokens and logout tokens: signature, issuer, audience, time, nonce. Before: a provider's keys are known. After: its
//! claims are believed.
//!
//! The algorithm is that of the key, never what the token alone says; a shared secret is no key, since whoever can check it
//! can make it.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode};
use portreeve_core::time::Timestamp;
use serde_json::Value;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

use crate::claims::Claims;
use crate::signatures::KEY_PAIRS;

/// How far the provider's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// How old an ID token or a logout token may be.
const AGE: Duration = Duration::from_secs(10 * 60);

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Which check failed.
pub(super) type Problem = &'static str;

/// For whom tokens must be made out, by whom, and when.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) now: Timestamp,
}

/// What an ID token must fit to.
pub(super) struct Bound<'a> {
    pub(super) nonce: &'a str,
    pub(super) access_token: Option<&'a str>,
}

/// Whether a token's key may be among these.
pub(super) fn names_key(keys: &JwkSet, head: &Header) -> bool {
    head.kid.as_deref().is_none_or(|id| keys.find(id).is_some())
}

/// The claims of a token that one of the keys signed.
pub(super) fn verified(
    token: &str,
    head: &Header,
    keys: &JwkSet,
    expected: &Expected<'_>,
) -> Result<Claims, Problem> {
    // What a header declares critical must be understood (RFC 7515, section 4.1.11), and nothing of that kind is.
    if !KEY_PAIRS.contains(&head.alg) || head.crit.is_some() {
        return Err("it is signed in a way that is not taken");
    }
    let is_candidate = |key: &&Jwk| {
        let common = &key.common;
        let is_named = head.kid.is_none() || common.key_id == head.kid;
        let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let algorithm = common.key_algorithm.map(|algorithm| format!("{algorithm:?}"));
        let fits = algorithm.is_none_or(|algorithm| algorithm == format!("{:?}", head.alg));
        is_named && signs && fits
    };
    let mut validation = Validation::new(head.alg);
    validation.set_audience(&[expected.client_id]);
    validation.set_issuer(&[expected.issuer]);
    validation.set_required_spec_claims(&["iss", "aud"]);
    // The time is looked at below, with our own clock.
    validation.validate_exp = false;
    let claims = keys
        .keys
        .iter()
        .filter(is_candidate)
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .find_map(|key| decode::<Claims>(token, &key, &validation).ok());
    let claims = claims.ok_or("the token was not made out by it for us")?.claims;
    check_time(&claims, expected.now)?;
    Ok(claims)
}

fn seconds(claims: &Claims, name: &str) -> Option<Timestamp> {
    let value = claims.get(name)?;
    let seconds = value.as_i64().or_else(|| Some(value.as_f64()?.trunc() as i64))?;
    Some(Timestamp::from_millis(seconds.saturating_mul(1_000)))
}

/// When the user was authenticated, or the token made.
pub(super) fn moment(claims: &Claims, name: &str) -> Option<Timestamp> {
    seconds(claims, name)
}

fn check_time(claims: &Claims, now: Timestamp) -> Result<(), Problem> {
    let issued = seconds(claims, "iat").ok_or("it does not say when it was made")?;
    if issued.minus(LEEWAY) > now || issued.plus(AGE) < now {
        return Err("it was not made just now: look at the clocks");
    }
    if seconds(claims, "exp").is_some_and(|end| end.plus(LEEWAY) <= now) {
        return Err("its time is over");
    }
    if seconds(claims, "nbf").is_some_and(|begin| begin.minus(LEEWAY) > now) {
        return Err("its time has not come");
    }
    Ok(())
}

/// What is true of an ID token beyond its signature (OpenID Connect Core, section 3.1.3.7).
pub(super) fn check_id_token(
    claims: &Claims,
    head: &Header,
    expected: &Expected<'_>,
    bound: &Bound<'_>,
) -> Result<(), Problem> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if !claims.contains_key("exp") {
        return Err("it does not say when it ends");
    }
    let nonce = text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(bound.nonce.as_bytes())) {
        return Err("its `nonce` is not the one that was sent");
    }
    let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    match text("azp") {
        Some(party) if party != expected.client_id => return Err("its `azp` names another client"),
        None if audiences > 1 => return Err("it is for several clients, and does not say for which"),
        _ => {}
    }
    if let (Some(hash), Some(token)) = (text("at_hash"), bound.access_token)
        && half_hash(head.alg, token) != hash
    {
        return Err("its `at_hash` is not that of the access token");
    }
    if text("sub").is_none_or(|subject| subject.is_empty() || subject.len() > 255) {
        return Err("it names no subject");
    }
    Ok(())
}

/// What is true of a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6).
pub(super) fn check_logout_token(claims: &Claims) -> Result<(), Problem> {
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err("it is no logout token");
    }
    if claims.contains_key("nonce") {
        return Err("it has a `nonce`, so it is an ID token");
    }
    if !claims.contains_key("sub") && !claims.contains_key("sid") {
        return Err("it names neither a subject nor a session");
    }
    Ok(())
}

/// The left half of a token's hash, by the hash of the signature's algorithm.
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &SHA512,
        _ => &SHA256,
    };
    let digest = digest::digest(hash, token.as_bytes());
    let half = digest.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(digest.as_ref().get(..half).unwrap_or_default())
}
