//! Query strings of the management API, with every parameter known, and the parts of paths.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use portreeve_core::name::{Environment, PropertyName, RegistryName, ServerName, Slug, VersionText};

use crate::problem::Problem;

/// The parameters of a query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => {
                let text = rejection.body_text();
                let detail = text
                    .rsplit_once("query string: ")
                    .map_or(text.as_str(), |(_, detail)| detail);
                Err(Problem::bad_request(format!("the query is wrong: {detail}")))
            }
        }
    }
}

/// The variable parts of a path, decoded once.
#[derive(Debug)]
pub(crate) struct PathParts<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParts<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(values)) => Ok(Self(values)),
            Err(_) => Err(Problem::bad_request("the path is not UTF-8 once it is decoded")
                .hint("encode names as UTF-8, `%2F` for the slash")),
        }
    }
}

/// A server's name in a path. A text that is no name names nothing.
pub(crate) fn server_name(text: &str) -> Result<ServerName, Problem> {
    text.parse().map_err(|error: portreeve_core::name::InvalidName| {
        Problem::not_found(format!("server `{}`", error.value))
    })
}

/// A version in a path.
pub(crate) fn version_text(text: &str) -> Result<VersionText, Problem> {
    text.parse().map_err(|error: portreeve_core::name::InvalidName| {
        Problem::not_found(format!("version `{}`", error.value))
    })
}

/// A registry in a path.
pub(crate) fn registry_name(text: &str) -> Result<RegistryName, Problem> {
    text.parse().map_err(|error: portreeve_core::name::InvalidName| {
        Problem::not_found(format!("registry `{}`", error.value))
    })
}

/// A custom property in a path.
pub(crate) fn property_name(text: &str) -> Result<PropertyName, Problem> {
    text.parse().map_err(|error: portreeve_core::name::InvalidName| {
        Problem::not_found(format!("property `{}`", error.value))
    })
}

/// An environment in a path.
pub(crate) fn environment(text: &str) -> Result<Environment, Problem> {
    text.parse().map_err(|error: portreeve_core::name::InvalidName| {
        Problem::not_found(format!("environment `{}`", error.value))
    })
}

/// A route's slug in a path.
pub(crate) fn slug(text: &str) -> Result<Slug, Problem> {
    text.parse().map_err(|error: portreeve_core::name::InvalidName| {
        Problem::not_found(format!("route `{}`", error.value))
    })
}
