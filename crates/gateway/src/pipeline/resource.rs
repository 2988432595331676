//! A route as a protected resource (RFC 9728): how it refuses, where its metadata is, what it says, and which there are.

use http::Response;
use portreeve_core::name::Slug;
use portreeve_core::oauth::{ProtectedResource, Scopes};
use portreeve_core::ports::Resources;
use portreeve_core::usage::UsageOutcome;
use serde_json::json;
use url::Url;

use super::Gateway;
use crate::http_sse;
use crate::record::Record;
use crate::respond::{self, Body, Challenge, Refusal};
use crate::route::ServedRoute;

/// What hosts may call a protected resource of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Its endpoint for Streamable HTTP.
    Mcp,
    /// Its endpoint for HTTP+SSE.
    Sse,
    /// The official API of a registry.
    RegistryApi,
}

impl Gateway {
    pub(crate) fn refuse(&self, refusal: &Refusal, mut record: Record, path: &str) -> Response<Body> {
        if let Refusal::Preflight { .. } = refusal {
            record.ended(UsageOutcome::Ok);
        }
        record.refused(refusal);
        let response = respond::refuse(refusal, self.challenge(path).as_ref());
        match record.journal(response.status().as_u16()) {
            Ok(()) => response,
            Err(journal_away) => respond::refuse(&journal_away, None),
        }
    }

    /// RFC 9728, section 5.1: where the resource's metadata is. A path that is none of ours has none.
    fn challenge(&self, path: &str) -> Option<Challenge> {
        let slug = slug_at(path)?;
        // Messages of an HTTP+SSE host belong to its stream, which is what it knows.
        let stream = path
            .ends_with("/messages")
            .then(|| http_sse::path(&slug))
            .flatten();
        let path = stream.as_deref().unwrap_or(path);
        Some(Challenge {
            metadata: self.endpoint(&format!("/.well-known/oauth-protected-resource{path}")),
            scopes: Scopes::all_of(&slug),
        })
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// The canonical address of a route: the audience of its tokens, at whichever of its endpoints they are shown.
    pub(super) fn resource_uri(&self, slug: &Slug) -> String {
        self.endpoint(&slug.path())
    }

    /// The protected resource metadata (RFC 9728) of an endpoint of a route. Says nothing that needs a credential.
    pub fn resource_metadata(&self, slug: &str, of: Endpoint) -> Option<serde_json::Value> {
        let route = self.loader.find(slug)?;
        let slug = &route.route.slug;
        let path = match of {
            Endpoint::Mcp => slug.path(),
            Endpoint::Sse => http_sse::path(slug)?,
            Endpoint::RegistryApi => registry_api(slug)?,
        };
        let scopes: Vec<String> = Scopes::all_of(slug).iter().map(ToString::to_string).collect();
        Some(json!({
            "resource": self.endpoint(&path),
            "resource_name": route.route.server.as_str(),
            "authorization_servers": self.issuers_of(&route),
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
        }))
    }

    /// Where the metadata of the API of a registry are.
    pub fn registry_api_metadata(&self, slug: &Slug) -> String {
        let path = registry_api(slug).unwrap_or_default();
        self.endpoint(&format!("/.well-known/oauth-protected-resource{path}"))
    }

    /// Who issues tokens that a route takes.
    fn issuers_of(&self, route: &ServedRoute) -> Vec<String> {
        let takes = &route.route.credentials;
        let ours = takes.tokens.then(|| self.endpoint(""));
        let others = self
            .access
            .issuers()
            .filter(|(name, _)| takes.issuers.contains(name));
        ours.into_iter()
            .chain(others.map(|(_, issuer)| issuer.to_owned()))
            .collect()
    }

    fn resource(&self, route: &ServedRoute) -> ProtectedResource {
        let slug = &route.route.slug;
        ProtectedResource {
            uri: self.resource_uri(slug),
            route: slug.clone(),
            server: route.route.server.clone(),
            title: route.route.server.to_string(),
        }
    }
}

impl Resources for Gateway {
    fn find(&self, uri: &str) -> Option<ProtectedResource> {
        let path = path_of(uri, &self.public_url)?;
        let slug = slug_at(&path)?;
        self.of_route(&slug)
    }

    fn of_route(&self, route: &Slug) -> Option<ProtectedResource> {
        let route = self.loader.find(route.as_str())?;
        Some(self.resource(&route))
    }

    fn all(&self) -> Vec<ProtectedResource> {
        let mut all: Vec<_> = self
            .loader
            .routes()
            .by_slug
            .values()
            .map(|route| self.resource(route))
            .collect();
        all.sort_by(|one, other| one.route.as_str().cmp(other.route.as_str()));
        all
    }
}

/// The path of an address of ours: scheme and host in any case, with or without one slash at its end.
fn path_of(uri: &str, ours: &Url) -> Option<String> {
    // The parser makes scheme and host lower case, and leaves the default port out.
    let url = Url::parse(uri).ok()?;
    let is_bare = !uri.contains(['?', '#', '@', '\\']);
    if !is_bare || url.origin() != ours.origin() {
        return None;
    }
    // A path that the parser had to rewrite was not the address: dot segments, characters that must be escaped.
    let path = url.path();
    let is_said = uri.ends_with(path) || (path == "/" && !uri.ends_with('/'));
    is_said.then(|| path.strip_suffix('/').unwrap_or(path).to_owned())
}

/// The path of the official API of a registry: the same resource as its MCP endpoint.
fn registry_api(slug: &Slug) -> Option<String> {
    let face = slug.path();
    Slug::registry(slug.as_str())?;
    Some(format!("{}/v0.1", face.strip_suffix("/mcp")?))
}

/// The slug of an endpoint's path, of either transport, or what stands in its place. Messages of an HTTP+SSE host belong to
/// its stream.
fn slug_at(path: &str) -> Option<Slug> {
    let api = path
        .strip_suffix("/v0.1")
        .map(|registry| format!("{registry}/mcp"));
    if let Some(name) = Slug::registry(api.as_deref().unwrap_or(path)) {
        return Some(Slug::of_registry(&name));
    }
    let (slug, endpoint) = path.strip_prefix("/s/")?.split_once('/')?;
    let is_endpoint = matches!(endpoint, "mcp" | "sse" | "messages");
    is_endpoint.then(|| slug.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_as_7_an_address_is_ours_in_any_case_and_with_a_slash() {
        let ours: Url = "https://mcp.acme.example".parse().unwrap();
        for uri in [
            "https://mcp.acme.example/s/billing/mcp",
            "HTTPS://MCP.Acme.Example/s/billing/mcp",
            "https://mcp.acme.example:443/s/billing/mcp/",
        ] {
            assert_eq!(path_of(uri, &ours).as_deref(), Some("/s/billing/mcp"), "{uri}");
        }
        for uri in [
            "http://mcp.acme.example/s/billing/mcp",
            "https://mcp.acme.example:444/s/billing/mcp",
            "https://mcp.acme.example.evil.example/s/billing/mcp",
            "https://a@mcp.acme.example/s/billing/mcp",
            "https://mcp.acme.example/s/billing/mcp#x",
            "https://mcp.acme.example/s/billing/mcp?",
            "https://mcp.acme.example/s/x/../billing/mcp",
            "https://mcp.acme.example/s\\billing/mcp",
            "/s/billing/mcp",
            "",
        ] {
            assert_eq!(path_of(uri, &ours), None, "{uri}");
        }
        let case = path_of("https://mcp.acme.example/S/billing/mcp//", &ours);
        assert_eq!(case.and_then(|path| slug_at(&path)), None);
    }

    #[test]
    fn every_endpoint_of_a_route_is_one_resource() {
        let at = |path: &str| slug_at(path).map(|slug| slug.as_str().to_owned());
        for path in ["/s/billing/mcp", "/s/billing/sse", "/s/billing/messages"] {
            assert_eq!(at(path).as_deref(), Some("billing"), "{path}");
        }
        for path in ["/mcp", "/v0.1"] {
            assert_eq!(at(path).as_deref(), Some("/mcp"), "{path}");
        }
        for path in ["/registries/inner/mcp", "/registries/inner/v0.1"] {
            assert_eq!(at(path).as_deref(), Some("/registries/inner/mcp"), "{path}");
        }
        for path in [
            "",
            "/",
            "/s/",
            "/s/billing",
            "/s/billing/",
            "/s/billing/mcp/",
            "/s/billing/mcp/x",
            "/s//mcp",
            "/s/Billing/mcp",
            "/s/a b/mcp",
            "/v0.1/servers",
            "/registries//mcp",
            "/api/v1",
        ] {
            assert_eq!(at(path), None, "{path}");
        }
    }
}
