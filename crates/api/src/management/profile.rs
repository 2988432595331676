//! What people say about a server and about one version of it, changed.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::HeaderMap;

use super::servers::read_expected;
use crate::content::{self, Content};
use crate::credential::Known;
use crate::etag;
use crate::problem::Problem;
use crate::query::{PathParts, server_name, version_text};
use crate::shapes::profile::{ProfileChangeShape, VersionChangeShape};
use crate::shapes::server::{ServerShape, VersionShape};
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

/// Change what people say about a version
///
/// Values of custom properties of servers, for this version alone: they stand over those of the server. No approval is
/// voided. Who may publish the server may change them.
#[utoipa::path(
    patch, path = "/api/v1/servers/{name}/versions/{version}", tag = "servers", operation_id = "describeVersion",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version"),
        ("If-Match" = String, Header, description = "The entry's `ETag`, or `*`")
    ),
    request_body = VersionChangeShape,
    responses((status = 200, body = VersionShape, headers(("ETag" = String, description = "The entry's revision"))))
)]
pub(crate) async fn change_version(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, version)): PathParts<(String, String)>,
    headers: HeaderMap,
    Content(change): Content<VersionChangeShape>,
) -> Result<impl IntoResponse, Problem> {
    let (name, version) = (server_name(&name)?, version_text(&version)?);
    let expected = read_expected(&headers)?;
    if change.metadata.is_empty() {
        return Err(content::field("metadata", "name at least one value to change"));
    }
    let described = api
        .registry
        .describe_version(&caller, (&name, &version), change.metadata, expected)
        .await;
    let entry = described.map_err(management::stale_if_conflict)?;
    let found = entry
        .versions
        .iter()
        .find(|candidate| candidate.version == version);
    let found = found.ok_or_else(|| Problem::not_found(format!("version `{version}` of server `{name}`")))?;
    Ok((etag::of_revision(entry.revision), Json(VersionShape::new(found))))
}
