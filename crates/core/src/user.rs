//! Users and their sessions: who somebody is, where that is known from, and how long a browser is believed.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{SessionId, UserId};
use crate::name::{GroupName, InvalidName};
use crate::server::as_words;
use crate::time::Timestamp;

/// The longest name of a user.
const NAME_CHARS: usize = 100;

/// Where a user comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserOrigin {
    /// Made here, by an administrator or by the first start.
    Local,
    /// Made when somebody signed in whom an identity provider vouched for.
    Provider,
}

as_words!(UserOrigin { Local = "local", Provider = "provider" });

/// How an identity provider knows a user (OpenID Connect Core, section 5.7: both together, and nothing else).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExternalIdentity {
    /// The provider's identifier.
    pub issuer: String,
    /// Its name for the user.
    pub subject: String,
}

/// A user as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// The name people know the user by, unique. It never changes: audit events and lists of readers hold it.
    pub name: String,
    /// What the user is called.
    pub display_name: Option<String>,
    /// Where mail for the user goes.
    pub email: Option<String>,
    /// Where the user comes from.
    pub origin: UserOrigin,
    /// How the identity provider knows the user.
    pub external: Option<ExternalIdentity>,
    /// Groups that an administrator put the user into.
    pub groups: Vec<GroupName>,
    /// Groups that followed from what the identity provider said at the last sign-in.
    pub provider_groups: Vec<GroupName>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// Since when the user may do nothing.
    pub disabled_at: Option<Timestamp>,
    /// When the user signed in last.
    pub signed_in_at: Option<Timestamp>,
}

/// What changes a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    /// The groups that an administrator puts the user into.
    Groups(Vec<GroupName>),
    /// From that moment on the user may do nothing, and every session ends.
    Disabled(Timestamp),
    /// The user may again do what was granted.
    Enabled,
}

/// How somebody came into a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignInMethod {
    /// A link that works once.
    Link,
    /// A password, and a code where the user has set that up.
    Password,
    /// An identity provider.
    Provider,
}

as_words!(SignInMethod { Link = "link", Password = "password", Provider = "provider" });

/// A session of the portal, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its identity, which may be shown.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How it began.
    pub method: SignInMethod,
    /// When the user was authenticated: the provider's `auth_time`, or when it began.
    pub authenticated_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When it ends, used or not.
    pub expires_at: Timestamp,
    /// The identity provider's identifier.
    pub issuer: Option<String>,
    /// The provider's session (`sid`), by which it can end this one.
    pub provider_session: Option<String>,
    /// What the browser called itself.
    pub agent: Option<String>,
}

/// Sessions that end together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedSessions {
    /// The one with that secret.
    OfSecret(String),
    /// One, by its identity.
    One(SessionId),
    /// All of a user.
    OfUser(UserId),
    /// All of a user but that one.
    Others(UserId, SessionId),
    /// Those that belong to a session of an identity provider.
    OfProvider {
        /// The provider's identifier.
        issuer: String,
        /// Its session.
        session: String,
    },
    /// All that an identity provider vouched for, of a user, and that began before that moment.
    OfSubject {
        /// The provider's identifier.
        issuer: String,
        /// The user.
        user: UserId,
        /// They began before it.
        before: Timestamp,
    },
}

/// The name of a user: 1 to 100 letters, digits and `.`, `_`, `-`, `@`, `+`, the first a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserName(String);

// === impl User ===

impl User {
    /// A user who was made here.
    pub fn local(id: UserId, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id,
            name: name.into(),
            display_name: None,
            email: None,
            origin: UserOrigin::Local,
            external: None,
            groups: Vec::new(),
            provider_groups: Vec::new(),
            created_at,
            disabled_at: None,
            signed_in_at: None,
        }
    }

    /// Every group of the user, each once, in order.
    pub fn all_groups(&self) -> Vec<GroupName> {
        let named = self.groups.iter().chain(&self.provider_groups);
        let mut groups: Vec<GroupName> = named.cloned().collect();
        groups.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        groups.dedup();
        groups
    }

    /// Whether the user may do what was granted.
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

// === impl UserName ===

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name out of what an identity provider calls somebody: every character that no name has becomes a dash.
    pub fn near(text: &str) -> Option<Self> {
        let near = |letter: char| if is_in_name(letter) { letter } else { '-' };
        let text: String = text.trim().chars().map(near).take(NAME_CHARS).collect();
        let text = text.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
        text.parse().ok()
    }
}

impl FromStr for UserName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refused = |reason| {
            Err(InvalidName {
                what: "name of a user",
                value: text.chars().take(200).collect(),
                reason,
            })
        };
        if text.is_empty() || text.len() > NAME_CHARS {
            return refused("it must have 1 to 100 characters");
        }
        if !text.chars().all(is_in_name) {
            return refused("only letters, digits and `.`, `_`, `-`, `@`, `+` are allowed");
        }
        if !text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
            return refused("it must begin with a letter or a digit");
        }
        if text.parse::<UserId>().is_ok() {
            return refused("it looks like the identity of a user");
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_in_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '@' | '+')
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every group that somebody belongs to, with how many users each has.
pub fn groups_of<'a>(users: impl IntoIterator<Item = &'a User>) -> Vec<(GroupName, usize)> {
    let users: Vec<&User> = users.into_iter().collect();
    let all: BTreeSet<String> = users
        .iter()
        .flat_map(|user| user.all_groups())
        .map(|group| group.to_string())
        .collect();
    all.iter()
        .filter_map(|group| group.parse::<GroupName>().ok())
        .map(|group| {
            let members = users.iter().filter(|user| user.all_groups().contains(&group));
            (group.clone(), members.count())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_name_becomes_one_of_ours() {
        let near = |text: &str| UserName::near(text).map(|name| name.to_string());
        assert_eq!(near("ada@acme.example").as_deref(), Some("ada@acme.example"));
        assert_eq!(near("Ada Lovelace ").as_deref(), Some("Ada-Lovelace"));
        assert_eq!(near("\u{202e}eve<script>").as_deref(), Some("eve-script"));
        assert_eq!(near("\u{4f60}"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn groups_are_counted_by_their_members() {
        let mut ada = User::local(UserId::from_u128(1), "ada", Timestamp::from_millis(0));
        ada.groups = vec!["finance".parse().unwrap()];
        ada.provider_groups = vec!["finance".parse().unwrap(), "ops".parse().unwrap()];
        let mut eve = User::local(UserId::from_u128(2), "eve", Timestamp::from_millis(0));
        eve.groups = vec!["ops".parse().unwrap()];
        let shown: Vec<_> = groups_of([&ada, &eve])
            .into_iter()
            .map(|(group, members)| format!("{group} {members}"))
            .collect();
        assert_eq!(shown, ["finance 1", "ops 2"]);
    }
}
