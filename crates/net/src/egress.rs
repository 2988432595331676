//! The door: judge, connect or reuse, send, hand back the response with its body still streaming.
//!
//! Before it: a use case with a URL and a [`Reach`]. After it: [`crate::read_body`], or the caller's own reading of the
//! frames. No redirect is followed, nothing is decompressed, nothing is read from the environment.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Request, Response, Uri, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use portreeve_core::server::PrivateHost;
use url::Url;

use crate::address::{Kind, kind};
use crate::connect::{Connector, Dialler};
use crate::error::{NetError, Phase};
use crate::guard::{Class, PublicHttp, Reach, Refusal, Target, TargetHost, name_kind};
use crate::proxy::Proxy;
use crate::resolve::{Resolve, SystemResolver};
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
    // A pool knows its connections by scheme, host and port only. One that was opened where private addresses were
    // allowed must never serve a request for which they are not, so each class has a pool of its own. Three are
    // enough: a grant opens one host and port, so two entries that hold the same grant may share what it opened, and
    // a request whose entry does not hold it goes to the public pool.
    public: Client<Connector, Full<Bytes>>,
    granted: Client<Connector, Full<Bytes>>,
    operator: Client<Connector, Full<Bytes>>,
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
        let pool = |class| {
            pool(
                &config,
                Connector {
                    dialler: dialler.clone(),
                    class,
                },
            )
        };
        let (public, granted, operator) = (pool(Class::Public), pool(Class::Granted), pool(Class::Operator));
        Self(Arc::new(Inner {
            config,
            dialler,
            public,
            granted,
            operator,
        }))
    }

    /// Everything that can be said about a URL without the network.
    pub fn check(&self, url: &Url, reach: &Reach) -> Result<(), NetError> {
        let target = Target::of(url)?;
        target.check(target.class(reach), self.0.config.public_http)
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

    /// Sends a request and waits for the head of its response, connecting included. The body streams untouched.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        reach: &Reach,
        head_timeout: Duration,
    ) -> Result<Response<Incoming>, NetError> {
        let target = target_of(request.uri())?;
        let class = target.class(reach);
        target.check(class, self.0.config.public_http)?;
        let mut request = self.prepared(request, &target)?.map(Full::new);
        let connection = capture_connection(&mut request);
        let client = match class {
            Class::Public => &self.0.public,
            Class::Granted => &self.0.granted,
            Class::Operator => &self.0.operator,
        };
        match tokio::time::timeout(head_timeout, client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(translated(error, &target)),
            Err(_) => {
                let sent = connection.connection_metadata().is_some();
                let phase = if sent {
                    Phase::Head
                } else {
                    Phase::WaitForConnection
                };
                Err(NetError::Timeout {
                    host: target.to_string(),
                    phase,
                    limit: head_timeout,
                })
            }
        }
    }

    /// The request as it goes out: its URL is the one that was judged, in the notation in which it was judged.
    fn prepared(&self, mut request: Request<Bytes>, target: &Target) -> Result<Request<Bytes>, NetError> {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let uri = Uri::builder()
            .scheme(if target.tls { "https" } else { "http" })
            .authority(target.authority())
            .path_and_query(path)
            .build()
            .map_err(|_| NetError::refused(target.to_string(), Refusal::Host))?;
        *request.uri_mut() = uri;
        // The connection decides between HTTP/1.1 and HTTP/2.
        *request.version_mut() = Version::HTTP_11;
        // `Host` follows from the URL, and nobody but us speaks to the proxy.
        request.headers_mut().remove(HOST);
        request.headers_mut().remove(PROXY_AUTHORIZATION);
        if !target.tls
            && let Some(proxy) = self.0.dialler.proxy_for(target)
            && let Some(authorization) = &proxy.authorization
        {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }
}

fn pool(config: &EgressConfig, connector: Connector) -> Client<Connector, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(config.idle_timeout)
        .pool_max_idle_per_host(config.idle_per_host)
        .http1_max_buf_size(256 * 1024)
        .http2_max_header_list_size(64 * 1024)
        // Finds a peer that vanished while streams are open; silence on an open stream is normal for MCP.
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .build(connector)
}

/// Reads the destination out of a request's URL with the parser that the guard trusts.
fn target_of(uri: &Uri) -> Result<Target, NetError> {
    let url = Url::parse(&uri.to_string())
        .map_err(|_| NetError::refused(uri.host().unwrap_or_default(), Refusal::Host))?;
    Target::of(&url)
}

/// Our own error out of the client's, which wraps what the connector said.
fn translated(error: ClientError, target: &Target) -> NetError {
    let mut unsent = error.is_connect();
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<NetError>() {
            return ours.clone();
        }
        // The client gives this only when it still holds the whole request.
        unsent |= inner
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_canceled);
        cause = inner.source();
    }
    let host = target.to_string();
    if unsent {
        NetError::connect(host, error)
    } else {
        NetError::Exchange {
            host,
            cause: Arc::new(error),
        }
    }
}
