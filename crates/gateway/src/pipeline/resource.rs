//! A route as a protected resource (RFC 9728): where its metadata is, and what it says.

use serde_json::json;

use super::Gateway;
use crate::http_sse;

/// What hosts may call a protected resource of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Its endpoint for Streamable HTTP.
    Mcp,
    /// Its endpoint for HTTP+SSE.
    Sse,
}

impl Gateway {
    /// RFC 9728, section 5.1: where the resource's metadata is.
    pub(super) fn challenge(&self, path: &str) -> String {
        format!(
            "Bearer resource_metadata=\"{}\"",
            self.endpoint(&format!("/.well-known/oauth-protected-resource{path}"))
        )
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// The protected resource metadata (RFC 9728) of an endpoint of a route. Says nothing that needs a credential.
    pub fn resource_metadata(&self, slug: &str, of: Endpoint) -> Option<serde_json::Value> {
        let route = self.loader.find(slug)?;
        let path = match of {
            Endpoint::Mcp => route.route.slug.path(),
            Endpoint::Sse => http_sse::path(&route.route.slug)?,
        };
        Some(json!({
            "resource": self.endpoint(&path),
            "resource_name": route.route.server.as_str(),
            "bearer_methods_supported": ["header"],
        }))
    }
}
