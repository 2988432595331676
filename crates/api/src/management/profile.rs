//! What people say about a server, changed.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::HeaderMap;

use super::servers::read_expected;
use crate::content::{self, Content};
use crate::credential::Known;
use crate::etag;
use crate::problem::Problem;
use crate::query::{PathParts, server_name};
use crate::shapes::profile::ProfileChangeShape;
use crate::shapes::server::ServerShape;
use crate::{Api, management};

/// Change what people say about a server
///
/// Owners, contacts, licence, use cases, tags, custom properties and the like. Not the document, so no approval is
/// voided. Who may publish the server may change it; the tags of an approved one, only who may manage it.
#[utoipa::path(
    patch, path = "/api/v1/servers/{name}", tag = "servers", operation_id = "describeServer",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("If-Match" = String, Header, description = "The entry's `ETag`, or `*`")
    ),
    request_body = ProfileChangeShape,
    responses((status = 200, body = ServerShape, headers(("ETag" = String, description = "The entry's revision"))))
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    headers: HeaderMap,
    Content(change): Content<ProfileChangeShape>,
) -> Result<impl IntoResponse, Problem> {
    let name = server_name(&name)?;
    let expected = read_expected(&headers)?;
    let patch = change.into_patch();
    if patch.is_empty() {
        return Err(content::field("", "name at least one thing to change"));
    }
    let saved = api.registry.describe(&caller, &name, patch, expected).await;
    let entry = saved.map_err(management::stale_if_conflict)?;
    let shape = ServerShape::new(&entry, &api.public_url);
    Ok((etag::of_revision(entry.revision), Json(shape)))
}
