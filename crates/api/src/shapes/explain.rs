//! Why a call would be allowed or refused, as it is asked and shown.

use std::sync::Arc;

use portreeve_core::caller::Caller;
use portreeve_core::name::GroupName;
use portreeve_core::oauth::{Scopes, TokenGrant};
use portreeve_gateway::explain::Why;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A call to be explained. It is not made, and takes from no limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Question)]
pub(crate) struct QuestionShape {
    /// The route's slug.
    pub(crate) route: String,
    /// The tool.
    pub(crate) tool: String,
    /// The tool's arguments. Without them the question is whether there is a call that may be made.
    #[schema(value_type = Option<Object>)]
    pub(crate) arguments: Option<Box<RawValue>>,
    /// As if the call came through this OAuth client. For managers.
    pub(crate) client: Option<String>,
    /// As if its access token had these scopes, separated by spaces; all of the route's, if left out. For managers.
    pub(crate) scope: Option<String>,
    /// As if the caller were in these groups as well. For managers.
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    /// Whose call: `key:NAME`, `user:NAME` or `anonymous`; the caller's own, if left out. Managers may ask for others.
    #[serde(rename = "as")]
    pub(crate) who: Option<String>,
}

/// What would be decided, and why.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Explanation)]
pub(crate) struct WhyShape {
    /// Whose call it would be.
    caller: String,
    /// The route's slug.
    route: String,
    tool: String,
    /// Whether the call would go on to the server now.
    allowed: bool,
    /// Each policy's part in it, in the order in which they are asked.
    policies: Vec<PolicyPart>,
}

/// One policy's part in a decision.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyPart {
    /// The policy's kind.
    policy: &'static str,
    /// Whether it would let the call pass.
    allowed: bool,
    /// Why, as a sentence.
    reason: String,
}

impl QuestionShape {
    /// The caller as the question wants it to be.
    pub(crate) fn narrow(&self, mut caller: Caller) -> Result<Caller, Problem> {
        let wrong = |field: &str, problem: String| Err(Problem::unprocessable(field, problem));
        let mut groups = caller.groups.to_vec();
        for text in &self.groups {
            match text.parse::<GroupName>() {
                Ok(group) => groups.push(group),
                Err(error) => return wrong("groups", error.to_string()),
            }
        }
        groups.sort();
        groups.dedup();
        caller.groups = groups.into();
        if self.client.is_none() && self.scope.is_none() {
            return Ok(caller);
        }
        let client = self.client.as_deref().unwrap_or("portreeve-why");
        let client = match client.parse() {
            Ok(client) => client,
            Err(error) => return wrong("client", format!("{error}")),
        };
        let scopes = match &self.scope {
            Some(scope) => Scopes::known_in(scope),
            None => match self.route.parse() {
                Ok(slug) => Scopes::all_of(&slug),
                Err(_) => return wrong("route", format!("`{}` is no slug", self.route)),
            },
        };
        caller.token = Some(Arc::new(TokenGrant {
            client,
            scopes,
            authorization: None,
        }));
        Ok(caller)
    }
}

impl From<Why> for WhyShape {
    fn from(why: Why) -> Self {
        let parts = why.policies.into_iter().map(|part| PolicyPart {
            policy: part.policy,
            allowed: part.allowed,
            reason: part.reason,
        });
        Self {
            caller: why.caller,
            route: why.route,
            tool: why.tool,
            allowed: why.allowed,
            policies: parts.collect(),
        }
    }
}
