//! A virtual server: one route over several others, its members. Which ones they are stands in the version's document, in the
//! part of `_meta` that belongs to publishers, so that the content hash, which an approval is bound to, covers them; and in
//! the address that its route leads to.
//!
//! `naming` says under which names it offers what its members have.

mod naming;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::name::{InvalidName, Slug};
use crate::served::{PUBLISHER_META, put_in_publisher_meta};
use crate::server::as_words;

pub use naming::{Given, Kind, Naming, give, is_plain, looks_alike};

/// The member of [`PUBLISHER_META`] that says it.
pub const VIRTUAL_META: &str = "portreeve/virtual";

/// The scheme of the address of a virtual server, which leads nowhere but into the gateway.
pub const SCHEME: &str = "virtual";

/// Between a prefix and the name that a member gave.
pub const SEPARATOR: &str = "__";

/// The tool that finds others, where they are searched.
pub const SEARCH_TOOLS: &str = "search_tools";

/// The tool that calls others, where they are searched.
pub const CALL_TOOL: &str = "call_tool";

/// Which tools a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// All of them. The default.
    #[default]
    All,
    /// Two that find and call the others, for routes with more tools than a model can read.
    Search,
}

as_words!(Shows { All = "all", Search = "search" });

/// What stands before a name that another member has already: 1 to 32 letters, digits and `-`, and `_` one at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Prefix(String);

/// A text that is no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a prefix: 1 to 32 letters, digits and `-`, and `_` one at a time within it")]
pub struct InvalidPrefix(String);

/// A member of a virtual server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its route.
    pub route: Slug,
    /// What stands before those of its names that an earlier member has.
    pub prefix: Prefix,
}

/// What a virtual server is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualServer {
    /// Its members. Of two that have a name, the first one keeps it as it is.
    pub members: Vec<Member>,
    /// Which tools its list shows.
    #[serde(default)]
    pub shows: Shows,
}

/// A text that names no member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMember {
    /// Its route is none.
    #[error(transparent)]
    Route(#[from] InvalidName),
    /// Its prefix is none.
    #[error(transparent)]
    Prefix(#[from] InvalidPrefix),
    /// It must have a prefix.
    #[error("`{0}` cannot be a prefix; give one, as in `{0}=short`")]
    NeedsPrefix(Slug),
}

/// What is wrong with a virtual server, as far as its own text says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMembers {
    /// It has none.
    #[error("it has no members")]
    None,
    /// It has too many.
    #[error("it has more than {0} members")]
    TooMany(usize),
    /// One stands there twice.
    #[error("`{0}` is a member twice")]
    Twice(Slug),
    /// Two have one prefix.
    #[error("two members have the prefix `{0}`; give one of them another")]
    OnePrefix(String),
}

// === impl Prefix ===

impl Prefix {
    /// The prefix that a route has unless somebody gives it another. `None`: somebody must.
    pub fn of(route: &Slug) -> Option<Self> {
        route.as_str().replace('.', "-").parse().ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let edges = text.starts_with('_') || text.ends_with('_');
        let ok = (1..=32).contains(&text.len())
            && text.bytes().all(is_plain)
            && !edges
            && !text.contains(SEPARATOR);
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPrefix(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Member ===

impl FromStr for Member {
    type Err = InvalidMember;

    /// `billing`, or `billing=b`.
    fn from_str(text: &str) -> Result<Self, InvalidMember> {
        let (route, prefix) = match text.split_once('=') {
            Some((route, prefix)) => (route, Some(prefix)),
            None => (text, None),
        };
        let route: Slug = route.parse()?;
        let prefix = match prefix {
            Some(prefix) => prefix.parse()?,
            None => Prefix::of(&route).ok_or_else(|| InvalidMember::NeedsPrefix(route.clone()))?,
        };
        Ok(Self { route, prefix })
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            route: Slug,
            prefix: Option<String>,
        }
        let Written { route, prefix } = Written::deserialize(deserializer)?;
        let prefix = match prefix {
            Some(text) => text.parse().map_err(serde::de::Error::custom)?,
            None => Prefix::of(&route)
                .ok_or_else(|| serde::de::Error::custom(InvalidMember::NeedsPrefix(route.clone())))?,
        };
        Ok(Self { route, prefix })
    }
}

// === impl VirtualServer ===

impl VirtualServer {
    /// What a document says of it; `None` where it speaks of no members.
    ///
    /// # Errors
    ///
    /// When it speaks of some, but not so that they can be read.
    pub fn read(document: &Value) -> Option<Result<Self, String>> {
        let mark = document.get("_meta")?.get(PUBLISHER_META)?.get(VIRTUAL_META)?;
        Some(serde_json::from_value(mark.clone()).map_err(|error| error.to_string()))
    }

    /// What a stored document says of it.
    pub fn of(document: &str) -> Option<Self> {
        // Most documents of a registry speak of none, and reading them costs more than this.
        if !document.contains(VIRTUAL_META) {
            return None;
        }
        Self::read(&serde_json::from_str(document).ok()?)?.ok()
    }

    /// Puts it into a document.
    pub fn put(&self, document: &mut Map<String, Value>) {
        let mark = serde_json::to_value(self).unwrap_or_default();
        put_in_publisher_meta(document, VIRTUAL_META, mark);
    }

    /// What is wrong with it.
    ///
    /// # Errors
    ///
    /// The first thing.
    pub fn check(&self, most: usize) -> Result<(), InvalidMembers> {
        if self.members.is_empty() {
            return Err(InvalidMembers::None);
        }
        if self.members.len() > most {
            return Err(InvalidMembers::TooMany(most));
        }
        for (index, member) in self.members.iter().enumerate() {
            let before = self.members.iter().take(index);
            for other in before {
                if other.route == member.route {
                    return Err(InvalidMembers::Twice(member.route.clone()));
                }
                if naming::folded(other.prefix.as_str()) == naming::folded(member.prefix.as_str()) {
                    return Err(InvalidMembers::OnePrefix(member.prefix.to_string()));
                }
            }
        }
        Ok(())
    }

    /// The address that its route leads to: `virtual:billing,jira-test=jira?shows=search`.
    pub fn address(&self) -> String {
        let members = self.members.iter().map(|member| {
            if Prefix::of(&member.route).as_ref() == Some(&member.prefix) {
                member.route.to_string()
            } else {
                format!("{}={}", member.route, member.prefix)
            }
        });
        let members: Vec<String> = members.collect();
        let shows = match self.shows {
            Shows::All => String::new(),
            Shows::Search => "?shows=search".to_owned(),
        };
        format!("{SCHEME}:{}{shows}", members.join(","))
    }

    /// What an address leads to; `None` for any other address.
    pub fn at(address: &str) -> Option<Self> {
        let rest = address.strip_prefix(SCHEME)?.strip_prefix(':')?;
        let (members, shows) = match rest.split_once('?') {
            Some((members, "shows=search")) => (members, Shows::Search),
            Some(_) => return None,
            None => (rest, Shows::All),
        };
        let members = members.split(',').map(|member| member.parse().ok());
        Some(Self {
            members: members.collect::<Option<_>>()?,
            shows,
        })
    }

    /// Whether an address is that of a virtual server.
    pub fn is_address(address: &str) -> bool {
        address
            .strip_prefix(SCHEME)
            .is_some_and(|rest| rest.starts_with(':'))
    }

    /// The member of that route.
    pub fn member(&self, route: &Slug) -> Option<&Member> {
        self.members.iter().find(|member| member.route == *route)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn server(members: &[&str]) -> VirtualServer {
        VirtualServer::at(&format!("virtual:{}", members.join(","))).unwrap()
    }

    #[test]
    fn an_address_says_the_same_as_the_document() {
        let document = json!({"_meta": {PUBLISHER_META: {VIRTUAL_META: {
            "members": [{"route": "billing"}, {"route": "jira.io", "prefix": "j"}], "shows": "search",
        }}}});
        let read = VirtualServer::read(&document).unwrap().unwrap();
        assert_eq!(read.address(), "virtual:billing,jira.io=j?shows=search");
        assert_eq!(VirtualServer::at(&read.address()), Some(read.clone()));
        let mut again = Map::new();
        read.put(&mut again);
        assert_eq!(VirtualServer::of(&Value::Object(again).to_string()), Some(read));
    }

    #[test]
    fn other_addresses_and_documents_are_none() {
        for address in [
            "https://acme.example/mcp",
            "virtual:",
            "virtual:A",
            "virtual:a=__",
            "virtual:a?b",
        ] {
            assert_eq!(VirtualServer::at(address), None, "{address}");
        }
        assert_eq!(VirtualServer::read(&json!({"name": "com.acme/a"})), None);
        let document =
            json!({"_meta": {PUBLISHER_META: {VIRTUAL_META: {"members": [{"route": "a", "x": 1}]}}}});
        assert!(VirtualServer::read(&document).unwrap().is_err());
    }

    #[test]
    fn members_and_prefixes_are_there_once() {
        assert_eq!(server(&["a", "b"]).check(2), Ok(()));
        assert_eq!(server(&["a", "b", "c"]).check(2), Err(InvalidMembers::TooMany(2)));
        assert_eq!(
            server(&["a", "a=b"]).check(9),
            Err(InvalidMembers::Twice("a".parse().unwrap()))
        );
        assert_eq!(
            server(&["a=one", "b=0ne"]).check(9),
            Err(InvalidMembers::OnePrefix("0ne".to_owned())),
            "they look alike"
        );
    }
}
