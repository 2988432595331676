//! Submission to Submitted: a document becomes a version of an entry, and is approved at once where that was asked.
//!
//! Before: a face received a document. After: `approve`, now or later.

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::deployment::Deployments;
use portreeve_core::members::VirtualServer;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::profile::Profile;
use portreeve_core::route::Route;
use portreeve_core::server::{Approval, Lifecycle, PrivateHost, Server, Version};
use portreeve_net::{NetError, Reach};
use serde_json::json;
use url::Url;

use crate::approve::{Verdict, Waiting, require_looked_at};
use crate::deployments::{Declared, check_pins, deployment_urls};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::validate::{Draft, Valid};
use crate::work::Work;

/// A document on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The `server.json` document.
    pub document: String,
    /// Whether its private hosts are granted.
    pub internal: Internal,
    /// Whether it is approved at once.
    pub approve: Approve,
}

/// Whether the private hosts of a URL are granted to the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Internal {
    /// They are not: a URL that needs them is refused.
    No,
    /// They are, if the caller is an administrator: exactly those, with their ports.
    Grant,
}

impl From<bool> for Internal {
    fn from(granted: bool) -> Self {
        if granted { Self::Grant } else { Self::No }
    }
}

/// Whether a document is approved at once, and whether anybody is asked for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approve {
    /// Nobody is asked yet: it is kept as a draft.
    Draft,
    /// It waits for an approver.
    No,
    /// It is, if the caller may.
    Now,
}

/// What became of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The version.
    pub version: Version,
    /// The route that serves exactly this version.
    pub route: Option<Route>,
    /// What is known of its tools.
    pub tools: ToolsOutcome,
    /// The routes of other environments and major versions that serve it, too.
    pub others: Vec<(Route, ToolsOutcome)>,
    /// The private hosts that were granted on this occasion.
    pub private_hosts: Vec<PrivateHost>,
}

/// What an approval found out about the tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolsOutcome {
    /// No route serves this version.
    NoRoute,
    /// So many tools were seen, and are approved as they were seen.
    Pinned(usize),
    /// The tools could not be seen. The first list that is seen goes to review.
    NotSeen {
        /// Why.
        reason: String,
    },
}

/// What an entry would need to reach its upstreams.
pub(crate) struct GrantRequest<'a> {
    pub(crate) name: &'a ServerName,
    pub(crate) urls: Vec<Url>,
    /// What it may reach already.
    pub(crate) held: Vec<PrivateHost>,
    pub(crate) granting: Internal,
}

// === impl Registry ===

impl Registry {
    /// Registers a server, or a new version of one.
    pub async fn add(&self, caller: &Caller, submission: Submission) -> Result<Outcome, RegistryError> {
        self.add_declared(caller, submission, Declared::default()).await
    }

    /// Registers a server, or a new version of one, and what is declared beside its document.
    pub async fn add_declared(
        &self,
        caller: &Caller,
        submission: Submission,
        declared: Declared,
    ) -> Result<Outcome, RegistryError> {
        let draft = Draft::read(&submission.document, &self.parts.limits)?;
        if let Some(name) = draft.name() {
            self.require_publish(caller, name)?;
            if submission.approve == Approve::Now {
                self.require_to(caller, Action::Approve, name)?;
            }
        }
        let valid = draft.validate(&self.parts.public_url)?;
        let granting = match (submission.internal, submission.approve) {
            (Internal::No, Approve::Draft | Approve::No) => Internal::No,
            _ => Internal::Grant,
        };
        let declared = self.checked(declared).await?;
        let mut server = match self.parts.entries.entry(&valid.name).await? {
            Some(entry) => entry.server,
            None => self.new_server(caller, &valid.name),
        };
        if let Some(tags) = &declared.profile.tags {
            server.profile.tags.clone_from(tags);
        }
        if submission.approve == Approve::Now {
            self.require_another(caller, &server, &caller.label)?;
            if declared.deployments.is_none() {
                require_looked_at(caller, &server, None)?;
            }
        }
        let held = server.private_hosts;
        let mut urls = deployment_urls(declared.deployments.as_deref().unwrap_or_default());
        urls.extend(valid.upstream.clone());
        let request = GrantRequest {
            name: &valid.name,
            urls,
            held,
            granting,
        };
        let granted = self.grants(caller, request).await?;
        let entry = self
            .submit_document(caller, (&valid, &declared, submission.approve), &granted)
            .await?;
        let version = find(&entry, &valid.version)?.clone();
        let waiting = Outcome {
            version: version.clone(),
            route: None,
            tools: ToolsOutcome::NoRoute,
            others: Vec::new(),
            private_hosts: granted.clone(),
        };
        let mut outcome = match submission.approve {
            _ if version.approval == Approval::Approved => waiting,
            Approve::Draft => waiting,
            Approve::Now => {
                require_looked_at(caller, &entry.server, None)?;
                let verdict = Verdict {
                    chosen: &version,
                    granted: &[],
                    plan: None,
                    before: &entry.routes,
                    reason: None,
                    waiting: Waiting::Adopted(entry.server.deployments.proposed.as_ref()),
                };
                self.approve_version(caller, verdict).await?
            }
            Approve::No => self.pass_by_rule(&entry, &version).await?.unwrap_or(waiting),
        };
        outcome.private_hosts = granted;
        Ok(outcome)
    }

    pub(crate) async fn held_hosts(&self, name: &ServerName) -> Result<Vec<PrivateHost>, RegistryError> {
        let entry = self.parts.entries.entry(name).await?;
        Ok(entry.map(|entry| entry.server.private_hosts).unwrap_or_default())
    }

    async fn checked(&self, declared: Declared) -> Result<Declared, RegistryError> {
        let deployments = match declared.deployments {
            Some(deployments) => Some(self.checked_deployments(deployments).await?),
            None => None,
        };
        Ok(Declared {
            deployments,
            ..declared
        })
    }

    /// The private hosts that the entry lacks to reach its URLs, if they may be granted. Asked before anything is saved:
    /// no transaction waits for the network.
    pub(crate) async fn grants(
        &self,
        caller: &Caller,
        request: GrantRequest<'_>,
    ) -> Result<Vec<PrivateHost>, RegistryError> {
        let GrantRequest {
            name,
            urls,
            held,
            granting,
        } = request;
        let (inside, urls): (Vec<Url>, Vec<Url>) = urls
            .into_iter()
            .partition(|url| VirtualServer::is_address(url.as_str()));
        for server in inside.iter().filter_map(|url| VirtualServer::at(url.as_str())) {
            self.require_members(caller, name, &server).await?;
        }
        let mut missing: Vec<PrivateHost> = Vec::new();
        for url in &urls {
            for host in self.needed_hosts(url).await? {
                if !held.contains(&host) && !missing.contains(&host) {
                    missing.push(host);
                }
            }
        }
        if !missing.is_empty() {
            if granting == Internal::No {
                return Err(RegistryError::Private { hosts: missing });
            }
            let what = format!("grant private hosts to server `{name}`");
            self.require_here(caller, Action::Manage, &what)?;
        }
        let all = [held, missing.clone()].concat();
        for url in &urls {
            let reach = Reach::granted(&all);
            let checked = self.parts.egress.check(url, &reach);
            checked.map_err(RegistryError::Refused)?;
        }
        Ok(missing)
    }

    /// What the guard would have to be opened for. A name that cannot be resolved now needs nothing now: the guard
    /// judges every connection again, so the worst that comes of it is a route that reaches nothing.
    async fn needed_hosts(&self, url: &Url) -> Result<Vec<PrivateHost>, RegistryError> {
        let asked = self.parts.egress.private_hosts(url);
        match tokio::time::timeout(self.parts.limits.probe, asked).await {
            Ok(Ok(hosts)) => Ok(hosts),
            Ok(Err(error @ NetError::Refused { .. })) => Err(RegistryError::Refused(error)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "The upstream's name could not be resolved while registering.");
                Ok(Vec::new())
            }
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn submit_document(
        &self,
        caller: &Caller,
        (valid, declared, approve): (&Valid, &Declared, Approve),
        granted: &[PrivateHost],
    ) -> Result<Entry, RegistryError> {
        let known = self.known_properties().await?;
        let mut tries = 0;
        loop {
            let mut work = match self.parts.entries.entry(&valid.name).await? {
                Some(entry) => Work::open(entry),
                None => Work::begin(self.new_server(caller, &valid.name)),
            };
            let asked = match approve {
                Approve::Draft => Approval::Draft,
                Approve::No | Approve::Now => Approval::Submitted,
            };
            self.put(caller, &mut work, (valid, asked))?;
            if let Some(values) = &declared.metadata {
                self.value_in(caller, &mut work, &valid.version, (values, &known))?;
            }
            if let Some(deployments) = &declared.deployments {
                check_pins(&work, deployments)?;
                self.propose(caller, &mut work, deployments.clone());
            }
            self.describe_in(caller, &mut work, (declared.profile.clone(), &known))?;
            if asked == Approval::Submitted {
                self.require_complete(&work, Some(&valid.version), &known)?;
            }
            work.grant(granted, self.parts.clock.now());
            // What is approved at once is judged before that, if at all.
            let submitted = if approve == Approve::Now {
                Vec::new()
            } else {
                work.submitted()
            };
            if let Some(entry) = self.save(caller, work, &mut tries).await? {
                self.submitted.put(submitted);
                return Ok(entry);
            }
        }
    }

    pub(crate) fn new_server(&self, caller: &Caller, name: &ServerName) -> Server {
        let now = self.parts.clock.now();
        Server {
            name: name.clone(),
            registered_by: caller.label.to_string(),
            private_hosts: Vec::new(),
            profile: Profile::default(),
            deployments: Deployments::default(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Puts the document into the entry, unless that would change one that somebody reviews or serves.
    fn put(
        &self,
        caller: &Caller,
        work: &mut Work,
        (valid, asked): (&Valid, Approval),
    ) -> Result<(), RegistryError> {
        check_spelling(work, valid)?;
        if let Some(present) = work.version(&valid.version) {
            let is_same = present.content_hash == valid.content_hash;
            match present.approval {
                Approval::Submitted if is_same => return Ok(()),
                Approval::Draft | Approval::Rejected => {}
                Approval::Submitted => {
                    return Err(RegistryError::State {
                        what: format!("version `{}` of `{}` is under review", valid.version, valid.name),
                        hint: "reject it first, or send the change as a new version",
                    });
                }
                Approval::Approved => {
                    return Err(RegistryError::State {
                        what: format!("version `{}` of `{}` exists already", valid.version, valid.name),
                        hint: "a version that was approved never changes; send a new version",
                    });
                }
            }
        }
        let mut event = self.event(caller, "server.add", &valid.name);
        event.target = Some(valid.version.to_string());
        event.detail = Some(json!({"contentHash": valid.content_hash, "approval": asked.as_str()}));
        work.events.push(event);
        let mut new = self.new_version(caller, valid);
        new.approval = asked;
        // What people say of a version stays, whatever becomes of its document.
        if let Some(present) = work.version(&valid.version) {
            new.metadata.clone_from(&present.metadata);
        }
        work.put(new);
        Ok(())
    }

    pub(crate) fn new_version(&self, caller: &Caller, valid: &Valid) -> Version {
        let now = self.parts.clock.now();
        Version {
            name: valid.name.clone(),
            version: valid.version.clone(),
            document: valid.document.clone(),
            content_hash: valid.content_hash.clone(),
            approval: Approval::Submitted,
            lifecycle: Lifecycle::Production,
            former_lifecycle: None,
            ended_by: None,
            status_message: None,
            submitted_by: caller.label.to_string(),
            decided_by: None,
            is_latest: false,
            metadata: Default::default(),
            published_at: now,
            status_changed_at: now,
            updated_at: now,
        }
    }
}

/// A name is written as it is registered.
pub(crate) fn check_spelling(work: &Work, valid: &Valid) -> Result<(), RegistryError> {
    if work.server.name == valid.name {
        return Ok(());
    }
    Err(RegistryError::State {
        what: format!(
            "server `{}` is registered as `{}`: names may not differ in case alone",
            valid.name, work.server.name
        ),
        hint: "use the spelling that is registered, or another name",
    })
}

/// A version of an entry.
pub(crate) fn find<'a>(entry: &'a Entry, version: &VersionText) -> Result<&'a Version, RegistryError> {
    entry
        .versions
        .iter()
        .find(|candidate| candidate.version == *version)
        .ok_or_else(|| RegistryError::NotFound {
            what: format!("version `{version}` of server `{}`", entry.server.name),
        })
}
