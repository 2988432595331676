//! `metadata-schemas`: custom properties, defined, shown, changed, removed.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use portreeve_core::property::PropertyRecord;
use portreeve_registry::Defined;

use super::servers::{Pages, read_expected};
use crate::content::Content;
use crate::credential::Known;
use crate::etag;
use crate::problem::Problem;
use crate::query::{PathParts, Query, property_name};
use crate::shapes::List;
use crate::shapes::property::{NewPropertyShape, PropertyChangeShape, PropertyShape};
use crate::{Api, management};

/// List the custom properties
#[utoipa::path(
    get, path = "/api/v1/metadata-schemas", tag = "metadata", operation_id = "listMetadataSchemas",
    params(crate::paging::Paging), responses((status = 200, body = List<PropertyShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(_): Known,
    Query(paging): Pages,
) -> Result<Json<List<PropertyShape>>, Problem> {
    let all = api.registry.properties().await?;
    let page = paging.page(all, |record: &PropertyRecord| record.name.to_string())?;
    Ok(Json(List {
        items: page.items.iter().map(PropertyShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Define a custom property
///
/// The answer lists what does not have it and must, or has something else under its name. All of that is served on.
#[utoipa::path(
    post, path = "/api/v1/metadata-schemas", tag = "metadata", operation_id = "createMetadataSchema",
    request_body = NewPropertyShape, responses((status = 201, body = PropertyShape))
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewPropertyShape>,
) -> Result<impl IntoResponse, Problem> {
    let defined = api.registry.create_property(&caller, new.into_new()).await?;
    Ok((StatusCode::CREATED, tagged(&defined)))
}

/// Show a custom property, and to administrators, what does not meet it
#[utoipa::path(
    get, path = "/api/v1/metadata-schemas/{property}", tag = "metadata", operation_id = "getMetadataSchema",
    params(("property" = String, Path, description = "The property's name")),
    responses((status = 200, body = PropertyShape,
        headers(("ETag" = String, description = "The property's revision"))))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let defined = api.registry.property(&caller, &property_name(&name)?).await?;
    Ok(tagged(&defined))
}

/// Change a custom property
///
/// The answer lists what does not meet it any more. All of that is served on.
#[utoipa::path(
    patch, path = "/api/v1/metadata-schemas/{property}", tag = "metadata", operation_id = "changeMetadataSchema",
    params(
        ("property" = String, Path, description = "The property's name"),
        ("If-Match" = String, Header, description = "The property's `ETag`, or `*`")
    ),
    request_body = PropertyChangeShape,
    responses((status = 200, body = PropertyShape,
        headers(("ETag" = String, description = "The property's revision"))))
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    headers: HeaderMap,
    Content(change): Content<PropertyChangeShape>,
) -> Result<impl IntoResponse, Problem> {
    let name = property_name(&name)?;
    let expected = read_expected(&headers)?;
    let saved = api
        .registry
        .change_property(&caller, &name, change.into_patch(), expected);
    let defined = saved.await.map_err(management::stale_if_conflict)?;
    Ok(tagged(&defined))
}

/// Remove a custom property that nothing has a value of
#[utoipa::path(
    delete, path = "/api/v1/metadata-schemas/{property}", tag = "metadata", operation_id = "removeMetadataSchema",
    params(("property" = String, Path, description = "The property's name")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<StatusCode, Problem> {
    let name = property_name(&name)?;
    api.registry.remove_property(&caller, &name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn tagged(defined: &Defined) -> impl IntoResponse + use<> {
    let shape = PropertyShape::defined(defined);
    (etag::of_revision(defined.record.revision), Json(shape))
}
