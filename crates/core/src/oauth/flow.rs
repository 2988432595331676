//! An authorization on its way: asked for, consented to, a code, refresh tokens.

use crate::caller::Principal;
use crate::id::{AuthorizationId, UserId};
use crate::oauth::{ClientId, Scopes};
use crate::time::Timestamp;

/// A request that waits for somebody's decision. Its identity is a 256-bit secret, of which the hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAuthorization {
    /// SHA-256 of its identity, hex.
    pub hash: String,
    /// SHA-256 of the session that asked, hex: no other browser can decide it.
    pub session: String,
    /// Who is asked.
    pub user: UserId,
    /// Which client asks.
    pub client: ClientId,
    /// What people see of the client, as it was when they were asked.
    pub snapshot: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What the client wants back unchanged.
    pub state: Option<String>,
    /// SHA-256 of the client's proof key, base64url.
    pub challenge: String,
    /// The canonical address of the resource; none when the request names none, so that the user chooses.
    pub resource: Option<String>,
    /// What is asked for. None: the client leaves it open.
    pub scopes: Scopes,
    /// Until when it waits.
    pub expires_at: Timestamp,
}

/// What somebody allowed: the key of one consent, and its scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// SHA-256 over all that it is about except the scopes, hex.
    pub key: String,
    /// Who allowed it.
    pub user: UserId,
    /// Whom.
    pub client: ClientId,
    /// What was shown of the client.
    pub snapshot: String,
    /// The host that codes go to.
    pub redirect_host: String,
    /// The canonical address of the resource.
    pub resource: String,
    /// How much of it.
    pub scopes: Scopes,
    /// When.
    pub given_at: Timestamp,
}

/// An authorization: what every token of a family rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Its identity, the claim `sid` of its tokens.
    pub id: AuthorizationId,
    /// Which client may act.
    pub client: ClientId,
    /// In whose name.
    pub principal: Principal,
    /// The canonical address of the resource.
    pub resource: String,
    /// How much of it.
    pub scopes: Scopes,
    /// When the user had signed in who gave it.
    pub signed_in_at: Option<Timestamp>,
    /// When it was given.
    pub granted_at: Timestamp,
    /// When a token was issued for it last.
    pub used_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

/// A code, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// SHA-256 of it, hex.
    pub hash: String,
    /// What it stands for.
    pub authorization: AuthorizationId,
    /// Where it was sent.
    pub redirect_uri: String,
    /// SHA-256 of the client's proof key, base64url.
    pub challenge: String,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
}

/// A refresh token, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of it, hex.
    pub hash: String,
    /// What it stands for.
    pub authorization: AuthorizationId,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When it was exchanged.
    pub spent_at: Option<Timestamp>,
    /// What it was exchanged for, sealed: who asks again at once, because the answer was lost, gets the same.
    pub successor: Option<String>,
}
