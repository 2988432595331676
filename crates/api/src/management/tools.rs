//! `servers/{name}/tools`: the live tool list with its pins, and what is decided about it.

use axum::Json;
use axum::extract::State;
use portreeve_registry::ToolView;

use super::servers::Pages;
use crate::Api;
use crate::content::{Content, MaybeContent};
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name};
use crate::shapes::List;
use crate::shapes::server::Nothing;
use crate::shapes::tool::{ApproveTools, ToolShape};

/// List the tools of a server with their state, and what changed since they were approved
///
/// Managers see every tool, others those they may call.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/tools", tag = "tools", operation_id = "listTools",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        crate::paging::Paging
    ),
    responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(paging): Pages,
) -> Result<Json<List<ToolShape>>, Problem> {
    let views = api.registry.tools(&caller, &server_name(&name)?).await?;
    let tools = views.iter().map(ToolShape::new).collect();
    let page = paging.page(tools, |tool: &ToolShape| format!("{}/{}", tool.name, tool.era))?;
    Ok(Json(page))
}

/// Approve tools as they are now
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/approve", tag = "tools", operation_id = "approveTools",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = ApproveTools, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn approve(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Content(which): Content<ApproveTools>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let name = server_name(&name)?;
    let views = api
        .registry
        .approve_tools(&caller, &name, which.choice()?)
        .await?;
    Ok(shown(&views))
}

/// Ask the server for its tools now
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/refresh", tag = "tools", operation_id = "refreshTools",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = Option<Nothing>, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn refresh(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let name = server_name(&name)?;
    let views = api.registry.refresh_tools(&caller, &name).await?;
    Ok(shown(&views))
}

/// Hide a tool from everybody
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/{tool}/hide", tag = "tools", operation_id = "hideTool",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("tool" = String, Path, description = "The tool's name")
    ),
    request_body = Option<Nothing>, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn hide(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, tool)): PathParts<(String, String)>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let name = server_name(&name)?;
    let views = api.registry.hide_tool(&caller, &name, &tool).await?;
    Ok(shown(&views))
}

/// Show a hidden tool again
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/{tool}/unhide", tag = "tools", operation_id = "unhideTool",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("tool" = String, Path, description = "The tool's name")
    ),
    request_body = Option<Nothing>, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn unhide(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, tool)): PathParts<(String, String)>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let name = server_name(&name)?;
    let views = api.registry.unhide_tool(&caller, &name, &tool).await?;
    Ok(shown(&views))
}

fn shown(views: &[ToolView]) -> Json<List<ToolShape>> {
    Json(List::whole(views.iter().map(ToolShape::new).collect()))
}
