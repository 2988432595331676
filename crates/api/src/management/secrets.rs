//! `secrets`: set, replaced, listed, deleted; never shown.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode, header};
use portreeve_access::{AccessError, Replace};
use portreeve_core::name::SecretName;
use portreeve_core::ports::{Removal, StoreError};
use portreeve_core::vault::SecretFacts;

use super::servers::Pages;
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::etag::{self, Expected};
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::secret::{NewSecretShape, SecretShape};
use serde::Deserialize;
use utoipa::IntoParams;

/// List the secrets by name, without their values
#[utoipa::path(
    get, path = "/api/v1/secrets", tag = "secrets", operation_id = "listSecrets",
    params(crate::paging::Paging), responses((status = 200, body = List<SecretShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<SecretShape>>, Problem> {
    let secrets = api.vault.secrets(&caller).await?;
    let page = paging.page(secrets, |facts: &SecretFacts| facts.name.to_string())?;
    Ok(Json(List {
        items: page.items.iter().map(SecretShape::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Show what may be told of a secret
#[utoipa::path(
    get, path = "/api/v1/secrets/{secret}", tag = "secrets", operation_id = "getSecret",
    params(("secret" = String, Path, description = "The secret's name")),
    responses((status = 200, body = SecretShape, headers(("ETag" = String, description = "The secret's revision"))))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(secret): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let name = secret_name(&secret)?;
    let facts = api.vault.facts(&caller, &name).await?;
    let uses = api.vault.uses(&caller, &name).await?;
    let shape = SecretShape::from(&facts).used_by(&uses);
    Ok((etag::of_revision(facts.revision), Json(shape)))
}

/// Set a secret, or replace one
///
/// Without `If-Match` it must be new. The value is sealed, and never shown again.
#[utoipa::path(
    put, path = "/api/v1/secrets/{secret}", tag = "secrets", operation_id = "setSecret",
    params(
        ("secret" = String, Path, description = "The secret's name: `[a-z0-9._-]`, 1 to 64 characters"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the secret that is replaced, or `*`")
    ),
    request_body = NewSecretShape,
    responses(
        (status = 200, body = SecretShape, description = "Replaced"),
        (status = 201, body = SecretShape, description = "New")
    )
)]
pub(crate) async fn set(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(secret): PathParts<String>,
    headers: HeaderMap,
    Content(new): Content<NewSecretShape>,
) -> Result<impl IntoResponse, Problem> {
    let name = secret_name(&secret)?;
    let (replace, status) = if headers.contains_key(header::IF_MATCH) {
        let expected = Expected::from_headers(&headers)?.revision();
        (expected.map_or(Replace::Any, Replace::Revision), StatusCode::OK)
    } else {
        (Replace::Nothing, StatusCode::CREATED)
    };
    let facts = api.vault.set(&caller, &name, &new.value, replace).await;
    let facts = facts.map_err(|error| refused(error, replace))?;
    let shape = Json(SecretShape::from(&facts));
    Ok((status, etag::of_revision(facts.revision), shape))
}

/// Which precondition did not hold.
fn refused(error: AccessError, replace: Replace) -> Problem {
    match (error, replace) {
        (AccessError::Store(StoreError::Conflict { .. }), Replace::Revision(_)) => etag::stale(),
        (AccessError::NameTaken { name }, _) => Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            format!("there is a secret `{name}` already: to replace it, this needs the header `If-Match`"),
        )
        .hint("send its `ETag`, or `*` to replace whichever there is"),
        (error, _) => error.into(),
    }
}

/// How a secret is deleted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeletionQuery {
    /// Delete it although something names it; what names it says then that it is missing.
    #[serde(default)]
    force: bool,
}

/// Delete a secret
///
/// One that something names stays: the answer is 409 and says who.
#[utoipa::path(
    delete, path = "/api/v1/secrets/{secret}", tag = "secrets", operation_id = "deleteSecret",
    params(("secret" = String, Path, description = "The secret's name"), DeletionQuery),
    responses((status = 204))
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(secret): PathParts<String>,
    Query(query): Query<DeletionQuery>,
) -> Result<StatusCode, Problem> {
    let removal = if query.force {
        Removal::Forced
    } else {
        Removal::Unused
    };
    api.vault.delete(&caller, &secret_name(&secret)?, removal).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn secret_name(text: &str) -> Result<SecretName, Problem> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(64).collect();
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("`{shown}` is not the name of a secret"),
        )
        .hint("1 to 64 lower-case letters, digits, `.`, `_` and `-`, beginning with a letter or a digit")
    })
}
