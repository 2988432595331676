//! Deployments: declared with a document or later, proposed or put in force, approved as the plan showed.
//!
//! Before: somebody says where a server runs. After: `settle` makes a route for each place, and moves those that are
//! there. What a manager declares is in force at once; what others declare waits for an approval.

mod check;
mod list;

pub(crate) use check::{pins as check_pins, urls as deployment_urls};
pub use list::{DeploymentsPage, DeploymentsQuery, Standing};

use futures_util::future::join_all;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::deployment::{Deployment, Deployments, ProposedDeployments};
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::profile::Metadata;
use portreeve_core::route::Route;
use portreeve_core::server::PrivateHost;
use serde_json::json;

use crate::approve::{Approving, Step, choose, require_looked_at};
use crate::error::RegistryError;
use crate::plan::{Agreed, Plan};
use crate::profile::ProfilePatch;
use crate::publish::{GrantRequest, Internal, ToolsOutcome, find};
use crate::registry::Registry;
use crate::work::Work;

/// What is declared beside a document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Declared {
    /// Where the server runs. `None` leaves what is declared already.
    pub deployments: Option<Vec<Deployment>>,
    /// What people say about it.
    pub profile: ProfilePatch,
    /// Values of custom properties of this version alone, over those of its server.
    pub metadata: Option<Metadata>,
}

/// The deployments of a server, all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDeployments {
    /// All of them; what is not among them ends.
    pub deployments: Vec<Deployment>,
    /// Whether their private hosts are granted.
    pub internal: Internal,
    /// The entry's revision that the caller saw; without it, the last writer wins.
    pub expected: Option<i64>,
}

/// What became of deployments.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// The entry; its deployments say whether they are in force or proposed.
    pub entry: Entry,
    /// The routes that were made or moved, and what is known of their tools.
    pub routes: Vec<(Route, ToolsOutcome)>,
    /// The private hosts that were granted on this occasion.
    pub private_hosts: Vec<PrivateHost>,
}

// === impl Registry ===

impl Registry {
    /// Where a server runs, for those who manage it: what is in force, and what waits.
    pub async fn deployments(&self, caller: &Caller, name: &ServerName) -> Result<Entry, RegistryError> {
        self.require_see(caller, name)?;
        self.load(name).await
    }

    /// Declares where a server runs.
    pub async fn deploy(
        &self,
        caller: &Caller,
        name: &ServerName,
        new: NewDeployments,
    ) -> Result<Deployed, RegistryError> {
        self.require_publish(caller, name)?;
        let before = self.load(name).await?;
        let deployments = self.checked_deployments(new.deployments).await?;
        let request = GrantRequest {
            name: &before.server.name,
            urls: check::urls(&deployments),
            held: before.server.private_hosts.clone(),
            granting: new.internal,
        };
        let granted = self.grants(caller, request).await?;
        let in_force = self.may_to(caller, Action::Approve, name) && self.four_eyes(&before.server).is_none();
        if in_force {
            self.require_assessed_at(&before, (&deployments, &granted))
                .await?;
        }
        let entry = self
            .change(caller, name, |work| {
                work.expect(new.expected)?;
                check::pins(work, &deployments)?;
                work.grant(&granted, self.parts.clock.now());
                self.propose(caller, work, deployments.clone());
                if in_force {
                    self.adopt(caller, work);
                }
                Ok(())
            })
            .await?;
        self.deployed(caller, &before, entry, granted).await
    }

    /// Puts proposed deployments in force. `approving` may name the plan that the caller saw.
    pub async fn approve_deployments(
        &self,
        caller: &Caller,
        name: &ServerName,
        approving: Approving,
    ) -> Result<Deployed, RegistryError> {
        self.require_to(caller, Action::Approve, name)?;
        let before = self.load(name).await?;
        let proposed = proposed(&before)?;
        self.require_another(caller, &before.server, &proposed.by)?;
        require_looked_at(caller, &before.server, approving.plan.as_deref())?;
        let request = GrantRequest {
            name: &before.server.name,
            urls: check::urls(&proposed.deployments),
            held: before.server.private_hosts.clone(),
            granting: approving.internal,
        };
        let granted = self.grants(caller, request).await?;
        self.require_assessed_at(&before, (&proposed.deployments, &granted))
            .await?;
        let agreed = approving.plan.map(|hash| Agreed { version: None, hash });
        let known = self.known_properties().await?;
        let entry = self
            .change(caller, name, |work| {
                if work.server.deployments.proposed.as_ref() != Some(proposed) {
                    return Err(changed_deployments(name));
                }
                work.agreed.clone_from(&agreed);
                work.grant(&granted, self.parts.clock.now());
                self.adopt(caller, work);
                self.require_complete(work, None, &known)
            })
            .await?;
        self.deployed(caller, &before, entry, granted).await
    }

    /// Takes proposed deployments back, or sends them back.
    pub async fn withdraw_deployments(
        &self,
        caller: &Caller,
        name: &ServerName,
    ) -> Result<Entry, RegistryError> {
        if !self.may_to(caller, Action::Approve, name) {
            self.require_publish(caller, name)?;
        }
        proposed(&self.load(name).await?)?;
        self.change(caller, name, |work| {
            self.drop_proposed(caller, work);
            Ok(())
        })
        .await
    }

    /// What approving would do: the version named, or the newest that waits, together with the deployments that do.
    pub async fn plan(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
    ) -> Result<Plan, RegistryError> {
        self.require_see(caller, name)?;
        let entry = self.load(name).await?;
        let chosen = match choose(&entry, version, Step::Approve) {
            Ok(chosen) => Some(chosen),
            Err(error) if version.is_some() || entry.server.deployments.proposed.is_none() => {
                return Err(error);
            }
            Err(_) => None,
        };
        let mut work = Work::open(entry);
        if let Some(chosen) = &chosen {
            self.approve_in(caller, &mut work, (chosen, None))?;
        } else {
            self.adopt(caller, &mut work);
        }
        self.settle(caller, &mut work).await?;
        Ok(Plan::of(&work, chosen.as_ref().map(|chosen| &chosen.version)))
    }

    /// Notes what shall be in force, once somebody approves it.
    pub(crate) fn propose(&self, caller: &Caller, work: &mut Work, mut deployments: Vec<Deployment>) {
        deployments.sort_by_cached_key(Deployment::place);
        work.server.deployments.proposed = None;
        if deployments == work.server.deployments.current {
            return;
        }
        let event = self.deployments_event(caller, work, "deployments.propose", &deployments);
        work.events.push(event);
        work.server.updated_at = self.parts.clock.now();
        work.server.deployments.proposed = Some(ProposedDeployments {
            deployments,
            by: caller.label.to_string(),
        });
    }

    /// Puts what was proposed in force.
    pub(crate) fn adopt(&self, caller: &Caller, work: &mut Work) {
        let Some(proposed) = work.server.deployments.proposed.take() else {
            return;
        };
        let event = self.deployments_event(caller, work, "deployments.approve", &proposed.deployments);
        work.events.push(event);
        work.server.updated_at = self.parts.clock.now();
        work.server.deployments = Deployments {
            current: proposed.deployments,
            proposed: None,
        };
    }

    /// Forgets what was proposed.
    pub(crate) fn drop_proposed(&self, caller: &Caller, work: &mut Work) {
        let Some(proposed) = work.server.deployments.proposed.take() else {
            return;
        };
        let event = self.deployments_event(caller, work, "deployments.withdraw", &proposed.deployments);
        work.events.push(event);
        work.server.updated_at = self.parts.clock.now();
    }

    fn deployments_event(
        &self,
        caller: &Caller,
        work: &Work,
        action: &str,
        deployments: &[Deployment],
    ) -> AuditEvent {
        let mut event = self.event(caller, action, &work.server.name);
        let shown: Vec<_> = deployments.iter().map(check::shown).collect();
        event.detail = Some(json!({ "count": deployments.len(), "deployments": shown }));
        event
    }

    /// Looks at the tools of every route that leads somewhere else than before.
    async fn deployed(
        &self,
        caller: &Caller,
        before: &Entry,
        entry: Entry,
        granted: Vec<PrivateHost>,
    ) -> Result<Deployed, RegistryError> {
        let moved = |route: &&Route| {
            let former = before.routes.iter().find(|former| former.id == route.id);
            former.is_none_or(|former| former.upstream_url != route.upstream_url)
        };
        let routes: Vec<Route> = entry.routes.iter().filter(moved).cloned().collect();
        let routes = self.pin_all(caller, &entry, routes).await?;
        Ok(Deployed {
            entry: self.load(&before.server.name).await?,
            routes,
            private_hosts: granted,
        })
    }

    /// Pins the tools of routes, all of them at once: each asks a server of its own.
    pub(crate) async fn pin_all(
        &self,
        caller: &Caller,
        entry: &Entry,
        routes: Vec<Route>,
    ) -> Result<Vec<(Route, ToolsOutcome)>, RegistryError> {
        let pinned = routes.iter().map(async |route| {
            let version = find(entry, &route.version)?;
            Ok::<_, RegistryError>(self.pin_as_seen(caller, route, version).await)
        });
        let outcomes = join_all(pinned).await;
        let mut found = Vec::with_capacity(routes.len());
        for (route, outcome) in routes.into_iter().zip(outcomes) {
            let saved = self.parts.routes.route(&route.slug).await?;
            found.push((saved.unwrap_or(route), outcome?));
        }
        Ok(found)
    }
}

fn proposed(entry: &Entry) -> Result<&ProposedDeployments, RegistryError> {
    let proposed = entry.server.deployments.proposed.as_ref();
    proposed.ok_or_else(|| RegistryError::State {
        what: format!("no deployments of `{}` wait for an approval", entry.server.name),
        hint: "`portreeve deployment list NAME` shows what is in force",
    })
}

pub(crate) fn changed_deployments(name: &ServerName) -> RegistryError {
    RegistryError::Conflict {
        what: format!("the deployments of server `{name}`"),
    }
}
