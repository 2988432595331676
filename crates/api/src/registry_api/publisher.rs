//! Who publishes: a registry token, or an API key of somebody who may manage.
//!
//! Handlers that write take a [`Known`] publisher before their content. Handlers that read take a [`Viewer`], who may
//! be anybody: hosts send whatever credential they have, and read all the same. A publisher sees what is his also where
//! the registry that he publishes to is not for him to read.

use axum::extract::FromRequestParts;
use http::request::Parts;
use portreeve_core::name::{RegistryName, ServerName};
use portreeve_core::publishing::Publisher;
use portreeve_registry::View;

use crate::Api;
use crate::credential::{Reader, open};
use crate::enter::Named;
use crate::problem::Problem;

/// A publisher whose credential works.
#[derive(Debug)]
pub(crate) struct Known(pub(crate) Publisher);

/// Somebody who reads, and what he may read.
#[derive(Debug)]
pub(crate) struct Viewer {
    view: Result<View, Problem>,
    /// Who he is to the registry that is published to, if this is that one.
    publisher: Option<Publisher>,
}

impl FromRequestParts<Api> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let reader = Reader::of(api, &parts.headers).map_err(|problem| {
            problem
                .hint("sign in again (`mcp-publisher login`), or send an API key of somebody who may manage")
        })?;
        Ok(Self(publisher(reader)))
    }
}

impl FromRequestParts<Api> for Viewer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Self::Rejection> {
        let named = parts
            .extensions
            .get::<Named>()
            .and_then(|named| named.0.as_deref());
        let is_main = named.is_none_or(|name| name == RegistryName::main().as_str());
        let reader = if is_main {
            Reader::of(api, &parts.headers).ok()
        } else {
            None
        };
        Ok(Self {
            view: open(api, &parts.headers, named).await,
            publisher: reader.map(publisher),
        })
    }
}

impl Viewer {
    /// The publisher, if names like this one are his and this is the registry that is published to.
    pub(crate) fn publisher_of(&self, api: &Api, name: &ServerName) -> Option<&Publisher> {
        let publisher = self.publisher.as_ref()?;
        api.registry.is_publisher_of(publisher, name).then_some(publisher)
    }

    /// The registry, if he may read it.
    pub(crate) fn view(self) -> Result<View, Problem> {
        self.view
    }
}

fn publisher(reader: Reader) -> Publisher {
    match reader {
        Reader::Caller(caller) => Publisher::known(caller),
        Reader::Publisher(publisher) => publisher,
    }
}
