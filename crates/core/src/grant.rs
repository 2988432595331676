//! Simple grants: "key K may use server S", "read-only tools only". Stored as such, compiled to Cedar by `access`.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::caller::User;
use crate::decision::Action;
use crate::id::{AccessRequestId, ClientIdentity, GrantId, KeyId, UserId};
use crate::name::{GroupName, NamespacePattern, RegistryName, ServerName};
use crate::server::as_words;
use crate::time::Timestamp;

/// Who is granted something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// An API key.
    Key(KeyId),
    /// A user.
    User(UserId),
    /// An OAuth client that acts for itself.
    Client(ClientIdentity),
    /// Everybody who belongs to a group, those of tomorrow too.
    Group(GroupName),
}

/// What is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rights {
    /// See the servers and call their tools, read resources, get prompts.
    Use,
    /// See what the management side knows of servers: the role *viewer*.
    #[serde(alias = "viewer")]
    View,
    /// Register versions of servers, describe them and hand them in for approval. Does not include approving: the role
    /// *publisher*.
    #[serde(alias = "publisher")]
    Publish,
    /// Approve and reject what was handed in: the role *approver*.
    #[serde(alias = "approver")]
    Approve,
    /// Run what is approved: the role *operator*.
    #[serde(alias = "operator")]
    Operate,
    /// Read the audit log, usage and who was granted what: the role *auditor*.
    #[serde(alias = "auditor")]
    Audit,
    /// Register, approve, switch, grant: everything on the management side. Does not include
    /// [`Rights::Use`]: the role *admin*.
    #[serde(alias = "admin")]
    Manage,
}

as_words!(Rights {
    Use = "use",
    View = "view",
    Publish = "publish",
    Approve = "approve",
    Operate = "operate",
    Audit = "audit",
    Manage = "manage",
});

// === impl Rights ===

impl Rights {
    /// What it allows on the management side. Each role sees what it works on, and who manages may do all of it.
    pub const fn on_the_management_side(self) -> &'static [Action] {
        match self {
            Self::Use => &[],
            Self::View => &[Action::View],
            Self::Publish => &[Action::View, Action::Publish],
            Self::Approve => &[Action::View, Action::Approve],
            Self::Operate => &[Action::View, Action::Operate],
            Self::Audit => &[Action::View, Action::Audit],
            Self::Manage => &[
                Action::View,
                Action::Publish,
                Action::Approve,
                Action::Operate,
                Action::Audit,
                Action::Manage,
            ],
        }
    }

    /// The role that it makes of its holder, as people say it.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Use => "user",
            Self::View => "viewer",
            Self::Publish => "publisher",
            Self::Approve => "approver",
            Self::Operate => "operator",
            Self::Audit => "auditor",
            Self::Manage => "admin",
        }
    }

    /// Whether it allows that action of the management side.
    pub fn includes(self, action: Action) -> bool {
        self.on_the_management_side().contains(&action)
    }
}

/// Which servers a grant speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerScope {
    /// Every approved server, those of tomorrow too.
    All,
    /// One server.
    Server(ServerName),
    /// Every server in these namespaces, those of tomorrow too.
    Namespace(NamespacePattern),
    /// Every server that this group owns, those of tomorrow too.
    Owner(GroupName),
    /// Every server that this registry is about, those of tomorrow too, and the registry itself.
    Registry(RegistryName),
}

/// Which tools of those servers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolScope {
    /// Every approved tool.
    All,
    /// Tools whose approved annotations say `readOnlyHint`.
    ReadOnly,
    /// These tools.
    Named(Vec<String>),
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Identity; decisions and audit events name it as `grant:<id>`.
    pub id: GrantId,
    /// Who.
    pub subject: Subject,
    /// What.
    pub rights: Rights,
    /// Where.
    pub servers: ServerScope,
    /// Which tools there.
    pub tools: ToolScope,
    /// Actor label of who granted it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends. `None`: when somebody takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The request for access that it came of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<AccessRequestId>,
}

// === impl Grant ===

impl Grant {
    /// Whether it is in force at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// Whether its holder manages everything, until somebody takes it back.
    pub fn manages_everything(&self) -> bool {
        self.rights == Rights::Manage && self.servers == ServerScope::All && self.expires_at.is_none()
    }
}

// === impl ToolScope ===

impl ToolScope {
    /// Whether whoever has this has the other, too, whatever tools there will be.
    pub fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) | (Self::ReadOnly, Self::ReadOnly) => true,
            (Self::Named(has), Self::Named(asked)) => asked.iter().all(|tool| has.contains(tool)),
            _ => false,
        }
    }
}

/// Whether some enabled user manages everything, by a grant of the user or of a group that does not end by itself.
pub fn somebody_manages(users: &[User], grants: &[Grant]) -> bool {
    let whole = grants.iter().filter(|grant| grant.manages_everything());
    let holders: HashSet<&Subject> = whole.map(|grant| &grant.subject).collect();
    let manages = |user: &User| {
        let groups = user.all_groups();
        holders.contains(&Subject::User(user.id))
            || groups
                .into_iter()
                .any(|group| holders.contains(&Subject::Group(group)))
    };
    users.iter().any(|user| user.is_enabled() && manages(user))
}
