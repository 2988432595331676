//! `servers/{name}/members`: what a virtual server is made of, and the names that it gave.

use axum::Json;
use axum::extract::State;

use super::servers::Pages;
use crate::Api;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name};
use crate::shapes::List;
use crate::shapes::member::MemberShape;

/// List the members of a virtual server
///
/// Those that its route leads to, with the names under which it offers what they have. A server becomes a virtual one by its
/// document: `_meta` › `io.modelcontextprotocol.registry/publisher-provided` › `portreeve/virtual` holds `members`, each with
/// its `route` and perhaps a `prefix`, and `shows`, which is `all` or `search`. For who manages the server.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/members", tag = "servers", operation_id = "listMembers",
    params(("name" = String, Path, description = "The server's name, URL-encoded"), crate::paging::Paging),
    responses((status = 200, body = List<MemberShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(paging): Pages,
) -> Result<Json<List<MemberShape>>, Problem> {
    let members = api.registry.members(&caller, &server_name(&name)?).await?;
    let page = paging.page(members, |member| member.route.to_string())?;
    Ok(Json(List {
        items: page.items.into_iter().map(MemberShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}
