//! The first policy of every route: the authorizer's decision, and the pins.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Decision, Target};
use portreeve_core::ports::Authorizer;
use portreeve_core::route::Access;
use portreeve_mcp::method::Method;

use super::{Explanation, Policy, Question, Verdict};
use crate::respond::Refusal;
use crate::route::{ServedRoute, ServedTool};

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
        let decision: Arc<Decision> =
            match tool.and_then(|served| Some((served, served.tool.approved.as_ref()?))) {
                Some((served, approved)) => self.authorizer.may(
                    caller,
                    action,
                    &Target::Tool {
                        server,
                        tool: &served.name,
                        annotations: &approved.annotations,
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
            Some(names) => answer(true, format!("permitted by {}", names.join(", "))),
            None => answer(
                false,
                format!("no grant lets {} call `{name}`", question.caller.label),
            ),
        }
    }
}
