//! `users` and `groups`: made, listed, put into groups, disabled, reset, removed; and the sessions of each.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_access::NewUser;
use portreeve_core::caller::User;

use super::in_force;
use super::servers::Pages;
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::user::{
    CreatedUser, EndedShape, GroupShape, GroupsShape, NewUserShape, SessionShape, UserShape,
};

/// What holds a link must not be kept by anything in between.
type Unstored = [(http::HeaderName, &'static str); 1];

const UNSTORED: Unstored = [(http::header::CACHE_CONTROL, "no-store")];

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

/// Make a local user
///
/// There is no password yet: `passwordLink` sets one, once, within 24 hours. Whoever holds it is the user. Users of an
/// identity provider are made when they sign in.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "identities", operation_id = "createUser",
    request_body = NewUserShape, responses((status = 201, body = CreatedUser))
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewUserShape>,
) -> Result<(StatusCode, Unstored, Json<CreatedUser>), Problem> {
    let new = NewUser {
        name: new.name,
        display_name: new.display_name,
        email: new.email,
        groups: new.groups,
    };
    let user = in_force(&api, api.access.create_user(&caller, new).await).await?;
    let link = api.access.password_link(&caller, &user).await?;
    let link = api.login.password_address(&link);
    Ok((
        StatusCode::CREATED,
        UNSTORED,
        Json(CreatedUser::new(&user, &link)),
    ))
}

/// Show a user
#[utoipa::path(
    get, path = "/api/v1/users/{user}", tag = "identities", operation_id = "showUser",
    params(("user" = String, Path, description = "The user's name or identifier")),
    responses((status = 200, body = UserShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
) -> Result<Json<UserShape>, Problem> {
    let user = api.access.find_user(&caller, &user).await?;
    Ok(Json(UserShape::new(&user)))
}

/// Remove a user
///
/// With the keys that act for the user, the user's grants, sessions and password.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}", tag = "identities", operation_id = "removeUser",
    params(("user" = String, Path, description = "The user's name or identifier")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
) -> Result<StatusCode, Problem> {
    in_force(&api, api.access.remove_user(&caller, &user).await).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Disable a user
///
/// Sessions, keys and tokens of the user stop within a second, on every node.
#[utoipa::path(
    post, path = "/api/v1/users/{user}/disable", tag = "identities", operation_id = "disableUser",
    params(("user" = String, Path, description = "The user's name or identifier")),
    responses((status = 200, body = UserShape))
)]
pub(crate) async fn disable(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
) -> Result<Json<UserShape>, Problem> {
    let user = in_force(&api, api.access.disable_user(&caller, &user).await).await?;
    Ok(Json(UserShape::new(&user)))
}

/// Enable a user again
#[utoipa::path(
    post, path = "/api/v1/users/{user}/enable", tag = "identities", operation_id = "enableUser",
    params(("user" = String, Path, description = "The user's name or identifier")),
    responses((status = 200, body = UserShape))
)]
pub(crate) async fn enable(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
) -> Result<Json<UserShape>, Problem> {
    let user = in_force(&api, api.access.enable_user(&caller, &user).await).await?;
    Ok(Json(UserShape::new(&user)))
}

/// Put a user into groups
///
/// These, and no others by hand. Groups that follow from the identity provider stay beside them.
#[utoipa::path(
    put, path = "/api/v1/users/{user}/groups", tag = "identities", operation_id = "setUserGroups",
    params(("user" = String, Path, description = "The user's name or identifier")),
    request_body = GroupsShape, responses((status = 200, body = UserShape))
)]
pub(crate) async fn set_groups(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
    Content(groups): Content<GroupsShape>,
) -> Result<Json<UserShape>, Problem> {
    let changed = api.access.set_groups(&caller, &user, groups.groups).await;
    let user = in_force(&api, changed).await?;
    Ok(Json(UserShape::new(&user)))
}

/// Take the password and the codes of a local user away
///
/// Every session ends, and `passwordLink` sets a new password, once, within 24 hours.
#[utoipa::path(
    post, path = "/api/v1/users/{user}/reset", tag = "identities", operation_id = "resetUser",
    params(("user" = String, Path, description = "The user's name or identifier")),
    responses((status = 200, body = CreatedUser))
)]
pub(crate) async fn reset(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
) -> Result<(Unstored, Json<CreatedUser>), Problem> {
    let (user, link) = api.login.reset(&caller, &user).await?;
    let link = api.login.password_address(&link);
    Ok((UNSTORED, Json(CreatedUser::new(&user, &link))))
}

/// List the sessions of a user
#[utoipa::path(
    get, path = "/api/v1/users/{user}/sessions", tag = "identities", operation_id = "listUserSessions",
    params(("user" = String, Path, description = "The user's name or identifier"), crate::paging::Paging),
    responses((status = 200, body = List<SessionShape>))
)]
pub(crate) async fn sessions(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
    Query(paging): Pages,
) -> Result<Json<List<SessionShape>>, Problem> {
    let user = api.access.find_user(&caller, &user).await?;
    let sessions = api.access.sessions_of(&caller, user.id).await?;
    let page = paging.page(sessions, |session| session.id.to_string())?;
    Ok(Json(List {
        items: page.items.iter().map(SessionShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// End all sessions of a user
///
/// And what clients were allowed in them.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/sessions", tag = "identities", operation_id = "endUserSessions",
    params(("user" = String, Path, description = "The user's name or identifier")),
    responses((status = 200, body = EndedShape))
)]
pub(crate) async fn end_sessions(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(user): PathParts<String>,
) -> Result<Json<EndedShape>, Problem> {
    let user = api.access.find_user(&caller, &user).await?;
    let ended = api.access.end_all_sessions(&caller, user.id).await?;
    Ok(Json(EndedShape { ended }))
}

/// List the groups that users belong to
#[utoipa::path(
    get, path = "/api/v1/groups", tag = "identities", operation_id = "listGroups",
    params(crate::paging::Paging), responses((status = 200, body = List<GroupShape>))
)]
pub(crate) async fn groups(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<GroupShape>>, Problem> {
    let groups = api.access.groups(&caller).await?;
    let page = paging.page(groups, |(group, _)| group.to_string())?;
    Ok(Json(List {
        items: page.items.into_iter().map(GroupShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}
