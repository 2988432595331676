//! The head: method, path, `Host`, `Origin`, and the headers of the transport. Nothing of the body is read here.

use http::header::AsHeaderName;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::header;
use url::Url;

use crate::respond::Refusal;

/// Which hosts and origins a request may name.
#[derive(Debug, Clone)]
pub struct Origins {
    public: String,
    allowed: Vec<String>,
    hosts: Option<Vec<String>>,
}

impl Origins {
    /// The public origin, more allowed browser origins, and (for a loopback listener, which DNS rebinding could reach)
    /// the only hosts that a request may name.
    pub fn new(public: &Url, allowed_origins: &[String], loopback_port: Option<u16>) -> Self {
        let mut allowed: Vec<String> = allowed_origins
            .iter()
            .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
            .collect();
        let hosts = loopback_port.map(|port| {
            let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"]
                .iter()
                .map(|host| format!("{host}:{port}"))
                .collect();
            allowed.extend(hosts.iter().map(|host| format!("http://{host}")));
            allowed.extend(hosts.iter().map(|host| format!("https://{host}")));
            hosts.push(authority_of(public));
            hosts
        });
        Self {
            public: public.origin().ascii_serialization(),
            allowed,
            hosts,
        }
    }

    /// Whether the host that a request names, once and no more, is one of ours.
    pub fn admits_target(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(hosts) = &self.hosts else { return true };
        let mut given = headers.get_all(http::header::HOST).iter();
        let host = match (uri.authority(), given.next(), given.next()) {
            (_, _, Some(_)) => None,
            (Some(authority), ..) => Some(authority.as_str()),
            (None, host, None) => host.and_then(|host| host.to_str().ok()),
        };
        host.is_some_and(|host| hosts.iter().any(|known| known.eq_ignore_ascii_case(host)))
    }

    /// Whether a browser page of this origin may call.
    pub fn admits_origin(&self, origin: &str) -> bool {
        origin.eq_ignore_ascii_case(&self.public)
            || self
                .allowed
                .iter()
                .any(|known| known.eq_ignore_ascii_case(origin))
    }
}

fn authority_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        _ => String::new(),
    }
}

/// What the HTTP method asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A message.
    Post,
    /// The stream of a legacy session.
    Get,
    /// The end of a legacy session.
    Delete,
}

/// A head that passed.
#[derive(Debug)]
pub struct Head {
    /// What is asked for.
    pub verb: Verb,
    /// The route's slug, as it stands in the path.
    pub slug: String,
    /// All headers, for the rooms that need one more.
    pub headers: HeaderMap,
    /// The browser origin, allowed.
    pub origin: Option<HeaderValue>,
    /// `MCP-Protocol-Version`, if there is exactly one.
    pub version: Option<String>,
    /// Whether `MCP-Protocol-Version`, `Mcp-Method` or `Mcp-Name` came twice.
    pub doubled: Option<HeaderName>,
}

impl Head {
    /// A header as text; `None` when it is absent or not visible ASCII.
    pub fn text(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The era that the version header alone tells. The body may tell more.
    pub fn era(&self) -> Era {
        match self.version.as_deref() {
            Some(version) if is_modern(version) => Era::Modern,
            _ => Era::Legacy,
        }
    }
}

/// Whether a version text names 2026-07-28 or later. Versions are dates, so text order is time order.
pub fn is_modern(version: &str) -> bool {
    let date_shaped = version.len() == 10
        && version.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 4 | 7) {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    date_shaped && version >= Revision::V2026_07_28.as_str()
}

/// Checks the head.
pub fn head(parts: Parts, origins: &Origins) -> Result<Head, Refusal> {
    if !origins.admits_target(&parts.uri, &parts.headers) {
        return Err(Refusal::Host);
    }
    let origin = origin_of(&parts.headers, origins)?;
    let slug = slug_of(parts.uri.path()).ok_or(Refusal::NoSuchRoute)?.to_owned();
    let verb = match parts.method {
        Method::POST => Verb::Post,
        Method::GET => Verb::Get,
        Method::DELETE => Verb::Delete,
        Method::OPTIONS => {
            return Err(Refusal::Preflight {
                allowed: origin.is_some(),
            });
        }
        _ => return Err(Refusal::MethodNotAllowed),
    };
    let doubled = [
        header::PROTOCOL_VERSION,
        header::METHOD,
        header::NAME,
        header::SESSION_ID,
    ]
    .into_iter()
    .find(|name| parts.headers.get_all(name).iter().nth(1).is_some());
    let version = parts
        .headers
        .get(header::PROTOCOL_VERSION)
        .and_then(|value| value.to_str().ok());
    let version = version.map(|version| version.trim().to_owned());
    Ok(Head {
        verb,
        slug,
        headers: parts.headers,
        origin,
        version,
        doubled,
    })
}

fn origin_of(headers: &HeaderMap, origins: &Origins) -> Result<Option<HeaderValue>, Refusal> {
    let mut given = headers.get_all(http::header::ORIGIN).iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(origin), None) if origin.to_str().is_ok_and(|origin| origins.admits_origin(origin)) => {
            Ok(Some(origin.clone()))
        }
        _ => Err(Refusal::Origin),
    }
}

/// `/s/{slug}/mcp` → slug.
fn slug_of(path: &str) -> Option<&str> {
    path.strip_prefix("/s/")?
        .strip_suffix("/mcp")
        .filter(|slug| !slug.is_empty() && !slug.contains('/'))
}
