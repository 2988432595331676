//! Why a call would be allowed or refused, as it is asked and shown.

use portreeve_gateway::explain::Why;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A call to be explained. It is not made, and takes from no limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Question)]
pub(crate) struct QuestionShape {
    /// The route's slug.
    pub(crate) route: String,
    /// The tool.
    pub(crate) tool: String,
    /// The tool's arguments. No policy of today reads them.
    #[serde(rename = "arguments")]
    #[schema(value_type = Option<Object>)]
    pub(crate) _arguments: Option<Box<RawValue>>,
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
