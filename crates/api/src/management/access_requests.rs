//! `access-requests`: who asks to use a server, and what is decided about it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_core::id::AccessRequestId;
use portreeve_registry::RegistryError;

use super::in_force;
use super::servers::Pages;
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::access_request::{
    AccessGrantShape, AccessRefusalShape, AccessRequestShape, NewAccessRequestShape,
};

/// List the open requests for access that the caller may decide about
///
/// Of servers that the caller may grant the use of, the oldest first. Nobody decides about a request of their own.
#[utoipa::path(
    get, path = "/api/v1/access-requests", tag = "access", operation_id = "listAccessRequests",
    params(crate::paging::Paging), responses((status = 200, body = List<AccessRequestShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<AccessRequestShape>>, Problem> {
    let limit = paging.limit()?;
    let after = paging.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let after = after
        .map(str::parse::<AccessRequestId>)
        .transpose()
        .map_err(|_| RegistryError::BadCursor)?;
    let found = api.access_requests.list(&caller, after, limit).await?;
    Ok(Json(List {
        items: found.items.into_iter().map(AccessRequestShape::new).collect(),
        next_cursor: found.next.map(|next| next.to_string()),
    }))
}

/// List the caller's own requests for access
///
/// The newest first, in every state; at most 100.
#[utoipa::path(
    get, path = "/api/v1/me/access-requests", tag = "access", operation_id = "listMyAccessRequests",
    responses((status = 200, body = List<AccessRequestShape>))
)]
pub(crate) async fn mine(
    State(api): State<Api>,
    Known(caller): Known,
) -> Result<Json<List<AccessRequestShape>>, Problem> {
    let found = api.access_requests.mine(&caller).await?;
    let items = found.into_iter().map(AccessRequestShape::new);
    Ok(Json(List::whole(items.collect())))
}

/// Ask for access to a server
///
/// One request of a caller for a server is open at a time; it waits for 30 days. A server that the caller may not see does
/// not exist here.
#[utoipa::path(
    post, path = "/api/v1/access-requests", tag = "access", operation_id = "askForAccess",
    request_body = NewAccessRequestShape, responses((status = 201, body = AccessRequestShape))
)]
pub(crate) async fn ask(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewAccessRequestShape>,
) -> Result<(StatusCode, Json<AccessRequestShape>), Problem> {
    let asked = api.access_requests.ask(&caller, new.read()?).await?;
    Ok((StatusCode::CREATED, Json(AccessRequestShape::new(asked))))
}

/// Show a request for access
#[utoipa::path(
    get, path = "/api/v1/access-requests/{request}", tag = "access", operation_id = "getAccessRequest",
    params(("request" = String, Path, description = "The request's identity")),
    responses((status = 200, body = AccessRequestShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(request): PathParts<String>,
) -> Result<Json<AccessRequestShape>, Problem> {
    let shown = api.access_requests.show(&caller, identity(&request)?).await?;
    Ok(Json(AccessRequestShape::new(shown)))
}

/// Grant what a request asks for
///
/// The grant names the request. It ends on its own when a time is given.
#[utoipa::path(
    post, path = "/api/v1/access-requests/{request}/grant", tag = "access", operation_id = "grantAccess",
    params(("request" = String, Path, description = "The request's identity")),
    request_body = AccessGrantShape, responses((status = 200, body = AccessRequestShape))
)]
pub(crate) async fn grant(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(request): PathParts<String>,
    Content(terms): Content<AccessGrantShape>,
) -> Result<Json<AccessRequestShape>, Problem> {
    let id = identity(&request)?;
    let granted = api.access_requests.grant(&caller, id, terms.read()).await;
    let granted = in_force(&api, granted).await?;
    Ok(Json(AccessRequestShape::new(granted)))
}

/// Refuse what a request asks for
#[utoipa::path(
    post, path = "/api/v1/access-requests/{request}/refuse", tag = "access", operation_id = "refuseAccess",
    params(("request" = String, Path, description = "The request's identity")),
    request_body = AccessRefusalShape, responses((status = 200, body = AccessRequestShape))
)]
pub(crate) async fn refuse(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(request): PathParts<String>,
    Content(refusal): Content<AccessRefusalShape>,
) -> Result<Json<AccessRequestShape>, Problem> {
    let id = identity(&request)?;
    let refused = api.access_requests.refuse(&caller, id, &refusal.note).await?;
    Ok(Json(AccessRequestShape::new(refused)))
}

/// Take a request of one's own back
#[utoipa::path(
    post, path = "/api/v1/access-requests/{request}/withdraw", tag = "access", operation_id = "withdrawAccessRequest",
    params(("request" = String, Path, description = "The request's identity")),
    responses((status = 200, body = AccessRequestShape))
)]
pub(crate) async fn withdraw(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(request): PathParts<String>,
) -> Result<Json<AccessRequestShape>, Problem> {
    let id = identity(&request)?;
    let withdrawn = api.access_requests.withdraw(&caller, id).await?;
    Ok(Json(AccessRequestShape::new(withdrawn)))
}

fn identity(text: &str) -> Result<AccessRequestId, Problem> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(200).collect();
        Problem::not_found(format!("request for access `{text}`"))
    })
}
