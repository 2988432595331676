//! The second policy of every route: how far the access token goes that a client acts with. Who has no token is not
//! narrowed by one.
//!
//! It is asked after the authorizer, so that a tool that the user may not call is unknown, whatever scopes a client has;
//! and it hides nothing from lists, so that a client can ask for the scope that a tool needs.

use async_trait::async_trait;
use portreeve_core::oauth::{Scopes, ToolClass};
use portreeve_mcp::method::Method;

use super::{Explanation, Policy, Question, Verdict};
use crate::respond::Refusal;
use crate::upstream::Way;
use crate::upstream::members::is_meta;

/// Compares scopes with the class of the tool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope;

/// How much of the route a request takes. A tool without approved annotations is one that writes.
fn class_of(question: &Question<'_>) -> ToolClass {
    if question.method != Method::CallTool && !question.method.is_about_a_task() {
        return ToolClass::Read;
    }
    // They only look, and what they find is called under its own name.
    if question.target.is_some_and(is_meta) && matches!(question.route.upstream, Way::Members(_)) {
        return ToolClass::Read;
    }
    let tool = question
        .target
        .and_then(|name| question.route.tool(question.era, name));
    let approved = tool.and_then(|tool| tool.tool.approved.as_ref());
    approved.map_or(ToolClass::Write, |approved| ToolClass::of(&approved.annotations))
}

/// What is missing, if the caller came with a token that does not reach so far.
fn missing(question: &Question<'_>) -> Option<Scopes> {
    let token = question.caller.token.as_ref()?;
    let (slug, class) = (&question.route.route.slug, class_of(question));
    (!token.scopes.cover(slug, class)).then(|| Scopes::needed(slug, class))
}

#[async_trait]
impl Policy for Scope {
    fn kind(&self) -> &'static str {
        "scope"
    }

    async fn before(&self, question: &Question<'_>) -> Verdict {
        match missing(question) {
            Some(needed) => Verdict::Refuse(Refusal::InsufficientScope { needed }),
            None => Verdict::Continue(Vec::new()),
        }
    }

    async fn explain(&self, question: &Question<'_>) -> Explanation {
        let missing = missing(question);
        let reason = match (&missing, &question.caller.token) {
            (Some(needed), _) => format!("the access token lacks a scope (needed: `{needed}`)"),
            (None, Some(token)) => format!("the access token of `{}` reaches so far", token.client),
            (None, None) => "no access token narrows the caller".to_owned(),
        };
        Explanation {
            policy: "scope",
            allowed: missing.is_none(),
            reason,
        }
    }
}
