//! Registries, as they are made, changed and shown.

use std::collections::BTreeSet;

use portreeve_core::name::{NamespacePattern, RegistryName};
use portreeve_core::time::Timestamp;
use portreeve_core::view::{Readers, RegistryRecord, Selection};
use portreeve_registry::RegistryPatch;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::labels;

/// A registry: a view of the entries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Registry)]
pub(crate) struct RegistryShape {
    /// Its name, as it stands in its URL.
    name: String,
    /// The base URL that hosts are given; they append `/v0.1/servers` themselves.
    url: String,
    /// The name people read.
    title: String,
    /// What it is for.
    description: String,
    /// `"anonymous"`, `"members"` or `{"only": [LABEL, ...]}`.
    #[schema(value_type = ReadersShape)]
    visibility: Readers,
    /// What is in it: servers for which everything that is named is true.
    #[schema(value_type = SelectionShape)]
    selection: Selection,
    /// Submissions in these namespaces are approved at once, if the registry would hold them then.
    auto_approve: Vec<String>,
    /// Whether what is in it is approved by somebody else than who submitted it.
    approver_differs: bool,
    /// Counts the changes; the `ETag` is the same number in quotes.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A registry to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewRegistry)]
pub(crate) struct NewRegistryShape {
    /// Its name: 1 to 40 lower-case letters, digits and `-`. Never changes.
    #[schema(value_type = String)]
    name: RegistryName,
    /// The name people read; its name unless given. At most 100 characters.
    title: Option<String>,
    /// What it is for. At most 4,000 characters.
    description: Option<String>,
    /// `"anonymous"`, `"members"` (unless given) or `{"only": [LABEL, ...]}`.
    #[schema(value_type = Option<ReadersShape>)]
    visibility: Option<Readers>,
    /// What is in it; everything that is approved unless given.
    #[schema(value_type = Option<SelectionShape>)]
    selection: Option<Selection>,
    /// Submissions in these namespaces are approved at once, if the registry would hold them then: `com.acme`, or
    /// `com.acme.*` for those below, too.
    #[schema(value_type = Option<Vec<String>>)]
    auto_approve: Option<Vec<NamespacePattern>>,
    /// Whether what is in it is approved by somebody else than who submitted it.
    approver_differs: Option<bool>,
}

/// What shall be different; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RegistryChange)]
pub(crate) struct RegistryChangeShape {
    /// The name people read. At most 100 characters.
    title: Option<String>,
    /// What it is for. At most 4,000 characters.
    description: Option<String>,
    /// `"anonymous"`, `"members"` or `{"only": [LABEL, ...]}`.
    #[schema(value_type = Option<ReadersShape>)]
    visibility: Option<Readers>,
    /// What is in it, all of it.
    #[schema(value_type = Option<SelectionShape>)]
    selection: Option<Selection>,
    /// Submissions in these namespaces are approved at once, all of them.
    #[schema(value_type = Option<Vec<String>>)]
    auto_approve: Option<Vec<NamespacePattern>>,
    /// Whether what is in it is approved by somebody else than who submitted it.
    approver_differs: Option<bool>,
}

/// Who may read a registry.
#[derive(Debug, ToSchema)]
#[schema(as = Readers, rename_all = "lowercase")]
#[expect(dead_code, reason = "only described; the noun in core is what is read")]
pub(crate) enum ReadersShape {
    /// Anyone who can reach the listener.
    Anonymous,
    /// Anyone with a key.
    Members,
    /// These callers, as `key:deploy` or `user:ada`, and who manages.
    Only(BTreeSet<String>),
}

/// What a registry holds: servers for which everything that is named is true.
#[derive(Debug, ToSchema)]
#[schema(as = Selection, rename_all = "camelCase")]
#[expect(dead_code, reason = "only described; the noun in core is what is read")]
pub(crate) struct SelectionShape {
    /// It has one of these tags.
    tags: Option<BTreeSet<String>>,
    /// It is served in one of these environments; their routes are the `remotes` that hosts read.
    environments: Option<BTreeSet<String>>,
    /// Its latest version is in one of these stages.
    lifecycles: Option<Vec<String>>,
    /// It is in one of these namespaces: `com.acme`, or `com.acme.*` for those below, too.
    namespaces: Option<BTreeSet<String>>,
}

// === impl RegistryShape ===

impl RegistryShape {
    pub(crate) fn new(record: &RegistryRecord, public_url: &Url) -> Self {
        let base = public_url.as_str().trim_end_matches('/');
        Self {
            name: record.name.to_string(),
            url: if record.name == RegistryName::main() {
                base.to_owned()
            } else {
                format!("{base}/registries/{}", record.name)
            },
            title: record.title.clone(),
            description: record.description.clone(),
            visibility: record.visibility.clone(),
            selection: record.selection.clone(),
            auto_approve: labels(&record.auto_approve),
            approver_differs: record.approver_differs,
            revision: record.revision,
            updated_at: record.updated_at,
        }
    }
}

// === impl NewRegistryShape ===

impl NewRegistryShape {
    pub(crate) fn into_parts(self) -> (RegistryName, RegistryPatch) {
        let patch = RegistryPatch {
            title: self.title,
            description: self.description,
            visibility: self.visibility,
            selection: self.selection,
            auto_approve: self.auto_approve,
            approver_differs: self.approver_differs,
        };
        (self.name, patch)
    }
}

// === impl RegistryChangeShape ===

impl RegistryChangeShape {
    pub(crate) fn into_patch(self) -> RegistryPatch {
        RegistryPatch {
            title: self.title,
            description: self.description,
            visibility: self.visibility,
            selection: self.selection,
            auto_approve: self.auto_approve,
            approver_differs: self.approver_differs,
        }
    }
}
