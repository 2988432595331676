//! The caller of the management API: an API key in `Authorization: Bearer` or `X-Api-Key`, never a cookie.
//!
//! Handlers take a [`Known`] before their content, so that nothing of a body is read for strangers.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use portreeve_access::Place;
use portreeve_core::caller::Caller;
use portreeve_core::name::{RegistryName, Slug};
use portreeve_core::oauth::{Scopes, ToolClass};
use portreeve_core::ports::Resources as _;
use portreeve_core::publishing::Publisher;
use portreeve_core::route::Credentials;
use portreeve_registry::View;

use crate::Api;
use crate::enter::Named;
use crate::problem::Problem;

/// A caller whose key works.
#[derive(Debug)]
pub(crate) struct Known(pub(crate) Caller);

impl FromRequestParts<Api> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let credential = credential(&parts.headers)?;
        match api.access.authenticate(credential) {
            Ok(caller) => Ok(Self(caller)),
            Err(error) => Err(Problem::unauthenticated(
                "Bearer error=\"invalid_token\"",
                error.to_string(),
            )),
        }
    }
}

/// A registry as the caller of this request may read it. The default registry asks nobody for a key while it is open to
/// everyone: hosts send credentials of their own there, which mean nothing here.
#[derive(Debug)]
pub(crate) struct Reading(pub(crate) View);

impl FromRequestParts<Api> for Reading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let named = parts.extensions.get::<Named>().and_then(|named| named.0.clone());
        open(api, &parts.headers, named.as_deref()).await.map(Self)
    }
}

/// Opens a registry, or the default one, for who sends this head.
pub(crate) async fn open(api: &Api, headers: &HeaderMap, named: Option<&str>) -> Result<View, Problem> {
    // What cannot be a name is the name of nothing, and answered like it.
    let name: Result<Option<RegistryName>, &str> =
        named.map(|text| text.parse().map_err(|_| text)).transpose();
    if let Ok(name) = &name
        && let Ok(view) = api.registry.view(name.as_ref(), None)
    {
        return Ok(view);
    }
    let resource = name
        .as_ref()
        .ok()
        .and_then(|name| Resource::of(api, name.as_ref()));
    let reader = match (Reader::of(api, headers), &resource) {
        (Ok(reader), _) => reader,
        (Err(problem), None) => return Err(problem),
        (Err(problem), Some(resource)) => match resource.token_bearer(api, headers).await {
            Some(caller) => Reader::Caller(caller),
            None => return Err(problem.at_resource(&resource.metadata, &resource.scopes())),
        },
    };
    match (name, reader) {
        (Ok(name), Reader::Caller(caller)) => Ok(api.registry.view(name.as_ref(), Some(&caller))?),
        // A namespace that somebody proved makes him a member of no registry.
        (Ok(name), Reader::Publisher(_)) => {
            Err(no_registry(name.unwrap_or_else(RegistryName::main).as_str()))
        }
        (Err(text), _) => Err(no_registry(text)),
    }
}

/// Somebody whose credential works.
#[derive(Debug)]
pub(crate) enum Reader {
    /// By an API key.
    Caller(Caller),
    /// By a registry token.
    Publisher(Publisher),
}

impl Reader {
    /// Who sends this head.
    pub(crate) fn of(api: &Api, headers: &HeaderMap) -> Result<Self, Problem> {
        let credential = credential(headers)?;
        let found = if credential.starts_with("prv_") {
            let known = api.access.authenticate(credential);
            known.map(Self::Caller).map_err(|error| error.to_string())
        } else {
            let known = api.publishing.authenticate(credential);
            known.map(Self::Publisher).map_err(|error| error.to_string())
        };
        found.map_err(|reason| Problem::unauthenticated("Bearer error=\"invalid_token\"", reason))
    }
}

/// A registry as a protected resource: the one that its MCP endpoint is.
struct Resource {
    slug: Slug,
    uri: String,
    /// Where its metadata are.
    metadata: String,
}

impl Resource {
    fn of(api: &Api, name: Option<&RegistryName>) -> Option<Self> {
        let main = RegistryName::main();
        let slug = Slug::of_registry(name.unwrap_or(&main));
        let resource = api.gateway.of_route(&slug)?;
        Some(Self {
            metadata: api.gateway.registry_api_metadata(&slug),
            uri: resource.uri,
            slug,
        })
    }

    fn scopes(&self) -> Scopes {
        Scopes::needed(&self.slug, ToolClass::Read)
    }

    /// Who came with an access token that was made out for this registry, and reaches so far.
    async fn token_bearer(&self, api: &Api, headers: &HeaderMap) -> Option<Caller> {
        let place = Place {
            resource: &self.uri,
            route: &self.slug,
            takes: &Credentials::default(),
        };
        let caller = api
            .access
            .authenticate_at(credential(headers).ok()?, &place)
            .await
            .ok()?;
        let token = caller.token.as_ref()?;
        token.scopes.cover(&self.slug, ToolClass::Read).then_some(caller)
    }
}

fn no_registry(name: &str) -> Problem {
    let shown: String = name.chars().take(200).collect();
    Problem::not_found(format!("registry `{shown}`"))
}

/// The key in the request's head.
pub(crate) fn credential(headers: &HeaderMap) -> Result<&str, Problem> {
    let bearer = one(headers, header::AUTHORIZATION.as_str())?
        .map(bearer)
        .transpose()?;
    let api_key = one(headers, "x-api-key")?;
    match (bearer, api_key) {
        (Some(bearer), Some(api_key)) if bearer != api_key => Err(Problem::bad_request(
            "`Authorization` and `X-Api-Key` hold two different keys",
        )
        .hint("send one of them")),
        (Some(key), _) | (None, Some(key)) => Ok(key),
        (None, None) => Err(Problem::unauthenticated("Bearer", "this needs an API key")),
    }
}

fn bearer(value: &str) -> Result<&str, Problem> {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Problem::unauthenticated(
            "Bearer",
            "`Authorization` is not `Bearer KEY`",
        )),
    }
}

/// The only value of a header. Two of them are refused: which one counts must not depend on who reads.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::bad_request(format!("`{name}` stands there twice")));
    }
    match first.map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text.trim())),
        Some(Err(_)) => Err(Problem::unauthenticated(
            "Bearer",
            format!("`{name}` is not a key"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<String, u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let status = |problem: Problem| {
            use axum::response::IntoResponse;
            problem.into_response().status().as_u16()
        };
        credential(&headers).map(str::to_owned).map_err(status)
    }

    #[test]
    fn a_key_is_read_from_one_of_two_headers() {
        assert_eq!(read(&[("authorization", "Bearer prv_a")]), Ok("prv_a".to_owned()));
        assert_eq!(
            read(&[("authorization", "bearer  prv_a")]),
            Ok("prv_a".to_owned())
        );
        assert_eq!(read(&[("x-api-key", "prv_a")]), Ok("prv_a".to_owned()));
        let twice_the_same = [("authorization", "Bearer prv_a"), ("x-api-key", "prv_a")];
        assert_eq!(read(&twice_the_same), Ok("prv_a".to_owned()));
    }

    #[test]
    fn everything_else_is_refused() {
        assert_eq!(read(&[]), Err(401));
        assert_eq!(read(&[("authorization", "Basic YTpi")]), Err(401));
        assert_eq!(read(&[("cookie", "session=prv_a")]), Err(401));
        assert_eq!(
            read(&[("authorization", "Bearer prv_a"), ("x-api-key", "prv_b")]),
            Err(400)
        );
        assert_eq!(read(&[("x-api-key", "prv_a"), ("x-api-key", "prv_a")]), Err(400));
    }
}
