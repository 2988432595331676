//! The official status of versions: `active`, `deprecated`, `deleted`; here the lifecycle stages before and at the end.
//!
//! Before: a version was published. After: `settle` moves the latest mark and the route. What was deprecated or deleted
//! returns to the stage that it had; what a manager ended stays so until a manager brings it back.

use portreeve_core::decision::Action;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::publishing::{NameAction, Publisher};
use portreeve_core::server::{EndedBy, Lifecycle, Version};
use serde::Deserialize;

use super::view;
use crate::approve::{Turn, checked_message};
use crate::error::RegistryError;
use crate::publish::find;
use crate::registry::{Registry, forbidden};
use crate::serve::Served;
use crate::work::Work;

/// A status as the official registry has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OfficialStatus {
    /// In use: every lifecycle stage before deprecation.
    Active,
    /// Works, but should not be taken up any more.
    Deprecated,
    /// Not listed and not served: the stage `retired`.
    Deleted,
}

/// A wanted status.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusChange {
    /// Which.
    pub status: OfficialStatus,
    /// Why, for those who use it: at most 500 characters, and not with `active`.
    #[serde(default)]
    pub status_message: Option<String>,
}

// === impl StatusChange ===

impl StatusChange {
    /// The message, if it may be there.
    fn message(&self) -> Result<Option<String>, RegistryError> {
        let Some(message) = self.status_message.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        if self.status == OfficialStatus::Active {
            return Err(RegistryError::State {
                what: "`statusMessage` cannot stand beside the status `active`".to_owned(),
                hint: "leave the message out; it says why a version is deprecated or deleted",
            });
        }
        checked_message("statusMessage", message).map(Some)
    }

    /// The lifecycle stage that it means for a version.
    fn stage_of(&self, version: &Version) -> Lifecycle {
        match self.status {
            OfficialStatus::Deprecated => Lifecycle::Deprecated,
            OfficialStatus::Deleted => Lifecycle::Retired,
            OfficialStatus::Active if version.lifecycle.is_ended() => {
                version.former_lifecycle.unwrap_or(Lifecycle::Production)
            }
            OfficialStatus::Active => version.lifecycle,
        }
    }
}

/// Whose status changes.
enum Whose<'a> {
    One(&'a VersionText),
    All,
}

impl Registry {
    /// Changes the status of one version.
    pub async fn set_status(
        &self,
        publisher: &Publisher,
        name: &ServerName,
        version: &VersionText,
        change: &StatusChange,
    ) -> Result<Served, RegistryError> {
        let (entry, _) = self
            .change_status(publisher, name, &Whose::One(version), change)
            .await?;
        self.served_to_publisher(&entry, find(&entry, version)?)
    }

    /// Changes the status of all versions of a server together. Returns those that changed.
    pub async fn set_status_of_all(
        &self,
        publisher: &Publisher,
        name: &ServerName,
        change: &StatusChange,
    ) -> Result<Vec<Served>, RegistryError> {
        let (entry, changed) = self.change_status(publisher, name, &Whose::All, change).await?;
        entry
            .versions
            .iter()
            .filter(|version| changed.contains(&version.version))
            .map(|version| self.served_to_publisher(&entry, version))
            .collect()
    }

    async fn change_status(
        &self,
        publisher: &Publisher,
        name: &ServerName,
        whose: &Whose<'_>,
        change: &StatusChange,
    ) -> Result<(Entry, Vec<VersionText>), RegistryError> {
        let actions = [NameAction::Publish, NameAction::Edit];
        let policy = self.take_turn(publisher, &actions, name).await?;
        let message = change.message()?;
        let before = self.load(name).await?;
        view::require_spelling(&before, name)?;
        let by = if self.may_to(&publisher.caller, Action::Approve, name) {
            EndedBy::Manager
        } else {
            EndedBy::Publisher
        };
        let step = |work: &mut Work| {
            let meant: Vec<VersionText> = match whose {
                Whose::One(version) => vec![(*version).clone()],
                Whose::All => work
                    .versions
                    .iter()
                    .map(|version| version.version.clone())
                    .collect(),
            };
            let (mut events, mut closed) = (Vec::new(), None);
            for version in &meant {
                let Some(present) = work.version_mut(version) else {
                    return Err(RegistryError::NotFound {
                        what: format!("version `{version}` of server `{name}`"),
                    });
                };
                let turn = Turn {
                    lifecycle: change.stage_of(present),
                    message: message.as_deref(),
                    by: Some(by),
                };
                if by == EndedBy::Publisher && is_closed(present, turn.lifecycle) {
                    // Of all versions, those that a manager ended stay as they are.
                    closed = Some(version.clone());
                    continue;
                }
                events.extend(self.turn(&publisher.caller, Some(present), &turn));
            }
            if events.is_empty() {
                return Err(match closed {
                    Some(version) => forbidden(
                        &publisher.caller,
                        format!(
                            "bring back version `{version}` of `{name}`, which was deprecated or deleted by who manages it"
                        ),
                    ),
                    None => unchanged(name, whose),
                });
            }
            for event in &mut events {
                event.policies = vec![policy.clone()];
            }
            work.events.extend(events);
            Ok(())
        };
        let after = self.change(&publisher.caller, name, step).await?;
        let changed = after
            .versions
            .iter()
            .filter(|version| status_of(&before, version) != status_of(&after, version))
            .map(|version| version.version.clone())
            .collect();
        Ok((after, changed))
    }
}

/// Whether a manager ended the version, or nobody knows who did, and this would be a way back. Further down is open to its
/// publisher.
fn is_closed(version: &Version, to: Lifecycle) -> bool {
    let goes_on = version.lifecycle == Lifecycle::Deprecated && to == Lifecycle::Retired;
    version.lifecycle.is_ended() && version.ended_by != Some(EndedBy::Publisher) && !goes_on
}

fn status_of<'a>(entry: &'a Entry, version: &Version) -> Option<(Lifecycle, Option<&'a str>)> {
    let version = find(entry, &version.version).ok()?;
    Some((version.lifecycle, version.status_message.as_deref()))
}

fn unchanged(name: &ServerName, whose: &Whose<'_>) -> RegistryError {
    let what = match whose {
        Whose::One(version) => format!("version `{version}` of `{name}` has this status and message already"),
        Whose::All => format!("every version of `{name}` has this status and message already"),
    };
    RegistryError::State {
        what,
        hint: "nothing was changed; read the version to see where it stands",
    }
}
