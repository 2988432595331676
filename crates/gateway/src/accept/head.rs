//! The head: its size, `Host`, `Origin`, method, path, and the headers of the transport, in this order. Nothing of the
//! body is read here.

use http::header::AsHeaderName;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri};
use portreeve_core::limits::Limits;
use portreeve_core::name::Slug;
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
        let mut given = headers.get_all(http::header::HOST).iter();
        let (first, second) = (given.next(), given.next());
        let Some(hosts) = &self.hosts else {
            return second.is_none();
        };
        let host = match (uri.authority(), first, second) {
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

/// Which endpoint of a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `/mcp`: Streamable HTTP, of every revision.
    Mcp,
    /// `/sse`: the stream of a host that speaks HTTP+SSE, the transport of 2024-11-05.
    Stream,
    /// `/messages`: what such a host sends.
    Messages,
}

/// A head that passed.
#[derive(Debug)]
pub struct Head {
    /// Where it came in.
    pub door: Door,
    /// What is asked for.
    pub verb: Verb,
    /// The route's slug, as it stands in the path.
    pub slug: String,
    /// `sessionId` of the query, which names the stream that an HTTP+SSE host reads. It may not come twice.
    pub stream: Option<String>,
    /// All headers, for the rooms that need one more.
    pub headers: HeaderMap,
    /// The browser origin, allowed.
    pub origin: Option<HeaderValue>,
    /// `MCP-Protocol-Version`. Where it counts, it may not come twice.
    pub version: Option<String>,
}

impl Head {
    /// A header as text; `None` when it is absent or not visible ASCII.
    pub fn text(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether a header came more than once.
    pub fn is_doubled(&self, name: impl AsHeaderName) -> bool {
        self.headers.get_all(name).iter().nth(1).is_some()
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

/// Whether a head is within its bounds. The HTTP library has wider ones of its own, which keep memory bounded.
pub fn fits(method: &Method, uri: &Uri, headers: &HeaderMap, limits: &Limits) -> bool {
    const LINE_ENDS: usize = 4;
    const VERSION: usize = " HTTP/1.1".len();
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    let line = method.as_str().len() + target + authority + VERSION + LINE_ENDS;
    let fields: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + LINE_ENDS)
        .sum();
    line + fields <= limits.head_bytes && headers.len() <= limits.head_fields
}

/// Checks the head.
pub fn head(parts: Parts, origins: &Origins, limits: &Limits) -> Result<Head, Refusal> {
    if !fits(&parts.method, &parts.uri, &parts.headers, limits) {
        return Err(Refusal::HeadTooLarge {
            bytes: limits.head_bytes,
            fields: limits.head_fields,
        });
    }
    if !origins.admits_target(&parts.uri, &parts.headers) {
        return Err(Refusal::Host);
    }
    let origin = origin_of(&parts.headers, origins)?;
    let (slug, door) = place(parts.uri.path()).ok_or(Refusal::NoSuchRoute)?;
    let slug = slug.to_owned();
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
    let head = Head {
        door,
        verb,
        slug,
        stream: stream_of(parts.uri.query()),
        version: version_of(&parts.headers),
        headers: parts.headers,
        origin,
    };
    door.admits(&head)?;
    if verb != Verb::Post && head.era() == Era::Modern {
        // The modern era has neither streams of sessions nor sessions that could end.
        return Err(Refusal::MethodNotAllowed);
    }
    Ok(head)
}

/// The slug and the endpoint that a path names.
fn place(path: &str) -> Option<(&str, Door)> {
    if let Some(slug) = Slug::in_path(path) {
        return Some((slug, Door::Mcp));
    }
    let (slug, door) = match path.strip_prefix("/s/")?.rsplit_once('/')? {
        (slug, "sse") => (slug, Door::Stream),
        (slug, "messages") => (slug, Door::Messages),
        _ => return None,
    };
    (!slug.is_empty() && !slug.contains('/')).then_some((slug, door))
}

impl Door {
    /// The two endpoints of HTTP+SSE have one method each, and know nothing of the modern era.
    fn admits(self, head: &Head) -> Result<(), Refusal> {
        let (only, allowed) = match self {
            Self::Mcp => return Ok(()),
            Self::Stream => (Verb::Get, "GET, OPTIONS"),
            Self::Messages => (Verb::Post, "POST, OPTIONS"),
        };
        if head.verb != only {
            return Err(Refusal::OnlyMethod { allowed });
        }
        match (&head.version, head.era()) {
            (Some(version), Era::Modern) => Err(Refusal::BadVersion {
                requested: version.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// The one `sessionId` of a query. Ours need no decoding.
fn stream_of(query: Option<&str>) -> Option<String> {
    let mut given = query?
        .split('&')
        .filter_map(|pair| pair.strip_prefix("sessionId="));
    match (given.next(), given.next()) {
        (Some(id), None) => Some(id.to_owned()),
        _ => None,
    }
}

/// A version that is no text is a version all the same, and one that nobody knows.
fn version_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::PROTOCOL_VERSION)?;
    Some(String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
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
