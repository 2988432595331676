//! `why`: what the corridor would decide for a caller, a tool and a route, without doing it.

use portreeve_core::caller::Caller;
use portreeve_core::protocol::Era;
use portreeve_mcp::method::Method;
use serde::Serialize;

use crate::Gateway;
use crate::policy::{Explanation, Question};
use crate::upstream::Way;

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The caller's label.
    pub caller: String,
    /// The route's slug.
    pub route: String,
    /// The tool.
    pub tool: String,
    /// Whether a call would go on to the server now.
    pub allowed: bool,
    /// Each policy's part in it, in the order in which they are asked.
    pub policies: Vec<Explanation>,
}

impl Gateway {
    /// Explains a call of a tool. `None` when no active route has the slug.
    pub async fn explain(&self, caller: &Caller, slug: &str, tool: &str) -> Option<Why> {
        let route = self.loader.find(slug)?;
        let era = route.hop(Era::Modern);
        let question = Question {
            target: Some(tool),
            ..Question::of(caller, &route, era, Method::CallTool)
        };
        let mut policies = self.policies.explain(&question).await;
        if let Way::Members(server) = &route.upstream
            && let Some((member, own)) = server.tool(tool)
        {
            // The member is asked as well, with all of its policies.
            let question = Question {
                route: &member,
                era: member.hop(Era::Modern),
                target: Some(own),
                ..question
            };
            policies.extend(self.policies.explain(&question).await);
        }
        Some(Why {
            caller: caller.label.to_string(),
            route: slug.to_owned(),
            tool: tool.to_owned(),
            allowed: policies.iter().all(|policy| policy.allowed),
            policies,
        })
    }
}
