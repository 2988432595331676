//! `servers` and `servers/{name}/versions`: registering, listing, showing, removing.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use portreeve_registry::{Approve, Declared, EntriesQuery, Submission};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::content::{self, Content};
use crate::credential::Known;
use crate::paging::{self, Paging};
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name, version_text};
use crate::shapes::List;
use crate::shapes::deployment::DeploymentShape;
use crate::shapes::server::{NewServer, OutcomeShape, ServerItem, ServerShape, VersionShape};
use crate::{Api, etag};

/// Which servers are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ServersQuery {
    /// Only servers whose name, title or description holds this text.
    search: Option<String>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Items on the page, 1 to 100; 100 unless given.
    limit: Option<u64>,
}

/// List the servers
///
/// One item for each version. Managers see every version in every state, others the latest of each listed server.
#[utoipa::path(
    get, path = "/api/v1/servers", tag = "servers", operation_id = "listServers",
    params(ServersQuery), responses((status = 200, body = List<ServerItem>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(query): Query<ServersQuery>,
) -> Result<Json<List<ServerItem>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let query = EntriesQuery {
        search: query.search,
        cursor: query.cursor,
        limit: u32::try_from(limit).ok(),
    };
    let page = api.registry.entries(&caller, query).await?;
    let items = page
        .items
        .iter()
        .map(|listed| ServerItem::new(listed, &api.public_url));
    Ok(Json(List {
        items: items.collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Register a server, or a new version of one
#[utoipa::path(
    post, path = "/api/v1/servers", tag = "servers", operation_id = "addServer",
    request_body = NewServer, responses((status = 201, body = OutcomeShape))
)]
pub(crate) async fn add(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewServer>,
) -> Result<Response, Problem> {
    let approve = match (new.draft, new.approve) {
        (true, true) => {
            return Err(content::field(
                "draft",
                "a draft is approved once it is submitted",
            ));
        }
        (true, false) => Approve::Draft,
        (false, true) => Approve::Now,
        (false, false) => Approve::No,
    };
    let submission = Submission {
        document: new.document.get().to_owned(),
        internal: new.internal.into(),
        approve,
    };
    let mut profile = new.profile.into_patch();
    if new.metadata.is_some() && profile.metadata.is_some() {
        return Err(content::field(
            "metadata",
            "it stands there twice, here and in `profile`",
        ));
    }
    profile.metadata = new.metadata.or(profile.metadata);
    let declared = Declared {
        metadata: new.version_metadata,
        profile,
        deployments: new
            .deployments
            .map(|all| all.into_iter().map(DeploymentShape::into_deployment).collect()),
    };
    let outcome = api.registry.add_declared(&caller, submission, declared).await?;
    let shape = OutcomeShape::new(&outcome, &api.public_url);
    let location = outcome.version.name.as_str().replace('/', "%2F");
    let mut response = (StatusCode::CREATED, Json(shape)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/servers/{location}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Show a server with its versions and routes
#[utoipa::path(
    get, path = "/api/v1/servers/{name}", tag = "servers", operation_id = "getServer",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    responses((status = 200, body = ServerShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let entry = api.registry.entry(&caller, &server_name(&name)?).await?;
    let shape = ServerShape::new(&entry, &api.public_url);
    Ok((etag::of_revision(entry.revision), Json(shape)))
}

/// Remove a server with all its versions and routes
///
/// Its slugs stay reserved for its name.
#[utoipa::path(
    delete, path = "/api/v1/servers/{name}", tag = "servers", operation_id = "removeServer",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<StatusCode, Problem> {
    let name = server_name(&name)?;
    api.registry.remove(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the versions of a server, newest first
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/versions", tag = "servers", operation_id = "listVersions",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    responses((status = 200, body = List<VersionShape>))
)]
pub(crate) async fn versions(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<List<VersionShape>>, Problem> {
    let entry = api.registry.entry(&caller, &server_name(&name)?).await?;
    let items = entry.versions.iter().map(VersionShape::new).collect();
    Ok(Json(List::whole(items)))
}

/// Show a version of a server
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/versions/{version}", tag = "servers", operation_id = "getVersion",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version, or `latest`")
    ),
    responses((status = 200, body = VersionShape))
)]
pub(crate) async fn version(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, version)): PathParts<(String, String)>,
) -> Result<Json<VersionShape>, Problem> {
    let entry = api.registry.entry(&caller, &server_name(&name)?).await?;
    let found = if version == "latest" {
        entry.versions.iter().find(|candidate| candidate.is_latest)
    } else {
        let wanted = version_text(&version)?;
        entry
            .versions
            .iter()
            .find(|candidate| candidate.version == wanted)
    };
    match found {
        Some(found) => Ok(Json(VersionShape::new(found))),
        None => Err(Problem::not_found(format!(
            "version `{version}` of server `{name}`"
        ))),
    }
}

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The paging of a list that has no other parameter.
pub(super) type Pages = Query<Paging>;

/// The revision that the caller saw, from `If-Match`, which every change of an existing thing needs.
pub(super) fn read_expected(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    Ok(etag::Expected::from_headers(headers)?.revision())
}
