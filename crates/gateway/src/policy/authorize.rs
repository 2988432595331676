//! The first policy of every route: the authorizer's decision, and the pins.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Decision, Target};
use portreeve_core::ports::Authorizer;
use portreeve_core::protocol::Era;
use portreeve_core::route::Access;
use portreeve_mcp::method::Method;

use super::{Explanation, Policy, Question, Verdict};
use crate::respond::Refusal;
use crate::route::{ServedRoute, ServedTool};
use crate::upstream::Way;
use crate::upstream::members::is_meta;

/// Asks the authorizer on the body's words, never on a header.
#[derive(Clone)]
pub struct Authorize {
    authorizer: Arc<dyn Authorizer>,
}

impl std::fmt::Debug for Authorize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorize")
    }
}

impl Authorize {
    /// A policy that asks this authorizer.
    pub fn new(authorizer: Arc<dyn Authorizer>) -> Self {
        Self { authorizer }
    }

    /// Whether the caller may know of the server, and so keep a conversation with it.
    pub fn admits(&self, caller: &Caller, route: &ServedRoute) -> bool {
        self.ask(caller, Action::Discover, route, None).is_some()
    }

    /// Whether the caller may read what the server offers beside tools.
    pub fn reads(&self, caller: &Caller, route: &ServedRoute) -> bool {
        self.ask(caller, Action::Read, route, None).is_some()
    }

    /// Whether the member of a virtual server lets the caller call what it has under this name. Any other route is one.
    fn member_allows(&self, caller: &Caller, route: &ServedRoute, name: &str) -> bool {
        let Way::Members(server) = &route.upstream else {
            return true;
        };
        if finds_others(route, name) {
            return true;
        }
        let Some((member, own)) = server.tool(name) else {
            return false;
        };
        let tool = member.callable(member.hop(Era::Modern), own);
        tool.is_some_and(|tool| {
            self.ask(caller, Action::CallTool, &member, Some(tool)).is_some()
                && member
                    .policies
                    .iter()
                    .all(|policy| policy.sees(caller, &member, tool))
        })
    }

    /// The names of what permits, or `None`.
    fn ask(
        &self,
        caller: &Caller,
        action: Action,
        route: &ServedRoute,
        tool: Option<&ServedTool>,
    ) -> Option<Vec<Arc<str>>> {
        if route.is_local() {
            // What it shows is the caller's own view, which it decides itself; who was let in may ask for it.
            return Some(vec![Arc::from("route:registry")]);
        }
        let server = &route.route.server;
        if tool.is_some_and(|tool| finds_others(route, &tool.name)) {
            // Who may know of a server may look what it has; what is found is decided about by its own name.
            return self.ask(caller, Action::Discover, route, None);
        }
        let decision: Arc<Decision> =
            match tool.and_then(|served| Some((served, served.tool.approved.as_ref()?))) {
                Some((served, approved)) => self.authorizer.may(
                    caller,
                    action,
                    &Target::Tool {
                        server,
                        tool: &served.name,
                        annotations: &approved.annotations,
                        arguments: None,
                    },
                ),
                None => self.authorizer.may(caller, action, &Target::Server(server)),
            };
        if decision.is_permit() {
            return Some(decision.policies.to_vec());
        }
        (route.route.access == Access::Anonymous).then(|| vec![Arc::from("route:anonymous")])
    }
}

/// Whether a tool is one of the two that find and call the others of a virtual server.
fn finds_others(route: &ServedRoute, name: &str) -> bool {
    matches!(&route.upstream, Way::Members(server) if server.searches()) && is_meta(name)
}

/// What a method needs. Requests that only open or keep a conversation need no more than to know of the server.
fn action_of(method: Method) -> Action {
    match method {
        Method::Initialize
        | Method::Ping
        | Method::Discover
        | Method::SetLevel
        | Method::Listen
        | Method::ListTools => Action::Discover,
        Method::CallTool => Action::CallTool,
        _ => Action::Read,
    }
}

#[async_trait]
impl Policy for Authorize {
    fn kind(&self) -> &'static str {
        "authorize"
    }

    async fn before(&self, question: &Question<'_>) -> Verdict {
        let route = question.route;
        if question.method == Method::CallTool || question.method.is_about_a_task() {
            let name = question.target.unwrap_or_default();
            let allowed = route
                .callable(question.era, name)
                .filter(|_| self.member_allows(question.caller, route, name))
                .and_then(|tool| self.ask(question.caller, Action::CallTool, route, Some(tool)));
            return match allowed {
                Some(names) => Verdict::Continue(names),
                None => Verdict::Refuse(Refusal::UnknownTool {
                    name: name.to_owned(),
                }),
            };
        }
        let Some(discovered) = self.ask(question.caller, Action::Discover, route, None) else {
            return Verdict::Stranger;
        };
        match action_of(question.method) {
            Action::Discover => Verdict::Continue(discovered),
            action => match self.ask(question.caller, action, route, None) {
                Some(names) => Verdict::Continue(names),
                None => Verdict::Stranger,
            },
        }
    }

    fn sees(&self, caller: &Caller, route: &ServedRoute, tool: &ServedTool) -> bool {
        self.ask(caller, Action::CallTool, route, Some(tool)).is_some()
            && self.member_allows(caller, route, &tool.name)
    }

    async fn explain(&self, question: &Question<'_>) -> Explanation {
        let name = question.target.unwrap_or_default();
        let answer = |allowed, reason: String| Explanation {
            policy: "authorize",
            allowed,
            reason,
        };
        let Some(served) = question.route.tool(question.era, name) else {
            return answer(
                false,
                format!("`{name}` is not a tool that was seen on this route"),
            );
        };
        if !served.tool.is_callable() {
            return answer(
                false,
                format!(
                    "`{name}` is {}: an admin must approve it first",
                    served.tool.state()
                ),
            );
        }
        if let Err(problem) = &served.mirrors {
            return answer(false, format!("`{name}` cannot be called in this era: {problem}"));
        }
        match self.ask(question.caller, Action::CallTool, question.route, Some(served)) {
            Some(_) if !self.member_allows(question.caller, question.route, name) => answer(
                false,
                format!(
                    "the member that has `{name}` does not let {} call it",
                    question.caller.label
                ),
            ),
            Some(names) => answer(true, format!("permitted by {}", names.join(", "))),
            None => answer(
                false,
                format!("no grant lets {} call `{name}`", question.caller.label),
            ),
        }
    }
}
