//! `servers/{name}/openapi`: REST APIs that become servers, and what was made of them.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_registry::{Approve, Description, NewRest};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Api;
use crate::content::{self, LargeContent};
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name, version_text};
use crate::shapes::rest::{NewOpenApi, OpenApiOutcomeShape, OpenApiPreviewShape, OpenApiShape};

/// Which version.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Of {
    /// The version; the one that is served unless it is given, or else the newest.
    version: Option<String>,
}

/// See what a description of a REST API would become
///
/// Nothing is saved: what became of each operation, the tools with what they cost, and what is different from the
/// version that is served.
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/openapi/preview", tag = "servers", operation_id = "previewOpenApi",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = NewOpenApi, responses((status = 200, body = OpenApiPreviewShape))
)]
pub(crate) async fn preview(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    LargeContent(new): LargeContent<NewOpenApi>,
) -> Result<Json<OpenApiPreviewShape>, Problem> {
    let preview = api.registry.preview_rest(&caller, &asked(&name, new)?).await?;
    Ok(Json(OpenApiPreviewShape::new(preview)))
}

/// Import a description of a REST API
///
/// Its operations become the tools of a new version, pinned as they are made. The version waits for an approver; what is
/// served stays as it is until then, but tools whose operations are gone are marked as missing at once.
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/openapi", tag = "servers", operation_id = "importOpenApi",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    request_body = NewOpenApi, responses((status = 201, body = OpenApiOutcomeShape))
)]
pub(crate) async fn import(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    LargeContent(new): LargeContent<NewOpenApi>,
) -> Result<(StatusCode, Json<OpenApiOutcomeShape>), Problem> {
    let outcome = api.registry.import_rest(&caller, asked(&name, new)?).await?;
    let shape = OpenApiOutcomeShape::new(outcome, &api.public_url);
    Ok((StatusCode::CREATED, Json(shape)))
}

/// Show what was made of a REST API
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/openapi", tag = "servers", operation_id = "getOpenApi",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments"), Of),
    responses((status = 200, body = OpenApiShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(of): Query<Of>,
) -> Result<Json<OpenApiShape>, Problem> {
    let version = of.version.as_deref().map(version_text).transpose()?;
    let view = api
        .registry
        .rest(&caller, &server_name(&name)?, version.as_ref())
        .await?;
    Ok(Json(OpenApiShape::new(view)))
}

fn asked(name: &str, new: NewOpenApi) -> Result<NewRest, Problem> {
    let version = new.version.as_deref().map(str::parse).transpose();
    let version = version
        .map_err(|error: portreeve_core::name::InvalidName| content::field("version", error.to_string()))?;
    let url_of =
        |field: &'static str, url: &str| url.parse().map_err(|_| content::field(field, "it is not a URL"));
    let description = match (new.document, new.url, new.graphql_url, new.kept_of) {
        (Some(text), None, None, None) => Description::Text(text),
        (None, Some(url), None, None) => Description::Url(url_of("url", &url)?),
        (None, None, Some(url), None) => Description::GraphQl(url_of("graphqlUrl", &url)?),
        (None, None, None, Some(version)) if version == "latest" => Description::Kept(None),
        (None, None, None, Some(version)) => Description::Kept(Some(version_text(&version)?)),
        _ => {
            return Err(content::field(
                "document",
                "there must be one of `document`, `url`, `graphqlUrl` and `keptOf`, and no other",
            ));
        }
    };
    Ok(NewRest {
        name: server_name(name)?,
        description,
        base_url: new.base_url,
        version,
        about: new.description,
        curation: new.curation.0,
        internal: new.internal.into(),
        approve: if new.approve { Approve::Now } else { Approve::No },
    })
}
