//! Custom properties: what an installation wants to know of its servers, environments and deployments, beyond what
//! everybody wants to know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::PropertyName;
use crate::server::as_words;
use crate::time::Timestamp;

/// The type of a property. It follows from its JSON Schema, and never changes while somebody uses the property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PropertyKind {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A text.
    String,
    /// A list.
    Array,
    /// One of some texts.
    Choices,
    /// Named values.
    Object,
}

as_words!(PropertyKind {
    Boolean = "boolean",
    Number = "number",
    String = "string",
    Array = "array",
    Choices = "choices",
    Object = "object",
});

/// What has properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PropertyOwner {
    /// A server.
    Server,
    /// An environment.
    Environment,
    /// A deployment of a server.
    Deployment,
}

as_words!(PropertyOwner { Server = "server", Environment = "environment", Deployment = "deployment" });

/// Whether a property must have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// It may have one.
    Optional,
    /// Without one, nothing is submitted and nothing is approved.
    Required,
}

as_words!(Need { Optional = "optional", Required = "required" });

/// A property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyRecord {
    /// Its name, as it stands in `metadata`.
    pub name: PropertyName,
    /// The name people read.
    pub title: String,
    /// What it says.
    pub description: String,
    /// Its type.
    pub kind: PropertyKind,
    /// The JSON Schema that every value meets.
    pub schema: serde_json::Value,
    /// What has it, and whether it must have a value there.
    pub assignments: BTreeMap<PropertyOwner, Need>,
    /// Counts the changes; `If-Match` carries it.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}
