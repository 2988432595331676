//! What people say about a server beside its document: who answers for it, what it is for, custom properties. None of
//! it is bound to an approval, and none of it is in the anonymous view.

use serde::{Deserialize, Serialize};

/// Values of custom properties, by the property's name. Metadata schemas say which there are.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// What people say about a server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Profile {
    /// One sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Who answers for it, as labels: `user:ada`, `key:deploy`, or a team's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Groups that answer for it. Their members may publish it: describe it, and hand in its versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owner_groups: Vec<String>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// An SPDX expression, or the address of the licence's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What it is good for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub use_cases: Vec<UseCase>,
    /// What kinds of thing it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Words by which it is found, and by which registries select it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Documentation elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_docs: Vec<ExternalDocument>,
    /// All about it, in Markdown. Pages show it without any HTML in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// Addresses of icons, https only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<String>,
    /// Values of custom properties.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// Somebody to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// A person, a team, a desk.
    pub name: String,
    /// An e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Something a server is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UseCase {
    /// In a few words.
    pub name: String,
    /// In a few sentences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Documentation elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalDocument {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: String,
}
