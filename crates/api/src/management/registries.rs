//! `registries`: made, shown, changed, removed.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use portreeve_core::view::RegistryRecord;

use super::servers::{Pages, read_expected};
use crate::content::Content;
use crate::credential::Known;
use crate::etag;
use crate::problem::Problem;
use crate::query::{PathParts, Query, registry_name};
use crate::shapes::List;
use crate::shapes::registry::{NewRegistryShape, RegistryChangeShape, RegistryShape};
use crate::{Api, management};

/// List the registries that the caller may read
#[utoipa::path(
    get, path = "/api/v1/registries", tag = "registries", operation_id = "listRegistries",
    params(crate::paging::Paging), responses((status = 200, body = List<RegistryShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<RegistryShape>>, Problem> {
    let all = api.registry.registries(&caller).await?;
    let page = paging.page(all, |record: &RegistryRecord| record.name.to_string())?;
    let items = page.items.iter();
    Ok(Json(List {
        items: items
            .map(|record| RegistryShape::new(record, &api.public_url))
            .collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Make a registry
///
/// Its official API is at `/registries/{name}/v0.1`. For members, and of everything that is approved, unless the
/// content says otherwise.
#[utoipa::path(
    post, path = "/api/v1/registries", tag = "registries", operation_id = "createRegistry",
    request_body = NewRegistryShape, responses((status = 201, body = RegistryShape))
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewRegistryShape>,
) -> Result<impl IntoResponse, Problem> {
    let (name, patch) = new.into_parts();
    let record = api.registry.create_registry(&caller, name, patch).await?;
    Ok((StatusCode::CREATED, tagged(&api, &record)))
}

/// Show a registry
#[utoipa::path(
    get, path = "/api/v1/registries/{registry}", tag = "registries", operation_id = "getRegistry",
    params(("registry" = String, Path, description = "The registry's name")),
    responses((status = 200, body = RegistryShape,
        headers(("ETag" = String, description = "The registry's revision"))))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let record = api.registry.registry(&caller, &registry_name(&name)?).await?;
    Ok(tagged(&api, &record))
}

/// Change a registry
#[utoipa::path(
    patch, path = "/api/v1/registries/{registry}", tag = "registries", operation_id = "changeRegistry",
    params(
        ("registry" = String, Path, description = "The registry's name"),
        ("If-Match" = String, Header, description = "The registry's `ETag`, or `*`")
    ),
    request_body = RegistryChangeShape,
    responses((status = 200, body = RegistryShape,
        headers(("ETag" = String, description = "The registry's revision"))))
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    headers: HeaderMap,
    Content(change): Content<RegistryChangeShape>,
) -> Result<impl IntoResponse, Problem> {
    let name = registry_name(&name)?;
    let expected = read_expected(&headers)?;
    let saved = api
        .registry
        .change_registry(&caller, &name, change.into_patch(), expected);
    let record = saved.await.map_err(management::stale_if_conflict)?;
    Ok(tagged(&api, &record))
}

/// Delete a registry
///
/// What was in it stays where it is. The default registry cannot be deleted.
#[utoipa::path(
    delete, path = "/api/v1/registries/{registry}", tag = "registries", operation_id = "deleteRegistry",
    params(("registry" = String, Path, description = "The registry's name")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<StatusCode, Problem> {
    let name = registry_name(&name)?;
    api.registry.remove_registry(&caller, &name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn tagged(api: &Api, record: &RegistryRecord) -> impl IntoResponse + use<> {
    let shape = RegistryShape::new(record, &api.public_url);
    (etag::of_revision(record.revision), Json(shape))
}
