//! Where a server runs: environments, and the deployments that put a server into them. Each place that a deployment
//! names (server, environment, perhaps a major version) is a route of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::name::{Environment, InvalidName, VersionText};
use crate::profile::Metadata;
use crate::server::as_words;
use crate::time::Timestamp;

/// What an environment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentKind {
    /// Built and broken every day.
    Development,
    /// Tested by people or machines.
    Testing,
    /// As production will be.
    Staging,
    /// Relied upon.
    Production,
}

as_words!(EnvironmentKind {
    Development = "development",
    Testing = "testing",
    Staging = "staging",
    Production = "production",
});

/// An environment as it is described to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Its name; deployments, routes and slugs carry it.
    pub name: Environment,
    /// The name people read.
    pub title: String,
    /// What it is for.
    pub kind: EnvironmentKind,
    /// What people should know of it.
    pub description: String,
    /// How somebody gets access to it.
    pub onboarding: String,
    /// Its place in lists; equal places are ordered by name.
    pub position: i64,
    /// Values of custom properties.
    pub metadata: Metadata,
    /// Counts the changes; `If-Match` carries it.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// A major version that has a route of its own: `v1` serves the highest approved `1.x.y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Major(pub u32);

/// The place of a route: an environment, and the major version that it is bound to, if it is bound to one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The environment.
    pub environment: Environment,
    /// The major version; without one, the latest approved version is served.
    pub major: Option<Major>,
}

/// Whether a deployment is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeploymentState {
    /// Its route leads to it.
    Active,
    /// It is kept, and its route answers 404.
    Inactive,
}

as_words!(DeploymentState { Active = "active", Inactive = "inactive" });

/// A server in an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Where.
    pub environment: Environment,
    /// The major version that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<Major>,
    /// The one version that runs there; without it, the highest approved one (of the major version, if there is one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionText>,
    /// Its MCP endpoint (Streamable HTTP).
    pub url: String,
    /// Whether it is served.
    pub state: DeploymentState,
    /// Values of custom properties.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// The deployments of a server: those in force, and those that wait for an approval.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Deployments {
    /// In force, by place.
    pub current: Vec<Deployment>,
    /// What shall be in force instead, once somebody approves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<ProposedDeployments>,
}

/// Deployments that wait for an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProposedDeployments {
    /// All of them, by place.
    pub deployments: Vec<Deployment>,
    /// Actor label of who proposed them.
    pub by: String,
}

// === impl Major ===

impl fmt::Display for Major {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl FromStr for Major {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        let is_number = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        let number = is_number.then(|| digits.parse().ok()).flatten();
        number.map(Self).ok_or_else(|| InvalidName {
            what: "major version",
            value: text.chars().take(200).collect(),
            reason: "a number without a leading zero, as in `v1`",
        })
    }
}

impl Serialize for Major {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Major {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

// === impl Place ===

impl Place {
    /// Where a route leads unless another place is named.
    pub fn production() -> Self {
        Self {
            environment: Environment::production(),
            major: None,
        }
    }

    /// What stands behind the base of a slug: nothing for production, `--test`, `--v1`, `--test--v1`.
    pub fn suffix(&self) -> String {
        let mut suffix = String::new();
        if self.environment != Environment::production() {
            suffix.push_str("--");
            suffix.push_str(self.environment.as_str());
        }
        if let Some(major) = self.major {
            suffix.push_str(&format!("--{major}"));
        }
        suffix
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.major {
            Some(major) => write!(f, "{} {major}", self.environment),
            None => write!(f, "{}", self.environment),
        }
    }
}

// === impl Deployment ===

impl Deployment {
    /// The place of its route.
    pub fn place(&self) -> Place {
        Place {
            environment: self.environment.clone(),
            major: self.major,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_major_version_is_a_number_behind_a_v() {
        for (text, expected) in [("v1", 1), ("0", 0), ("v12", 12)] {
            assert_eq!(text.parse::<Major>(), Ok(Major(expected)), "{text}");
        }
        for text in ["", "v", "v01", "1.0", "-1", "v99999999999"] {
            assert!(text.parse::<Major>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_place_has_a_suffix_of_its_own() {
        let place = |environment: &str, major: Option<u32>| {
            let environment: Environment = environment.parse().unwrap();
            let major = major.map(Major);
            Place { environment, major }.suffix()
        };
        assert_eq!(place("production", None), "");
        assert_eq!(place("production", Some(1)), "--v1");
        assert_eq!(place("test", None), "--test");
        assert_eq!(place("test", Some(1)), "--test--v1");
    }
}
