//! JSON Web Tokens that others sign: a client for itself (RFC 7523, section 3), and an identity provider of the company
//! for one of its people (ID-JAG). Each is taken once.
//!
//! Algorithms are those of key pairs, and a key is used with its own. Header fields that name keys or places are not read.

use std::net::IpAddr;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portreeve_core::oauth::Client;
use portreeve_core::time::Timestamp;
use serde_json::{Map, Value};

use super::AuthorizationServer;
use super::error::OauthError;

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::EdDSA,
    Algorithm::RS512,
];
/// The same, as the metadata says it.
pub(super) const ALGORITHM_NAMES: [&str; 6] = ["ES256", "ES384", "RS256", "PS256", "EdDSA", "RS512"];

/// Bytes of an assertion.
const BYTES: usize = 8 * 1024;
/// How far other clocks may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);
/// How long an assertion may live: it is remembered as long.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Bytes of an identity of one.
const JTI: usize = 200;

/// An assertion, its signature verified.
#[derive(Debug, Clone)]
pub(super) struct Assertion(Map<String, Value>);

impl Assertion {
    /// Verifies a token with keys, of which it may name one. `None`: it is not signed by any of them.
    pub(super) fn verified(text: &str, keys: &JwkSet, types: &[&str]) -> Option<Self> {
        if text.len() > BYTES {
            return None;
        }
        let head = decode_header(text).ok()?;
        if !ALGORITHMS.contains(&head.alg) || !is_type(head.typ.as_deref(), types) {
            return None;
        }
        let named = head.kid.as_deref();
        let fits = |key: &&Jwk| named.is_none() || key.common.key_id.as_deref() == named;
        let mut validation = Validation::new(head.alg);
        // Audience and time are looked at below, by our own clock.
        validation.validate_aud = false;
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        keys.keys
            .iter()
            .filter(fits)
            .filter(|key| {
                key.common
                    .key_algorithm
                    .is_none_or(|alg| alg.to_string() == format!("{:?}", head.alg))
            })
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            .find_map(|key| decode::<Map<String, Value>>(text, &key, &validation).ok())
            .map(|token| Self(token.claims))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Whether it is made out for one of these.
    pub(super) fn is_for(&self, audiences: &[&str]) -> bool {
        let is = |value: &Value| value.as_str().is_some_and(|text| audiences.contains(&text));
        match self.0.get("aud") {
            Some(Value::Array(all)) => all.len() == 1 && all.iter().all(is),
            Some(one) => is(one),
            None => false,
        }
    }

    fn moment(&self, name: &str) -> Option<Timestamp> {
        let value = self.0.get(name)?;
        let seconds = value.as_i64().or_else(|| Some(value.as_f64()?.trunc() as i64))?;
        Some(Timestamp::from_millis(seconds.checked_mul(1_000)?))
    }

    /// Its end, if its time is now.
    pub(super) fn live_until(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.moment("exp")?;
        let is_over = end.plus(LEEWAY) <= now;
        let is_too_long = end > now.plus(LONGEST + LEEWAY);
        let is_early = ["nbf", "iat"]
            .into_iter()
            .filter_map(|name| self.moment(name))
            .any(|begin| begin > now.plus(LEEWAY));
        (!is_over && !is_too_long && !is_early).then_some(end)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }
}

fn is_type(said: Option<&str>, types: &[&str]) -> bool {
    let said = said.map(|said| {
        let said = said.to_ascii_lowercase();
        said.strip_prefix("application/")
            .map(str::to_owned)
            .unwrap_or(said)
    });
    types.contains(&said.as_deref().unwrap_or("jwt"))
}

/// Who an assertion says that it is of. Nothing is verified yet: its keys are looked up by it.
pub(super) fn issuer_of(text: &str) -> Option<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    if text.len() > BYTES {
        return None;
    }
    let body = text.split('.').nth(1)?;
    let claims: Map<String, Value> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// The name of the key that something is signed with, as it says itself.
pub(super) fn key_of(text: &str) -> Option<String> {
    (text.len() <= BYTES)
        .then(|| decode_header(text).ok()?.kid)
        .flatten()
}

impl AuthorizationServer {
    /// Checks what a client signed for itself.
    pub(super) async fn check_client_assertion(
        &self,
        client: &Client,
        text: &str,
        from: Option<IpAddr>,
    ) -> Result<(), OauthError> {
        let refused = |why: &str| OauthError::client(format!("`client_assertion` {why}"));
        let keys = self.keys_of(client, key_of(text).as_deref(), from).await?;
        let types = ["jwt", "client-authentication+jwt"];
        let assertion = Assertion::verified(text, &keys, &types).ok_or_else(|| {
            refused("is not signed with a key of the client, or not in a way that is taken")
        })?;
        let id = client.id.as_str();
        if assertion.text("iss") != Some(id) || assertion.text("sub") != Some(id) {
            return Err(refused("must name the client as `iss` and as `sub`"));
        }
        let issuer = &*self.parts.issuer;
        let [token, revoke] = [format!("{issuer}/token"), format!("{issuer}/revoke")];
        let slash = format!("{issuer}/");
        if !assertion.is_for(&[issuer, &slash, &token, &revoke]) {
            return Err(refused("is made out for somebody else: `aud` must be the issuer"));
        }
        let end = assertion
            .live_until(self.parts.clock.now())
            .ok_or_else(|| refused("is not of this time: `exp` must lie within the next hour"))?;
        if self.is_first(id, &assertion, end).await? {
            Ok(())
        } else {
            Err(refused("was used before, or has no `jti`"))
        }
    }

    /// Whether an assertion is seen for the first time.
    pub(super) async fn is_first(
        &self,
        issuer: &str,
        assertion: &Assertion,
        end: Timestamp,
    ) -> Result<bool, OauthError> {
        let Some(jti) = assertion
            .text("jti")
            .filter(|jti| !jti.is_empty() && jti.len() <= JTI)
        else {
            return Ok(false);
        };
        let until = end.plus(LEEWAY * 2);
        Ok(self.parts.clients.note_assertion(issuer, jti, until).await?)
    }
}

/// The one token that [`LAW_KEYS`] signed: the example of RFC 7515, appendix A.3.
const LAW_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// The public half of the key of that example.
const LAW_KEYS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// What must hold for any text that comes as a signed token, and for any that comes as a set of keys: asked by the property
/// tests and by the fuzz target. Nothing that a known key did not sign is taken, whatever its header says.
pub fn law(text: &str, keys: &str) {
    let types = ["jwt"];
    let Ok(known) = serde_json::from_str::<JwkSet>(LAW_KEYS) else {
        return;
    };
    if let Some(assertion) = Assertion::verified(text, &known, &types) {
        let signed = |text: &str| text.rsplit_once('.').map(|(signed, _)| signed.to_owned());
        assert_eq!(signed(text), signed(LAW_TOKEN), "{text}");
        assert_eq!(assertion.text("iss").map(str::to_owned), issuer_of(text));
        // It ended in 2011.
        let now = Timestamp::from_millis(1_800_000_000_000);
        assert_eq!(assertion.live_until(now), None);
    }
    let said = (key_of(text), issuer_of(text));
    assert!(text.len() <= BYTES || said == (None, None), "{said:?}");
    if let Ok(theirs) = serde_json::from_str::<JwkSet>(keys) {
        // Whose keys these are may sign what they like; it is read without harm.
        if let Some(assertion) = Assertion::verified(LAW_TOKEN, &theirs, &types) {
            assert_eq!(assertion.text("iss"), Some("joe"));
        }
        let _read = Assertion::verified(text, &theirs, &types);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_is_verified_and_nothing_like_it() {
        let keys: JwkSet = serde_json::from_str(LAW_KEYS).unwrap();
        let is_taken = |text: &str| Assertion::verified(text, &keys, &["jwt"]).is_some();
        assert!(is_taken(LAW_TOKEN));
        law(LAW_TOKEN, LAW_KEYS);
        let (head, rest) = LAW_TOKEN.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        // {"alg":"none"}, {"alg":"HS256"}
        for other in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9"] {
            assert!(!is_taken(&format!("{other}.{body}.{signature}")), "{other}");
            assert!(!is_taken(&format!("{other}.{body}.")), "{other}");
        }
        for text in [
            format!("{head}.{body}."),
            format!("{head}.{body}"),
            format!("{head}.e30.{signature}"),
            format!("{LAW_TOKEN}."),
        ] {
            assert!(!is_taken(&text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn what_no_known_key_signed_is_not_taken(at in 0..LAW_TOKEN.len(), with in "[A-Za-z0-9_.=-]{0,3}") {
            let (before, behind) = LAW_TOKEN.split_at(at);
            law(&format!("{before}{with}{behind}"), LAW_KEYS);
            let mut behind = behind.chars();
            behind.next();
            law(&format!("{before}{with}{}", behind.as_str()), LAW_KEYS);
        }

        #[test]
        fn any_text_is_read_without_harm(text in any::<String>(), keys in any::<String>()) {
            law(&text, &keys);
        }
    }
}
