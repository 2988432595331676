//! `exports`: the files that make hosts use what is approved, and nothing else.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

use crate::Api;
use crate::credential::Known;
use crate::etag::{self, Caching};
use crate::problem::Problem;
use crate::query::PathParts;
use crate::shapes::List;
use crate::shapes::export::ExportShape;

/// List the formats of allow-lists, and what each of them cannot say
#[utoipa::path(
    get, path = "/api/v1/exports", tag = "servers", operation_id = "listExports",
    responses((status = 200, body = List<ExportShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
) -> Result<Json<List<ExportShape>>, Problem> {
    let exports = api.registry.exports(&caller).await?;
    Ok(Json(List::whole(
        exports.into_iter().map(ExportShape::from).collect(),
    )))
}

/// Show the file of one format, ready to be deployed
#[utoipa::path(
    get, path = "/api/v1/exports/{format}", tag = "servers", operation_id = "showExport",
    params(("format" = String, Path, description = "A format, as the list names it")),
    responses((status = 200, body = Object, description = "The file"))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(format): PathParts<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = api.registry.export(&caller, &format).await?;
    // As it is, down to its line breaks: what is downloaded is what the portal shows.
    let caching = Caching("private, no-cache");
    let mut response = etag::tagged_bytes(&headers, file.text.into_bytes(), "application/json", caching);
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", file.format.file)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
