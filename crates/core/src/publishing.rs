//! Who may publish what over the registry API: patterns of names, and a publisher who holds some.
//!
//! A caller who may manage publishes under every name. Everybody else proves a namespace first, and gets a token that
//! carries the permissions which stand here.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::caller::{Caller, Principal};
use crate::name::{InvalidName, ServerName};

/// What a permission allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameAction {
    /// Publish versions, and change their status.
    Publish,
    /// Change the document of a version that exists, and its status.
    Edit,
}

impl NameAction {
    /// The word by which it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Edit => "edit",
        }
    }
}

/// Which names a permission speaks of: `com.acme/*` (one namespace), `com.acme.*` (every namespace below it),
/// `com.acme/billing` (one name), `*` (every name). Case does not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamePattern(Arc<str>);

/// One thing that a publisher may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Permission {
    /// What.
    pub action: NameAction,
    /// Under which names.
    pub resource: NamePattern,
}

/// Somebody who publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// The identity. A manager's rights hang on it.
    pub caller: Caller,
    /// What was proved besides.
    pub permissions: Vec<Permission>,
}

// === impl NamePattern ===

impl NamePattern {
    /// All of one namespace.
    pub fn namespace(namespace: &str) -> Result<Self, InvalidName> {
        format!("{namespace}/*").parse()
    }

    /// All namespaces below one.
    pub fn below(namespace: &str) -> Result<Self, InvalidName> {
        format!("{namespace}.*").parse()
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it speaks of this name.
    pub fn covers(&self, name: &ServerName) -> bool {
        let name = name.as_str();
        match self.0.strip_suffix('*') {
            Some(beginning) => name
                .get(..beginning.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(beginning)),
            None => name.eq_ignore_ascii_case(&self.0),
        }
    }
}

impl FromStr for NamePattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_namespace = |namespace: &str| format!("{namespace}/a").parse::<ServerName>().is_ok();
        let is_one = match text.strip_suffix('*') {
            Some("") => true,
            Some(beginning) => beginning.strip_suffix(['/', '.']).is_some_and(is_namespace),
            None => text.parse::<ServerName>().is_ok(),
        };
        if is_one {
            return Ok(Self(text.into()));
        }
        Err(InvalidName {
            what: "name pattern",
            value: text.chars().take(200).collect(),
            reason: "it must be like `com.acme/*`, `com.acme.*`, `com.acme/billing` or `*`",
        })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for NamePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NamePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

// === impl Publisher ===

impl Publisher {
    /// Somebody with a credential of Portreeve, and no proof besides.
    pub const fn known(caller: Caller) -> Self {
        Self {
            caller,
            permissions: Vec::new(),
        }
    }

    /// Somebody who proved something, under a label such as `dns:acme.example`.
    pub fn proven(label: &str, permissions: Vec<Permission>) -> Self {
        let caller = Caller {
            principal: Principal::Publisher,
            key: None,
            label: label.into(),
            groups: std::sync::Arc::from([]),
            token: None,
        };
        Self { caller, permissions }
    }

    /// The permission that allows it, if one does.
    pub fn permission(&self, action: NameAction, name: &ServerName) -> Option<&Permission> {
        self.permissions
            .iter()
            .find(|permission| permission.action == action && permission.resource.covers(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, name: &str) -> bool {
        let pattern: NamePattern = pattern.parse().unwrap();
        pattern.covers(&name.parse().unwrap())
    }

    #[test]
    fn a_namespace_is_not_the_one_beside_or_below_it() {
        assert!(covers("com.acme/*", "com.acme/billing"));
        assert!(covers("com.acme/*", "COM.Acme/billing"));
        for other in [
            "com.acme.dev/billing",
            "com.acmeinc/billing",
            "com.acm/x1",
            "org.acme/x1",
        ] {
            assert!(!covers("com.acme/*", other), "{other}");
        }
        assert!(covers("com.acme.*", "com.acme.dev/billing"));
        assert!(!covers("com.acme.*", "com.acme/billing"));
        assert!(!covers("com.acme.*", "com.acmeinc/billing"));
        assert!(covers("com.acme/billing", "com.acme/Billing"));
        assert!(!covers("com.acme/billing", "com.acme/billing2"));
        assert!(covers("*", "com.acme/billing"));
    }

    #[test]
    fn only_patterns_are_patterns() {
        for text in [
            "",
            "com.acme",
            "com.acme*",
            "com/*/x",
            "/*",
            ".*",
            "com.acme/b*",
            "**",
            "com.acme/*/*",
        ] {
            assert!(text.parse::<NamePattern>().is_err(), "{text}");
        }
    }
}
