//! Access policies: rules as text, with a name, that hold beside the grants. `access` reads and asks them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::name::{Environment, GroupName, PolicyName, ServerName};
use crate::server::as_words;
use crate::time::Timestamp;
use crate::tool::ToolAnnotations;

/// One access policy as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    /// Its name; decisions and audit events say `policy:NAME`.
    pub name: PolicyName,
    /// What people say about it.
    pub description: String,
    /// One or several rules in the language of Cedar.
    pub text: String,
    /// Questions with the answers that the text must give; it cannot be saved when one of them is answered otherwise.
    pub tests: Vec<PolicyTest>,
    /// Whether it is asked.
    pub enabled: bool,
    /// Counts its changes.
    pub revision: i64,
    /// Actor label of who changed it last.
    pub updated_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What a policy's text must say to one question, whatever else is in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTest {
    /// Who asks, as a label: `user:ada`, `key:deploy`, `client:https://host.example/client.json`, `anonymous`. It need not
    /// exist.
    pub who: String,
    /// The groups that it belongs to, and no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupName>,
    /// The OAuth client that acts for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// `discover`, `read`, `call`, `publish`, `view`, `approve` or `operate`.
    pub action: String,
    /// Of which server.
    pub server: ServerName,
    /// The environment of the route. Without one the question is about no route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Which tool of it, for `call`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What the tool was approved with. The defaults are those of the specification of MCP.
    #[serde(default, skip_serializing_if = "is_default")]
    pub annotations: ToolAnnotations,
    /// The arguments of the call, an object. Without them the question is whether there is a call that may be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Box<RawValue>>,
    /// The answer.
    pub expect: Expected,
}

/// What a text says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// It permits.
    Permit,
    /// It forbids.
    Forbid,
    /// It says nothing: the grants decide, and the other policies.
    Nothing,
}

as_words!(Expected { Permit = "permit", Forbid = "forbid", Nothing = "nothing" });

// === impl PolicyTest ===

impl PartialEq for PolicyTest {
    fn eq(&self, other: &Self) -> bool {
        let arguments = |test: &Self| test.arguments.as_ref().map(|raw| raw.get().to_owned());
        self.who == other.who
            && self.groups == other.groups
            && self.client == other.client
            && self.action == other.action
            && self.server == other.server
            && self.environment == other.environment
            && self.tool == other.tool
            && self.annotations == other.annotations
            && arguments(self) == arguments(other)
            && self.expect == other.expect
    }
}

impl Eq for PolicyTest {}

fn is_default(annotations: &ToolAnnotations) -> bool {
    *annotations == ToolAnnotations::default()
}
