//! What a text would change, before it is in force: who gains a tool, who loses one.

use std::collections::HashMap;
use std::sync::Arc;

use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Decision, Target};
use portreeve_core::name::{Environment, PolicyName, ServerName};
use portreeve_core::tool::ToolAnnotations;
use serde::Serialize;

use super::PolicyError;
use crate::policies::Asker;
use crate::state::State;
use crate::{Access, AccessError};

/// The most changes of one answer.
pub const MOST_CHANGES: usize = 500;
/// The most questions behind one answer.
const MOST_QUESTIONS: usize = 100_000;

/// A tool that is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTool {
    /// Its server.
    pub server: ServerName,
    /// Its name.
    pub name: String,
    /// What it was approved with.
    pub annotations: ToolAnnotations,
    /// The environments in which a route serves it.
    pub environments: Vec<Environment>,
}

/// What is to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRunOf {
    /// The policy that would be saved, or saved anew.
    pub name: PolicyName,
    /// Its text. `None`: it would be disabled or removed.
    pub text: Option<String>,
    /// Callers, as labels. Empty: everybody who is known here.
    pub who: Vec<String>,
    /// Where to go on: what [`DryRun::next`] said.
    pub from: usize,
    /// How many changes to tell at most.
    pub limit: usize,
}

/// One thing that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Whose.
    pub who: Arc<str>,
    /// Of which server.
    pub server: ServerName,
    /// Which tool; none: the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// `gains`, `loses`, or `depends`: it would depend on the arguments.
    pub change: &'static str,
    /// The policies that would decide.
    pub by: Vec<Arc<str>>,
}

/// What would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// The changes, by caller and by tool.
    pub changes: Vec<Change>,
    /// How many questions were asked.
    pub asked: usize,
    /// Where to go on, if that was not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

// === impl Access ===

impl Access {
    /// Compares what is in force with what would be, for callers and approved tools. Nothing is saved.
    pub async fn dry_run(
        self: &Arc<Self>,
        caller: &Caller,
        of: &DryRunOf,
        tools: &[KnownTool],
    ) -> Result<DryRun, PolicyError> {
        self.require_auditor(caller, "look at access policies")?;
        let policies = self.stored().await?;
        let (of, tools) = (of.clone(), tools.to_vec());
        self.beside(move |access| access.tried_out(&of, policies, &tools))
            .await?
    }

    fn tried_out(
        &self,
        of: &DryRunOf,
        mut policies: Vec<AccessPolicy>,
        tools: &[KnownTool],
    ) -> Result<DryRun, PolicyError> {
        let had = policies
            .iter()
            .position(|one| one.name == of.name)
            .map(|place| policies.remove(place));
        if let Some(text) = &of.text {
            let problems = self.checked(of.name.as_str(), text, &[]).problems;
            if !problems.is_empty() {
                let name = of.name.to_string();
                return Err(PolicyError::Text { name, problems });
            }
            policies.push(self.tried(of, text, had));
        }
        // Questions that nobody asks must not push out the answers to those that somebody does.
        let before = self.state.load().scratch(&self.engine);
        let after = before.with_policies(&self.engine, policies);
        let callers = self.callers(&before, &of.who)?;
        Ok(self.compare(of, (&before, &after), &callers, tools))
    }

    fn tried(&self, of: &DryRunOf, text: &str, had: Option<AccessPolicy>) -> AccessPolicy {
        let now = self.parts.clock.now();
        AccessPolicy {
            name: of.name.clone(),
            description: String::new(),
            text: text.to_owned(),
            tests: Vec::new(),
            enabled: true,
            revision: had.map_or(0, |had| had.revision),
            updated_by: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    fn callers(&self, state: &State, who: &[String]) -> Result<Vec<Caller>, AccessError> {
        let now = self.parts.clock.now();
        if who.is_empty() {
            return Ok(state.everybody(now));
        }
        who.iter()
            .map(|label| {
                let known = if label == "anonymous" {
                    Some(Caller::anonymous())
                } else {
                    state.known_as(label, now)
                };
                known.ok_or_else(|| AccessError::not_found("caller", label))
            })
            .collect()
    }

    fn compare(
        &self,
        of: &DryRunOf,
        (before, after): (&State, &State),
        callers: &[Caller],
        tools: &[KnownTool],
    ) -> DryRun {
        let mut servers: Vec<&ServerName> = tools.iter().map(|tool| &tool.server).collect();
        servers.sort();
        servers.dedup();
        let environments = environments_of(tools);
        let per_caller = servers.len() + tools.len();
        let all = callers.len() * per_caller;
        let limit = of.limit.clamp(1, MOST_CHANGES);
        let mut run = DryRun {
            changes: Vec::new(),
            asked: 0,
            next: None,
        };
        for place in of.from..all {
            if run.changes.len() == limit || run.asked == MOST_QUESTIONS {
                run.next = Some(place);
                break;
            }
            run.asked += 1;
            let (Some(caller), within) = (callers.get(place / per_caller), place % per_caller) else {
                break;
            };
            let (action, target, tool) = match servers.get(within) {
                Some(server) => (Action::Discover, Target::Server(server), None),
                None => {
                    let Some(tool) = tools.get(within - servers.len()) else {
                        break;
                    };
                    (Action::CallTool, target_of(tool), Some(tool))
                }
            };
            let server = match target {
                Target::Server(server) | Target::Tool { server, .. } => server.clone(),
                _ => continue,
            };
            let places = match tool {
                Some(tool) => Some(&tool.environments),
                None => environments.get(&server),
            };
            let places = places.map(Vec::as_slice).unwrap_or_default();
            let states = (before, after);
            let Some((change, is)) = self.change_of(states, caller, (action, &target), places) else {
                continue;
            };
            run.changes.push(Change {
                who: Arc::clone(&caller.label),
                server,
                tool: tool.map(|tool| tool.name.clone()),
                change,
                by: is.policies.to_vec(),
            });
        }
        run
    }

    /// What would change in the first of some environments in which something would, and what would decide there.
    fn change_of(
        &self,
        (before, after): (&State, &State),
        caller: &Caller,
        asked: (Action, &Target<'_>),
        places: &[Environment],
    ) -> Option<(&'static str, Arc<Decision>)> {
        let change = |environment: Option<&Environment>| {
            let (was, depended) = self.answer_in(before, caller, asked, environment);
            let (is, depends) = self.answer_in(after, caller, asked, environment);
            let change = match (was.is_permit(), is.is_permit()) {
                (false, true) => "gains",
                (true, false) => "loses",
                (true, true) if depends && !depended => "depends",
                _ => return None,
            };
            Some((change, is))
        };
        if places.is_empty() {
            return change(None);
        }
        places.iter().find_map(|environment| change(Some(environment)))
    }

    fn answer_in(
        &self,
        state: &State,
        caller: &Caller,
        (action, target): (Action, &Target<'_>),
        environment: Option<&Environment>,
    ) -> (Arc<Decision>, bool) {
        match Asker::of(caller).filter(|_| !state.rulebook.is_empty()) {
            Some(asker) => {
                let asker = asker.within(environment);
                self.kept(state, (caller, &asker), action, target)
            }
            None => (self.by_rights(state, caller, action, target), false),
        }
    }
}

/// Where something of a server is served.
fn environments_of(tools: &[KnownTool]) -> HashMap<ServerName, Vec<Environment>> {
    let mut found: HashMap<ServerName, Vec<Environment>> = HashMap::new();
    for tool in tools {
        let there = found.entry(tool.server.clone()).or_default();
        for environment in &tool.environments {
            if !there.contains(environment) {
                there.push(environment.clone());
            }
        }
    }
    found
}

fn target_of(tool: &KnownTool) -> Target<'_> {
    Target::Tool {
        server: &tool.server,
        tool: &tool.name,
        annotations: &tool.annotations,
        arguments: None,
    }
}
