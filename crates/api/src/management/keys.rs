//! `keys`: made, listed, revoked.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_access::NewKey;
use portreeve_core::caller::ApiKey;

use super::in_force;
use super::servers::Pages;
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::identity::{CreatedKey, KeyShape, NewKeyShape};

/// List the keys, revoked ones included
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "identities", operation_id = "listKeys",
    params(crate::paging::Paging), responses((status = 200, body = List<KeyShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<KeyShape>>, Problem> {
    let keys = api.access.keys(&caller).await?;
    let users = api.access.users(&caller).await?;
    let now = api.clock.now();
    let page = paging.page(keys, |key: &ApiKey| key.id.to_string())?;
    Ok(Json(List {
        items: page
            .items
            .iter()
            .map(|key| KeyShape::new(key, &users, now))
            .collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Make a key
///
/// The secret is in this answer and nowhere else. The key starts with no grant.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "identities", operation_id = "createKey",
    request_body = NewKeyShape, responses((status = 201, body = CreatedKey))
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewKeyShape>,
) -> Result<
    (
        StatusCode,
        [(http::HeaderName, &'static str); 1],
        Json<CreatedKey>,
    ),
    Problem,
> {
    let new = NewKey {
        groups: new.groups,
        name: new.name,
        owner: None,
        expires_at: new.expires_at,
    };
    let (key, secret) = in_force(&api, api.access.create_key(&caller, new).await).await?;
    let shape = KeyShape::new(&key, &[], api.clock.now());
    let unstored = [(http::header::CACHE_CONTROL, "no-store")];
    Ok((
        StatusCode::CREATED,
        unstored,
        Json(CreatedKey::new(shape, &secret)),
    ))
}

/// Revoke a key
#[utoipa::path(
    delete, path = "/api/v1/keys/{key}", tag = "identities", operation_id = "revokeKey",
    params(("key" = String, Path, description = "The key's name or identifier")),
    responses((status = 200, body = KeyShape))
)]
pub(crate) async fn revoke(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(key): PathParts<String>,
) -> Result<Json<KeyShape>, Problem> {
    let key = in_force(&api, api.access.revoke_key(&caller, &key).await).await?;
    Ok(Json(KeyShape::new(&key, &[], api.clock.now())))
}
