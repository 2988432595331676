//! What people say about a server beside its document: checked, merged, saved. It voids no approval.
//!
//! Before: an entry exists, or comes into being. After: the portal and the API show it to who may see the server.

mod check;

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::profile::{Contact, ExternalDocument, Metadata, Profile, UseCase};
use portreeve_core::property::PropertyOwner;
use serde_json::{Value, json};

use crate::error::RegistryError;
use crate::properties::Known;
use crate::registry::{Registry, forbidden};
use crate::work::Work;

/// What of a profile shall change; what is `None` stays, and what is empty ends.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProfilePatch {
    /// One sentence.
    pub summary: Option<String>,
    /// Who answers for it.
    pub owners: Option<Vec<String>>,
    /// Groups that answer for it.
    pub owner_groups: Option<Vec<String>>,
    /// Whom to ask.
    pub contacts: Option<Vec<Contact>>,
    /// An SPDX expression, or the address of the licence's text.
    pub license: Option<String>,
    /// What it is good for.
    pub use_cases: Option<Vec<UseCase>>,
    /// What kinds of thing it is.
    pub categories: Option<Vec<String>>,
    /// Words by which it is found, and by which registries select it.
    pub tags: Option<Vec<String>>,
    /// Documentation elsewhere.
    pub external_docs: Option<Vec<ExternalDocument>>,
    /// All about it, in Markdown.
    pub readme: Option<String>,
    /// Addresses of icons.
    pub icons: Option<Vec<String>>,
    /// Values of custom properties; one that is null ends, others stay.
    pub metadata: Option<Metadata>,
}

// === impl ProfilePatch ===

impl ProfilePatch {
    /// Whether nothing shall change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn applied(self, mut profile: Profile) -> Profile {
        let text = |new: Option<String>, old: Option<String>| match new {
            Some(new) => Some(new.trim().to_owned()).filter(|new| !new.is_empty()),
            None => old,
        };
        profile.summary = text(self.summary, profile.summary);
        profile.license = text(self.license, profile.license);
        profile.readme = text(self.readme, profile.readme);
        profile.owners = self.owners.map_or(profile.owners, trimmed);
        profile.owner_groups = self.owner_groups.map_or(profile.owner_groups, trimmed);
        profile.categories = self.categories.map_or(profile.categories, folded);
        profile.tags = self.tags.map_or(profile.tags, folded);
        profile.icons = self.icons.map_or(profile.icons, trimmed);
        profile.contacts = self.contacts.unwrap_or(profile.contacts);
        profile.use_cases = self.use_cases.unwrap_or(profile.use_cases);
        profile.external_docs = self.external_docs.unwrap_or(profile.external_docs);
        for (name, value) in self.metadata.unwrap_or_default() {
            match value {
                Value::Null => {
                    profile.metadata.remove(&name);
                }
                value => {
                    profile.metadata.insert(name, value);
                }
            }
        }
        profile
    }
}

// === impl Registry ===

impl Registry {
    /// Changes what people say about a server, at the revision that the caller saw; without one, the last writer wins.
    pub async fn describe(
        &self,
        caller: &Caller,
        name: &ServerName,
        patch: ProfilePatch,
        expected: Option<i64>,
    ) -> Result<Entry, RegistryError> {
        self.require_publish(caller, name)?;
        let known = self.known_properties().await?;
        self.change(caller, name, |work| {
            work.expect(expected)?;
            self.describe_in(caller, work, (patch.clone(), &known))
        })
        .await
    }

    /// The same, in an entry that is being changed.
    pub(crate) fn describe_in(
        &self,
        caller: &Caller,
        work: &mut Work,
        (patch, known): (ProfilePatch, &Known),
    ) -> Result<(), RegistryError> {
        let before = work.server.profile.clone();
        let given = patch.metadata.clone();
        let profile = patch.applied(before.clone());
        let mut problems = check::problems(&profile, &self.parts.limits);
        // Values that nobody touches may fail by now; whoever changes the rest is not made to mend them.
        let given = given.into_iter().flatten().filter(|(_, value)| !value.is_null());
        problems.extend(known.given(PropertyOwner::Server, &given.collect()));
        if !problems.is_empty() {
            return Err(RegistryError::Invalid(problems));
        }
        if profile == before {
            return Ok(());
        }
        if profile.tags != before.tags
            && work.has_approved()
            && !self.may_to(caller, Action::Approve, &work.server.name)
        {
            let name = &work.server.name;
            let what = format!("change the tags of `{name}`, by which registries select what they show");
            let needed = Action::Approve.lacking(&Target::Server(name), &what);
            return Err(forbidden(caller, needed));
        }
        self.require_moving(caller, work, (&before, &profile))?;
        if profile.icons != before.icons {
            self.icons_wanted.notify_one();
        }
        self.require_owner(caller, work, (&before, &profile))?;
        let mut event = self.event(caller, "server.describe", &work.server.name);
        event.detail = Some(json!({ "fields": changed(&before, &profile) }));
        work.events.push(event);
        work.server.profile = profile;
        work.server.updated_at = self.parts.clock.now();
        Ok(())
    }

    /// Refuses what must not be submitted or approved: a server without what is required of it.
    /// A version is judged with its own values over those of its server.
    pub(crate) fn require_complete(
        &self,
        work: &Work,
        version: Option<&VersionText>,
        known: &Known,
    ) -> Result<(), RegistryError> {
        let version = version.and_then(|version| work.version(version));
        let problems = known.of_entry(&work.server, version);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RegistryError::Invalid(problems))
        }
    }
}

fn trimmed(texts: Vec<String>) -> Vec<String> {
    let texts = texts.into_iter().map(|text| text.trim().to_owned());
    let mut kept: Vec<String> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

/// Tags and categories are compared, so they are written in one way.
fn folded(texts: Vec<String>) -> Vec<String> {
    let mut texts: Vec<String> = trimmed(texts).iter().map(|text| text.to_lowercase()).collect();
    texts.sort();
    texts.dedup();
    texts
}

/// The names of the fields that differ; their values are nobody's business in the audit log.
fn changed(before: &Profile, after: &Profile) -> Vec<String> {
    let fields = |profile: &Profile| match serde_json::to_value(profile) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (fields(before), fields(after));
    let names = before.keys().chain(after.keys());
    let mut changed: Vec<String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    changed.sort();
    changed.dedup();
    changed
}
