//! `environments`: made, shown, changed, removed.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};

use super::servers::{Nothing, read_expected};
use crate::content::Content;
use crate::credential::Known;
use crate::etag;
use crate::problem::Problem;
use crate::query::{PathParts, Query, environment};
use crate::shapes::List;
use crate::shapes::environment::{EnvironmentChangeShape, EnvironmentShape, NewEnvironmentShape};
use crate::{Api, management};

/// List the environments, in their order
#[utoipa::path(
    get, path = "/api/v1/environments", tag = "deployments", operation_id = "listEnvironments",
    responses((status = 200, body = List<EnvironmentShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(_): Known,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<List<EnvironmentShape>>, Problem> {
    let all = api.registry.environments().await?;
    Ok(Json(List::whole(all.iter().map(EnvironmentShape::new).collect())))
}

/// Make an environment
#[utoipa::path(
    post, path = "/api/v1/environments", tag = "deployments", operation_id = "createEnvironment",
    request_body = NewEnvironmentShape, responses((status = 201, body = EnvironmentShape))
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewEnvironmentShape>,
) -> Result<impl IntoResponse, Problem> {
    let record = api.registry.create_environment(&caller, new.into_new()).await?;
    let shape = Json(EnvironmentShape::new(&record));
    Ok((StatusCode::CREATED, etag::of_revision(record.revision), shape))
}

/// Show an environment
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}", tag = "deployments", operation_id = "getEnvironment",
    params(("environment" = String, Path, description = "The environment's name")),
    responses((status = 200, body = EnvironmentShape,
        headers(("ETag" = String, description = "The environment's revision"))))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(_): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let record = api.registry.environment(&environment(&name)?).await?;
    Ok((
        etag::of_revision(record.revision),
        Json(EnvironmentShape::new(&record)),
    ))
}

/// Change an environment
#[utoipa::path(
    patch, path = "/api/v1/environments/{environment}", tag = "deployments", operation_id = "changeEnvironment",
    params(
        ("environment" = String, Path, description = "The environment's name"),
        ("If-Match" = String, Header, description = "The environment's `ETag`, or `*`")
    ),
    request_body = EnvironmentChangeShape,
    responses((status = 200, body = EnvironmentShape,
        headers(("ETag" = String, description = "The environment's revision"))))
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    headers: HeaderMap,
    Content(change): Content<EnvironmentChangeShape>,
) -> Result<impl IntoResponse, Problem> {
    let name = environment(&name)?;
    let expected = read_expected(&headers)?;
    let saved = api
        .registry
        .change_environment(&caller, &name, change.into_patch(), expected);
    let record = saved.await.map_err(management::stale_if_conflict)?;
    Ok((
        etag::of_revision(record.revision),
        Json(EnvironmentShape::new(&record)),
    ))
}

/// Remove an environment that nothing is in
#[utoipa::path(
    delete, path = "/api/v1/environments/{environment}", tag = "deployments", operation_id = "removeEnvironment",
    params(("environment" = String, Path, description = "The environment's name")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<StatusCode, Problem> {
    let name = environment(&name)?;
    api.registry.remove_environment(&caller, &name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
