//! Who is calling.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::id::{ClientIdentity, InvalidId, KeyId, UserId};
use crate::name::GroupName;
use crate::oauth::TokenGrant;
use crate::time::Timestamp;
pub use crate::user::User;

/// The identity that rights hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Nobody in particular, on a route that admits everyone.
    Anonymous,
    /// An API key that stands for itself.
    Key(KeyId),
    /// A user, signed in or through a key of theirs.
    User(UserId),
    /// An OAuth client that acts for itself, in nobody's name.
    Client(ClientIdentity),
    /// Somebody who proved a namespace. What was proved stands in the token; no other right hangs on it.
    Publisher,
    /// Portreeve itself: jobs, the demo, the first start.
    System,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Publisher => f.write_str("publisher"),
            Self::System => f.write_str("system"),
        }
    }
}

impl std::str::FromStr for Principal {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once(':') {
            Some(("key", id)) => id.parse().map(Self::Key),
            Some(("user", id)) => id.parse().map(Self::User),
            Some(("client", id)) => id.parse().map(Self::Client),
            _ => match text {
                "anonymous" => Ok(Self::Anonymous),
                "publisher" => Ok(Self::Publisher),
                "system" => Ok(Self::System),
                _ => Err(InvalidId(text.chars().take(200).collect())),
            },
        }
    }
}

/// An authenticated caller. Never carries the credential itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The identity that rights hang on.
    pub principal: Principal,
    /// The key that was presented, if one was.
    pub key: Option<KeyId>,
    /// The name people know the caller by: `key:deploy`, `user:admin`, `anonymous`, `system`.
    pub label: Arc<str>,
    /// The groups that the caller belongs to.
    pub groups: Arc<[GroupName]>,
    /// What the access token says that was presented, if one was: who acts for the principal, and how far it may go.
    pub token: Option<Arc<TokenGrant>>,
}

impl Caller {
    /// A caller without a credential.
    pub fn anonymous() -> Self {
        Self {
            principal: Principal::Anonymous,
            key: None,
            label: "anonymous".into(),
            groups: Arc::from([]),
            token: None,
        }
    }

    /// Portreeve itself.
    pub fn system() -> Self {
        Self {
            principal: Principal::System,
            key: None,
            label: "system".into(),
            groups: Arc::from([]),
            token: None,
        }
    }

    /// Whether the caller is one of those that labels name: by its own, or as `group:finance` by one of its groups.
    pub fn is_among(&self, labels: &BTreeSet<String>) -> bool {
        let is_named = |group: &GroupName| labels.contains(&format!("group:{group}"));
        labels.contains(&*self.label) || self.groups.iter().any(is_named)
    }
}

impl Caller {
    /// Somebody for whom Portreeve acts later on, without a credential at hand: a key must still work then.
    pub fn acting_for(principal: Principal, label: &str) -> Self {
        Self {
            principal,
            key: match principal {
                Principal::Key(id) => Some(id),
                _ => None,
            },
            label: label.into(),
            groups: Arc::from([]),
            token: None,
        }
    }
}

/// Where a request comes from: the host's address as a trusted proxy tells it, or else the connection's. Attached to requests
/// by the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// An API key as it is stored: `prv_<id>_<secret>` without the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identity, in clear inside the key.
    pub id: KeyId,
    /// The name people know it by, unique among live keys.
    pub name: String,
    /// SHA-256 of the 256-bit secret part, hex.
    pub secret_hash: String,
    /// The user it acts for. `None`: the key is a principal of its own.
    pub owner: Option<UserId>,
    /// The groups that who holds it belongs to.
    pub groups: Vec<GroupName>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Actor label of who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// Whether it works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}
