//! The configured egress proxy: which destinations take it, and the CONNECT that opens a tunnel through it.
//!
//! Nothing is read from the environment. What takes the proxy is judged by name and literal address alone, since the
//! proxy resolves names itself; what does not is resolved and judged here like everything else.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use url::Url;

use crate::error::{Cause, NetError};
use crate::guard::{Target, TargetHost};

/// The proxy of the configuration file.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) target: Target,
    /// The user name and password of its URL, as the header wants them. Marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
    exceptions: Vec<Exception>,
}

/// A destination that does not take the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exception {
    /// `*`
    Everything,
    /// `build.corp`
    Name(String),
    /// `.corp`: the name and everything under it.
    Zone(String),
    /// `10.0.0.0/8`, `10.1.2.3`; compared with literal addresses only.
    Network(IpAddr, u32),
}

#[derive(Debug, thiserror::Error)]
enum SetupProblem {
    #[error("it must be an http URL with a host and nothing but a port and credentials")]
    NotHttp,
    #[error("`{0}` is neither a host name, a `.zone`, an address, a network nor `*`")]
    Exception(String),
}

// === impl Proxy ===

impl Proxy {
    pub(crate) fn new(url: &Url, no_proxy: &[String]) -> Result<Self, NetError> {
        let what = "the configured egress proxy";
        let mut bare = url.clone();
        // Both fail only for URLs without a host, which `Target::of` refuses.
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let target = match Target::of(&bare) {
            Ok(target) if !target.tls && bare.path() == "/" => target,
            _ => return Err(NetError::setup(what, SetupProblem::NotHttp)),
        };
        let exceptions = no_proxy
            .iter()
            .map(|text| Exception::read(text).ok_or_else(|| SetupProblem::Exception(text.clone())))
            .collect::<Result<_, _>>()
            .map_err(|cause| NetError::setup("the list of destinations without proxy", cause))?;
        Ok(Self {
            target,
            authorization: authorization(url),
            exceptions,
        })
    }

    /// Whether a destination takes the proxy.
    pub(crate) fn takes(&self, target: &Target) -> bool {
        !self
            .exceptions
            .iter()
            .any(|exception| exception.matches(&target.host))
    }

    /// Opens a tunnel to `target` over a connection to the proxy.
    pub(crate) async fn tunnel(&self, io: TcpStream, target: &Target) -> Result<TokioIo<Upgraded>, NetError> {
        let broken = |cause: Cause| NetError::Connect {
            host: target.to_string(),
            cause,
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io))
            .await
            .map_err(|error| broken(Arc::new(error)))?;
        // Ends with the tunnel, or with `sender` when the proxy says no.
        tokio::spawn(connection.with_upgrades());
        let authority = target.to_string();
        let mut request = Request::connect(authority.as_str())
            .header(HOST, authority.as_str())
            .body(Empty::<Bytes>::new())
            .map_err(|error| broken(Arc::new(error)))?;
        if let Some(authorization) = &self.authorization {
            request
                .headers_mut()
                .insert(http::header::PROXY_AUTHORIZATION, authorization.clone());
        }
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(Arc::new(error)))?;
        if response.status() != StatusCode::OK {
            return Err(NetError::Proxy {
                host: authority,
                status: response.status().as_u16(),
            });
        }
        let upgraded = hyper::upgrade::on(response)
            .await
            .map_err(|error| broken(Arc::new(error)))?;
        Ok(TokioIo::new(upgraded))
    }
}

fn authorization(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut plain = percent_decode_str(url.username()).collect::<Vec<u8>>();
    plain.push(b':');
    plain.extend(percent_decode_str(url.password().unwrap_or_default()));
    let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
    let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

// === impl Exception ===

impl Exception {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        if text == "*" {
            return Some(Self::Everything);
        }
        if let Some((network, length)) = text.split_once('/') {
            let network: IpAddr = network.parse().ok()?;
            let length = length.parse().ok().filter(|length| *length <= bits(network).1)?;
            return Some(Self::Network(network, length));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Self::Network(address, bits(address).1));
        }
        let zone = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        let name = zone.unwrap_or(&text);
        let valid = !name.is_empty()
            && name.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            });
        valid.then(|| {
            if zone.is_some() {
                Self::Zone(name.to_owned())
            } else {
                Self::Name(name.to_owned())
            }
        })
    }

    fn matches(&self, host: &TargetHost) -> bool {
        match (self, host) {
            (Self::Everything, _) => true,
            (Self::Name(name), TargetHost::Name(host)) => name == host,
            (Self::Zone(zone), TargetHost::Name(host)) => host
                .strip_suffix(zone.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            (Self::Network(network, length), TargetHost::Address(host)) => {
                let ((network, width), (host, host_width)) = (bits(*network), bits(*host));
                width == host_width && (network ^ host).checked_shr(width - length).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// An address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Exception, Proxy};
    use crate::guard::Target;

    #[test]
    fn exceptions_match_what_they_say_and_no_more() {
        let proxy = Proxy::new(
            &Url::parse("http://user:p%40ss@proxy.corp:3128").unwrap(),
            &[
                "build.corp",
                ".lab",
                "*.test.",
                "10.0.0.0/8",
                "192.168.7.1",
                "::1",
            ]
            .map(str::to_owned),
        )
        .unwrap();
        let takes = |url: &str| proxy.takes(&Target::of(&Url::parse(url).unwrap()).unwrap());
        for direct in [
            "http://build.corp/",
            "http://BUILD.corp.:81/",
            "http://lab/",
            "http://a.b.lab/",
            "http://a.test/",
            "http://10.200.3.4/",
            "http://0xa.1/",
            "http://192.168.7.1/",
            "http://[::1]/",
        ] {
            assert!(!takes(direct), "{direct}");
        }
        for proxied in [
            "http://a.build.corp/",
            "http://notlab/",
            "http://lab.example.com/",
            "http://11.0.0.1/",
            "http://192.168.7.2/",
            "http://[::2]/",
            "http://[::ffff:10.0.0.1]/",
        ] {
            assert!(takes(proxied), "{proxied}");
        }
        assert_eq!(
            proxy.authorization.unwrap().to_str().unwrap(),
            "Basic dXNlcjpwQHNz"
        );
    }

    #[test]
    fn what_is_no_exception_is_an_error() {
        for text in ["", ".", "a..b", "10.0.0.0/33", "x/8", "http://a", "a:80"] {
            assert_eq!(Exception::read(text), None, "{text}");
        }
        for url in [
            "https://proxy.corp/",
            "socks5://proxy.corp/",
            "http://proxy.corp/path",
        ] {
            assert!(Proxy::new(&Url::parse(url).unwrap(), &[]).is_err(), "{url}");
        }
    }
}
