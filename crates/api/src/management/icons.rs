//! `servers/{name}/icons`: what is shown beside a server's name, and what could not be.

use axum::Json;
use axum::extract::State;
use portreeve_core::icon::NamedIcon;

use super::servers::Pages;
use crate::Api;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name};
use crate::shapes::List;
use crate::shapes::icon::IconShape;

/// List the icons of a server
///
/// Those of its profile first, then those of the document that hosts get; they are fetched once a version is listed. Where
/// an icon lies, and why it is not shown, is for who may publish the server.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/icons", tag = "servers", operation_id = "listIcons",
    params(("name" = String, Path, description = "The server's name, URL-encoded"), crate::paging::Paging),
    responses((status = 200, body = List<IconShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(paging): Pages,
) -> Result<Json<List<IconShape>>, Problem> {
    let icons = api.registry.icons(&caller, &server_name(&name)?).await?;
    // Those of the profile come first.
    let place = |icon: &NamedIcon| format!("{}{}", u8::from(!icon.path.starts_with("profile.")), icon.path);
    let page = paging.page(icons, place)?;
    Ok(Json(List {
        items: page.items.iter().map(|icon| IconShape::new(&api, icon)).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Fetch the icons of a server again
///
/// Through the egress guard, at most 3 redirects far, at most 10 seconds and 256 KiB each. For who may publish the server.
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/icons", tag = "servers", operation_id = "fetchIcons",
    params(("name" = String, Path, description = "The server's name, URL-encoded")),
    responses((status = 200, body = List<IconShape>))
)]
pub(crate) async fn fetch(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<Json<List<IconShape>>, Problem> {
    let icons = api.registry.fetch_icons(&caller, &server_name(&name)?).await?;
    let items = icons.iter().map(|icon| IconShape::new(&api, icon)).collect();
    Ok(Json(List::whole(items)))
}
