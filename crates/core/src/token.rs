//! What access tokens stand on: the keys that sign them, and the authorizations that ended.

use crate::id::AuthorizationId;
use crate::time::Timestamp;

/// A key that signs access tokens, ES256. Its private half is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its place among all keys there ever were, from 1 on. Of two nodes that make the next one, one wins.
    pub number: i64,
    /// Its name in tokens and in the key set.
    pub kid: String,
    /// The public half: both coordinates of the point, base64url, as a JWK has them.
    pub x: String,
    /// The other coordinate.
    pub y: String,
    /// The private half, sealed for this key.
    pub sealed: String,
    /// From when on it signs. It is published before, so that nobody meets a token of a key that they could not know.
    pub signs_from: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("number", &self.number)
            .field("kid", &self.kid)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}

/// An authorization that ended before its tokens did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedAuthorization {
    /// Which.
    pub id: AuthorizationId,
    /// How long that must be remembered: until every token of it is over.
    pub until: Timestamp,
}
