//! Who publishes: a registry token, or an API key of somebody who may manage.
//!
//! Handlers that write take a [`Known`] publisher before their content. Handlers that read take a [`Viewer`], who may
//! be anybody: hosts send whatever credential they have, and read all the same.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use portreeve_core::name::ServerName;
use portreeve_core::publishing::Publisher;
use portreeve_registry::View;

use crate::Api;
use crate::credential::credential;
use crate::problem::Problem;

/// A publisher whose credential works.
#[derive(Debug)]
pub(crate) struct Known(pub(crate) Publisher);

/// Somebody who reads.
#[derive(Debug)]
pub(crate) struct Viewer(Option<Publisher>);

impl FromRequestParts<Api> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        publisher(&parts.headers, api).map(Self)
    }
}

impl FromRequestParts<Api> for Viewer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Self::Rejection> {
        Ok(Self(publisher(&parts.headers, api).ok()))
    }
}

impl Viewer {
    /// The publisher, if names like this one are his and this is the registry that is published to.
    pub(crate) fn publisher_of(&self, api: &Api, view: &View, name: &ServerName) -> Option<&Publisher> {
        let publisher = self.0.as_ref().filter(|_| view.is_main())?;
        api.registry.is_publisher_of(publisher, name).then_some(publisher)
    }
}

fn publisher(headers: &HeaderMap, api: &Api) -> Result<Publisher, Problem> {
    let credential = credential(headers)?;
    let found = if credential.starts_with("prv_") {
        api.access
            .authenticate(credential)
            .map(Publisher::known)
            .map_err(|error| error.to_string())
    } else {
        api.publishing
            .authenticate(credential)
            .map_err(|error| error.to_string())
    };
    found.map_err(|reason| {
        Problem::unauthenticated("Bearer error=\"invalid_token\"", reason)
            .hint("sign in again (`mcp-publisher login`), or send an API key of somebody who may manage")
    })
}
