//! The first policy of every route: the authorizer's decision, and the pins.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Decision, Target};
use portreeve_core::name::ServerName;
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
        self.decide(caller, action, route, (tool, None)).ok()
    }

    /// The names of what permits, or of what forbids: none of the latter, if nothing permits.
    fn decide(
        &self,
        caller: &Caller,
        action: Action,
        route: &ServedRoute,
        (tool, arguments): (Option<&ServedTool>, Option<&[u8]>),
    ) -> Result<Vec<Arc<str>>, Vec<Arc<str>>> {
        if route.is_local() {
            // What it shows is the caller's own view, which it decides itself; who was let in may ask for it.
            return Ok(vec![Arc::from("route:registry")]);
        }
        let server = &route.route.server;
        if tool.is_some_and(|tool| finds_others(route, &tool.name)) {
            // Who may know of a server may look what it has; what is found is decided about by its own name.
            return self.decide(caller, Action::Discover, route, (None, None));
        }
        let target = target_of(server, tool, arguments).unwrap_or(Target::Server(server));
        let environment = &route.route.environment;
        let decision: Arc<Decision> = self.authorizer.may_in(caller, action, &target, environment);
        let names = decision.policies.to_vec();
        if decision.is_permit() {
            return Ok(names);
        }
        // An open route opens nothing that a policy forbids.
        if route.route.access == Access::Anonymous && names.is_empty() {
            return Ok(vec![Arc::from("route:anonymous")]);
        }
        Err(names)
    }

    /// The call itself, with its arguments. Of the member that has the tool behind a virtual server, too.
    fn call(&self, question: &Question<'_>) -> Verdict {
        let (caller, route) = (question.caller, question.route);
        let name = question.target.unwrap_or_default();
        let unknown = || Refusal::UnknownTool {
            name: name.to_owned(),
        };
        let served = route
            .callable(question.era, name)
            .filter(|_| self.member_allows(caller, route, name));
        let Some(served) = served else {
            return Verdict::Refuse(unknown());
        };
        let arguments = self.arguments_of(question);
        match self.decide(caller, Action::CallTool, route, (Some(served), arguments)) {
            Ok(names) => match self.forbidden_by_member(question, arguments) {
                Some(by) => forbidden(name, by),
                None => Verdict::Continue(names),
            },
            // Whoever does not see the tool hears that there is none.
            Err(by) if arguments.is_some() && self.sees(caller, route, served) => forbidden(name, by),
            Err(by) => Verdict::Forbid {
                by,
                refusal: unknown(),
            },
        }
    }

    /// The arguments to be decided about, if a policy reads any. A call without arguments has none in it.
    fn arguments_of<'a>(&self, question: &Question<'a>) -> Option<&'a [u8]> {
        // What a server asked for is answered with a call that was decided about already.
        let is_made_here = question.goes_on == Some("");
        let is_call = question.method == Method::CallTool && !is_made_here;
        (is_call && self.authorizer.reads_arguments()).then(|| question.arguments.unwrap_or(b"{}"))
    }

    /// What access policies looked at, as sentences.
    fn reasons(
        &self,
        caller: &Caller,
        route: &ServedRoute,
        (tool, arguments): (&ServedTool, Option<&[u8]>),
    ) -> Vec<String> {
        let target = target_of(&route.route.server, Some(tool), arguments);
        target.map_or_else(Vec::new, |target| {
            let environment = Some(&route.route.environment);
            self.authorizer
                .reasons(caller, Action::CallTool, &target, environment)
        })
    }

    /// Who forbids the call of the member behind a virtual server, with these arguments.
    fn forbidden_by_member(
        &self,
        question: &Question<'_>,
        arguments: Option<&[u8]>,
    ) -> Option<Vec<Arc<str>>> {
        let (name, arguments) = (question.target?, Some(arguments?));
        let Way::Members(server) = &question.route.upstream else {
            return None;
        };
        if finds_others(question.route, name) {
            return None;
        }
        let (member, own) = server.tool(name)?;
        let tool = member.callable(member.hop(Era::Modern), own)?;
        self.decide(
            question.caller,
            Action::CallTool,
            &member,
            (Some(tool), arguments),
        )
        .err()
    }
}

fn target_of<'a>(
    server: &'a ServerName,
    tool: Option<&'a ServedTool>,
    arguments: Option<&'a [u8]>,
) -> Option<Target<'a>> {
    let served = tool?;
    Some(Target::Tool {
        server,
        tool: &served.name,
        annotations: &served.tool.approved.as_ref()?.annotations,
        arguments,
    })
}

/// The caller knows of the tool, so it is told that this call of it is not to be.
fn forbidden(name: &str, by: Vec<Arc<str>>) -> Verdict {
    let refusal = Refusal::ForbiddenArguments {
        name: name.to_owned(),
        by: by.join("`, `"),
    };
    Verdict::Forbid { by, refusal }
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
            return self.call(question);
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
        let (caller, route) = (question.caller, question.route);
        let arguments = question.arguments.filter(|_| self.authorizer.reads_arguments());
        let because = |reason: String| match self.reasons(caller, route, (served, arguments)) {
            more if more.is_empty() => reason,
            more => format!("{reason}; {}", more.join("; ")),
        };
        match self.decide(caller, Action::CallTool, route, (Some(served), arguments)) {
            Ok(_) if !self.member_allows(question.caller, question.route, name) => answer(
                false,
                format!(
                    "the member that has `{name}` does not let {} call it",
                    question.caller.label
                ),
            ),
            Ok(_) if self.forbidden_by_member(question, arguments).is_some() => answer(
                false,
                format!(
                    "the member that has `{name}` does not let {} call it so",
                    caller.label
                ),
            ),
            Ok(names) => answer(true, because(format!("permitted by {}", names.join(", ")))),
            Err(by) if by.is_empty() => answer(
                false,
                because(format!("no grant lets {} call `{name}`", caller.label)),
            ),
            Err(by) => answer(false, because(format!("forbidden by {}", by.join(", ")))),
        }
    }
}
