//! What a partner writes of itself, `partner.toml`: typed, and with a JSON Schema by which all problems are found at once.
//!
//! Before: `folder` has the file as a tree. After: every check reads [`Partner`].

use std::collections::BTreeMap;
use std::sync::OnceLock;

use portreeve_core::protocol::Era;
use portreeve_inspect::{ValueProblem, ValueSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::category::Category;

/// Problems of one file that are told.
const PROBLEMS: usize = 100;

/// A partner: who it is, how it is reached, and what its servers are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// The short name. The partner's folder is called the same.
    #[schemars(length(max = 50), extend("pattern" = "^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$"))]
    pub name: String,
    /// The name that people read.
    #[schemars(length(min = 1, max = 50))]
    pub title: String,
    /// One line for a card.
    #[schemars(length(min = 1, max = 200), extend("pattern" = "^[^\\r\\n]*$"))]
    pub summary: String,
    /// What the servers do and for whom.
    #[schemars(length(min = 1, max = 1000))]
    pub description: String,
    /// Whose server it is: `Microsoft`, `Partner` or `None`.
    #[serde(default)]
    pub vendor: Vendor,
    /// The domain that vouches for the partner.
    #[schemars(length(max = 190), extend("pattern" = "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]*$"))]
    pub domain: String,
    /// The same turned round; the servers' names begin with it.
    #[schemars(length(max = 190), extend("pattern" = "^[a-z][a-z0-9-]*(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"))]
    pub namespace: String,
    /// What it is about.
    #[schemars(length(min = 1, max = 5))]
    pub categories: Vec<Category>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 50)))]
    pub tags: Vec<String>,
    /// Whether it is not finished yet.
    #[serde(default)]
    pub preview: bool,
    /// Whether the catalogue shows it first. For the keepers of the catalogue to set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub featured: bool,
    /// The icon: a file of this folder, or an https address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub icon: Option<String>,
    /// Terms of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^https?://[^\\s]+$"))]
    pub terms: Option<String>,
    /// The privacy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^https?://[^\\s]+$"))]
    pub privacy: Option<String>,
    /// Under what licence or terms the servers are used.
    pub license: Named,
    /// Where one reads more.
    pub documentation: Link,
    /// Whom users ask.
    pub support: Contact,
    /// Whom one tells of a weakness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Contact>,
    /// What people use it for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub use_cases: Vec<UseCase>,
    /// What is promised of each server, by the name of its file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<String, ServerNote>,
}

/// Whose server it is, in the words of the Azure catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Vendor {
    /// Microsoft's own.
    Microsoft,
    /// A partner's.
    #[default]
    Partner,
    /// Nobody's in particular.
    None,
}

/// A name, and where it is explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// As `MIT` or `Terms of service`.
    #[schemars(length(min = 1, max = 50))]
    pub name: String,
    /// Its text.
    #[schemars(length(max = 200), extend("pattern" = "^https?://[^\\s]+$"))]
    pub url: String,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is called.
    #[schemars(length(min = 1, max = 50))]
    pub title: String,
    /// Where it is.
    #[schemars(length(max = 200), extend("pattern" = "^https?://[^\\s]+$"))]
    pub url: String,
}

/// Somebody to turn to: at least an address of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{"required": ["email"]}, {"required": ["url"]}]))]
pub struct Contact {
    /// Who.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// By mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("pattern" = "^[^\\s@]+@[^\\s@]+$"))]
    pub email: Option<String>,
    /// On the web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^https?://[^\\s]+$"))]
    pub url: Option<String>,
}

/// One thing that people do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseCase {
    /// In a few words.
    #[schemars(length(min = 1, max = 500))]
    pub name: String,
    /// In a few sentences.
    #[schemars(length(max = 1000))]
    pub description: String,
}

/// What is promised of one server, so that a check can hold it to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerNote {
    /// What a host needs to get in.
    pub login: Login,
    /// The eras of the protocol that it speaks. None named: it speaks one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<EraWord>")]
    pub eras: Vec<Era>,
    /// The authorization servers that its metadata must name. None named: those that it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^https?://[^\s]+$")))]
    pub authorization_servers: Vec<String>,
}

/// The eras by their words, for the schema alone.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum EraWord {
    Modern,
    Legacy,
}

/// What a host needs to get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Login {
    /// Nothing: everybody may call it.
    #[default]
    None,
    /// A key that the partner gives out.
    Key,
    /// An access token of an authorization server that it names.
    Oauth,
}

/// The JSON Schema of `partner.toml`.
pub fn partner_schema() -> Value {
    let mut schema = schemars::schema_for!(Partner).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert(
            "title".to_owned(),
            Value::from("partner.toml of Portreeve's partner catalogue"),
        );
    }
    schema
}

// === impl Partner ===

impl Partner {
    /// Reads the file's tree; everything that is wrong with it, and not the first thing.
    pub fn read(value: &Value) -> Result<Self, Vec<ValueProblem>> {
        let whole = |message: String| {
            vec![ValueProblem {
                pointer: String::new(),
                message,
            }]
        };
        static SCHEMA: OnceLock<Result<ValueSchema, String>> = OnceLock::new();
        let schema =
            SCHEMA.get_or_init(|| ValueSchema::compile(&partner_schema()).map_err(|error| error.to_string()));
        let problems = match schema {
            Ok(schema) => schema.problems(value, PROBLEMS),
            Err(error) => return Err(whole(error.clone())),
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        serde_json::from_value(value.clone()).map_err(|error| whole(error.to_string()))
    }

    /// What is promised of a server.
    pub fn note(&self, stem: &str) -> ServerNote {
        self.servers.get(stem).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_problems_are_found_at_once_and_have_a_place() {
        let problems = Partner::read(&json!({
            "name": "a b", "title": "", "summary": "x\ny", "description": "d", "domain": "Acme", "namespace": "com",
            "categories": ["Cooking"], "license": {"name": "MIT", "url": "ftp://x"}, "documentation": {"title": "t"},
            "support": {"name": "Desk"}, "colour": "red",
        }))
        .unwrap_err();
        let mut places: Vec<&str> = problems.iter().map(|one| one.pointer.as_str()).collect();
        places.sort_unstable();
        assert_eq!(
            places,
            [
                "",
                "/categories/0",
                "/documentation",
                "/domain",
                "/license/url",
                "/name",
                "/namespace",
                "/summary",
                "/support",
                "/title"
            ]
        );
    }
}
