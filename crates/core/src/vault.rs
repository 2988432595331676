//! A secret in the vault, sealed: what is stored of it, and what may be told of it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::name::{InvalidName, SecretName};
use crate::time::Timestamp;

/// What may be told of a secret. Its value is never told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// Its name.
    pub name: SecretName,
    /// Actor label of who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Actor label of who replaced it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
    /// Counts the replacements.
    pub revision: i64,
}

/// A secret as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// What may be told.
    pub facts: SecretFacts,
    /// The value, sealed for this name in this installation, as text.
    pub sealed: String,
}

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedSecret")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// What names a secret, and so cannot do its work without it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretUse {
    /// What sort of thing: `webhook`, `login`, `import`, `route`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for SecretUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

/// A secret as others refer to it: `secret:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef(pub SecretName);

impl std::str::FromStr for SecretRef {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text.strip_prefix("secret:") {
            Some(name) => name.parse().map(Self),
            // What stands there may be the secret itself, so it is not shown.
            None => Err(InvalidName {
                what: "reference to a secret",
                value: "...".to_owned(),
                reason: "it must be `secret:NAME`, the name of a secret in the vault, and never the secret itself",
            }),
        }
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "secret:{}", self.0)
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
