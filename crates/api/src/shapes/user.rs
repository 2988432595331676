//! Users, groups and sessions, as they are shown and made.

use portreeve_core::caller::User;
use portreeve_core::name::GroupName;
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_core::user::Session;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(crate) struct UserShape {
    name: String,
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// `local`, or `provider`: an identity provider vouches for the user.
    origin: &'static str,
    /// How the identity provider knows the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<ExternalShape>,
    /// `active` or `disabled`.
    state: &'static str,
    /// Groups that an administrator put the user into.
    groups: Vec<String>,
    /// Groups that followed from what the identity provider said at the last sign-in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    provider_groups: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// When the user signed in last by an identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    signed_in_at: Option<Timestamp>,
}

/// How an identity provider knows a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExternalIdentity)]
pub(crate) struct ExternalShape {
    issuer: String,
    subject: String,
}

/// A user who sets a password by a link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedUser {
    #[serde(flatten)]
    user: UserShape,
    /// Sets the password, once, within 24 hours. Whoever holds it is the user.
    password_link: String,
}

/// A local user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewUser)]
pub(crate) struct NewUserShape {
    /// 1 to 100 letters, digits and `.`, `_`, `-`, `@`, `+`, unique. It never changes.
    pub(crate) name: String,
    /// What the user is called.
    pub(crate) display_name: Option<String>,
    /// Where mail for the user goes.
    pub(crate) email: Option<String>,
    /// Groups, at most 50.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) groups: Vec<GroupName>,
}

/// The groups of a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserGroups)]
pub(crate) struct GroupsShape {
    /// At most 50.
    #[schema(value_type = Vec<String>)]
    pub(crate) groups: Vec<GroupName>,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupShape {
    name: String,
    /// How many users belong to it.
    members: usize,
}

/// A session of the portal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(crate) struct SessionShape {
    pub(crate) id: String,
    /// `link`, `password` or `provider`.
    method: &'static str,
    #[schema(value_type = String, format = DateTime)]
    authenticated_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was used last, to the minute.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// What the browser called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
}

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedSessions)]
pub(crate) struct EndedShape {
    pub(crate) ended: usize,
}

// === impl UserShape ===

impl UserShape {
    pub(crate) fn new(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            id: user.id.to_string(),
            display_name: user.display_name.clone(),
            email: user.email.clone(),
            origin: user.origin.as_str(),
            external: user.external.as_ref().map(|external| ExternalShape {
                issuer: external.issuer.clone(),
                subject: external.subject.clone(),
            }),
            state: if user.is_enabled() { "active" } else { "disabled" },
            groups: super::labels(&user.groups),
            provider_groups: super::labels(&user.provider_groups),
            created_at: user.created_at,
            disabled_at: user.disabled_at,
            signed_in_at: user.signed_in_at,
        }
    }
}

// === impl CreatedUser ===

impl CreatedUser {
    /// The one place that shows a link.
    pub(crate) fn new(user: &User, link: &Secret) -> Self {
        Self {
            user: UserShape::new(user),
            password_link: link.expose().to_owned(),
        }
    }
}

// === impl GroupShape ===

impl GroupShape {
    pub(crate) fn new((group, members): (GroupName, usize)) -> Self {
        Self {
            name: group.to_string(),
            members,
        }
    }
}

// === impl SessionShape ===

impl SessionShape {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            id: session.id.to_string(),
            method: session.method.as_str(),
            authenticated_at: session.authenticated_at,
            created_at: session.created_at,
            seen_at: session.seen_at,
            expires_at: session.expires_at,
            agent: session.agent.clone(),
        }
    }
}
