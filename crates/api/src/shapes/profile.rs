//! What people say about a server beside its document.

use portreeve_core::profile::{Contact, ExternalDocument, Metadata, Profile, UseCase};
use portreeve_registry::ProfilePatch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What people say about a server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(as = Profile, value_type = ProfileChangeShape)]
pub(crate) struct ProfileShape(Profile);

/// What shall be different: what is left out stays as it is, and what is empty ends.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = ProfileChange)]
pub(crate) struct ProfileChangeShape {
    /// One sentence, at most 500 characters.
    summary: Option<String>,
    /// Who answers for it: `user:ada`, `key:deploy`, or a team's name. At most 50.
    owners: Option<Vec<String>>,
    /// Groups that answer for it. At most 50.
    owner_groups: Option<Vec<String>>,
    /// Whom to ask: `name`, and perhaps `email` and `url`. At most 50.
    #[schema(value_type = Option<Vec<Object>>)]
    contacts: Option<Vec<Contact>>,
    /// An SPDX expression such as `Apache-2.0`, or the address of the licence's text.
    license: Option<String>,
    /// What it is good for: `name`, and perhaps `description`. At most 50.
    #[schema(value_type = Option<Vec<Object>>)]
    use_cases: Option<Vec<UseCase>>,
    /// What kinds of thing it is. At most 50, kept in lower case.
    categories: Option<Vec<String>>,
    /// Words by which it is found, and by which registries select it. At most 50, kept in lower case.
    tags: Option<Vec<String>>,
    /// Documentation elsewhere: `title` and `url`. At most 50.
    #[schema(value_type = Option<Vec<Object>>)]
    external_docs: Option<Vec<ExternalDocument>>,
    /// All about it, in Markdown, at most 64 KiB. Pages show it without any HTML in it.
    readme: Option<String>,
    /// Addresses of icons, https only. At most 10.
    icons: Option<Vec<String>>,
    /// Values of custom properties. One that is null ends, others stay.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
}

/// What shall be different about a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VersionChange)]
pub(crate) struct VersionChangeShape {
    /// Values of custom properties of this version, over those of its server. One that is null ends, others stay.
    #[schema(value_type = Object)]
    pub(crate) metadata: Metadata,
}

// === impl ProfileShape ===

impl ProfileShape {
    /// Nothing, when nothing is said, or nothing to this caller.
    pub(crate) fn new(profile: &Profile) -> Option<Self> {
        (*profile != Profile::default()).then(|| Self(profile.clone()))
    }
}

// === impl ProfileChangeShape ===

impl ProfileChangeShape {
    pub(crate) fn into_patch(self) -> ProfilePatch {
        ProfilePatch {
            summary: self.summary,
            owners: self.owners,
            owner_groups: self.owner_groups,
            contacts: self.contacts,
            license: self.license,
            use_cases: self.use_cases,
            categories: self.categories,
            tags: self.tags,
            external_docs: self.external_docs,
            readme: self.readme,
            icons: self.icons,
            metadata: self.metadata,
        }
    }
}
