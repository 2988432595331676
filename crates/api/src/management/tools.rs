//! `servers/{name}/tools`: the live tool list with its pins, and what is decided about it.

use axum::Json;
use axum::extract::State;
use portreeve_core::name::{ServerName, Slug};
use portreeve_registry::{ToolView, ToolsOf};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Api;
use crate::content::{Content, MaybeContent};
use crate::credential::Known;
use crate::paging::Paging;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name, slug};
use crate::shapes::List;
use crate::shapes::server::Nothing;
use crate::shapes::tool::{ApproveTools, ToolShape};

/// On which route the tools are, and where the page begins.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ToolsQuery {
    /// The slug of one of the server's routes; the production route unless given.
    route: Option<String>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Items on the page, 1 to 500; 100 unless given.
    limit: Option<u64>,
}

/// On which route the tools are.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RouteQuery {
    /// The slug of one of the server's routes; the production route unless given.
    route: Option<String>,
}

/// A server, and perhaps one of its routes.
struct Place {
    server: ServerName,
    route: Option<Slug>,
}

impl Place {
    fn read(name: &str, route: Option<&str>) -> Result<Self, Problem> {
        Ok(Self {
            server: server_name(name)?,
            route: route.map(slug).transpose()?,
        })
    }

    fn tools(&self) -> ToolsOf<'_> {
        ToolsOf {
            server: &self.server,
            route: self.route.as_ref(),
        }
    }
}

/// List the tools of a server with their state, and what changed since they were approved
///
/// Managers see every tool, others those they may call.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/tools", tag = "tools", operation_id = "listTools",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ToolsQuery
    ),
    responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(query): Query<ToolsQuery>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let place = Place::read(&name, query.route.as_deref())?;
    let paging = Paging {
        cursor: query.cursor,
        limit: query.limit,
    };
    let views = api.registry.tools(&caller, place.tools()).await?;
    let tools = views.iter().map(ToolShape::new).collect();
    let page = paging.page(tools, |tool: &ToolShape| format!("{}/{}", tool.name, tool.era))?;
    Ok(Json(page))
}

/// Approve tools as they are now
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/approve", tag = "tools", operation_id = "approveTools",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments"), RouteQuery),
    request_body = ApproveTools, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn approve(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(RouteQuery { route }): Query<RouteQuery>,
    Content(which): Content<ApproveTools>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let place = Place::read(&name, route.as_deref())?;
    let views = api
        .registry
        .approve_tools(&caller, place.tools(), which.choice()?)
        .await?;
    Ok(shown(&views))
}

/// Ask the server for its tools now
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/refresh", tag = "tools", operation_id = "refreshTools",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments"), RouteQuery),
    request_body = Option<Nothing>, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn refresh(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(RouteQuery { route }): Query<RouteQuery>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let place = Place::read(&name, route.as_deref())?;
    let views = api.registry.refresh_tools(&caller, place.tools()).await?;
    Ok(shown(&views))
}

/// Hide a tool from everybody
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/{tool}/hide", tag = "tools", operation_id = "hideTool",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("tool" = String, Path, description = "The tool's name"),
        RouteQuery
    ),
    request_body = Option<Nothing>, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn hide(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, tool)): PathParts<(String, String)>,
    Query(RouteQuery { route }): Query<RouteQuery>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let place = Place::read(&name, route.as_deref())?;
    let views = api.registry.hide_tool(&caller, place.tools(), &tool).await?;
    Ok(shown(&views))
}

/// Show a hidden tool again
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/tools/{tool}/unhide", tag = "tools", operation_id = "unhideTool",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("tool" = String, Path, description = "The tool's name"),
        RouteQuery
    ),
    request_body = Option<Nothing>, responses((status = 200, body = List<ToolShape>))
)]
pub(crate) async fn unhide(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, tool)): PathParts<(String, String)>,
    Query(RouteQuery { route }): Query<RouteQuery>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<List<ToolShape>>, Problem> {
    let place = Place::read(&name, route.as_deref())?;
    let views = api.registry.unhide_tool(&caller, place.tools(), &tool).await?;
    Ok(shown(&views))
}

fn shown(views: &[ToolView]) -> Json<List<ToolShape>> {
    Json(List::whole(views.iter().map(ToolShape::new).collect()))
}
