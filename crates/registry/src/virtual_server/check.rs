//! Whether a virtual server can be made of its members: asked when it is registered, and again when it is approved.

use portreeve_core::caller::Caller;
use portreeve_core::members::{Given, Member, SEPARATOR, VirtualServer, looks_alike};
use portreeve_core::name::ServerName;
use portreeve_core::served::PUBLISHER_META;
use portreeve_mcp::server_json::Problem;

use crate::error::RegistryError;
use crate::registry::Registry;

/// Where a document names a member.
pub(crate) fn place(index: usize) -> String {
    format!("_meta.{PUBLISHER_META}.portreeve/virtual.members[{index}]")
}

impl Registry {
    /// Refuses members that are none. A route that the caller may not know of does not exist.
    pub(crate) async fn require_members(
        &self,
        caller: &Caller,
        name: &ServerName,
        server: &VirtualServer,
    ) -> Result<(), RegistryError> {
        let given = self.parts.names.given(name).await?;
        let mut problems = Vec::new();
        for (index, member) in server.members.iter().enumerate() {
            let found = self.parts.routes.route(&member.route).await?;
            let found = found.filter(|route| self.may_discover(caller, &route.server));
            let problem = match found {
                None => Some(format!("there is no route `{}`", member.route)),
                Some(route) if route.server == *name || VirtualServer::is_address(&route.upstream_url) => {
                    Some(format!(
                        "`{}` is a virtual server itself; name its members instead",
                        member.route
                    ))
                }
                Some(_) => claimed(&given, member).map(|given| {
                    format!(
                        "`{}` of `{}` begins with the prefix `{}` already; choose another prefix",
                        given.name, given.member, member.prefix
                    )
                }),
            };
            problems.extend(problem.map(|message| Problem {
                path: place(index),
                message,
            }));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RegistryError::Invalid(problems))
        }
    }
}

/// A name that was given to something of another member, and looks as if it were this one's.
fn claimed<'a>(given: &'a [Given], member: &Member) -> Option<&'a Given> {
    let prefix = member.prefix.as_str();
    given.iter().find(|given| {
        let begins = given.name.split_once(SEPARATOR);
        given.member != member.route && begins.is_some_and(|(before, _)| looks_alike(before, prefix))
    })
}
