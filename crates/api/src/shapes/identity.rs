//! Keys, users, grants and the caller, as they are shown and made.

use portreeve_access::{HeldRole, NamedGrant};
use portreeve_core::caller::{ApiKey, User};
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::name::GroupName;
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Key)]
pub(crate) struct KeyShape {
    name: String,
    pub(crate) id: String,
    /// `live`, `expired` or `revoked`.
    state: &'static str,
    /// The user it acts for; absent when it is a principal of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// The groups that who holds it belongs to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// An API key that was just made. The secret is not shown again.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedKey {
    #[serde(flatten)]
    key: KeyShape,
    /// The whole key, as it is sent in `Authorization: Bearer`.
    secret: String,
}

/// A key to be made. It starts with no grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewKey)]
pub(crate) struct NewKeyShape {
    /// 1 to 64 characters `[A-Za-z0-9._-]`, unique among live keys.
    pub(crate) name: String,
    /// The groups that who holds it belongs to, at most 50; registries name their readers by them, as `group:finance`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) groups: Vec<GroupName>,
    /// When it stops working; never, if left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Grant)]
pub(crate) struct GrantShape {
    /// As decisions and audit events name it: `grant:ID`.
    name: String,
    pub(crate) id: String,
    /// `{"key": ID}`, `{"user": ID}` or `{"group": NAME}`.
    #[schema(value_type = SubjectShape)]
    subject: Subject,
    /// The subject as people know it: `key:deploy`, `user:admin`, `group:finance`.
    subject_name: String,
    /// `use`, `view`, `publish`, `approve`, `operate`, `audit` or `manage`.
    rights: &'static str,
    /// The same as a role: `user`, `viewer`, `publisher`, `approver`, `operator`, `auditor` or `admin`.
    role: &'static str,
    /// `"all"`, `{"server": NAME}`, `{"namespace": PATTERN}`, `{"owner": GROUP}` or `{"registry": NAME}`.
    #[schema(value_type = ServersShape)]
    servers: ServerScope,
    /// `"all"`, `"read-only"` or `{"named": [TOOL, ...]}`.
    #[schema(value_type = ToolsScopeShape)]
    tools: ToolScope,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends; absent when it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The request for access that it came of.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

/// A grant to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewGrant)]
pub(crate) struct NewGrantShape {
    pub(crate) subject: SubjectShape,
    /// `use`, `view`, `publish`, `approve`, `operate`, `audit` or `manage`; or the role of that name: `viewer`, `publisher`,
    /// `approver`, `operator`, `auditor`, `admin`.
    #[schema(value_type = String)]
    pub(crate) rights: Rights,
    /// `"all"`, `{"server": NAME}`, `{"namespace": PATTERN}`, `{"owner": GROUP}` or `{"registry": NAME}`.
    #[schema(value_type = ServersShape)]
    pub(crate) servers: ServerScope,
    /// `"all"`, `"read-only"` or `{"named": [TOOL, ...]}`; `"all"` if left out.
    #[serde(default = "every_tool")]
    #[schema(value_type = ToolsScopeShape, required = false)]
    pub(crate) tools: ToolScope,
    /// When it ends by itself; if left out, when somebody takes it back. Not for `manage`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

fn every_tool() -> ToolScope {
    ToolScope::All
}

/// Who is granted something: a name or an identifier, or a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Subject)]
pub(crate) enum SubjectShape {
    /// A key.
    Key(String),
    /// A user.
    User(String),
    /// An OAuth client that acts for itself.
    Client(String),
    /// Everybody in a group, by its name.
    Group(String),
}

/// Which servers a grant speaks of.
#[derive(Debug, ToSchema)]
#[schema(as = ServerScope, rename_all = "lowercase")]
#[expect(dead_code, reason = "only described; the noun in core is what is read")]
pub(crate) enum ServersShape {
    /// Every approved server, those of tomorrow too.
    All,
    /// One server.
    Server(String),
    /// Every server in a namespace: `com.acme`, or `com.acme.*` for those below, too.
    Namespace(String),
    /// Every server that a group owns.
    Owner(String),
    /// A registry, and every server that it is about.
    Registry(String),
}

/// Which tools a grant speaks of.
#[derive(Debug, ToSchema)]
#[schema(as = ToolScope, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only described; the noun in core is what is read")]
pub(crate) enum ToolsScopeShape {
    /// Every approved tool.
    All,
    /// Tools that say they change nothing.
    ReadOnly,
    /// These tools.
    Named(Vec<String>),
}

/// Who is calling.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WhoAmI {
    /// As people know the caller: `key:deploy`, `user:admin`.
    pub(crate) name: String,
    /// The identity that rights hang on: `key:ID` or `user:ID`.
    pub(crate) principal: String,
    /// The key that was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// The groups that the caller belongs to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<String>,
    /// Whether the caller may manage this installation.
    pub(crate) manage: bool,
    /// What the caller was granted, by its own grants and those of its groups.
    pub(crate) roles: Vec<RoleShape>,
}

/// A role with its scope.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Role)]
pub(crate) struct RoleShape {
    /// `viewer`, `publisher`, `approver`, `operator`, `auditor` or `admin`; `user` for the right to use servers.
    role: &'static str,
    /// The right that it is: `view`, `publish`, `approve`, `operate`, `audit`, `manage` or `use`.
    rights: &'static str,
    #[schema(value_type = ServersShape)]
    servers: ServerScope,
    #[schema(value_type = ToolsScopeShape)]
    tools: ToolScope,
    /// The grant that it comes from: `grant:ID`.
    policy: String,
}

// === impl KeyShape ===

impl KeyShape {
    pub(crate) fn new(key: &ApiKey, users: &[User], now: Timestamp) -> Self {
        let state = match (key.revoked_at, key.is_live(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "live",
            (None, false) => "expired",
        };
        Self {
            name: key.name.clone(),
            id: key.id.to_string(),
            state,
            owner: key.owner.map(|owner| {
                let user = users.iter().find(|user| user.id == owner);
                user.map_or_else(|| owner.to_string(), |user| user.name.clone())
            }),
            groups: super::labels(&key.groups),
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            created_by: key.created_by.clone(),
            created_at: key.created_at,
        }
    }
}

// === impl CreatedKey ===

impl CreatedKey {
    /// The one place that shows a secret.
    pub(crate) fn new(key: KeyShape, secret: &Secret) -> Self {
        Self {
            key,
            secret: secret.expose().to_owned(),
        }
    }
}

// === impl RoleShape ===

impl From<HeldRole> for RoleShape {
    fn from(held: HeldRole) -> Self {
        Self {
            role: held.rights.role(),
            rights: held.rights.as_str(),
            servers: held.servers,
            tools: held.tools,
            policy: held.policy,
        }
    }
}

// === impl GrantShape ===

impl GrantShape {
    pub(crate) fn new(named: &NamedGrant) -> Self {
        let (grant, subject_name) = (&named.grant, named.subject.clone());
        Self {
            name: format!("grant:{}", grant.id),
            id: grant.id.to_string(),
            subject: grant.subject.clone(),
            subject_name,
            rights: grant.rights.as_str(),
            role: grant.rights.role(),
            servers: grant.servers.clone(),
            tools: grant.tools.clone(),
            created_by: grant.created_by.clone(),
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            request: grant.request.map(|request| request.to_string()),
        }
    }
}
