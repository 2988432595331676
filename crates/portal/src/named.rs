//! The server that an address names, and the entry behind it.

use axum::extract::FromRequestParts;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use http::request::Parts;
use portreeve_core::name::ServerName;
use portreeve_core::ports::Entry;

use crate::failure::Failure;
use crate::router::Portal;
use crate::visitor::Visitor;

/// A name of two segments, as it stands in the address. Not judged yet: what is wrong with a form is told first.
pub(crate) struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = PathRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PathRejection> {
        let Path((namespace, name)) = Path::<(String, String)>::from_request_parts(parts, state).await?;
        Ok(Self(format!("{namespace}/{name}")))
    }
}

// === impl Named ===

impl Named {
    /// The name.
    pub(crate) fn read(&self) -> Result<ServerName, Failure> {
        parse(&self.0)
    }

    /// The entry with what waits, for who may publish it.
    pub(crate) async fn to_publish(&self, portal: &Portal, visitor: &Visitor) -> Result<Entry, Failure> {
        let entry = self.to_see(portal, visitor).await?;
        visitor.require(visitor.here(portal, &entry.server.name).publishes)?;
        Ok(entry)
    }

    /// The entry with what waits, for who sees its inside.
    pub(crate) async fn to_see(&self, portal: &Portal, visitor: &Visitor) -> Result<Entry, Failure> {
        let name = self.read()?;
        visitor.require_known()?;
        Ok(portal.parts.registry.deployments(&visitor.caller, &name).await?)
    }
}

/// A name from an address. What cannot be a name does not exist.
pub(crate) fn parse(name: &str) -> Result<ServerName, Failure> {
    name.parse().map_err(|_| Failure::NotFound {
        text: "No server has this address.".to_owned(),
    })
}
