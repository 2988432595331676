//! Valid to Approved: the state machine of a version, and what each step brings about.
//!
//! Before: `publish` saved a version. After: `settle` moves the route, and the tools seen at this moment are pinned.
//! An approval is bound to the content hash that the approver saw, never waits for the network longer than a probe
//! may take, and is saved before the probe begins.

mod many;
mod passing;
mod pinning;

pub use many::{Decision, Proposal};
pub use passing::Approving;
pub(crate) use passing::{Verdict, Waiting, require_looked_at};

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::server::{Approval, EndedBy, Lifecycle, Version};
use portreeve_inspect::content_hash;
use serde_json::json;

use crate::error::RegistryError;
use crate::publish::find;
use crate::registry::Registry;
use crate::work::Work;

/// A step on a version's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its owner asks for approval.
    Submit,
    /// An approver lets it pass.
    Approve,
    /// An approver sends it back.
    Reject,
}

/// A step that somebody decided on, bound to what the version was then.
struct Decided<'a> {
    chosen: &'a Version,
    step: Step,
    reason: Option<&'a str>,
}

/// A stage that a version is brought to.
pub(crate) struct Turn<'a> {
    pub(crate) lifecycle: Lifecycle,
    /// Why it was deprecated or retired.
    pub(crate) message: Option<&'a str>,
    /// By which right; a source has none here.
    pub(crate) by: Option<EndedBy>,
}

/// Where a step leads from a state; `None` when it does not lead anywhere from there.
pub fn next_approval(from: Approval, step: Step) -> Option<Approval> {
    match (from, step) {
        (Approval::Draft | Approval::Rejected, Step::Submit) => Some(Approval::Submitted),
        (Approval::Draft | Approval::Submitted | Approval::Rejected, Step::Approve) => {
            Some(Approval::Approved)
        }
        (Approval::Submitted, Step::Reject) => Some(Approval::Rejected),
        // What was approved stays so: it is retired, not sent back.
        (Approval::Approved, _)
        | (Approval::Submitted, Step::Submit)
        | (Approval::Draft | Approval::Rejected, Step::Reject) => None,
    }
}

// === impl Step ===

impl Step {
    const fn action(self) -> &'static str {
        match self {
            Self::Submit => "server.submit",
            Self::Approve => "server.approve",
            Self::Reject => "server.reject",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }

    /// Whether a version in this state is meant when none is named. What was sent back must be named to be approved.
    fn concerns(self, approval: Approval) -> bool {
        match self {
            Self::Submit => matches!(approval, Approval::Draft | Approval::Rejected),
            Self::Approve => matches!(approval, Approval::Draft | Approval::Submitted),
            Self::Reject => approval == Approval::Submitted,
        }
    }
}

// === impl Registry ===

impl Registry {
    /// Asks for the approval of a version: the one named, or the newest draft.
    pub async fn submit(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
    ) -> Result<Version, RegistryError> {
        self.require_publish(caller, name)?;
        let chosen = choose(&self.load(name).await?, version, Step::Submit)?;
        let decided = Decided {
            chosen: &chosen,
            step: Step::Submit,
            reason: None,
        };
        let known = self.known_properties().await?;
        let entry = self
            .change(caller, name, |work| {
                self.require_complete(work, Some(&chosen.version), &known)?;
                self.step(caller, work, &decided)
            })
            .await?;
        let submitted = find(&entry, &chosen.version)?;
        match self.pass_by_rule(&entry, submitted).await? {
            Some(outcome) => Ok(outcome.version),
            None => Ok(submitted.clone()),
        }
    }

    /// Sends a version back with a reason: the one named, or the newest that waits.
    pub async fn reject(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
        reason: &str,
    ) -> Result<Version, RegistryError> {
        self.require_to(caller, Action::Approve, name)?;
        let reason = checked_message("reason", reason)?;
        let chosen = choose(&self.load(name).await?, version, Step::Reject)?;
        let decided = Decided {
            chosen: &chosen,
            step: Step::Reject,
            reason: Some(&reason),
        };
        let entry = self
            .change(caller, name, |work| {
                self.drop_proposed(caller, work);
                self.step(caller, work, &decided)
            })
            .await?;
        self.lift_vanished(caller, &entry).await?;
        find(&entry, &chosen.version).cloned()
    }

    /// Says how mature a version is, or every approved version. `deprecated` keeps serving; `retired` stops.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, which server, which version, and the two fields that change; a struct would only rename them"
    )]
    pub async fn set_lifecycle(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
        lifecycle: Lifecycle,
        message: Option<String>,
    ) -> Result<Entry, RegistryError> {
        self.require_to(caller, Action::Approve, name)?;
        let message = message
            .map(|message| checked_message("message", &message))
            .transpose()?
            .filter(|_| lifecycle.is_ended());
        let turn = Turn {
            lifecycle,
            message: message.as_deref(),
            by: Some(EndedBy::Manager),
        };
        let entry = self
            .change(caller, name, |work| {
                let chosen = affected(work, version)?;
                for version in &chosen {
                    let event = self.turn(caller, work.version_mut(version), &turn);
                    work.events.extend(event);
                }
                Ok(())
            })
            .await?;
        if lifecycle == Lifecycle::Retired {
            self.lift_vanished(caller, &entry).await?;
        }
        Ok(entry)
    }

    /// Removes an entry with its versions and routes. Its slugs stay its own, should it come back.
    pub async fn remove(&self, caller: &Caller, name: &ServerName) -> Result<(), RegistryError> {
        self.require_to(caller, Action::Manage, name)?;
        let entry = self.load(name).await?;
        let mut event = self.event(caller, "server.remove", &entry.server.name);
        let hashes: Vec<_> = entry
            .versions
            .iter()
            .map(|version| json!({"version": version.version, "contentHash": version.content_hash}))
            .take(100)
            .collect();
        event.detail = Some(json!({"count": entry.versions.len(), "versions": hashes}));
        self.parts
            .entries
            .remove(&entry.server.name, entry.revision, event)
            .await?;
        self.parts.refresh.refresh().await;
        Ok(())
    }

    /// One transition. Bound to what `chosen` was when the caller decided.
    fn step(&self, caller: &Caller, work: &mut Work, decided: &Decided<'_>) -> Result<(), RegistryError> {
        let Decided { chosen, step, reason } = *decided;
        let now = self.parts.clock.now();
        let name = work.server.name.clone();
        let Some(version) = work.version_mut(&chosen.version) else {
            return Err(changed_meanwhile(chosen));
        };
        if version.content_hash != chosen.content_hash {
            return Err(changed_meanwhile(chosen));
        }
        let Some(next) = next_approval(version.approval, step) else {
            return Err(wrong_state(version, step));
        };
        if step == Step::Approve {
            check_content(version)?;
        }
        let from = version.approval;
        if from == Approval::Rejected || step == Step::Reject {
            version.status_message = reason.map(str::to_owned);
        }
        version.approval = next;
        if step == Step::Submit {
            version.submitted_by = caller.label.to_string();
        }
        version.decided_by = (step != Step::Submit).then(|| caller.label.to_string());
        version.status_changed_at = now;
        version.updated_at = now;
        let mut event = self.event(caller, step.action(), &name);
        event.target = Some(version.version.to_string());
        event.detail = Some(json!({
            "from": from, "to": next, "contentHash": version.content_hash, "message": reason,
        }));
        work.events.push(event);
        Ok(())
    }

    /// Brings a version to a stage; no event when it is there already.
    pub(crate) fn turn(
        &self,
        caller: &Caller,
        version: Option<&mut Version>,
        turn: &Turn<'_>,
    ) -> Option<AuditEvent> {
        let version = version?;
        let &Turn {
            lifecycle,
            message,
            by,
        } = turn;
        let now = self.parts.clock.now();
        let from = version.lifecycle;
        if from == lifecycle && version.status_message.as_deref() == message {
            return None;
        }
        version.former_lifecycle = match (from.is_ended(), lifecycle.is_ended()) {
            (_, false) => None,
            (true, true) => version.former_lifecycle,
            (false, true) => Some(from),
        };
        version.ended_by = match (from.is_ended(), lifecycle.is_ended()) {
            (_, false) => None,
            // Who takes a version further does not make the first word on it his own.
            (true, true) if by != Some(EndedBy::Manager) => version.ended_by,
            (_, true) => by,
        };
        version.lifecycle = lifecycle;
        // The reason of a rejection stays until somebody decides again.
        if version.approval != Approval::Rejected {
            version.status_message = message.map(str::to_owned);
        }
        version.status_changed_at = now;
        version.updated_at = now;
        let mut event = self.event(caller, "server.lifecycle", &version.name);
        event.target = Some(version.version.to_string());
        event.detail = Some(json!({
            "from": from, "to": lifecycle, "contentHash": version.content_hash, "message": message,
        }));
        Some(event)
    }
}

/// The version that a step is about. Versions stand newest first.
pub(crate) fn choose(
    entry: &Entry,
    version: Option<&VersionText>,
    step: Step,
) -> Result<Version, RegistryError> {
    if let Some(version) = version {
        return find(entry, version).cloned();
    }
    let meant = entry
        .versions
        .iter()
        .find(|version| step.concerns(version.approval));
    meant.cloned().ok_or_else(|| RegistryError::State {
        what: format!(
            "no version of `{}` waits to be {}",
            entry.server.name,
            step.done()
        ),
        hint: "name the version; `portreeve server show NAME` shows where each stands",
    })
}

fn affected(work: &Work, version: Option<&VersionText>) -> Result<Vec<VersionText>, RegistryError> {
    let name = &work.server.name;
    let Some(version) = version else {
        let approved: Vec<VersionText> = work
            .versions
            .iter()
            .filter(|version| version.approval == Approval::Approved)
            .map(|version| version.version.clone())
            .collect();
        if approved.is_empty() {
            return Err(RegistryError::State {
                what: format!("no version of `{name}` is approved"),
                hint: "approve one first, or name the version",
            });
        }
        return Ok(approved);
    };
    match work.version(version) {
        Some(found) => Ok(vec![found.version.clone()]),
        None => Err(RegistryError::NotFound {
            what: format!("version `{version}` of server `{name}`"),
        }),
    }
}

/// What is approved must be what was hashed when it came in.
fn check_content(version: &Version) -> Result<(), RegistryError> {
    match content_hash(&version.document) {
        Ok(hash) if hash == version.content_hash => Ok(()),
        _ => Err(RegistryError::State {
            what: format!(
                "the document of version `{}` of `{}` is not the one that was submitted",
                version.version, version.name
            ),
            hint: "submit it again, and look into the audit log for who changed the store",
        }),
    }
}

fn changed_meanwhile(chosen: &Version) -> RegistryError {
    RegistryError::Conflict {
        what: format!("version `{}` of server `{}`", chosen.version, chosen.name),
    }
}

fn wrong_state(version: &Version, step: Step) -> RegistryError {
    RegistryError::State {
        what: format!(
            "version `{}` of `{}` is {}, so it cannot be {}",
            version.version,
            version.name,
            version.approval,
            step.done()
        ),
        hint: match step {
            Step::Submit => "only a draft or a rejected version is submitted",
            Step::Approve => "its tools are approved with `portreeve tool approve`",
            Step::Reject => "only a submitted version is rejected; an approved one is retired",
        },
    }
}

/// The official registry takes 500 characters.
pub(crate) fn checked_message(path: &str, message: &str) -> Result<String, RegistryError> {
    let message = message.trim();
    if message.is_empty() || message.chars().count() > 500 {
        return Err(RegistryError::invalid(path, "it must have 1 to 500 characters"));
    }
    Ok(message.to_owned())
}
