//! Environments, as they are made, changed and shown.

use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord};
use portreeve_core::name::Environment;
use portreeve_core::profile::Metadata;
use portreeve_core::time::Timestamp;
use portreeve_registry::{EnvironmentPatch, NewEnvironment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Environment)]
pub(crate) struct EnvironmentShape {
    /// Its name, as it stands in slugs.
    name: String,
    /// The name people read.
    title: String,
    /// `development`, `testing`, `staging` or `production`.
    kind: &'static str,
    /// What people should know of it.
    description: String,
    /// How somebody gets access to it.
    onboarding: String,
    /// Its place in lists; equal places are ordered by name.
    position: i64,
    /// Values of custom properties.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
    /// Counts the changes; the `ETag` is the same number in quotes.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// An environment to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewEnvironment)]
pub(crate) struct NewEnvironmentShape {
    /// Its name: 1 to 40 lower-case letters, digits and `-`. Never changes.
    #[schema(value_type = String)]
    name: Environment,
    /// `development`, `testing`, `staging` or `production`.
    #[schema(value_type = String)]
    kind: EnvironmentKind,
    /// The name people read; its name unless given. At most 100 characters.
    title: Option<String>,
    /// What people should know of it. At most 4,000 characters.
    description: Option<String>,
    /// How somebody gets access to it. At most 4,000 characters.
    onboarding: Option<String>,
    /// Its place in lists; the last unless given.
    position: Option<i64>,
    /// Values of custom properties.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
}

/// What shall be different; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = EnvironmentChange)]
pub(crate) struct EnvironmentChangeShape {
    /// The name people read. At most 100 characters.
    title: Option<String>,
    /// `development`, `testing`, `staging` or `production`.
    #[schema(value_type = Option<String>)]
    kind: Option<EnvironmentKind>,
    /// What people should know of it. At most 4,000 characters.
    description: Option<String>,
    /// How somebody gets access to it. At most 4,000 characters.
    onboarding: Option<String>,
    /// Its place in lists.
    position: Option<i64>,
    /// Values of custom properties, all of them.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
}

// === impl EnvironmentShape ===

impl EnvironmentShape {
    pub(crate) fn new(record: &EnvironmentRecord) -> Self {
        Self {
            name: record.name.to_string(),
            title: record.title.clone(),
            kind: record.kind.as_str(),
            description: record.description.clone(),
            onboarding: record.onboarding.clone(),
            position: record.position,
            metadata: record.metadata.clone(),
            revision: record.revision,
            updated_at: record.updated_at,
        }
    }
}

// === impl NewEnvironmentShape ===

impl NewEnvironmentShape {
    pub(crate) fn into_new(self) -> NewEnvironment {
        NewEnvironment {
            name: self.name,
            kind: self.kind,
            patch: EnvironmentPatch {
                title: self.title,
                kind: None,
                description: self.description,
                onboarding: self.onboarding,
                position: self.position,
                metadata: self.metadata,
            },
        }
    }
}

// === impl EnvironmentChangeShape ===

impl EnvironmentChangeShape {
    pub(crate) fn into_patch(self) -> EnvironmentPatch {
        EnvironmentPatch {
            title: self.title,
            kind: self.kind,
            description: self.description,
            onboarding: self.onboarding,
            position: self.position,
            metadata: self.metadata,
        }
    }
}
