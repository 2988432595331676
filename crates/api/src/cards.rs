//! Server Cards beside the MCP endpoints, and the catalogue under `/.well-known/` that leads to them. Public, for
//! browsers of any origin, and kept by caches for an hour.
//!
//! Before it: the listener, which gives everything under `/s/` but the cards to the gateway. After it: `registry::card`.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use portreeve_core::name::{RegistryName, Slug};
use portreeve_registry::{CARD_TYPE, CATALOG_TYPE};
use serde_json::Value;

use crate::Api;
use crate::etag::{self, Caching};
use crate::problem::Problem;
use crate::query;

const AN_HOUR: Caching = Caching("public, max-age=3600");

/// The router of the cards.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/s/{slug}/mcp/server-card", get(route_card).options(preflight))
        .route("/mcp/server-card", get(registry_card).options(preflight))
        .route(
            "/registries/{registry}/mcp/server-card",
            get(named_card).options(preflight),
        )
        .route("/.well-known/ai-catalog.json", get(catalog).options(preflight))
        .with_state(api)
}

async fn route_card(State(api): State<Api>, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let card = match slug.parse::<Slug>() {
        Ok(slug) => api.registry.server_card(&slug).await.map_err(Problem::from),
        Err(_) => Err(Problem::not_found(format!("route `{slug}`"))),
    };
    shown(&headers, card, CARD_TYPE)
}

async fn registry_card(State(api): State<Api>, headers: HeaderMap) -> Response {
    let card = api.registry.registry_card(&RegistryName::main(), api.version);
    shown(&headers, card.map_err(Problem::from), CARD_TYPE)
}

async fn named_card(State(api): State<Api>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let card =
        query::registry_name(&name).and_then(|name| Ok(api.registry.registry_card(&name, api.version)?));
    shown(&headers, card, CARD_TYPE)
}

async fn catalog(State(api): State<Api>, headers: HeaderMap) -> Response {
    let catalog = api.registry.ai_catalog().await.map_err(Problem::from);
    shown(&headers, catalog, CATALOG_TYPE)
}

async fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let age = HeaderValue::from_static("86400");
    response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, age);
    open(response.headers_mut());
    response
}

fn shown(headers: &HeaderMap, document: Result<Value, Problem>, kind: &'static str) -> Response {
    let answer = document.and_then(|document| etag::tagged_as(headers, &document, kind, AN_HOUR));
    let mut response = answer.unwrap_or_else(|problem| problem.into_response());
    open(response.headers_mut());
    response
}

fn open(headers: &mut HeaderMap) {
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Content-Type, If-None-Match",
        ),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
