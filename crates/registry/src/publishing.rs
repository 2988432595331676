//! The writing side of the registry API: a document comes from a publisher, who proved a namespace or may manage.
//!
//! Before: a face read a token and a body. After: the version waits for an approver (`approve`), unless its namespace
//! is approved at once; until then it exists for its publisher alone (`view`). The rules are those of the official
//! registry, and stricter than those for imports (`rules`, `shape`).

mod edit;
mod issues;
mod rules;
mod shape;
mod status;
mod view;

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{Entry, Publication, Published, RateLimit, StoreError};
use portreeve_core::profile::Metadata;
use portreeve_core::publishing::{NameAction, Publisher};
use portreeve_core::server::Approval;
use serde_json::json;

use crate::error::RegistryError;
use crate::properties::Known;
use crate::publish::{GrantRequest, Internal, check_spelling, find};
use crate::registry::Registry;
use crate::rules::Candidacy;
use crate::serve::Served;
use crate::settle::production;
use crate::validate::{Draft, Valid};
use crate::work::Work;

pub use issues::{Issue, IssueKind, Severity, Verdict};
pub use status::{OfficialStatus, StatusChange};

/// The part of a document's `_meta` that holds values of custom properties of its version. Nobody but its publisher and
/// managers sees it.
const VALUES_META: &str = "io.portreeve/metadata";

/// How often a publication is tried again after somebody else changed the entry first.
const RETRIES: u32 = 16;

/// A document that passed, and the right by which it may be published.
pub(crate) struct Accepted<'a> {
    publisher: &'a Publisher,
    /// The policy that allowed it, for the audit log.
    policy: String,
    valid: Valid,
    remotes: Vec<String>,
    /// Values of custom properties that it brings along.
    values: Option<Metadata>,
    /// The properties that an approval asks for.
    known: Known,
}

// === impl Registry ===

impl Registry {
    /// Publishes a new version.
    pub async fn publish(&self, publisher: &Publisher, document: &str) -> Result<Served, RegistryError> {
        let draft = Draft::read(document, &self.parts.limits)?;
        let policy = match draft.name() {
            Some(name) => self.take_turn(publisher, &[NameAction::Publish], name).await?,
            // Under no name at all nobody manages anything, unless everything.
            None if self.may(&publisher.caller, Action::Manage, &Target::Installation) => String::new(),
            None => {
                self.count(&publisher.caller, 1).await?;
                String::new()
            }
        };
        let accepted = self.accept(publisher, policy, draft).await?;
        self.check_upstream(&accepted).await?;
        let mut tries = 0;
        let entry = loop {
            let mut work = match self.parts.entries.entry(&accepted.valid.name).await? {
                Some(entry) => Work::open(entry),
                None => Work::begin(self.new_server(&publisher.caller, &accepted.valid.name)),
            };
            self.place(&accepted, &mut work)?;
            if let Some(entry) = self.save_publication(&accepted, work, &mut tries).await? {
                break entry;
            }
        };
        self.published(&accepted, &entry).await
    }

    /// What the publisher may do there, as the policy that allows it.
    fn require_right(
        &self,
        publisher: &Publisher,
        actions: &[NameAction],
        name: &ServerName,
    ) -> Result<String, RegistryError> {
        if self.may_publish(&publisher.caller, name) {
            return Ok("publish".to_owned());
        }
        let permission = actions
            .iter()
            .find_map(|action| publisher.permission(*action, name));
        match permission {
            Some(permission) => Ok(format!("{}:{}", permission.action.as_str(), permission.resource)),
            None => Err(RegistryError::Namespace {
                publisher: publisher.caller.label.to_string(),
                action: actions.first().map_or("publish", |action| action.as_str()),
                name: name.to_string(),
                granted: publisher
                    .permissions
                    .iter()
                    .map(|permission| format!("{} {}", permission.action.as_str(), permission.resource))
                    .collect(),
            }),
        }
    }

    /// The same for who is about to write. Managers may write as fast as they can; others leave traces in the audit log
    /// that nobody can take away, so there is a rate.
    async fn take_turn(
        &self,
        publisher: &Publisher,
        actions: &[NameAction],
        name: &ServerName,
    ) -> Result<String, RegistryError> {
        let policy = self.require_right(publisher, actions, name)?;
        if self.may_to(&publisher.caller, Action::Manage, name) {
            return Ok(policy);
        }
        self.count(&publisher.caller, 1).await?;
        Ok(policy)
    }

    /// Counts what somebody does who does not manage: `units` of what he may do at once.
    pub(crate) async fn count(&self, caller: &Caller, units: u32) -> Result<(), RegistryError> {
        let label = caller.label.to_string();
        let rate = RateLimit {
            interval: self.parts.limits.write_interval,
            burst: self.parts.limits.writes_per_publisher,
        };
        let key = format!("registry_write/{label}");
        let decision = self.parts.counters.take(&key, rate, units).await;
        let decision = decision.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        if decision.allowed {
            return Ok(());
        }
        Err(RegistryError::TooFast {
            publisher: label,
            wait: decision.retry_after,
        })
    }

    /// Judges a document by the strict rules of publishing.
    async fn accept<'a>(
        &self,
        publisher: &'a Publisher,
        policy: String,
        draft: Draft,
    ) -> Result<Accepted<'a>, RegistryError> {
        let remotes = rules::remote_urls(draft.raw());
        let values = rules::values(draft.raw());
        let judgement = rules::judge(draft, &self.parts.public_url, &self.parts.limits);
        Ok(Accepted {
            publisher,
            policy,
            valid: judgement.into_valid()?,
            remotes,
            values,
            known: self.known_properties().await?,
        })
    }

    /// Asks the egress guard before anything is saved. A publisher grants nothing.
    async fn check_upstream(&self, accepted: &Accepted<'_>) -> Result<(), RegistryError> {
        let valid = &accepted.valid;
        let request = GrantRequest {
            name: &valid.name,
            urls: valid.upstream.iter().cloned().collect(),
            held: self.held_hosts(&valid.name).await?,
            granting: Internal::No,
        };
        self.grants(&accepted.publisher.caller, request).await.map(drop)
    }

    /// Puts a new version into the entry.
    fn place(&self, accepted: &Accepted<'_>, work: &mut Work) -> Result<(), RegistryError> {
        let valid = &accepted.valid;
        check_spelling(work, valid)?;
        match work.version(&valid.version).map(|version| version.approval) {
            Some(Approval::Submitted | Approval::Approved) => {
                return Err(RegistryError::State {
                    what: format!(
                        "cannot publish duplicate version `{}` of `{}`",
                        valid.version, valid.name
                    ),
                    hint: "a version that was published stays as it is: publish the change as a new one",
                });
            }
            Some(Approval::Draft | Approval::Rejected) => {}
            None if work.versions.len() >= self.parts.limits.versions_per_server => {
                return Err(RegistryError::State {
                    what: format!(
                        "server `{}` has {} versions, and no more are taken",
                        valid.name,
                        work.versions.len()
                    ),
                    hint: "ask an administrator to remove the server, and begin anew",
                });
            }
            None => {}
        }
        let caller = &accepted.publisher.caller;
        let mut event = self.event(caller, "server.publish", &valid.name);
        event.target = Some(valid.version.to_string());
        event.policies = vec![accepted.policy.clone()];
        event.detail = Some(json!({"contentHash": valid.content_hash, "approval": "submitted"}));
        work.events.push(event);
        let mut new = self.new_version(caller, valid);
        // What people say of a version stays, whatever becomes of its document.
        if let Some(present) = work.version(&valid.version) {
            new.metadata.clone_from(&present.metadata);
        }
        work.put(new);
        self.require_values(work, accepted)?;
        self.approve_by_rule(work, accepted);
        Ok(())
    }

    /// Takes the values that a document brings along, and refuses a version without those that must be.
    fn require_values(&self, work: &mut Work, accepted: &Accepted<'_>) -> Result<(), RegistryError> {
        let (version, caller) = (&accepted.valid.version, &accepted.publisher.caller);
        let taken = match &accepted.values {
            Some(values) => self.value_in(caller, work, version, (values, &accepted.known)),
            None => Ok(()),
        };
        let judged = taken.and_then(|()| self.require_complete(work, Some(version), &accepted.known));
        judged.map_err(|error| match error {
            RegistryError::Invalid(mut problems) => {
                for problem in &mut problems {
                    let place = format!("; a document says it in `_meta`, `{VALUES_META}`");
                    problem.message.push_str(&place);
                }
                RegistryError::Invalid(problems)
            }
            other => other,
        })
    }

    /// Approves the version in the same breath where a rule covers it and nothing holds it back.
    fn approve_by_rule(&self, work: &mut Work, accepted: &Accepted<'_>) {
        let valid = &accepted.valid;
        let Some(rule) = self.rule_for(work, &valid.version) else {
            return;
        };
        if self
            .held_back(work, &accepted.valid.version, &accepted.known)
            .is_some()
        {
            return;
        }
        let system = Caller::system();
        if let Some(version) = work.version_mut(&valid.version) {
            version.approval = Approval::Approved;
            version.decided_by = Some(system.label.to_string());
        }
        let mut event = self.event(&system, "server.approve", &valid.name);
        event.target = Some(valid.version.to_string());
        event.policies = vec![format!("auto-approve:{rule}")];
        event.detail = Some(json!({
            "from": Approval::Submitted, "to": Approval::Approved, "contentHash": valid.content_hash,
        }));
        work.events.push(event);
    }

    fn rule_for(&self, work: &Work, version: &VersionText) -> Option<String> {
        self.approving_rule(Candidacy {
            server: &work.server,
            versions: &work.versions,
            version: work.version(version)?,
        })
    }

    /// Saves what became of the entry. `None`: somebody else was faster, and there are tries left.
    async fn save_publication(
        &self,
        accepted: &Accepted<'_>,
        mut work: Work,
        tries: &mut u32,
    ) -> Result<Option<Entry>, RegistryError> {
        let caller = &accepted.publisher.caller;
        self.settle(caller, &mut work).await?;
        let (change, mut after) = work.finish();
        let Some(change) = change else {
            return Ok(Some(after));
        };
        let may_manage = self.may_to(caller, Action::Manage, &accepted.valid.name);
        let publication = Publication {
            change,
            version: accepted.valid.version.clone(),
            remotes: accepted.remotes.clone(),
            most_waiting: (!may_manage).then_some(self.parts.limits.waiting_per_publisher),
            publisher: caller.label.to_string(),
        };
        match self.parts.entries.publish(publication).await {
            Ok(Published::Saved(revision)) => after.revision = revision,
            Ok(refusal) => return Err(refused(accepted, &refusal)),
            Err(StoreError::Conflict { .. }) if *tries < RETRIES => {
                *tries += 1;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        self.parts.refresh.refresh().await;
        Ok(Some(after))
    }

    /// After the entry was saved: the tools of what is served now, and the answer.
    async fn published(&self, accepted: &Accepted<'_>, entry: &Entry) -> Result<Served, RegistryError> {
        let version = find(entry, &accepted.valid.version)?;
        // What its assessment held back may pass once it was judged.
        if self.pass_by_rule(entry, version).await?.is_some() {
            let entry = self.load(&accepted.valid.name).await?;
            let version = find(&entry, &accepted.valid.version)?;
            return self.served_to_publisher(&entry, version);
        }
        let route = production(&entry.routes).filter(|route| route.version == version.version);
        if let Some(route) = route.filter(|_| version.is_listed()) {
            self.pin_as_seen(&Caller::system(), route, version).await;
        }
        if version.approval == Approval::Submitted {
            let which = (version.name.clone(), version.version.clone());
            self.submitted.put(vec![which]);
        }
        self.served_to_publisher(entry, version)
    }
}

fn refused(accepted: &Accepted<'_>, refusal: &Published) -> RegistryError {
    let name = &accepted.valid.name;
    let (what, hint) = match refusal {
        Published::RemoteTaken { url, by } => (
            format!("the remote `{url}` belongs to `{by}` already"),
            "a remote belongs to one name: publish under that name, or use another URL",
        ),
        Published::NamespaceTaken { by } => (
            format!("`{by}` exists, so `{name}` is in a namespace that differs in case alone"),
            "use the spelling that is registered",
        ),
        Published::Saved(_) | Published::TooManyWaiting => (
            format!(
                "`{}` has as many versions waiting for approval as it may",
                accepted.publisher.caller.label
            ),
            "wait until some are approved or rejected, or ask an administrator",
        ),
    };
    RegistryError::State { what, hint }
}
