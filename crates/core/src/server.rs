//! An entry of the registry: a server, its versions, and the two states that are kept apart (approval, lifecycle).

use serde::{Deserialize, Serialize};

use crate::deployment::Deployments;
use crate::name::{ServerName, VersionText};
use crate::profile::{Metadata, Profile};
use crate::time::Timestamp;

/// A host or network outside the public internet that an entry may reach, granted by an admin.
///
/// `host` is a host name or an IP literal as it stands in the URL (`billing.internal`, `127.0.0.1`, `::1`); the port
/// is part of the grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PrivateHost {
    /// Host name (lower case) or IP literal without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl std::fmt::Display for PrivateHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What all versions of a server share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Its name, unique without regard to case.
    pub name: ServerName,
    /// Who registered it, as an actor label (`key:deploy`, `user:admin`).
    pub registered_by: String,
    /// Private hosts that this entry may reach.
    pub private_hosts: Vec<PrivateHost>,
    /// What people say about it.
    pub profile: Profile,
    /// Where it runs.
    pub deployments: Deployments,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When anything of it changed last.
    pub updated_at: Timestamp,
}

/// Where a version stands on its way to being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Being written; seen by its owner.
    Draft,
    /// Waiting for an approver.
    Submitted,
    /// Listed, and served if it has a remote.
    Approved,
    /// Sent back with a reason.
    Rejected,
}

/// How mature the version is. Says nothing about approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// Only an idea.
    Design,
    /// Being built.
    Development,
    /// Being tested.
    Testing,
    /// For the curious.
    Preview,
    /// For everyone.
    Production,
    /// Works, but should not be taken up any more. Official status `deprecated`.
    Deprecated,
    /// Gone: not listed, not served. Official status `deleted`.
    Retired,
}

/// By which right a version was deprecated or retired. What a manager ended, a publisher does not bring back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndedBy {
    /// By who may publish under its name.
    Publisher,
    /// By who manages.
    Manager,
}

macro_rules! as_words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// Every one of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word by which the state is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Reads the stored word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use as_words;

impl Lifecycle {
    /// Whether it is on its way out, or gone.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Deprecated | Self::Retired)
    }
}

as_words!(Approval { Draft = "draft", Submitted = "submitted", Approved = "approved", Rejected = "rejected" });
as_words!(EndedBy { Publisher = "publisher", Manager = "manager" });
as_words!(Lifecycle {
    Design = "design",
    Development = "development",
    Testing = "testing",
    Preview = "preview",
    Production = "production",
    Deprecated = "deprecated",
    Retired = "retired",
});

/// One version of a server: the official `server.json` document plus what Portreeve knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The server it belongs to.
    pub name: ServerName,
    /// Its version, equal to the document's.
    pub version: VersionText,
    /// The `server.json` document as it was submitted, as JSON text.
    pub document: String,
    /// SHA-256 over the canonical form (RFC 8785) of the document, hex. Approval binds to it.
    pub content_hash: String,
    /// Where it stands.
    pub approval: Approval,
    /// How mature it is.
    pub lifecycle: Lifecycle,
    /// How mature it was before it was deprecated or retired: what it returns to.
    #[serde(default)]
    pub former_lifecycle: Option<Lifecycle>,
    /// By which right it was deprecated or retired. Unknown of what its source ended, and of what ended before this was
    /// written down.
    #[serde(default)]
    pub ended_by: Option<EndedBy>,
    /// Why it was rejected, deprecated or retired.
    pub status_message: Option<String>,
    /// Actor label of who submitted it.
    pub submitted_by: String,
    /// Actor label of who approved or rejected it.
    pub decided_by: Option<String>,
    /// Whether hosts get this one for `latest`. At most one approved version of a server.
    pub is_latest: bool,
    /// Values of custom properties of this version, over those of its server.
    #[serde(default)]
    pub metadata: Metadata,
    /// When it was registered.
    pub published_at: Timestamp,
    /// When approval or lifecycle changed last.
    pub status_changed_at: Timestamp,
    /// When anything changed last, the `is_latest` mark included.
    pub updated_at: Timestamp,
}

impl Version {
    /// The values that hold for it: its own over those of its server.
    pub fn values_over(&self, server: &Metadata) -> Metadata {
        let mut values = server.clone();
        values.extend(self.metadata.clone());
        values
    }

    /// Whether the registry lists it and the gateway may serve it.
    pub fn is_listed(&self) -> bool {
        self.approval == Approval::Approved && self.lifecycle != Lifecycle::Retired
    }
}
