//! The door: connect or reuse, send, hand back the response with its body still streaming.
//!
//! Before it: a use case with a [`Destination`]. After it: [`crate::read_body`], or the caller's own reading of the
//! frames. No redirect is followed, nothing is decompressed, nothing is read from the environment.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use portreeve_core::server::PrivateHost;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::address::{Kind, kind};
use crate::body::ResponseBody;
use crate::connect::{Dialler, Greeting};
use crate::destination::Destination;
use crate::error::{NetError, Phase};
use crate::guard::{Class, PublicHttp, Reach, Refusal, Target, TargetHost, name_kind};
use crate::pool::{Keeping, Lease, Line, Pool};
use crate::proxy::Proxy;
use crate::resolve::{Resolve, SystemResolver};
use crate::stream::Speech;
use crate::trust;

/// What the configuration file says about the way out.
#[derive(Clone)]
pub struct EgressConfig {
    /// The http proxy that everything takes; its URL may carry credentials.
    pub proxy: Option<Url>,
    /// What does not take the proxy: names, `.zones`, addresses, networks in CIDR notation, `*`.
    pub no_proxy: Vec<String>,
    /// Certificates of private CAs, as PEM, trusted beside the machine's own.
    pub ca_pem: Option<Vec<u8>>,
    /// Whether plain http may lead to public hosts.
    pub public_http: PublicHttp,
    /// Time to resolve a name and open a connection.
    pub connect_timeout: Duration,
    /// Time for the TLS handshake, and for a proxy to answer.
    pub handshake_timeout: Duration,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// How many idle connections to one host are kept.
    pub idle_per_host: usize,
}

/// The way out. One per process; a clone shares its connections.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    config: EgressConfig,
    dialler: Arc<Dialler>,
    pool: Pool,
}

// === impl EgressConfig ===

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            proxy: None,
            no_proxy: Vec::new(),
            ca_pem: None,
            public_http: PublicHttp::Refused,
            connect_timeout: Duration::from_secs(3),
            handshake_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            idle_per_host: 512,
        }
    }
}

impl std::fmt::Debug for EgressConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The proxy's URL may carry a password.
        f.debug_struct("EgressConfig")
            .field("proxy", &self.proxy.as_ref().and_then(Url::host_str))
            .field("no_proxy", &self.no_proxy)
            .field("public_http", &self.public_http)
            .finish_non_exhaustive()
    }
}

/// A server may refuse a request before it has read it, and never read the rest. The rest may lie in the sockets, where
/// nobody sees it, and the next request would wait behind it. A body of this size is read with its head, or nearly so.
const SURELY_READ: usize = 64 * 1024;

// === impl Egress ===

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Egress").field(&self.0.config).finish()
    }
}

impl Egress {
    /// Sets up the way out. Opens nothing.
    pub fn new(config: &EgressConfig) -> Result<Self, NetError> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// [`Egress::new`] with a resolver that is not the machine's.
    pub fn with_resolver(config: &EgressConfig, resolver: Arc<dyn Resolve>) -> Result<Self, NetError> {
        let proxy = config
            .proxy
            .as_ref()
            .map(|url| Proxy::new(url, &config.no_proxy))
            .transpose()?;
        let dialler = Dialler {
            resolver,
            tls: trust::client_config(config.ca_pem.as_deref())?,
            proxy,
            public_http: config.public_http,
            connect_timeout: config.connect_timeout,
            handshake_timeout: config.handshake_timeout,
        };
        Ok(Self::with_dialler(config.clone(), Arc::new(dialler)))
    }

    /// The same way out with connections of its own. A connection lives on the runtime that opened it, so a worker
    /// with a runtime of its own saves a hop between threads per read when it does not share the others' pools.
    #[must_use]
    pub fn with_own_connections(&self) -> Self {
        Self::with_dialler(self.0.config.clone(), self.0.dialler.clone())
    }

    fn with_dialler(config: EgressConfig, dialler: Arc<Dialler>) -> Self {
        let pool = Pool::new(Keeping {
            idle_timeout: config.idle_timeout,
            idle_per_place: config.idle_per_host,
        });
        Self(Arc::new(Inner {
            config,
            dialler,
            pool,
        }))
    }

    /// Everything that can be said about a URL without the network.
    pub fn check(&self, url: &Url, reach: &Reach) -> Result<(), NetError> {
        Destination::new(url, reach)?.check(self.0.config.public_http)
    }

    /// The grants that this URL would need: none for a public host, one for a private one. An error when no grant
    /// would help, or when the name cannot be resolved now.
    pub async fn private_hosts(&self, url: &Url) -> Result<Vec<PrivateHost>, NetError> {
        let target = Target::of(url)?;
        let dialler = &self.0.dialler;
        let found = match &target.host {
            TargetHost::Address(address) => kind(*address),
            TargetHost::Name(name) => match name_kind(name) {
                // A proxy resolves the name itself; what it stands for cannot be known here.
                Kind::Public if dialler.proxy_for(&target).is_none() => {
                    let addresses = dialler.vetted_in_time(&target, Class::Operator).await?;
                    addresses
                        .iter()
                        .map(|address| kind(address.ip()))
                        .max()
                        .unwrap_or(Kind::Public)
                }
                known => known,
            },
        };
        match found {
            Kind::Public => Ok(Vec::new()),
            Kind::Private => Ok(vec![target.as_grant()]),
            Kind::Never => Err(NetError::refused(target.to_string(), Refusal::Never)),
        }
    }

    /// What the server of an https URL shows of itself over TLS; `None` for any other URL.
    pub async fn greet(&self, url: &Url, reach: &Reach) -> Result<Option<Greeting>, NetError> {
        if url.scheme() != "https" {
            return Ok(None);
        }
        let to = Destination::new(url, reach)?;
        to.check(self.0.config.public_http)?;
        let place = to.place();
        self.0.dialler.greet(&place.target, place.class).await.map(Some)
    }

    /// Sends a request to where its URL leads. Whoever does so often makes a [`Destination`] once, and takes
    /// [`Egress::send_to`].
    pub async fn send(
        &self,
        request: Request<Bytes>,
        reach: &Reach,
        head_timeout: Duration,
    ) -> Result<Response<ResponseBody>, NetError> {
        let to = Destination::of(request.uri(), reach)?;
        self.send_to(&to, request, head_timeout).await
    }

    /// Sends a request and waits for the head of its response, connecting included. The body streams untouched. Where
    /// the request goes is what the destination says; its own URI and `Host` are replaced.
    pub async fn send_to(
        &self,
        to: &Destination,
        request: Request<Bytes>,
        head_timeout: Duration,
    ) -> Result<Response<ResponseBody>, NetError> {
        to.check(self.0.config.public_http)?;
        let deadline = Instant::now() + head_timeout;
        let late = |phase| NetError::Timeout {
            host: to.to_string(),
            phase,
            limit: head_timeout,
        };
        let is_large = request.body().len() > SURELY_READ;
        let mut request = request.map(Full::new);
        // Nobody but us speaks to the proxy.
        request.headers_mut().remove(PROXY_AUTHORIZATION);
        loop {
            let kept = self.0.pool.take(to.place());
            let is_kept = kept.is_some();
            let line = match kept {
                Some(line) => line,
                None => timeout_at(deadline, self.open(to))
                    .await
                    .map_err(|_| late(Phase::WaitForConnection))??,
            };
            self.address(&mut request, to, line.speech());
            let mut lease = self.0.pool.lease(line, to.place());
            match timeout_at(deadline, lease.line().send(request)).await {
                Err(_) => return Err(late(Phase::Head)),
                Ok(Ok(response)) => {
                    if is_large && !response.status().is_success() {
                        lease.make_last();
                    }
                    return Ok(with_lease(response, lease));
                }
                Ok(Err(mut error)) => match error.take_message() {
                    // The connection had closed while it waited, and nothing of the request left.
                    Some(unsent) if is_kept => request = unsent,
                    unsent => return Err(failed(to, error, unsent.is_some())),
                },
            }
        }
    }

    async fn open(&self, to: &Destination) -> Result<Line, NetError> {
        let place = to.place();
        let stream = self.0.dialler.open(&place.target, place.class).await?;
        let line = Line::begin(stream)
            .await
            .map_err(|error| NetError::connect(to.to_string(), error))?;
        self.0.pool.opened(&line, place);
        Ok(line)
    }

    /// Says where the request goes, in the form that the connection wants.
    fn address(&self, request: &mut Request<Full<Bytes>>, to: &Destination, speech: Speech) {
        if speech == Speech::Http2 {
            *request.uri_mut() = to.absolute_form();
            *request.version_mut() = Version::HTTP_2;
            // The authority is in the URL; a `Host` beside it would be a second voice.
            request.headers_mut().remove(HOST);
            return;
        }
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().insert(HOST, to.host());
        if speech == Speech::Http1 {
            *request.uri_mut() = to.origin_form();
            return;
        }
        *request.uri_mut() = to.absolute_form();
        let proxy = self.0.dialler.proxy_for(to.target());
        if let Some(authorization) = proxy.and_then(|proxy| proxy.authorization.as_ref()) {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization.clone());
        }
    }
}

fn with_lease(response: Response<Incoming>, lease: Lease) -> Response<ResponseBody> {
    response.map(|body| ResponseBody::new(body, lease))
}

fn failed(to: &Destination, error: TrySendError<Request<Full<Bytes>>>, is_unsent: bool) -> NetError {
    let (host, cause) = (to.to_string(), error.into_error());
    if is_unsent {
        NetError::connect(host, cause)
    } else {
        NetError::Exchange {
            host,
            cause: Arc::new(cause),
        }
    }
}
