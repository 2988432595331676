//! `servers/{name}/logins`: how Portreeve logs in at a protected server when it looks at its tools.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_core::login::ServerLogin;
use serde::Deserialize;
use utoipa::IntoParams;

use super::servers::Pages;
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name};
use crate::shapes::List;
use crate::shapes::login::{NewLoginShape, ServerLoginShape};

/// Which login.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LoginQuery {
    /// The URL that it is for; that of the server's newest version unless given.
    url: Option<String>,
}

/// List how Portreeve logs in at a server
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/logins", tag = "servers", operation_id = "listLogins",
    params(("name" = String, Path, description = "The server's name, URL-encoded"), crate::paging::Paging),
    responses((status = 200, body = List<ServerLoginShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(paging): Pages,
) -> Result<Json<List<ServerLoginShape>>, Problem> {
    let logins = api.registry.logins(&caller, &server_name(&name)?).await?;
    let page = paging.page(logins, |login: &ServerLogin| login.url.clone())?;
    Ok(Json(List {
        items: page.items.iter().map(ServerLoginShape::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Say how Portreeve logs in at a server
///
/// For assessments and for looking at tools; calls are another matter. The secret is shown to this URL, byte for byte, and
/// to no other: a version that leads elsewhere is looked at without it. For administrators.
#[utoipa::path(
    put, path = "/api/v1/servers/{name}/logins", tag = "servers", operation_id = "setLogin",
    params(("name" = String, Path, description = "The server's name, URL-encoded")),
    request_body = NewLoginShape, responses((status = 200, body = ServerLoginShape))
)]
pub(crate) async fn set(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Content(new): Content<NewLoginShape>,
) -> Result<Json<ServerLoginShape>, Problem> {
    let name = server_name(&name)?;
    let login = api.registry.set_login(&caller, &name, new.into_parts()).await?;
    Ok(Json(ServerLoginShape::from(&login)))
}

/// Log in at a server no more
#[utoipa::path(
    delete, path = "/api/v1/servers/{name}/logins", tag = "servers", operation_id = "removeLogin",
    params(("name" = String, Path, description = "The server's name, URL-encoded"), LoginQuery),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(query): Query<LoginQuery>,
) -> Result<StatusCode, Problem> {
    let name = server_name(&name)?;
    api.registry.remove_login(&caller, &name, query.url).await?;
    Ok(StatusCode::NO_CONTENT)
}
