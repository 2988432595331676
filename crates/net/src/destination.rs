//! A URL that was judged: what can be said of it without the network is said once, not with every request.
//!
//! Before it: a use case with a URL and a [`Reach`]. After it: `egress` sends to it as often as it is asked to.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use url::Url;

use crate::error::NetError;
use crate::guard::{Class, PublicHttp, Reach, Refusal, Target};

/// Where requests go, in the notation in which it was judged. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Destination {
    origin: Arc<Origin>,
    path: PathAndQuery,
}

/// What was judged.
#[derive(Debug)]
struct Origin {
    place: Place,
    /// `host[:port]`, as in a URL.
    authority: Authority,
    /// The same as the value of `Host`.
    host: HeaderValue,
    /// Plain http to a public host: only where the configuration file allows it.
    needs_public_http: bool,
}

/// What tells connections apart. One that was opened where private addresses were allowed must never serve a request
/// for which they are not, so the class belongs to it. A grant opens one host and port: two entries that hold the same
/// grant may share what it opened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) target: Target,
    pub(crate) class: Class,
}

// === impl Destination ===

impl Destination {
    /// Judges a URL, except for the addresses that its name stands for: those are judged when it is dialled.
    pub fn new(url: &Url, reach: &Reach) -> Result<Self, NetError> {
        let target = Target::of(url)?;
        let class = target.class(reach);
        target.check(class, PublicHttp::Allowed)?;
        let refused = |_| NetError::refused(target.to_string(), Refusal::Host);
        let authority = Authority::try_from(target.authority()).map_err(refused)?;
        let host = HeaderValue::from_str(authority.as_str())
            .map_err(|_| NetError::refused(target.to_string(), Refusal::Host))?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let path = PathAndQuery::try_from(path).map_err(refused)?;
        let origin = Origin {
            needs_public_http: target.check(class, PublicHttp::Refused).is_err(),
            place: Place { target, class },
            authority,
            host,
        };
        Ok(Self {
            origin: Arc::new(origin),
            path,
        })
    }

    /// Another path of the same origin, with its query. Where requests go is not judged again, since no path can say.
    ///
    /// # Errors
    ///
    /// When the text is no path that begins with a slash.
    pub fn at(&self, path: &str) -> Result<Self, NetError> {
        let refused = || NetError::refused(self.target().to_string(), Refusal::Host);
        if !path.starts_with('/') {
            return Err(refused());
        }
        Ok(Self {
            origin: Arc::clone(&self.origin),
            path: PathAndQuery::try_from(path).map_err(|_| refused())?,
        })
    }

    /// [`Destination::new`] for the URL of a request that was built elsewhere.
    pub(crate) fn of(uri: &Uri, reach: &Reach) -> Result<Self, NetError> {
        let url = Url::parse(&uri.to_string())
            .map_err(|_| NetError::refused(uri.host().unwrap_or_default(), Refusal::Host))?;
        Self::new(&url, reach)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.origin.place
    }

    pub(crate) fn target(&self) -> &Target {
        &self.origin.place.target
    }

    /// Whether the rule on plain http lets it out.
    pub(crate) fn check(&self, public_http: PublicHttp) -> Result<(), NetError> {
        if self.origin.needs_public_http && public_http == PublicHttp::Refused {
            return Err(NetError::refused(self.target().to_string(), Refusal::PlainHttp));
        }
        Ok(())
    }

    /// The value of `Host`.
    pub(crate) fn host(&self) -> HeaderValue {
        self.origin.host.clone()
    }

    /// The request target of HTTP/1.1 to the server itself.
    pub(crate) fn origin_form(&self) -> Uri {
        Uri::from(self.path.clone())
    }

    /// The whole URL: what HTTP/2 and a proxy want to have.
    pub(crate) fn absolute_form(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(if self.target().tls {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        });
        parts.authority = Some(self.origin.authority.clone());
        parts.path_and_query = Some(self.path.clone());
        // All three are there, so they make a URI.
        Uri::from_parts(parts).unwrap_or_default()
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.target().fmt(f)
    }
}
