//! The step that lets a version pass, with the deployments that wait for it.
//!
//! Before: somebody looked at the plan, or not. After: `settle` leads the routes, and `pinning` looks at their tools.

use portreeve_core::caller::Caller;
use portreeve_core::deployment::Place;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::route::Route;
use portreeve_core::server::{PrivateHost, Version};

use super::{Decided, Step, choose};
use crate::deployments::deployment_urls;
use crate::error::RegistryError;
use crate::plan::Agreed;
use crate::publish::{GrantRequest, Internal, Outcome, ToolsOutcome, find};
use crate::registry::Registry;
use crate::validate::upstream_of;
use crate::work::Work;

/// How a version is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approving {
    /// Whether its private hosts are granted.
    pub internal: Internal,
    /// The hash of the plan that the approver saw; the approval is refused when it would do something else by now.
    pub plan: Option<String>,
}

/// An approval of exactly this version with exactly this content.
pub(crate) struct Verdict<'a> {
    pub(crate) chosen: &'a Version,
    /// Private hosts that are granted with it.
    pub(crate) granted: &'a [PrivateHost],
    /// The hash of the plan that was shown.
    pub(crate) plan: Option<String>,
    /// The routes as they were.
    pub(crate) before: &'a [Route],
    /// Why, where that is not plain.
    pub(crate) reason: Option<&'a str>,
}

impl From<Internal> for Approving {
    fn from(internal: Internal) -> Self {
        Self { internal, plan: None }
    }
}

// === impl Registry ===

impl Registry {
    /// Approves a version: the one named, or the newest that waits. Deployments that wait are approved with it.
    pub async fn approve(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
        approving: impl Into<Approving>,
    ) -> Result<Outcome, RegistryError> {
        self.require_manage(caller, name)?;
        let entry = self.load(name).await?;
        let chosen = choose(&entry, version, Step::Approve)?;
        self.approve_chosen(caller, &entry, &chosen, approving.into())
            .await
    }

    /// Approves a version of an entry with the content that it has there.
    pub(super) async fn approve_chosen(
        &self,
        caller: &Caller,
        entry: &Entry,
        chosen: &Version,
        Approving { internal, plan }: Approving,
    ) -> Result<Outcome, RegistryError> {
        self.require_another_approver(caller, entry, chosen)?;
        let deployments = &entry.server.deployments;
        let proposed = deployments.proposed.as_ref();
        let mut urls = deployment_urls(proposed.map_or(deployments.current.as_slice(), |proposed| {
            proposed.deployments.as_slice()
        }));
        urls.extend(upstream_of(&chosen.document));
        let request = GrantRequest {
            name: &entry.server.name,
            urls,
            held: entry.server.private_hosts.clone(),
            granting: internal,
        };
        let granted = self.grants(caller, request).await?;
        let verdict = Verdict {
            chosen,
            granted: &granted,
            plan,
            before: &entry.routes,
            reason: None,
        };
        self.approve_version(caller, verdict).await
    }

    /// Approves exactly this version with exactly this content, then looks at the tools.
    pub(crate) async fn approve_version(
        &self,
        caller: &Caller,
        verdict: Verdict<'_>,
    ) -> Result<Outcome, RegistryError> {
        self.require_assessed(caller, verdict.chosen).await?;
        let Verdict {
            chosen,
            granted,
            plan,
            before,
            reason,
        } = verdict;
        let agreed = plan.map(|hash| Agreed {
            version: Some(chosen.version.clone()),
            hash,
        });
        let known = self.known_properties().await?;
        let entry = self
            .change(caller, &chosen.name, |work| {
                self.require_complete(work, Some(&chosen.version), &known)?;
                work.agreed.clone_from(&agreed);
                work.grant(granted, self.parts.clock.now());
                self.approve_in(caller, work, (chosen, reason))
            })
            .await?;
        self.icons_wanted.notify_one();
        let version = find(&entry, &chosen.version)?.clone();
        let concerned = |route: &&Route| {
            let former = before.iter().find(|former| former.id == route.id);
            route.version == version.version
                || former.is_some_and(|former| former.upstream_url != route.upstream_url)
        };
        let routes: Vec<Route> = entry.routes.iter().filter(concerned).cloned().collect();
        let mut others = self.pin_all(caller, &entry, routes).await?;
        // Production comes first, and what serves another version is no route of this one.
        others.sort_by_key(|(route, _)| (route.place() != Place::production(), route.place()));
        others.retain(|(route, _)| route.version == version.version);
        let (route, tools) = if others.is_empty() {
            (None, ToolsOutcome::NoRoute)
        } else {
            let (route, tools) = others.remove(0);
            (Some(route), tools)
        };
        Ok(Outcome {
            version,
            route,
            tools,
            others,
            private_hosts: granted.to_vec(),
        })
    }

    /// Approves a version and the deployments that wait, in an entry that is being changed.
    pub(crate) fn approve_in(
        &self,
        caller: &Caller,
        work: &mut Work,
        (chosen, reason): (&Version, Option<&str>),
    ) -> Result<(), RegistryError> {
        let decided = Decided {
            chosen,
            step: Step::Approve,
            reason,
        };
        self.step(caller, work, &decided)?;
        self.adopt(caller, work);
        Ok(())
    }
}
