//! Simple grants: "key K may use server S", "read-only tools only". Stored as such, compiled to Cedar by `access`.

use serde::{Deserialize, Serialize};

use crate::id::{ClientIdentity, GrantId, KeyId, UserId};
use crate::name::{GroupName, NamespacePattern, ServerName};
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
    /// Register versions of servers, describe them and hand them in for approval. Does not include approving.
    Publish,
    /// Register, approve, switch, grant: everything on the management side. Does not include [`Rights::Use`].
    Manage,
}

as_words!(Rights { Use = "use", Publish = "publish", Manage = "manage" });

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
}
