//! `servers/{name}/install` and `servers/{name}/connector`: what a person clicks or pastes so that a host uses a server.
//!
//! Whoever may read a registry may install from it: these need no key where the registry needs none.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use portreeve_registry::View;
use portreeve_registry::install::Installation;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::Api;
use crate::credential;
use crate::etag::{self, Caching};
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name};
use crate::shapes::install::InstallationShape;

/// What is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only what this host is told, by its `id`.
    host: Option<String>,
    /// A registry that the caller may read; the default one unless given.
    registry: Option<String>,
}

/// Which file is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WantedFile {
    /// `json` unless given.
    #[param(inline)]
    format: Option<Format>,
    /// A version; the latest unless given.
    version: Option<String>,
    /// A registry that the caller may read; the default one unless given.
    registry: Option<String>,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON.
    #[default]
    Json,
    /// YAML.
    Yaml,
}

/// Show what there is to install of a server's latest version
///
/// Links, commands, files and values, host by host. Needs no key where the registry needs none. No secret value is ever in
/// it: a host asks for it, or reads the environment variable that is named.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/install", tag = "servers", operation_id = "showInstall",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments"), Wanted),
    responses((status = 200, body = InstallationShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    PathParts(name): PathParts<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    shown(&api, (&name, "latest"), wanted, &headers).await
}

/// Show what there is to install of a version
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/versions/{version}/install", tag = "servers",
    operation_id = "showVersionInstall",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version, or `latest`"), Wanted
    ),
    responses((status = 200, body = InstallationShape))
)]
pub(crate) async fn show_version(
    State(api): State<Api>,
    PathParts((name, version)): PathParts<(String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    shown(&api, (&name, &version), wanted, &headers).await
}

/// Show the file of a custom connector of Power Platform
///
/// Swagger 2.0 with one operation, which Copilot Studio takes for an MCP server (`x-ms-agentic-protocol`).
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/connector", tag = "servers", operation_id = "showConnector",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments"), WantedFile),
    responses((status = 200, body = Object, description = "The file"))
)]
pub(crate) async fn connector(
    State(api): State<Api>,
    PathParts(name): PathParts<String>,
    Query(wanted): Query<WantedFile>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let version = wanted.version.as_deref().unwrap_or("latest");
    let (view, found) = found(&api, (&name, version), wanted.registry.as_deref(), &headers).await?;
    let Some(connector) = found.connector else {
        return Err(Problem::not_found(format!("a connector of server `{name}`"))
            .hint("a connector leads to a server that the gateway serves over HTTP, and this version has no route"));
    };
    let (text, kind, ending) = match wanted.format.unwrap_or_default() {
        Format::Json => (connector.json(), "application/json", "json"),
        Format::Yaml => (connector.yaml(), "application/yaml", "yaml"),
    };
    let mut response = etag::tagged_bytes(&headers, text.into_bytes(), kind, caching(&view));
    let file = found.name.rsplit('/').next().unwrap_or_default().to_owned();
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{file}.swagger.{ending}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

async fn shown(
    api: &Api,
    of: (&str, &str),
    wanted: Wanted,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (view, mut found) = found(api, of, wanted.registry.as_deref(), headers).await?;
    if let Some(host) = &wanted.host {
        found = found.only(host)?;
    }
    etag::tagged_as(
        headers,
        &InstallationShape::from(found),
        "application/json",
        caching(&view),
    )
}

async fn found(
    api: &Api,
    (name, version): (&str, &str),
    registry: Option<&str>,
    headers: &HeaderMap,
) -> Result<(View, Installation), Problem> {
    let view = credential::open(api, headers, registry).await?;
    let name = server_name(name)?;
    let found = api.registry.installation(&view, (&name, version)).await?;
    Ok((view, found))
}

fn caching(view: &View) -> Caching {
    if view.is_personal() {
        Caching("private, no-cache")
    } else {
        Caching("public, no-cache")
    }
}
