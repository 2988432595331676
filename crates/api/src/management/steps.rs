//! The steps of a version's life: submit, approve, reject, lifecycle. Each exists for one version, and at the server
//! for the one that is meant there: the newest that waits for this step. The lifecycle of a server is that of all its
//! approved versions.

use axum::Json;
use axum::extract::State;
use portreeve_core::caller::Caller;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_registry::Approving;

use crate::Api;
use crate::content::{Content, MaybeContent};
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, server_name, version_text};
use crate::shapes::server::{
    ApproveStep, LifecycleStep, Nothing, OutcomeShape, RejectStep, ServerShape, VersionShape,
};

/// A server's name, and perhaps a version, out of a path.
type Place = (ServerName, Option<VersionText>);

fn newest(name: &str) -> Result<Place, Problem> {
    Ok((server_name(name)?, None))
}

fn one((name, version): &(String, String)) -> Result<Place, Problem> {
    Ok((server_name(name)?, Some(version_text(version)?)))
}

async fn take_submit(
    api: &Api,
    caller: &Caller,
    (name, version): Place,
) -> Result<Json<VersionShape>, Problem> {
    let version = api.registry.submit(caller, &name, version.as_ref()).await?;
    Ok(Json(VersionShape::new(&version)))
}

async fn take_approve(
    api: &Api,
    caller: &Caller,
    (name, version): Place,
    step: ApproveStep,
) -> Result<Json<OutcomeShape>, Problem> {
    let approving = Approving {
        internal: step.internal.into(),
        plan: step.plan,
    };
    let outcome = api
        .registry
        .approve(caller, &name, version.as_ref(), approving)
        .await?;
    Ok(Json(OutcomeShape::new(&outcome, &api.public_url)))
}

async fn take_reject(
    api: &Api,
    caller: &Caller,
    (name, version): Place,
    step: RejectStep,
) -> Result<Json<VersionShape>, Problem> {
    let version = api
        .registry
        .reject(caller, &name, version.as_ref(), &step.reason)
        .await?;
    Ok(Json(VersionShape::new(&version)))
}

async fn take_lifecycle(
    api: &Api,
    caller: &Caller,
    (name, version): Place,
    step: LifecycleStep,
) -> Result<Json<ServerShape>, Problem> {
    let LifecycleStep { lifecycle, message } = step;
    let set = api
        .registry
        .set_lifecycle(caller, &name, version.as_ref(), lifecycle, message);
    Ok(Json(ServerShape::new(&set.await?, &api.public_url)))
}

/// Hand the newest draft in for approval
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/submit", tag = "servers", operation_id = "submitServer",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = Option<Nothing>, responses((status = 200, body = VersionShape))
)]
pub(crate) async fn submit(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<VersionShape>, Problem> {
    take_submit(&api, &caller, newest(&name)?).await
}

/// Approve the newest version that waits
///
/// It is listed, and its route is made or moved.
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/approve", tag = "servers", operation_id = "approveServer",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = Option<ApproveStep>, responses((status = 200, body = OutcomeShape))
)]
pub(crate) async fn approve(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    MaybeContent(step): MaybeContent<ApproveStep>,
) -> Result<Json<OutcomeShape>, Problem> {
    take_approve(&api, &caller, newest(&name)?, step).await
}

/// Send the newest version that waits back, with a reason
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/reject", tag = "servers", operation_id = "rejectServer",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = RejectStep, responses((status = 200, body = VersionShape))
)]
pub(crate) async fn reject(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Content(step): Content<RejectStep>,
) -> Result<Json<VersionShape>, Problem> {
    take_reject(&api, &caller, newest(&name)?, step).await
}

/// Change the lifecycle of every approved version
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/lifecycle", tag = "servers", operation_id = "setServerLifecycle",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = LifecycleStep, responses((status = 200, body = ServerShape))
)]
pub(crate) async fn lifecycle(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Content(step): Content<LifecycleStep>,
) -> Result<Json<ServerShape>, Problem> {
    take_lifecycle(&api, &caller, newest(&name)?, step).await
}

/// Hand a version in for approval
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/versions/{version}/submit", tag = "servers", operation_id = "submitVersion",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version")
    ),
    request_body = Option<Nothing>, responses((status = 200, body = VersionShape))
)]
pub(crate) async fn submit_version(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(place): PathParts<(String, String)>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<VersionShape>, Problem> {
    take_submit(&api, &caller, one(&place)?).await
}

/// Approve a version
///
/// It is listed, and its route is made or moved.
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/versions/{version}/approve", tag = "servers", operation_id = "approveVersion",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version")
    ),
    request_body = Option<ApproveStep>, responses((status = 200, body = OutcomeShape))
)]
pub(crate) async fn approve_version(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(place): PathParts<(String, String)>,
    MaybeContent(step): MaybeContent<ApproveStep>,
) -> Result<Json<OutcomeShape>, Problem> {
    take_approve(&api, &caller, one(&place)?, step).await
}

/// Send a version back, with a reason
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/versions/{version}/reject", tag = "servers", operation_id = "rejectVersion",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version")
    ),
    request_body = RejectStep, responses((status = 200, body = VersionShape))
)]
pub(crate) async fn reject_version(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(place): PathParts<(String, String)>,
    Content(step): Content<RejectStep>,
) -> Result<Json<VersionShape>, Problem> {
    take_reject(&api, &caller, one(&place)?, step).await
}

/// Change the lifecycle of a version
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/versions/{version}/lifecycle", tag = "servers",
    operation_id = "setVersionLifecycle",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version")
    ),
    request_body = LifecycleStep, responses((status = 200, body = ServerShape))
)]
pub(crate) async fn lifecycle_version(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(place): PathParts<(String, String)>,
    Content(step): Content<LifecycleStep>,
) -> Result<Json<ServerShape>, Problem> {
    take_lifecycle(&api, &caller, one(&place)?, step).await
}
