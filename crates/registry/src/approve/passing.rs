//! The step that lets a version pass, with the deployments that wait for it.
//!
//! Before: somebody looked at the plan, or not. After: `settle` leads the routes, and `pinning` looks at their tools.

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::deployment::{Deployments, Place, ProposedDeployments};
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::route::Route;
use portreeve_core::server::{PrivateHost, Server, Version};

use super::{Decided, Step, choose};
use crate::deployments::{changed_deployments, deployment_urls};
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
    /// What becomes of deployments that wait.
    pub(crate) waiting: Waiting<'a>,
}

/// What an approval does with the deployments that wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Waiting<'a> {
    /// They come into force with it, if they are still those that were seen.
    Adopted(Option<&'a ProposedDeployments>),
    /// They wait on: no rule speaks of them.
    Left,
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
        self.require_to(caller, Action::Approve, name)?;
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
        require_looked_at(caller, &entry.server, plan.as_deref())?;
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
            waiting: Waiting::Adopted(proposed),
        };
        self.approve_version(caller, verdict).await
    }

    /// Approves exactly this version with exactly this content, then looks at the tools.
    pub(crate) async fn approve_version(
        &self,
        caller: &Caller,
        verdict: Verdict<'_>,
    ) -> Result<Outcome, RegistryError> {
        let judged = self
            .require_assessed(caller, (verdict.chosen, verdict.granted))
            .await?;
        self.approve_judged(caller, verdict, judged).await
    }

    /// The same for one that was judged in this moment, with the deployments that were looked at, if any were.
    pub(crate) async fn approve_judged(
        &self,
        caller: &Caller,
        verdict: Verdict<'_>,
        judged: Option<Deployments>,
    ) -> Result<Outcome, RegistryError> {
        let Verdict {
            chosen,
            granted,
            plan,
            before,
            reason,
            waiting,
        } = verdict;
        let agreed = plan.map(|hash| Agreed {
            version: Some(chosen.version.clone()),
            hash,
        });
        let known = self.known_properties().await?;
        let entry = self
            .change(caller, &chosen.name, |work| {
                if judged
                    .as_ref()
                    .is_some_and(|judged| *judged != work.server.deployments)
                {
                    return Err(changed_deployments(&chosen.name));
                }
                self.require_complete(work, Some(&chosen.version), &known)?;
                work.agreed.clone_from(&agreed);
                work.grant(granted, self.parts.clock.now());
                let Waiting::Adopted(seen) = waiting else {
                    return self.let_pass(caller, work, (chosen, reason));
                };
                if work.server.deployments.proposed.as_ref() != seen {
                    return Err(changed_deployments(&work.server.name));
                }
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
        decision: (&Version, Option<&str>),
    ) -> Result<(), RegistryError> {
        self.let_pass(caller, work, decision)?;
        self.adopt(caller, work);
        Ok(())
    }

    /// Approves a version alone.
    fn let_pass(
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
        self.step(caller, work, &decided)
    }
}

/// Deployments that somebody else proposed come into force by a look at the plan alone: whoever proposes may change them
/// at any moment.
pub(crate) fn require_looked_at(
    caller: &Caller,
    server: &Server,
    plan: Option<&str>,
) -> Result<(), RegistryError> {
    match &server.deployments.proposed {
        Some(proposed) if plan.is_none() && *proposed.by != *caller.label => Err(RegistryError::State {
            what: format!(
                "the deployments that `{}` proposed for `{}` come into force by their plan alone, and no plan was named",
                proposed.by, server.name
            ),
            hint: "look at `portreeve server plan NAME`, and approve with the `--plan` that it shows",
        }),
        _ => Ok(()),
    }
}
