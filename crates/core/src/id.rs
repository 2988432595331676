//! Identifiers: UUID version 7, written as text, one type per thing so that they cannot be mixed up.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::oauth::ClientId;
use crate::random::Rng;
use crate::time::Clock;

/// A text that is not a UUID where an identifier was expected.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an identifier (expected a UUID)")]
pub struct InvalidId(pub String);

fn new_uuid(clock: &dyn Clock, rng: &dyn Rng) -> Uuid {
    let mut random = [0_u8; 10];
    rng.fill(&mut random);
    let millis = u64::try_from(clock.now().as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// What follows from texts and from nothing else: a UUID of version 8, made of SHA-256. Each text has its length in front,
/// so that no two lists of texts are one.
fn derived_uuid(texts: &[&str]) -> Uuid {
    let mut hash = Context::new(&SHA256);
    for text in texts {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(hash.finish().as_ref()) {
        *byte = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier that sorts after those made before it.
            pub fn new(clock: &dyn Clock, rng: &dyn Rng) -> Self {
                Self(new_uuid(clock, rng))
            }

            /// An identifier fixed by the product itself (the local admin, for example).
            pub const fn from_u128(value: u128) -> Self {
                Self(Uuid::from_u128(value))
            }

            /// Its 128 bits.
            pub const fn as_u128(self) -> u128 {
                self.0.as_u128()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId(text.to_owned()))
            }
        }
    )*};
}

ids! {
    /// One route of the gateway.
    RouteId;
    /// One API key.
    KeyId;
    /// One OAuth client that acts for itself, whatever its `client_id` looks like.
    ClientIdentity;
    /// One grant.
    GrantId;
    /// One user.
    UserId;
    /// One session of the portal.
    SessionId;
    /// One authorization: what a client was allowed once, and every token that came of it.
    AuthorizationId;
    /// One event of the audit log. A request is one event, and known by its identity.
    EventId;
    /// One run of an import.
    ImportId;
    /// One icon, in its address.
    IconId;
    /// One call that a person must allow.
    ApprovalId;
    /// One request for access to a server.
    AccessRequestId;
    /// One legacy session of a host.
    HostSessionId;
    /// One node of an installation; each node keeps a chain of its own in the audit log.
    NodeId;
}

impl RouteId {
    /// The registry as an MCP server, which is in no store.
    pub const REGISTRY: Self = Self::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002);
}

impl UserId {
    /// The local administrator, who exists from the first start on.
    pub const LOCAL_ADMIN: Self = Self::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);

    /// The user whom an issuer knows by that subject. It follows from both, so whoever signs in and whoever comes with a
    /// token of that issuer is the same user, on every node, before and after anything was stored of them.
    pub fn of_subject(issuer: &str, subject: &str) -> Self {
        Self(derived_uuid(&["user", issuer, subject]))
    }
}

impl ClientIdentity {
    /// The identity of a client as a principal.
    pub fn of(client: &ClientId) -> Self {
        Self(derived_uuid(&["client", client.as_str()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_user_of_one_issuer() {
        let ada = UserId::of_subject("https://issuer.example", "ada");
        assert_eq!(ada, UserId::of_subject("https://issuer.example", "ada"));
        assert_ne!(ada, UserId::of_subject("https://issuer.example/", "ada"));
        assert_ne!(UserId::of_subject("ab", "c"), UserId::of_subject("a", "bc"));
        assert_eq!(ada.to_string().as_bytes().get(14), Some(&b'8'));
    }
}
