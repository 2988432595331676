//! A route: the same object as the registry entry, seen from the gateway.

use serde::{Deserialize, Serialize};

use crate::deployment::{Major, Place};
use crate::id::RouteId;
use crate::name::{Environment, IssuerName, SecretName, ServerName, Slug, VersionText};
use crate::protocol::Era;
use crate::server::{PrivateHost, as_words};
use crate::time::Timestamp;
use crate::vault::SecretRef;

/// Who may use a route without a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// A credential is required. The default.
    Credential,
    /// Anyone who can reach the listener may see and call every approved tool. Shown and audited.
    Anonymous,
}

as_words!(Access { Credential = "credential", Anonymous = "anonymous" });

/// How one gets in by a route, as hosts are told: what its access and its credentials come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// Without a credential.
    Anonymous,
    /// With a key, where one is not signed in.
    Key,
    /// Only by signing in: no key is taken, so that none may be asked for.
    SignIn,
}

as_words!(Entrance { Anonymous = "anonymous", Key = "credential", SignIn = "sign-in" });

/// Whether the gateway serves the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteState {
    /// Served.
    Active,
    /// Kept with its slug, answers 404.
    Inactive,
}

as_words!(RouteState { Active = "active", Inactive = "inactive" });

/// Whether the route's tools were ever seen. Approval never waits for the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinState {
    /// No list was ever seen: no tool is callable, and the first list seen goes to review.
    ToolsNotSeen,
    /// A list was seen and approved.
    Pinned,
}

as_words!(PinState { ToolsNotSeen = "tools-not-seen", Pinned = "pinned" });

/// In which era the gateway speaks with the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// In the host's, if the upstream was seen to speak it; else in the other one. The default.
    #[default]
    Auto,
    /// In the modern era, whatever was seen.
    Modern,
    /// In the legacy era, whatever was seen.
    Legacy,
}

as_words!(Protocol { Auto = "auto", Modern = "modern", Legacy = "legacy" });

/// Which calls of modern hosts share a session with a legacy upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionAffinity {
    /// Every call of a tool has a session of its own, where the upstream keeps sessions. The default.
    #[default]
    PerRequest,
    /// All calls of one caller share one: what the upstream remembers in it lasts from call to call, and from one
    /// conversation of the caller to another.
    Principal,
}

as_words!(SessionAffinity { PerRequest = "per_request", Principal = "principal" });

/// What becomes of what a legacy upstream asks of a modern host in the middle of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerRequests {
    /// It is told that nobody can be asked. The default.
    #[default]
    Refuse,
    /// The call waits on its node while the host is asked, for as long as a host has for an answer.
    Park,
}

as_words!(ServerRequests { Refuse = "refuse", Park = "park" });

/// Which credentials a route takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Credentials {
    /// Access tokens that this Portreeve issued for the route.
    pub tokens: bool,
    /// API keys.
    pub keys: bool,
    /// Access tokens of these issuers, which the configuration file names.
    pub issuers: Vec<IssuerName>,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            tokens: true,
            keys: true,
            issuers: Vec::new(),
        }
    }
}

impl Credentials {
    /// Whether there is one that could be presented.
    pub fn is_any(&self) -> bool {
        self.tokens || self.keys || !self.issuers.is_empty()
    }
}

// === impl Entrance ===

impl Entrance {
    /// That of a route.
    pub const fn of(access: Access, credentials: &Credentials) -> Self {
        match access {
            Access::Anonymous => Self::Anonymous,
            Access::Credential if credentials.keys => Self::Key,
            Access::Credential => Self::SignIn,
        }
    }

    /// Who may use the route.
    pub const fn access(self) -> Access {
        match self {
            Self::Anonymous => Access::Anonymous,
            Self::Key | Self::SignIn => Access::Credential,
        }
    }
}

/// A policy as it stands in a file, in the API and in the store: its kind and the configuration of that kind.
/// The gateway owns the meaning; `gateway::policy` checks it whenever one is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// The policy's kind, for example `rate_limit`.
    pub kind: String,
    /// Its configuration: the fields of that kind.
    #[serde(flatten)]
    pub config: serde_json::Map<String, serde_json::Value>,
}

// === impl PolicyDocument ===

impl PolicyDocument {
    /// The secrets of the vault that it names, as `secret:NAME`, wherever in its configuration.
    pub fn secrets(&self) -> Vec<SecretName> {
        let mut found = Vec::new();
        let mut open: Vec<&serde_json::Value> = self.config.values().collect();
        while let Some(value) = open.pop() {
            match value {
                serde_json::Value::String(text) => {
                    found.extend(text.parse::<SecretRef>().map(|SecretRef(name)| name));
                }
                serde_json::Value::Array(items) => open.extend(items),
                serde_json::Value::Object(fields) => open.extend(fields.values()),
                _ => {}
            }
        }
        found
    }
}

/// The way from a URL of the gateway to one upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its identity.
    pub id: RouteId,
    /// The part of the URL that names it: `GW/s/{slug}/mcp`.
    pub slug: Slug,
    /// The server it serves.
    pub server: ServerName,
    /// The environment it serves.
    pub environment: Environment,
    /// The major version that it is bound to; without one it serves the latest.
    #[serde(default)]
    pub major: Option<Major>,
    /// The approved version it serves.
    pub version: VersionText,
    /// The upstream's URL (Streamable HTTP).
    pub upstream_url: String,
    /// The eras that the upstream was seen to speak; empty while unknown.
    pub upstream_eras: Vec<Era>,
    /// Private hosts granted to the entry.
    pub private_hosts: Vec<PrivateHost>,
    /// Who may use it without a credential.
    pub access: Access,
    /// Whether it is served.
    pub state: RouteState,
    /// Whether its tools were seen.
    pub pin_state: PinState,
    /// Its policies, in the order in which they are asked.
    pub policies: Vec<PolicyDocument>,
    /// Longest time to the upstream's response head and between two reads of its body, in milliseconds.
    pub upstream_timeout_ms: u64,
    /// In which era the gateway speaks with the upstream.
    #[serde(default)]
    pub protocol: Protocol,
    /// Which calls of modern hosts share a session with a legacy upstream.
    #[serde(default)]
    pub session_affinity: SessionAffinity,
    /// What becomes of what a legacy upstream asks of a modern host in the middle of a call.
    #[serde(default)]
    pub server_requests: ServerRequests,
    /// How long a list of the upstream serves its caller again, in milliseconds, where the upstream does not say how long;
    /// 0: not at all.
    #[serde(default)]
    pub list_cache_ms: u64,
    /// Which credentials it takes.
    #[serde(default)]
    pub credentials: Credentials,
    /// Counts the changes; `If-Match` carries it.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl Route {
    /// The place that it serves: never changes, like its slug.
    pub fn place(&self) -> Place {
        Place {
            environment: self.environment.clone(),
            major: self.major,
        }
    }

    /// How one gets in.
    pub const fn entrance(&self) -> Entrance {
        Entrance::of(self.access, &self.credentials)
    }
}

/// The default of [`Route::upstream_timeout_ms`]: five minutes.
pub const DEFAULT_UPSTREAM_TIMEOUT_MS: u64 = 300_000;
