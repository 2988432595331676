//! `clients`: the OAuth clients that are known, whichever way; those that administrators enter and remove. `me/clients`: those
//! that the caller allowed something.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::servers::Pages;
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::client::{AllowedShape, ClientShape, CreatedClient, NewClientShape};

/// List the OAuth clients
#[utoipa::path(
    get, path = "/api/v1/clients", tag = "identities", operation_id = "listClients",
    params(crate::paging::Paging), responses((status = 200, body = List<ClientShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<ClientShape>>, Problem> {
    let limit = paging.limit()?;
    let after = paging.cursor.unwrap_or_default();
    let mut clients = api.oauth.clients(&caller, &after).await?;
    let more = clients.len() > limit;
    clients.truncate(limit);
    Ok(Json(List {
        next_cursor: clients.last().filter(|_| more).map(|last| last.id.to_string()),
        items: clients.iter().map(ClientShape::new).collect(),
    }))
}

/// Enter an OAuth client
///
/// A secret is in this answer and nowhere else. A client that acts for itself starts with no grant.
#[utoipa::path(
    post, path = "/api/v1/clients", tag = "identities", operation_id = "createClient",
    request_body = NewClientShape, responses((status = 201, body = CreatedClient))
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewClientShape>,
) -> Result<
    (
        StatusCode,
        [(http::HeaderName, &'static str); 1],
        Json<CreatedClient>,
    ),
    Problem,
> {
    let (client, secret) = api.oauth.create_client(&caller, new.read()?).await?;
    let unstored = [(http::header::CACHE_CONTROL, "no-store")];
    let created = CreatedClient::new(ClientShape::new(&client), secret.as_ref());
    Ok((StatusCode::CREATED, unstored, Json(created)))
}

/// Show an OAuth client
#[utoipa::path(
    get, path = "/api/v1/clients/{client}", tag = "identities", operation_id = "showClient",
    params(("client" = String, Path, description = "The `client_id`")),
    responses((status = 200, body = ClientShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(client): PathParts<String>,
) -> Result<Json<ClientShape>, Problem> {
    let client = api.oauth.client_entry(&caller, &client).await?;
    Ok(Json(ClientShape::new(&client)))
}

/// Remove an OAuth client
///
/// Everything that it was allowed ends, its tokens at once.
#[utoipa::path(
    delete, path = "/api/v1/clients/{client}", tag = "identities", operation_id = "removeClient",
    params(("client" = String, Path, description = "The `client_id`")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(client): PathParts<String>,
) -> Result<StatusCode, Problem> {
    api.oauth.delete_client(&caller, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the OAuth clients that you allowed something
///
/// The one that was used last comes first.
#[utoipa::path(
    get, path = "/api/v1/me/clients", tag = "identities", operation_id = "listMyClients",
    responses((status = 200, body = List<AllowedShape>))
)]
pub(crate) async fn mine(
    State(api): State<Api>,
    Known(caller): Known,
) -> Result<Json<List<AllowedShape>>, Problem> {
    let allowed = api.oauth.allowed(&caller).await?;
    Ok(Json(List {
        items: allowed.iter().map(AllowedShape::new).collect(),
        next_cursor: None,
    }))
}

/// Take back what you allowed an OAuth client
///
/// Its tokens for you die at once. It may ask you again.
#[utoipa::path(
    delete, path = "/api/v1/me/clients/{client}", tag = "identities", operation_id = "forgetMyClient",
    params(("client" = String, Path, description = "The `client_id`")),
    responses((status = 204))
)]
pub(crate) async fn forget(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(client): PathParts<String>,
) -> Result<StatusCode, Problem> {
    let allowed = api.oauth.allowed(&caller).await?;
    if !allowed.iter().any(|allowed| allowed.id.as_str() == client) {
        return Err(Problem::not_found(format_args!(
            "client `{client}` among those that you allowed something"
        )));
    }
    api.oauth.withdraw(&caller, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
