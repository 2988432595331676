//! Which protected resources there are, for the authorization server that issues tokens for them.

use crate::name::Slug;
use crate::oauth::ProtectedResource;

/// The MCP endpoints of this moment, out of memory. Implemented by the gateway, whose routes they are.
pub trait Resources: Send + Sync {
    /// The resource that an address means: scheme and host in any case, with or without one slash at its end (RFC 8707,
    /// and the rules of MCP for canonical server URIs). Both endpoints of a route mean the same resource.
    fn find(&self, uri: &str) -> Option<ProtectedResource>;

    /// The resource of a route.
    fn of_route(&self, route: &Slug) -> Option<ProtectedResource>;

    /// All of them, by route.
    fn all(&self) -> Vec<ProtectedResource>;
}
