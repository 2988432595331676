//! Takes the sample REST API in: its description and its choices go to the importer, like anybody's.

use portreeve_core::caller::Caller;
use portreeve_core::limits::Limits;
use portreeve_core::name::ServerName;
use portreeve_core::ports::Entry;
use portreeve_core::route::RouteState;
use portreeve_registry::import::openapi::{self, Curation};
use portreeve_registry::{Approve, Description, Internal, NewRest, RegistryError};

use super::{limit, told};
use crate::cli::Failure;
use crate::demo::chandler;
use crate::wire::Node;

/// The name of the REST API's server.
pub(crate) const API: &str = "com.example/chandler";
/// One of its read-only tools.
pub(crate) const API_TOOL: &str = "find_parts";

const ABOUT: &str = "A ship chandler's REST API to try things on: parts, orders and shipments";

/// Imports the API unless it is there as it is now, and says whether it can be called. What people chose of it stays; an
/// entry that they made something else of, or closed, is theirs.
pub(super) async fn take_in(node: &Node, base_url: &str) -> Result<bool, Failure> {
    let system = Caller::system();
    let name: ServerName = API.parse().map_err(|error| Failure::new(format!("{error}")))?;
    let mut new = NewRest {
        name: name.clone(),
        description: Description::Text(chandler::DESCRIPTION.to_owned()),
        base_url: Some(base_url.to_owned()),
        version: None,
        about: Some(ABOUT.to_owned()),
        curation: curation()?,
        internal: Internal::Grant,
        approve: Approve::Now,
    };
    let is_new = match node.registry.entry(&system, &name).await {
        Ok(entry) if !is_open(&entry) => return Ok(false),
        Ok(entry) => {
            let Ok(view) = node.registry.rest(&system, &name, None).await else {
                return Ok(false);
            };
            new.curation = view.details.curation;
            let preview = node.registry.preview_rest(&system, &new).await.map_err(told)?;
            let is_here = entry.routes.iter().any(|route| route.upstream_url == base_url);
            if is_here && preview.changes.is_empty() {
                return Ok(true);
            }
            false
        }
        Err(RegistryError::NotFound { .. }) => true,
        Err(error) => return Err(told(error)),
    };
    let made = node.registry.import_rest(&system, new).await.map_err(told)?;
    let Some(route) = made.outcome.route else {
        return Err(Failure::new("the sample REST API got no route"));
    };
    if is_new {
        let changed = node.registry.change_route(&system, &route.slug, limit(), None);
        changed.await.map_err(told)?;
    }
    Ok(true)
}

fn is_open(entry: &Entry) -> bool {
    entry.routes.iter().any(|route| route.state == RouteState::Active)
}

fn curation() -> Result<Curation, Failure> {
    let unread = |error: &dyn std::fmt::Display| {
        Failure::new(format!(
            "the choices of the sample REST API cannot be read: {error}"
        ))
    };
    let value = openapi::read(chandler::CURATION, &Limits::default()).map_err(|error| unread(&error))?;
    serde_json::from_value(value).map_err(|error| unread(&error))
}
