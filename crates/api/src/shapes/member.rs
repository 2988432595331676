//! A member of a virtual server as it is shown.

use portreeve_registry::MemberView;
use serde::Serialize;
use utoipa::ToSchema;

/// A member of a virtual server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub(crate) struct MemberShape {
    /// The slug of its route.
    name: String,
    /// What stands before those of its names that another member had before, with two underscores behind it.
    prefix: String,
    /// The server that the route belongs to. Null where there is no such route for the caller.
    server: Option<String>,
    /// `active`, `inactive`, or `gone`, where it cannot be a member.
    state: &'static str,
    /// The names that were given to what it has, by kind and name. They are kept when what they name is gone.
    names: Vec<GivenShape>,
}

/// A name that a virtual server gave.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GivenName)]
pub(crate) struct GivenShape {
    /// `tool` or `prompt`.
    kind: &'static str,
    /// The name.
    name: String,
    /// What the member calls it.
    own: String,
}

// === impl MemberShape ===

impl MemberShape {
    pub(crate) fn new(member: MemberView) -> Self {
        let names = member.names.into_iter().map(|given| GivenShape {
            kind: given.kind.as_str(),
            name: given.name,
            own: given.own,
        });
        Self {
            name: member.route.to_string(),
            prefix: member.prefix,
            server: member.server.map(|server| server.to_string()),
            state: member.state,
            names: names.collect(),
        }
    }
}
