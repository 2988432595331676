//! `why`: what the corridor would decide for a caller, a tool and a route, without doing it.

use std::collections::BTreeMap;

use portreeve_access::KnownTool;
use portreeve_core::caller::Caller;
use portreeve_core::protocol::Era;
use portreeve_mcp::method::Method;
use serde::Serialize;

use crate::Gateway;
use crate::policy::{Explanation, Question};
use crate::respond::Refusal;
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
    /// Every approved tool that is served, once, by server and name.
    pub fn approved_tools(&self) -> Vec<KnownTool> {
        let mut all = BTreeMap::new();
        for route in self.loader.routes().by_slug.values() {
            for era in [Era::Modern, Era::Legacy] {
                for served in route.tools(era).filter(|served| served.is_callable()) {
                    if let Some(approved) = &served.tool.approved {
                        let key = (route.route.server.clone(), served.name.to_string());
                        let environment = &route.route.environment;
                        let (annotations, places) = all
                            .entry(key)
                            .or_insert_with(|| (approved.annotations, Vec::new()));
                        *annotations = approved.annotations;
                        if !places.contains(environment) {
                            places.push(environment.clone());
                        }
                    }
                }
            }
        }
        let known = all
            .into_iter()
            .map(|((server, name), (annotations, environments))| KnownTool {
                server,
                name,
                annotations,
                environments,
            });
        known.collect()
    }

    /// Explains a call of a tool. `None` when no active route has the slug.
    pub async fn explain(
        &self,
        caller: &Caller,
        slug: &str,
        (tool, arguments): (&str, Option<&[u8]>),
    ) -> Option<Why> {
        let route = self.loader.find(slug)?;
        let era = route.hop(Era::Modern);
        let question = Question {
            target: Some(tool),
            arguments,
            ..Question::of(caller, &route, era, Method::CallTool)
        };
        let mut policies = self.policies.explain(&question).await;
        if let Err(Refusal::Revoked { reason }) = self.loader.require_open(&route) {
            let revoked = Explanation {
                policy: "revoked",
                allowed: false,
                reason: format!("this server was revoked: {reason}"),
            };
            policies.insert(0, revoked);
        }
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
