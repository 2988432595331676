//! `routes`: listing, showing, changing.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::HeaderMap;
use portreeve_core::route::Route;
use portreeve_registry::{RegistryError, RoutePatch};

use super::servers::Pages;
use crate::content::Content;
use crate::credential::Known;
use crate::etag::{self, Expected};
use crate::problem::Problem;
use crate::query::{PathParts, Query, slug};
use crate::shapes::List;
use crate::shapes::route::{RouteChangeShape, RouteShape};
use crate::{Api, content};

/// List the routes
#[utoipa::path(
    get, path = "/api/v1/routes", tag = "routes", operation_id = "listRoutes",
    params(crate::paging::Paging), responses((status = 200, body = List<RouteShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<RouteShape>>, Problem> {
    let routes = api.registry.routes(&caller).await?;
    let page = paging.page(routes, |route: &Route| route.slug.to_string())?;
    Ok(Json(List {
        items: page
            .items
            .iter()
            .map(|route| RouteShape::new(route, &api.public_url))
            .collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Show a route
#[utoipa::path(
    get, path = "/api/v1/routes/{slug}", tag = "routes", operation_id = "getRoute",
    params(("slug" = String, Path, description = "The route's slug")),
    responses((status = 200, body = RouteShape, headers(("ETag" = String, description = "The route's revision"))))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let route = api.registry.route(&caller, &slug(&name)?).await?;
    Ok(tagged(&api, &route))
}

/// Change a route
///
/// The change is made only if the route is still as it was when the caller read its `ETag`.
#[utoipa::path(
    patch, path = "/api/v1/routes/{slug}", tag = "routes", operation_id = "changeRoute",
    params(
        ("slug" = String, Path, description = "The route's slug"),
        ("If-Match" = String, Header, description = "The route's `ETag`, or `*`")
    ),
    request_body = RouteChangeShape,
    responses((status = 200, body = RouteShape, headers(("ETag" = String, description = "The route's revision"))))
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    headers: HeaderMap,
    Content(change): Content<RouteChangeShape>,
) -> Result<impl IntoResponse, Problem> {
    let slug = slug(&name)?;
    let expected = Expected::from_headers(&headers)?;
    let patch = patch(change)?;
    let saved = api
        .registry
        .change_route(&caller, &slug, patch, expected.revision())
        .await;
    let route = saved.map_err(|error| match error {
        RegistryError::Conflict { .. } => etag::stale().hint(error.hint()),
        error => error.into(),
    })?;
    Ok(tagged(&api, &route))
}

fn patch(change: RouteChangeShape) -> Result<RoutePatch, Problem> {
    if let RouteChangeShape {
        access: None,
        policies: None,
        state: None,
        upstream_timeout_ms: None,
        protocol: None,
        session_affinity: None,
        server_requests: None,
        list_cache_ms: None,
        credentials: None,
    } = change
    {
        return Err(content::field("", "name at least one thing to change"));
    }
    Ok(RoutePatch {
        access: change.access,
        policies: change.policies,
        state: change.state,
        upstream_timeout_ms: change.upstream_timeout_ms,
        protocol: change.protocol,
        session_affinity: change.session_affinity,
        server_requests: change.server_requests,
        list_cache_ms: change.list_cache_ms,
        credentials: change.credentials,
    })
}

fn tagged(api: &Api, route: &Route) -> impl IntoResponse + use<> {
    let shape = RouteShape::new(route, &api.public_url);
    (etag::of_revision(route.revision), Json(shape))
}
