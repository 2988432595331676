//! The entrance of both faces: one form of path for the routers, and the headers that every registry answer has.
//!
//! Before it: the listener. After it: the router of the face (`router.rs`), called with the rewritten path.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use portreeve_core::name::RegistryName;
use tower::ServiceExt;

use crate::Api;
use crate::cors::{self, Methods};
use crate::credential::open;
use crate::path::{Abnormal, Face, Normal, Way, normalise};
use crate::problem::Problem;

/// The registry that a path named; none is the default one.
#[derive(Debug, Clone)]
pub(crate) struct Named(pub(crate) Option<String>);

/// A face behind its entrance.
#[derive(Debug, Clone)]
pub(crate) struct Entrance {
    /// Which one.
    pub(crate) face: Face,
    /// Its router, which knows paths in one form only.
    pub(crate) inner: Router,
    /// What its registries are opened with.
    pub(crate) api: Api,
}

/// Lets a request in.
pub(crate) async fn enter(State(entrance): State<Entrance>, request: Request) -> Response {
    let face = entrance.face;
    if face == Face::Registry && request.method() == Method::OPTIONS {
        return cors::preflight(Methods::of(request.uri().path()), request.headers());
    }
    let methods = Methods::of(request.uri().path());
    let mut response = pass(entrance, request).await;
    if face == Face::Registry {
        cors::allow(methods, response.headers_mut());
        let vary = HeaderValue::from_static("Authorization");
        response.headers_mut().insert(header::VARY, vary);
    }
    response
}

async fn pass(entrance: Entrance, mut request: Request) -> Response {
    let query = request.uri().query();
    if query.is_some_and(|query| query.contains("%00")) {
        return nul().into_response();
    }
    let Normal { path, registry, way } = match normalise(request.uri().path(), entrance.face) {
        Ok(normal) => normal,
        Err(Abnormal::Nul) => return nul().into_response(),
        Err(Abnormal::TrailingSlash(path)) => return moved(&path, query),
    };
    match with_path(request.uri(), &path) {
        Some(uri) => *request.uri_mut() = uri,
        None => return Problem::no_such_path(&path).into_response(),
    }
    // A registry that is not there, or not for him, has no operations at all. The default one is everybody's to publish to.
    if let Some(named) = registry
        .as_deref()
        .filter(|name| *name != RegistryName::main().as_str())
        && let Err(problem) = open(&entrance.api, request.headers(), Some(named)).await
    {
        return problem.into_response();
    }
    // The outer router left its own match here, which the inner one would add its parameters to.
    request.extensions_mut().clear();
    request.extensions_mut().insert(Named(registry));
    let mut response = match entrance.inner.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if way == Way::Doubled {
        tell_doubled(&mut response);
    }
    response
}

fn nul() -> Problem {
    Problem::bad_request("the address holds a NUL byte")
}

/// The same address without the slash at its end. A permanent redirect that keeps the method.
fn moved(path: &str, query: Option<&str>) -> Response {
    let target = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    match HeaderValue::try_from(target) {
        Ok(target) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, target)]).into_response(),
        Err(_) => Problem::no_such_path(path).into_response(),
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

/// Says that the host was given a wrong base URL, in a way that works on.
fn tell_doubled(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(
        header::WARNING,
        HeaderValue::from_static(
            "299 - \"The API's path stands twice in this address: the base URL ends before /v0.1\"",
        ),
    );
    headers.insert("deprecation", HeaderValue::from_static("true"));
}
