//! Why a caller may or may not: the same decision in words, with every grant that was considered.
//!
//! Before: somebody asks `why`. After: a person knows which grant to change. Nothing here decides.

use std::sync::Arc;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Authorizer as _;
use serde::Serialize;

use crate::Access;
use crate::facts::Facts;
use crate::policies::is_of_management;

/// A decision in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The decision.
    pub permitted: bool,
    /// One sentence about it.
    pub summary: String,
    /// The policies that decided, as in the audit log.
    pub policies: Vec<Arc<str>>,
    /// Every grant of the caller, with what it says about this question.
    pub considered: Vec<ConsideredGrant>,
    /// The grant that would change a refusal, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<String>,
}

/// One grant and what it says about a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsideredGrant {
    /// `grant:<id>`.
    pub policy: String,
    /// What it grants, in words.
    pub grants: String,
    /// Whether it permits what was asked.
    pub permits: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

impl Access {
    /// Explains what [`may`] answers, without a trace in any log.
    ///
    /// [`may`]: portreeve_core::ports::Authorizer::may
    pub fn explain(&self, caller: &Caller, action: Action, target: &Target<'_>) -> Explanation {
        let decision = self.may(caller, action, target);
        let state = self.state.load();
        let considered: Vec<_> = state
            .holders(caller)
            .flat_map(|(_, rights)| &rights.grants)
            .map(|grant| {
                let policy = format!("grant:{}", grant.id);
                let permits = decision.policies.iter().any(|id| **id == *policy);
                ConsideredGrant {
                    grants: match &grant.subject {
                        Subject::Group(group) => {
                            format!("members of `{group}` {}", what_it_grants(grant))
                        }
                        _ => what_it_grants(grant),
                    },
                    why_not: (!permits).then(|| why_not((grant, &state.facts), action, target)),
                    policy,
                    permits,
                }
            })
            .collect();
        let asked = what_was_asked(action, target);
        let label = &caller.label;
        let (summary, needed) = if decision.is_permit() {
            let by = decision.policies.join("`, `");
            (format!("`{label}` may {asked}, because of `{by}`."), None)
        } else if !decision.policies.is_empty() {
            let by = decision.policies.join("`, `");
            let needed = format!("a change of `{by}`: no grant outweighs what a policy forbids");
            (
                format!("`{label}` may not {asked}: `{by}` forbids it."),
                Some(needed),
            )
        } else if caller.principal == Principal::Anonymous {
            let text = "Callers without a credential have no grants: only a route that is open to everyone admits them.";
            (
                text.to_owned(),
                Some("a credential with a grant, or a route that is open to everyone".to_owned()),
            )
        } else if !state.is_live(caller, self.parts.clock.now()) {
            (
                format!("`{label}` is unknown, revoked or expired, and may do nothing."),
                None,
            )
        } else {
            (
                format!("`{label}` may not {asked}: no grant permits it."),
                what_is_needed(action, target),
            )
        };
        Explanation {
            permitted: decision.is_permit(),
            summary,
            policies: decision.policies.to_vec(),
            considered,
            needed,
        }
    }

    /// The caller that people know by a label (`key:deploy`, `user:admin`, `anonymous`), for explanations about others.
    /// Whoever offers it must have asked whether its own caller may read of rights.
    pub fn known_as(&self, label: &str) -> Option<Caller> {
        if label == "anonymous" {
            return Some(Caller::anonymous());
        }
        self.state.load().known_as(label, self.parts.clock.now())
    }
}

fn what_was_asked(action: Action, target: &Target<'_>) -> String {
    match (action, target) {
        (Action::Manage, Target::Installation) => "manage this Portreeve".to_owned(),
        (Action::Manage, Target::Server(server)) => format!("manage `{server}`"),
        (Action::Publish, Target::Server(server)) => format!("publish `{server}`"),
        (action, Target::Installation) if is_of_management(action) => format!("{} here", action.as_str()),
        (action, Target::Server(server)) if is_of_management(action) => {
            format!("{} `{server}`", action.as_str())
        }
        (action, Target::Registry(name)) if is_of_management(action) => {
            format!("{} registry `{name}`", action.as_str())
        }
        (Action::Discover, Target::Server(server)) => format!("see `{server}`"),
        (Action::Read, Target::Server(server)) => format!("read resources and prompts of `{server}`"),
        (Action::CallTool, Target::Tool { server, tool, .. }) => format!("call `{tool}` of `{server}`"),
        (action, _) => format!("do this (`{}` is never asked of such a thing)", action.as_str()),
    }
}

fn what_is_needed(action: Action, target: &Target<'_>) -> Option<String> {
    match (action, target) {
        (action, Target::Installation) if is_of_management(action) => {
            Some(format!("{} on all servers", role_of(action)))
        }
        (action, Target::Server(server)) if is_of_management(action) => Some(format!(
            "{} on `{server}`, on its namespace, on what its owners own or on a registry that it is in",
            role_of(action)
        )),
        (action, Target::Registry(name)) if is_of_management(action) => {
            Some(format!("{} on registry `{name}`", role_of(action)))
        }
        (Action::Discover, Target::Server(server)) => Some(format!("a grant of `use` on `{server}`")),
        (Action::Read, Target::Server(server)) => Some(format!(
            "a grant of `use` on `{server}` for all tools or for read-only tools"
        )),
        (
            Action::CallTool,
            Target::Tool {
                server,
                tool,
                annotations,
                ..
            },
        ) => {
            let read_only = if annotations.read_only_hint {
                "for read-only tools, "
            } else {
                ""
            };
            Some(format!(
                "a grant of `use` on `{server}` for all tools, {read_only}or for `{tool}` by name"
            ))
        }
        _ => None,
    }
}

/// The role that is missing: "a grant of `approve` (the role approver)".
fn role_of(action: Action) -> String {
    let right = action.right();
    format!("a grant of `{}` (the role {})", right.as_str(), right.role())
}

fn what_it_grants(grant: &Grant) -> String {
    if grant.rights == Rights::Manage && grant.servers == ServerScope::All {
        return "manage this Portreeve".to_owned();
    }
    let servers = match &grant.servers {
        ServerScope::All => "every approved server".to_owned(),
        ServerScope::Server(name) => format!("`{name}`"),
        ServerScope::Namespace(pattern) => format!("every server in `{pattern}`"),
        ServerScope::Owner(group) => format!("every server that group `{group}` owns"),
        ServerScope::Registry(name) => format!("registry `{name}` and every server in it"),
    };
    if grant.rights != Rights::Use {
        return format!("{} {servers}", grant.rights.as_str());
    }
    let tools = match &grant.tools {
        ToolScope::All => "all tools".to_owned(),
        ToolScope::ReadOnly => "read-only tools".to_owned(),
        ToolScope::Named(names) => format!("the tools `{}`", names.join("`, `")),
    };
    format!("use {servers}: {tools}")
}

fn why_not((grant, facts): (&Grant, &Facts), action: Action, target: &Target<'_>) -> String {
    let server = match *target {
        Target::Installation | Target::Registry(_) => None,
        Target::Server(server) | Target::Tool { server, .. } => Some(server),
    };
    if is_of_management(action) != (grant.rights != Rights::Use) {
        return match grant.rights {
            Rights::Use => format!("it does not include the right to {}", action.as_str()),
            rights => format!("the right to {} does not include using servers", rights.as_str()),
        };
    }
    if is_of_management(action) && matches!(target, Target::Tool { .. }) {
        return "no grant is about such a question".to_owned();
    }
    match (grant.rights, server) {
        (Rights::Use, Some(asked)) => why_not_there((grant, facts), action, (asked, target)),
        (rights, Some(asked)) if rights.includes(action) => {
            not_its_server(grant, facts, asked).unwrap_or_else(not_in_force)
        }
        (rights, None) if rights.includes(action) => "it is about some servers only".to_owned(),
        (rights, _) => format!(
            "the right to {} does not include the right to {}",
            rights.as_str(),
            action.as_str()
        ),
    }
}

fn why_not_there(
    (grant, facts): (&Grant, &Facts),
    action: Action,
    (asked, target): (&ServerName, &Target<'_>),
) -> String {
    if let Some(elsewhere) = not_its_server(grant, facts, asked) {
        return elsewhere;
    }
    match (&grant.tools, action, target) {
        (_, Action::CallTool, Target::Server(_))
        | (_, Action::Discover | Action::Read, Target::Tool { .. }) => {
            "no grant is about such a question".to_owned()
        }
        (ToolScope::Named(_), Action::Read, _) => {
            "it names tools, and these are resources and prompts".to_owned()
        }
        (ToolScope::Named(_), Action::CallTool, Target::Tool { tool, .. }) => {
            format!("it does not name `{tool}`")
        }
        (ToolScope::ReadOnly, Action::CallTool, Target::Tool { tool, .. }) => {
            format!("`{tool}` was not approved as read-only")
        }
        _ => not_in_force(),
    }
}

fn not_in_force() -> String {
    "it is not in force".to_owned()
}

fn not_its_server(grant: &Grant, facts: &Facts, asked: &ServerName) -> Option<String> {
    match &grant.servers {
        ServerScope::Owner(group) if !facts.owners(asked).contains(group) => {
            Some(format!("it is about what group `{group}` owns"))
        }
        ServerScope::Registry(name) if !facts.registries(asked).any(|about| about == name) => {
            Some(format!("it is about registry `{name}`"))
        }
        ServerScope::Server(name) if !name.as_str().eq_ignore_ascii_case(asked.as_str()) => {
            Some(format!("it is about `{name}`"))
        }
        ServerScope::Namespace(pattern) if !pattern.matches(asked) => {
            Some(format!("it is about `{pattern}`"))
        }
        _ => None,
    }
}
