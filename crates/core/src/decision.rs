//! What may be asked of the authorizer, and what it answers.

use std::sync::Arc;

use crate::grant::Rights;
use crate::name::{RegistryName, ServerName};
use crate::tool::ToolAnnotations;

/// What a caller wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Know that a server exists beyond what the anonymous registry shows, and open a session with it.
    Discover,
    /// See a tool in a list and call it: one decision, so that list and call cannot disagree.
    CallTool,
    /// List and read resources, list and get prompts, complete arguments, subscribe.
    Read,
    /// Register versions of a server, describe it and hand it in; not approve it.
    Publish,
    /// See what the management side knows: drafts, findings, live tools, deployments, routes.
    View,
    /// Approve and reject versions, tools and deployments, and move them through their lifecycle.
    Approve,
    /// Run what is approved: routes with their policies, assessments, imports, environments, deliveries.
    Operate,
    /// Read the audit log, usage, and who was granted what.
    Audit,
    /// Everything on the management side, and alone: keys, users, grants, access policies, secrets.
    Manage,
}

impl Action {
    /// The action's name in policies, explanations and the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::CallTool => "call",
            Self::Read => "read",
            Self::Publish => "publish",
            Self::View => "view",
            Self::Approve => "approve",
            Self::Operate => "operate",
            Self::Audit => "audit",
            Self::Manage => "manage",
        }
    }
}

impl Action {
    /// The right that a grant gives for it, by the name of the right.
    pub const fn right(self) -> Rights {
        match self {
            Self::Discover | Self::CallTool | Self::Read => Rights::Use,
            Self::View => Rights::View,
            Self::Publish => Rights::Publish,
            Self::Approve => Rights::Approve,
            Self::Operate => Rights::Operate,
            Self::Audit => Rights::Audit,
            Self::Manage => Rights::Manage,
        }
    }

    /// What somebody asks for who may not, behind the words of what he may not: "approve server `com.acme/billing`: ask for
    /// a grant of `approve` on it".
    pub fn lacking(self, target: &Target<'_>, what: &str) -> String {
        let scope = match target {
            Target::Installation => "on all servers",
            Target::Server(_) | Target::Registry(_) | Target::Tool { .. } => "on it",
        };
        format!("{what}: ask for a grant of `{}` {scope}", self.right().as_str())
    }
}

/// What the caller wants to do it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The installation as a whole.
    Installation,
    /// A server.
    Server(&'a ServerName),
    /// A registry, as a view that somebody describes.
    Registry(&'a RegistryName),
    /// A tool of a server, with its approved annotations.
    Tool {
        /// The server.
        server: &'a ServerName,
        /// The tool's name.
        tool: &'a str,
        /// The approved annotations.
        annotations: &'a ToolAnnotations,
        /// The arguments of a call, as they were written. `None`: whether there is a call at all that the caller may make,
        /// which is what lists ask.
        arguments: Option<&'a [u8]>,
    },
}

/// The effect of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allowed by a policy.
    Permit,
    /// Forbidden by a policy, or allowed by none.
    Deny,
}

/// An answer of the authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Yes or no.
    pub effect: Effect,
    /// The policies that decided, as `grant:<id>` or `route:anonymous`. Empty when nothing permitted.
    pub policies: Arc<[Arc<str>]>,
}

impl Decision {
    /// Whether the answer is yes.
    pub fn is_permit(&self) -> bool {
        self.effect == Effect::Permit
    }

    /// Whether a policy says no. Where nothing permits, nobody does.
    pub fn is_forbidden(&self) -> bool {
        self.effect == Effect::Deny && !self.policies.is_empty()
    }
}
