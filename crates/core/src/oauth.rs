//! OAuth in front of every route: clients, resources, scopes, and the authorization that a token belongs to.
//!
//! A token is for one resource (RFC 8707), the MCP endpoint of a route, so a scope says how far it reaches there:
//! `billing:read` for tools that only read, for resources and prompts, `billing:write` for every tool. Who may call which
//! tool, policies decide; a scope only narrows what a client may do in its user's name. A registry as an MCP server is
//! `registry/default:read`: no slug has a slash, so no route of the store is called so.

mod client;
mod flow;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::AuthorizationId;
use crate::name::{RegistryName, ServerName, Slug};
use crate::tool::ToolAnnotations;

pub use client::{Client, ClientAuth, ClientKeys, ClientKind, GrantKind};
pub use flow::{Authorization, AuthorizationCode, Consent, PendingAuthorization, RefreshToken};

/// The longest identity of a client: a URL of a metadata document is one.
const CLIENT_ID_BYTES: usize = 2_000;

/// What stands before the name of a registry.
const REGISTRY: &str = "registry/";

/// Most scopes in one list.
const SCOPES: usize = 100;

/// The identity of an OAuth client (RFC 6749, section 2.2): ours, or the `https` URL of its metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Arc<str>);

/// A text that is no identity of a client, or no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOauth(pub &'static str);

/// How much of a server a scope opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ToolClass {
    /// What only reads: tools whose approved annotations say `readOnlyHint`, lists, resources, prompts, completion.
    Read,
    /// Every tool, reading ones too.
    Write,
}

/// One scope: a route and a class, `billing:read`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The route.
    pub route: Slug,
    /// How much of it.
    pub class: ToolClass,
}

/// Scopes, each once, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scopes(BTreeSet<Scope>);

/// What the token says that a caller came with. A caller with an API key has none, and is not narrowed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenGrant {
    /// The client that acts.
    pub client: ClientId,
    /// How far it may go.
    pub scopes: Scopes,
    /// The authorization it rests on: ended, it ends the token. A token of another issuer rests on none of ours.
    pub authorization: Option<AuthorizationId>,
}

/// An MCP endpoint as a protected resource (RFC 9728).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedResource {
    /// Its canonical address, the audience of its tokens: `GW/s/billing/mcp`.
    pub uri: String,
    /// The route.
    pub route: Slug,
    /// The server behind it.
    pub server: ServerName,
    /// What people call it.
    pub title: String,
}

// === impl ClientId ===

impl ClientId {
    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the address of a metadata document.
    pub fn is_document(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for ClientId {
    type Err = InvalidOauth;

    fn from_str(text: &str) -> Result<Self, InvalidOauth> {
        if text.is_empty() || text.len() > CLIENT_ID_BYTES {
            return Err(InvalidOauth("a `client_id` has 1 to 2,000 bytes"));
        }
        if !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            return Err(InvalidOauth("a `client_id` has visible ASCII characters only"));
        }
        Ok(Self(text.into()))
    }
}

// === impl ToolClass ===

impl ToolClass {
    /// The class of a tool with these approved annotations.
    pub fn of(annotations: &ToolAnnotations) -> Self {
        if annotations.read_only_hint {
            Self::Read
        } else {
            Self::Write
        }
    }

    /// The class's word in a scope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

// === impl Scope ===

impl FromStr for Scope {
    type Err = InvalidOauth;

    fn from_str(text: &str) -> Result<Self, InvalidOauth> {
        const PROBLEM: InvalidOauth = InvalidOauth("a scope is `ROUTE:read` or `ROUTE:write`");
        let (route, class) = text.rsplit_once(':').ok_or(PROBLEM)?;
        let route = match route.strip_prefix(REGISTRY) {
            Some(name) => name.parse().map(|name: RegistryName| Slug::of_registry(&name)),
            None => route.parse(),
        };
        Ok(Self {
            route: route.map_err(|_| PROBLEM)?,
            class: match class {
                "read" => ToolClass::Read,
                "write" => ToolClass::Write,
                _ => return Err(PROBLEM),
            },
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Slug::registry(self.route.as_str()) {
            Some(name) => write!(f, "{REGISTRY}{name}:{}", self.class.as_str()),
            None => write!(f, "{}:{}", self.route, self.class.as_str()),
        }
    }
}

// === impl Scopes ===

impl Scopes {
    /// Both scopes of a route.
    pub fn all_of(route: &Slug) -> Self {
        [ToolClass::Read, ToolClass::Write]
            .into_iter()
            .map(|class| Scope {
                route: route.clone(),
                class,
            })
            .collect()
    }

    /// What one operation needs, as a client should ask for it: who may write will want to read as well.
    pub fn needed(route: &Slug, class: ToolClass) -> Self {
        match class {
            ToolClass::Write => Self::all_of(route),
            ToolClass::Read => Self::from_iter([Scope {
                route: route.clone(),
                class,
            }]),
        }
    }

    /// Whether they allow this much of a route. To write includes to read.
    pub fn cover(&self, route: &Slug, class: ToolClass) -> bool {
        self.0
            .iter()
            .any(|scope| scope.route == *route && scope.class >= class)
    }

    /// As much of another route: a token for a virtual server reaches as far at each of its members.
    #[must_use]
    pub fn moved(&self, from: &Slug, to: &Slug) -> Self {
        let moved = |scope: &Scope| Scope {
            route: to.clone(),
            class: scope.class,
        };
        self.0
            .iter()
            .filter(|scope| scope.route == *from)
            .map(moved)
            .collect()
    }

    /// Whether every one of the others is allowed by these.
    pub fn include(&self, others: &Self) -> bool {
        others.0.iter().all(|scope| self.cover(&scope.route, scope.class))
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a list with spaces between (RFC 6749, section 3.3), leaving out what is no scope of ours: hosts ask for
    /// `openid` or `offline_access` everywhere, and section 3.3 lets a server ignore them.
    pub fn known_in(text: &str) -> Self {
        text.split(' ')
            .filter_map(|word| word.parse().ok())
            .take(SCOPES)
            .collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            write!(f, "{gap}{scope}")?;
        }
        Ok(())
    }
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(ClientId Scope);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::known_in(text)
    }

    #[test]
    fn to_write_includes_to_read() {
        let billing: Slug = "billing".parse().unwrap();
        let write = scopes("billing:write");
        assert!(write.cover(&billing, ToolClass::Read));
        assert!(!scopes("billing:read").cover(&billing, ToolClass::Write));
        assert!(!scopes("crm:write").cover(&billing, ToolClass::Read));
        assert!(write.include(&Scopes::all_of(&billing)));
        assert!(!scopes("billing:read").include(&Scopes::all_of(&billing)));
        assert!(Scopes::default().include(&Scopes::default()));
    }

    #[test]
    fn what_is_no_scope_of_ours_is_left_out() {
        let read =
            scopes("openid billing:write  offline_access billing--test:read billing:write crm:admin :read");
        assert_eq!(read.to_string(), "billing:write billing--test:read");
        assert!(scopes("").is_empty());
    }

    #[test]
    fn a_registry_has_words_of_its_own() {
        let named = "finance".parse().unwrap();
        for (slug, word) in [
            (Slug::of_the_registry(), "registry/default:read"),
            (Slug::of_registry(&named), "registry/finance:read"),
        ] {
            let scope = Scope {
                route: slug,
                class: ToolClass::Read,
            };
            assert_eq!(scope.to_string(), word);
            assert_eq!(word.parse(), Ok(scope));
        }
        for wrong in [
            "registry/:read",
            "registry/a/b:read",
            "/mcp:read",
            "registry/default:admin",
        ] {
            assert!(wrong.parse::<Scope>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_client_is_named_by_visible_characters() {
        let document: ClientId = "https://host.example/client.json".parse().unwrap();
        assert!(document.is_document());
        for wrong in ["", "a b", "a\u{7f}", "caf\u{e9}", &"x".repeat(2_001)] {
            assert!(wrong.parse::<ClientId>().is_err(), "{wrong}");
        }
    }
}
