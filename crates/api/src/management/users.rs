//! `users`: listed.

use axum::Json;
use axum::extract::State;
use portreeve_core::caller::User;

use super::servers::Pages;
use crate::Api;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::Query;
use crate::shapes::List;
use crate::shapes::identity::UserShape;

/// List the users
#[utoipa::path(
    get, path = "/api/v1/users", tag = "identities", operation_id = "listUsers",
    params(crate::paging::Paging), responses((status = 200, body = List<UserShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<UserShape>>, Problem> {
    let users = api.access.users(&caller).await?;
    let page = paging.page(users, |user: &User| user.id.to_string())?;
    Ok(Json(List {
        items: page.items.iter().map(UserShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}
