//! `exports`: the files that make hosts use what is approved, and nothing else.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use portreeve_core::name::RegistryName;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Api;
use crate::credential::Known;
use crate::etag::{self, Caching};
use crate::problem::Problem;
use crate::query::{PathParts, Query, registry_name};
use crate::shapes::List;
use crate::shapes::export::ExportShape;

/// Which registry the files are about.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfRegistry {
    /// A registry that the caller may read; the default one unless given.
    registry: Option<String>,
}

impl OfRegistry {
    fn name(&self) -> Result<Option<RegistryName>, Problem> {
        self.registry.as_deref().map(registry_name).transpose()
    }
}

/// List the formats of allow-lists, and what each of them cannot say
#[utoipa::path(
    get, path = "/api/v1/exports", tag = "servers", operation_id = "listExports",
    params(OfRegistry),
    responses((status = 200, body = List<ExportShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(of): Query<OfRegistry>,
) -> Result<Json<List<ExportShape>>, Problem> {
    let exports = api.registry.exports(&caller, of.name()?.as_ref()).await?;
    Ok(Json(List::whole(
        exports.iter().cloned().map(ExportShape::from).collect(),
    )))
}

/// Show the file of one format, ready to be deployed
#[utoipa::path(
    get, path = "/api/v1/exports/{format}", tag = "servers", operation_id = "showExport",
    params(("format" = String, Path, description = "A format, as the list names it"), OfRegistry),
    responses((status = 200, body = Object, description = "The file"))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    (PathParts(format), Query(of)): (PathParts<String>, Query<OfRegistry>),
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = api.registry.export(&caller, &format, of.name()?.as_ref()).await?;
    // As it is, down to its line breaks: what is downloaded is what the portal shows.
    let caching = Caching("private, no-cache");
    let mut response = etag::tagged_bytes(&headers, file.text.into_bytes(), "application/json", caching);
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", file.format.file)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
