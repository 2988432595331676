//! `deployments` of a server and of all of them, and the plan of an approval.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::HeaderMap;
use portreeve_core::ports::Entry;
use portreeve_registry::{Approving, DeploymentsQuery, NewDeployments, Standing};
use serde::Deserialize;
use utoipa::IntoParams;

use super::servers::{Nothing, read_expected};
use crate::content::{Content, MaybeContent};
use crate::credential::Known;
use crate::etag;
use crate::problem::Problem;
use crate::query::{PathParts, Query, environment, server_name, version_text};
use crate::shapes::List;
use crate::shapes::deployment::{
    DeployedShape, DeploymentShape, DeploymentsShape, NewDeploymentsShape, PlanShape,
};
use crate::shapes::server::{ApproveStep, Nothing as NoContent};
use crate::{Api, management};

/// Which version would be approved.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlanQuery {
    /// The version; the newest that waits unless given.
    version: Option<String>,
}

/// Which deployments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeploymentsWanted {
    /// Only of this server.
    server: Option<String>,
    /// Only in this environment.
    environment: Option<String>,
    /// Only `active`, `inactive` or `proposed` ones.
    state: Option<String>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Deployments on the page, 1 to 100; 30 unless given.
    limit: Option<u64>,
}

/// List where servers run
///
/// Deployments in force, and those that wait for an approval, of every server that the caller may publish; by server,
/// environment and major version.
#[utoipa::path(
    get, path = "/api/v1/deployments", tag = "deployments", operation_id = "listAllDeployments",
    params(DeploymentsWanted), responses((status = 200, body = List<DeployedShape>))
)]
pub(crate) async fn all(
    State(api): State<Api>,
    Known(caller): Known,
    Query(wanted): Query<DeploymentsWanted>,
) -> Result<Json<List<DeployedShape>>, Problem> {
    let standing = |word: &String| {
        Standing::from_word(word).ok_or_else(|| {
            Problem::bad_request(format!(
                "the query is wrong: `{word}` is no state of a deployment"
            ))
            .hint("`active`, `inactive` or `proposed`")
        })
    };
    let query = DeploymentsQuery {
        server: wanted.server.as_deref().map(server_name).transpose()?,
        environment: wanted.environment.as_deref().map(environment).transpose()?,
        standing: wanted.state.as_ref().map(standing).transpose()?,
        cursor: wanted.cursor,
        limit: super::imports::limit(wanted.limit)?,
    };
    let page = api.registry.all_deployments(&caller, query).await?;
    let items = page
        .items
        .iter()
        .map(|one| DeployedShape::new(one, &api.public_url));
    Ok(Json(List {
        items: items.collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Show what approving would do
///
/// Which routes would be made, moved, started or stopped, from which version to which. `approve` takes the plan's hash
/// and is refused when it would do something else by then.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/plan", tag = "deployments", operation_id = "planApproval",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments"), PlanQuery),
    responses((status = 200, body = PlanShape))
)]
pub(crate) async fn plan(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(query): Query<PlanQuery>,
) -> Result<Json<PlanShape>, Problem> {
    let name = server_name(&name)?;
    let version = query.version.as_deref().map(version_text).transpose()?;
    let plan = api.registry.plan(&caller, &name, version.as_ref()).await?;
    Ok(Json(PlanShape::new(name.to_string(), &plan)))
}

/// Show where a server runs: what is in force, and what waits
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/deployments", tag = "deployments", operation_id = "listDeployments",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    responses((status = 200, body = DeploymentsShape,
        headers(("ETag" = String, description = "The entry's revision"))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<impl IntoResponse, Problem> {
    let entry = api.registry.deployments(&caller, &server_name(&name)?).await?;
    Ok(tagged(&api, &entry))
}

/// Say where a server runs
///
/// All of its deployments; what is not among them ends. In force at once for those who manage the server; what others
/// say waits for an approval. A deployment for `production` without a major version takes the place of the remote in
/// the server's document.
#[utoipa::path(
    put, path = "/api/v1/servers/{name}/deployments", tag = "deployments", operation_id = "setDeployments",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("If-Match" = String, Header, description = "The entry's `ETag`, or `*`")
    ),
    request_body = NewDeploymentsShape,
    responses((status = 200, body = DeploymentsShape,
        headers(("ETag" = String, description = "The entry's revision"))))
)]
pub(crate) async fn replace(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    headers: HeaderMap,
    Content(new): Content<NewDeploymentsShape>,
) -> Result<impl IntoResponse, Problem> {
    let name = server_name(&name)?;
    let new = NewDeployments {
        expected: read_expected(&headers)?,
        internal: new.internal.into(),
        deployments: new
            .deployments
            .into_iter()
            .map(DeploymentShape::into_deployment)
            .collect(),
    };
    let deployed = api.registry.deploy(&caller, &name, new).await;
    let deployed = deployed.map_err(management::stale_if_conflict)?;
    let shape = DeploymentsShape::deployed(&deployed, &api.public_url);
    Ok((etag::of_revision(deployed.entry.revision), Json(shape)))
}

/// Put the deployments that wait in force
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/deployments/approve", tag = "deployments",
    operation_id = "approveDeployments",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = Option<ApproveStep>, responses((status = 200, body = DeploymentsShape))
)]
pub(crate) async fn approve(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    MaybeContent(step): MaybeContent<ApproveStep>,
) -> Result<impl IntoResponse, Problem> {
    let approving = Approving {
        internal: step.internal.into(),
        plan: step.plan,
    };
    let name = server_name(&name)?;
    let deployed = api
        .registry
        .approve_deployments(&caller, &name, approving)
        .await?;
    let shape = DeploymentsShape::deployed(&deployed, &api.public_url);
    Ok((etag::of_revision(deployed.entry.revision), Json(shape)))
}

/// Take the deployments that wait back, or send them back
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/deployments/withdraw", tag = "deployments",
    operation_id = "withdrawDeployments",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = Option<NoContent>, responses((status = 200, body = DeploymentsShape))
)]
pub(crate) async fn withdraw(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    MaybeContent(NoContent {}): MaybeContent<NoContent>,
) -> Result<impl IntoResponse, Problem> {
    let name = server_name(&name)?;
    let entry = api.registry.withdraw_deployments(&caller, &name).await?;
    Ok(tagged(&api, &entry))
}

fn tagged(api: &Api, entry: &Entry) -> impl IntoResponse + use<> {
    let shape = DeploymentsShape::new(entry, &api.public_url);
    (etag::of_revision(entry.revision), Json(shape))
}
