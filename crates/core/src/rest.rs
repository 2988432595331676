//! How a call of a tool becomes one HTTP request to a REST API, and its answer a result. Written by the registry when it
//! imports the description of an API, executed by the gateway, which knows nothing of such descriptions.
//!
//! A [`Bindings`] belongs to one version of a server and never changes: it is named by the digest of its text, and the
//! version's document names that digest ([`RestMark`]), so that an approval is bound to it. What the tools look like
//! (name, description, `inputSchema`, `outputSchema`, annotations) is their approved definition, as for every server.
//! Credentials stand in neither: they come from the route's upstream authentication.

mod answer;
mod body;
mod header;
mod mark;
mod method;
mod paging;
mod parameter;
mod prompt;
mod resource;
mod security;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use answer::{Answers, Shape, Structured};
pub use body::{Body, BodyForm, Content, Extra, Member, Part};
pub use header::is_reserved_header;
pub use mark::{REST_META, RestMark};
pub use method::HttpMethod;
pub use paging::{Paging, PagingKind};
pub use parameter::{Encoding, Parameter, Piece, Place, Source, Style};
pub use prompt::{Prompt, PromptArgument, PromptMessage, PromptRole};
pub use resource::{RESOURCE_ROOT, Resource, Variable};
pub use security::{Credential, SecurityScheme};

/// The bindings of all tools of one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bindings {
    /// The form of this text; [`Bindings::FORMAT`].
    pub format: u32,
    /// How the API wants to be shown who calls, by the scheme's name in its description.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub security: BTreeMap<String, SecurityScheme>,
    /// By the tool's name.
    pub tools: BTreeMap<String, Binding>,
    /// What hosts read, by the name that a tool of the same operation would have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, Resource>,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, Prompt>,
}

/// How one tool is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Binding {
    /// The method of the request.
    pub method: HttpMethod,
    /// What the path is appended to, if it is not the route's own upstream URL: scheme, host and base path, with all
    /// variables filled in, without query and fragment. The route's grants and the egress guard hold for it as well. The
    /// route's credential is not shown there, unless it is of the route's own origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The path behind the base path. The first piece begins with a slash.
    pub path: Vec<Piece>,
    /// Parameters, in the order in which they are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// The body, if the operation takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// What may come back.
    #[serde(default)]
    pub answers: Answers,
    /// What is kept of it.
    #[serde(default, skip_serializing_if = "Shape::is_empty")]
    pub shape: Shape,
    /// How further pages are fetched and joined to the first. Without it a call is one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// Longest time to the answer's head and between two pieces of its body, in milliseconds; the route's own unless it
    /// is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether a request that got no answer may be sent again.
    pub retry: Retry,
    /// Which schemes of [`Bindings::security`] the operation asks for: any one of these sets, all of it. An empty set
    /// means that none is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<Vec<String>>,
    /// The JSON Schema (2020-12) that arguments must meet, where it is not the `inputSchema` of the approved definition:
    /// a tool of the profile `flat` shows a plainer one than it is judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Map<String, Value>>,
}

/// Whether a request that got no answer may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// Twice does what once does.
    Safe,
    /// It may have taken effect.
    Never,
}

/// Why bindings cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BindingsError {
    /// The text is none of ours.
    #[error("the bindings cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Written by another Portreeve.
    #[error("the bindings have format {found}, this Portreeve reads {}", Bindings::FORMAT)]
    Format {
        /// What they say.
        found: u32,
    },
    /// A path names a parameter that is not there.
    #[error("the path of tool `{tool}` names the parameter `{parameter}`, which it does not have")]
    Dangling {
        /// The tool.
        tool: String,
        /// The parameter.
        parameter: String,
    },
}

// === impl Bindings ===

impl Bindings {
    /// The form that is written and read.
    pub const FORMAT: u32 = 1;

    /// Bindings of no tool.
    pub fn none() -> Self {
        Self {
            format: Self::FORMAT,
            security: BTreeMap::new(),
            tools: BTreeMap::new(),
            resources: BTreeMap::new(),
            prompts: BTreeMap::new(),
        }
    }

    /// Every request that hosts can have made, by what it is called for: tools, then resources.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Binding)> {
        let tools = self.tools.iter().map(|(name, binding)| (name.as_str(), binding));
        let read = self.resources.values();
        tools.chain(read.map(|resource| (resource.uri.as_str(), &resource.binding)))
    }

    /// Whether there is nothing in it that a host could use.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty() && self.resources.is_empty() && self.prompts.is_empty()
    }

    /// Reads bindings. The caller bounds the text ([`crate::limits::Limits::rest_bindings_bytes`]).
    ///
    /// # Errors
    ///
    /// When the text is not what [`Bindings::text`] wrote.
    pub fn read(text: &str) -> Result<Self, BindingsError> {
        let bindings: Self = serde_json::from_str(text)?;
        if bindings.format != Self::FORMAT {
            return Err(BindingsError::Format {
                found: bindings.format,
            });
        }
        for (tool, binding) in bindings.all() {
            if let Some(parameter) = binding.dangling() {
                return Err(BindingsError::Dangling {
                    tool: tool.to_owned(),
                    parameter: parameter.to_owned(),
                });
            }
        }
        Ok(bindings)
    }

    /// The text that is stored. The same bindings have the same text.
    ///
    /// # Errors
    ///
    /// None that is known of: every value in it is JSON.
    pub fn text(&self) -> Result<String, BindingsError> {
        Ok(serde_json::to_string(self)?)
    }
}

// === impl Binding ===

impl Binding {
    /// A parameter that the path names and nobody describes.
    fn dangling(&self) -> Option<&str> {
        self.path.iter().find_map(|piece| match piece {
            Piece::Parameter(name) => self.path_parameter(name).is_none().then_some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// The parameter that stands in the path under this name.
    pub fn path_parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.place == Place::Path && parameter.name == name)
    }
}

#[cfg(test)]
mod tests;
