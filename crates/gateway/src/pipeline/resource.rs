//! A route as a protected resource (RFC 9728): how it refuses, where its metadata is, and what it says.

use http::Response;
use portreeve_core::usage::UsageOutcome;
use serde_json::json;

use super::Gateway;
use crate::http_sse;
use crate::record::Record;
use crate::respond::{self, Body, Refusal};

/// What hosts may call a protected resource of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Its endpoint for Streamable HTTP.
    Mcp,
    /// Its endpoint for HTTP+SSE.
    Sse,
}

impl Gateway {
    pub(crate) fn refuse(&self, refusal: &Refusal, mut record: Record, path: &str) -> Response<Body> {
        if let Refusal::Preflight { .. } = refusal {
            record.ended(UsageOutcome::Ok);
        }
        record.refused(refusal);
        let challenge = self.challenge(path);
        let response = respond::refuse(refusal, Some(&challenge));
        match record.journal(response.status().as_u16()) {
            Ok(()) => response,
            Err(journal_away) => respond::refuse(&journal_away, None),
        }
    }

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
