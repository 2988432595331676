//! The connector: from a URL to an open connection. The name is resolved here, every address is judged, and the
//! connection goes to an address that was judged: nothing is resolved a second time in between.
//!
//! Called by `egress` when the pool has no connection to give.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use portreeve_core::time::Timestamp;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::ends_at;
use crate::error::{NetError, Phase};
use crate::guard::{Class, PublicHttp, Refusal, Target, TargetHost, check_address};
use crate::proxy::Proxy;
use crate::resolve::Resolve;
use crate::stream::{Duplex, Speech, Stream};

/// How many addresses of a name are tried. All of them are judged.
const ADDRESSES_TRIED: usize = 8;

/// Opens connections.
pub(crate) struct Dialler {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) public_http: PublicHttp,
    pub(crate) connect_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
}

/// What a server showed of itself in a TLS handshake that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The version that was agreed on: `TLS 1.3`.
    pub protocol: &'static str,
    /// When the first of its certificates ends; `None` when none of them says so in a way that is read here.
    pub ends_at: Option<Timestamp>,
}

// === impl Greeting ===

impl Greeting {
    fn of<T>(encrypted: &TlsStream<T>) -> Self {
        let (_, connection) = encrypted.get_ref();
        let certificates = connection.peer_certificates().unwrap_or_default();
        Self {
            protocol: match connection.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "an unknown version",
            },
            ends_at: certificates.iter().filter_map(|one| ends_at(one)).min(),
        }
    }
}

// === impl Dialler ===

impl Dialler {
    /// The proxy that a destination takes, if any.
    pub(crate) fn proxy_for(&self, target: &Target) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| proxy.takes(target))
    }

    /// Every address of a destination, if each of them may be reached.
    pub(crate) async fn vetted(&self, target: &Target, class: Class) -> Result<Vec<SocketAddr>, NetError> {
        let unresolved = |cause: std::io::Error| NetError::Resolve {
            host: target.to_string(),
            cause: Arc::new(cause),
        };
        let addresses = match &target.host {
            TargetHost::Address(address) => vec![*address],
            TargetHost::Name(name) => self.resolver.resolve(name).await.map_err(unresolved)?,
        };
        if addresses.is_empty() {
            return Err(unresolved(std::io::Error::other("the name has no address")));
        }
        for address in &addresses {
            check_address(*address, class).map_err(|reason| {
                tracing::debug!(target.host = %target, %address, %reason, "the egress guard refused an address");
                NetError::refused(target.to_string(), reason)
            })?;
        }
        Ok(addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, target.port))
            .collect())
    }

    /// [`Dialler::vetted`] within the time for a connection.
    pub(crate) async fn vetted_in_time(
        &self,
        target: &Target,
        class: Class,
    ) -> Result<Vec<SocketAddr>, NetError> {
        timeout(self.connect_timeout, self.vetted(target, class))
            .await
            .map_err(|_| self.late(target, Phase::Connect))?
    }

    /// Opens a connection to a destination.
    pub(crate) async fn open(&self, target: &Target, class: Class) -> Result<Stream, NetError> {
        // Whoever made the destination has judged its URL. It costs nothing to be sure.
        target.check(class, self.public_http)?;
        let Some(proxy) = self.proxy_for(target) else {
            let tcp = self.dial(target, class).await?;
            return if target.tls {
                self.encrypt(tcp, target).await.map(spoken)
            } else {
                Ok(Stream::new(tcp, Speech::Http1))
            };
        };
        let tcp = self.dial(&proxy.target, Class::Operator).await?;
        if !target.tls {
            return Ok(Stream::new(tcp, Speech::Proxied));
        }
        let tunnel = self.tunnel(proxy, tcp, target).await?;
        self.encrypt(tunnel, target).await.map(spoken)
    }

    /// Greets a server over TLS, on a connection of its own that ends with that.
    pub(crate) async fn greet(&self, target: &Target, class: Class) -> Result<Greeting, NetError> {
        target.check(class, self.public_http)?;
        let Some(proxy) = self.proxy_for(target) else {
            let tcp = self.dial(target, class).await?;
            return Ok(Greeting::of(&self.encrypt(tcp, target).await?));
        };
        let tcp = self.dial(&proxy.target, Class::Operator).await?;
        let tunnel = self.tunnel(proxy, tcp, target).await?;
        Ok(Greeting::of(&self.encrypt(tunnel, target).await?))
    }

    async fn tunnel(
        &self,
        proxy: &Proxy,
        tcp: TcpStream,
        target: &Target,
    ) -> Result<TokioIo<Upgraded>, NetError> {
        timeout(self.handshake_timeout, proxy.tunnel(tcp, target))
            .await
            .map_err(|_| self.late(target, Phase::Handshake))?
    }

    /// Tries the addresses in order. Each gets its share of the time that is left, so that a dead one does not use up
    /// the time of the next.
    async fn dial(&self, target: &Target, class: Class) -> Result<TcpStream, NetError> {
        let deadline = Instant::now() + self.connect_timeout;
        let addresses = timeout_at(deadline, self.vetted(target, class))
            .await
            .map_err(|_| self.late(target, Phase::Connect))??;
        let mut last = self.late(target, Phase::Connect);
        let tried = addresses.len().min(ADDRESSES_TRIED);
        for (address, untried) in addresses.iter().zip((1..=tried).rev()) {
            let share =
                deadline.saturating_duration_since(Instant::now()) / u32::try_from(untried).unwrap_or(1);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    tcp.set_nodelay(true)
                        .map_err(|cause| NetError::connect(target.to_string(), cause))?;
                    return Ok(tcp);
                }
                Ok(Err(cause)) => last = NetError::connect(target.to_string(), cause),
                Err(_) => last = self.late(target, Phase::Connect),
            }
        }
        Err(last)
    }

    async fn encrypt<T: Duplex + 'static>(&self, io: T, target: &Target) -> Result<TlsStream<T>, NetError> {
        let name = match &target.host {
            TargetHost::Address(address) => ServerName::from(*address),
            TargetHost::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| NetError::refused(target.to_string(), Refusal::Host))?,
        };
        timeout(
            self.handshake_timeout,
            TlsConnector::from(self.tls.clone()).connect(name, io),
        )
        .await
        .map_err(|_| self.late(target, Phase::Handshake))?
        .map_err(|cause| NetError::Tls {
            host: target.to_string(),
            cause: Arc::new(cause),
        })
    }

    fn late(&self, target: &Target, phase: Phase) -> NetError {
        let limit = match phase {
            Phase::Handshake => self.handshake_timeout,
            Phase::Connect | Phase::WaitForConnection | Phase::Head => self.connect_timeout,
        };
        NetError::Timeout {
            host: target.to_string(),
            phase,
            limit,
        }
    }
}

/// A connection on which the version of HTTP was agreed on.
fn spoken(encrypted: TlsStream<impl Duplex + 'static>) -> Stream {
    let speech = match encrypted.get_ref().1.alpn_protocol() {
        Some(b"h2") => Speech::Http2,
        _ => Speech::Http1,
    };
    Stream::new(encrypted, speech)
}
