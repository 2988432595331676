//! The third room: head and route → caller. A credential comes in a header, never in the path, the query or a cookie.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use portreeve_access::{Access, Place};
use portreeve_core::caller::Caller;
use portreeve_core::oauth::{Scopes, ToolClass};
use portreeve_core::ports::Door;
use portreeve_core::route::Access as RouteAccess;

use crate::accept::head::Head;
use crate::policy::Allowed;
use crate::respond::Refusal;
use crate::route::ServedRoute;
use crate::upstream::Way;

const API_KEY: &str = "x-api-key";

/// A caller that was let in.
#[derive(Debug)]
pub struct Identified {
    /// Who it is.
    pub caller: Caller,
    /// Who has allowed it at the virtual server that it comes from.
    pub allowed_above: Option<Arc<Allowed>>,
    /// Where the request comes from, where the listener knows.
    pub from: Option<IpAddr>,
}

impl Identified {
    fn new(caller: Caller) -> Self {
        Self {
            caller,
            allowed_above: None,
            from: None,
        }
    }
}

/// Finds out who is calling a route, which is this resource. Nothing of the body was read before this.
pub async fn caller(
    head: &Head,
    route: &ServedRoute,
    (access, resource): (&Access, &str),
) -> Result<Identified, Refusal> {
    let place = Place {
        resource,
        route: &route.route.slug,
        takes: &route.route.credentials,
    };
    match credential(head)? {
        Some(credential) => match access.authenticate_at(credential, &place).await {
            Ok(caller) => reaches(caller, route),
            Err(_) => Err(Refusal::InvalidCredential),
        },
        None if route.route.access == RouteAccess::Anonymous => Ok(Identified::new(Caller::anonymous())),
        None => Err(Refusal::NoCredential),
    }
}

/// A token that opens nothing of the route is refused before anything is read, like one for another server.
fn reaches(caller: Caller, route: &ServedRoute) -> Result<Identified, Refusal> {
    let slug = &route.route.slug;
    match &caller.token {
        Some(token) if !token.scopes.cover(slug, ToolClass::Read) => Err(Refusal::InsufficientScope {
            needed: Scopes::needed(slug, ToolClass::Read),
        }),
        _ => Ok(Identified::new(caller)),
    }
}

/// Refuses who is not let in by a server of our own: without a credential as if one were missing, with one as if there
/// were no such route.
pub fn admitted(who: &Identified, route: &ServedRoute) -> Result<(), Refusal> {
    let Way::Local(server) = &route.upstream else {
        return Ok(());
    };
    match server.door(&who.caller) {
        Door::Open => Ok(()),
        Door::NeedsCredential => Err(Refusal::NoCredential),
        Door::NotThere => Err(Refusal::NoSuchRoute),
    }
}

fn credential(head: &Head) -> Result<Option<&str>, Refusal> {
    let mut given = head.headers.get_all(AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (Some(_), Some(_)) => Err(Refusal::TwoCredentials),
        (Some(value), None) => {
            let value = value.to_str().map_err(|_| Refusal::InvalidCredential)?;
            match value.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
                _ => Err(Refusal::InvalidCredential),
            }
        }
        (None, _) if head.is_doubled(API_KEY) => Err(Refusal::TwoCredentials),
        (None, _) => match head.headers.get(API_KEY) {
            Some(value) => value.to_str().map(Some).map_err(|_| Refusal::InvalidCredential),
            None => Ok(None),
        },
    }
}
