//! Issuing: what the authorization server decided, as a signed token.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, encode};
use portreeve_core::caller::Principal;
use portreeve_core::id::{AuthorizationId, ClientIdentity};
use portreeve_core::oauth::{ClientId, Scopes};
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Access, AccessError};

/// The type of an access token (RFC 9068, section 2.1), which an ID token does not have.
pub(super) const TYPE: &str = "at+jwt";

/// A token to be issued. Who asks has decided all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// In whose name the client acts: a user, or the client itself.
    pub subject: Principal,
    /// The client.
    pub client: ClientId,
    /// The canonical address of the resource that it is for, and for no other.
    pub audience: String,
    /// How far it goes there.
    pub scopes: Scopes,
    /// The authorization that it rests on.
    pub authorization: AuthorizationId,
    /// When the user signed in.
    pub signed_in_at: Option<Timestamp>,
}

/// A token, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token. It cannot be had again.
    pub token: Secret,
    /// How long it works.
    pub expires_in: Duration,
}

/// What stands in a token of ours.
#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: Vec<String>,
    pub(super) sub: String,
    pub(super) client_id: ClientId,
    pub(super) scope: String,
    jti: String,
    pub(super) sid: AuthorizationId,
    iat: i64,
    pub(super) exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
}

impl Access {
    /// Issues an access token (RFC 9068).
    pub async fn issue_token(&self, new: &NewToken) -> Result<IssuedToken, AccessError> {
        if self.tokens.keys.load().signer(self.parts.clock.now()).is_none() {
            self.tend_signing_keys().await?;
        }
        // Not before: a key that was made just now signs from then on.
        let now = self.parts.clock.now();
        let mut identity = [0; 16];
        self.parts.rng.fill(&mut identity);
        let claims = Claims {
            iss: self.tokens.issuer.to_string(),
            aud: vec![new.audience.clone()],
            sub: subject(new)?,
            client_id: new.client.clone(),
            scope: new.scopes.to_string(),
            jti: URL_SAFE_NO_PAD.encode(identity),
            sid: new.authorization,
            iat: seconds(now),
            exp: seconds(now.plus(self.tokens.lifetime)),
            auth_time: new.signed_in_at.map(seconds),
        };
        let keys = self.tokens.keys.load();
        let (kid, private) = keys.signer(now).ok_or(AccessError::NoSigningKey)?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(kid.to_owned());
        let token = encode(&header, &claims, private).map_err(|_| AccessError::NoSigningKey)?;
        Ok(IssuedToken {
            token: Secret::new(token),
            expires_in: self.tokens.lifetime,
        })
    }
}

/// A client that acts for itself is its own subject (RFC 9068, section 2.2).
fn subject(new: &NewToken) -> Result<String, AccessError> {
    match new.subject {
        Principal::User(_) => Ok(new.subject.to_string()),
        Principal::Client(id) if id == ClientIdentity::of(&new.client) => Ok(new.client.to_string()),
        other => Err(AccessError::invalid(
            "subject",
            &other.to_string(),
            "a token stands for a user, or for the client that it is given to",
        )),
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}
