//! The egress guard: what a URL and an address may be, for each reach. Pure; the connector asks it again for every
//! address that a name resolves to.
//!
//! Before it: whoever wants to send has chosen a [`Reach`]. After it: the connector dials only what passed.

use std::net::IpAddr;
use std::sync::Arc;

use portreeve_core::server::PrivateHost;
use url::{Host, Url};

use crate::address::{Kind, kind};
use crate::error::NetError;

/// How far a request may go.
#[derive(Debug, Clone)]
pub enum Reach {
    /// Only the public internet.
    Public,
    /// The public internet and exactly these hosts, each with its port.
    Private(Arc<[PrivateHost]>),
    /// Anywhere: the URL was typed by the operator at the command line.
    Operator,
}

impl Reach {
    /// How far requests for an entry with these grants may go.
    pub fn granted(hosts: &[PrivateHost]) -> Self {
        if hosts.is_empty() {
            Self::Public
        } else {
            Self::Private(Arc::from(hosts))
        }
    }
}

/// Why the guard refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not `http` or `https`.
    #[error("only http and https lead out")]
    Scheme,
    /// The URL carries a user name or a password.
    #[error("the URL carries a user name or password")]
    Credentials,
    /// There is no host, or it is not one.
    #[error("the URL has no valid host")]
    Host,
    /// Unencrypted traffic over the internet.
    #[error("plain http leads to a public host")]
    PlainHttp,
    /// A name of this machine or of its network.
    #[error("the name is private")]
    PrivateName,
    /// An address of this machine or of its network.
    #[error("the address is private")]
    PrivateAddress,
    /// A metadata service, or an address that no server has.
    #[error("it is a metadata service, or an address that no grant can open")]
    Never,
}

impl Refusal {
    /// What to do next.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Scheme | Self::Host => "use an absolute http or https URL with a host name",
            Self::Credentials => "take the user name and password out of the URL",
            Self::PlainHttp => "use https",
            Self::PrivateName | Self::PrivateAddress => {
                "an administrator can grant this host and port to the entry"
            }
            Self::Never => "no grant opens this address; use another host",
        }
    }
}

/// Whether plain http may lead to public hosts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PublicHttp {
    /// Only https may. The default.
    #[default]
    Refused,
    /// Plain http may, too: the configuration file says so.
    Allowed,
}

/// What a reach means for one destination. Connections of one never serve another; see `destination.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Public addresses only.
    Public,
    /// This host and port were granted: private addresses too.
    Granted,
    /// Everything.
    Operator,
}

/// The destination of a URL, in the one form in which it is judged, resolved and dialled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) host: TargetHost,
    pub(crate) port: u16,
}

/// The host of a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TargetHost {
    /// A name in lower case, in ASCII, without trailing dots.
    Name(String),
    /// An address.
    Address(IpAddr),
}

// === impl Target ===

impl Target {
    /// Reads the destination of a URL. The WHATWG parser has already turned `0x7f.1` and `2130706433` into addresses.
    pub(crate) fn of(url: &Url) -> Result<Self, NetError> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            scheme => return Err(NetError::refused(format!("{scheme}:"), Refusal::Scheme)),
        };
        let host = match url.host() {
            Some(Host::Ipv4(address)) => TargetHost::Address(address.into()),
            Some(Host::Ipv6(address)) => TargetHost::Address(address.into()),
            Some(Host::Domain(name)) => match plain_name(name) {
                Some(name) => TargetHost::Name(name),
                None => return Err(NetError::refused(name, Refusal::Host)),
            },
            None => return Err(NetError::refused(url.scheme(), Refusal::Host)),
        };
        let target = Self {
            tls,
            host,
            port: url.port().unwrap_or(if tls { 443 } else { 80 }),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NetError::refused(target.to_string(), Refusal::Credentials));
        }
        Ok(target)
    }

    /// What a reach means for this destination.
    pub(crate) fn class(&self, reach: &Reach) -> Class {
        match reach {
            Reach::Operator => Class::Operator,
            Reach::Private(granted) if granted.iter().any(|grant| self.is_granted_by(grant)) => {
                Class::Granted
            }
            Reach::Private(_) | Reach::Public => Class::Public,
        }
    }

    fn is_granted_by(&self, grant: &PrivateHost) -> bool {
        self.port == grant.port
            && match &self.host {
                TargetHost::Address(address) => grant.host.parse() == Ok(*address),
                TargetHost::Name(name) => plain_name(&grant.host).as_ref() == Some(name),
            }
    }

    /// The grant that this destination would need.
    pub(crate) fn as_grant(&self) -> PrivateHost {
        let host = match &self.host {
            TargetHost::Name(name) => name.clone(),
            TargetHost::Address(address) => address.to_string(),
        };
        PrivateHost {
            host,
            port: self.port,
        }
    }

    /// The authority of a URL: the port only where it is not the scheme's.
    pub(crate) fn authority(&self) -> String {
        let text = self.to_string();
        let default = if self.tls { ":443" } else { ":80" };
        text.strip_suffix(default).map(str::to_owned).unwrap_or(text)
    }

    /// Everything that can be said without the network.
    pub(crate) fn check(&self, class: Class, public_http: PublicHttp) -> Result<(), NetError> {
        match &self.host {
            TargetHost::Name(name) => check_name(name, class),
            TargetHost::Address(address) => check_address(*address, class),
        }
        .and_then(|()| {
            let refused = !self.tls && class == Class::Public && public_http == PublicHttp::Refused;
            if refused { Err(Refusal::PlainHttp) } else { Ok(()) }
        })
        .map_err(|reason| NetError::refused(self.to_string(), reason))
    }
}

/// `host:port`, as in a grant and in messages.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_grant().fmt(f)
    }
}

/// A name in lower case without trailing dots; none if a label is empty.
fn plain_name(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let valid = !name.is_empty() && name.len() <= 253 && name.split('.').all(|label| !label.is_empty());
    valid.then_some(name)
}

/// Names under which clouds answer with credentials.
const METADATA_NAMES: [&str; 3] = [
    "metadata.google.internal",
    "metadata.goog",
    "instance-data.ec2.internal",
];

/// What the name alone says.
fn check_name(name: &str, class: Class) -> Result<(), Refusal> {
    match name_kind(name) {
        _ if class == Class::Operator => Ok(()),
        Kind::Never => Err(Refusal::Never),
        Kind::Private if class == Class::Public => Err(Refusal::PrivateName),
        Kind::Private | Kind::Public => Ok(()),
    }
}

/// What a name that passed [`plain_name`] is.
pub(crate) fn name_kind(name: &str) -> Kind {
    let is_under = |zone: &str| {
        name.strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if METADATA_NAMES.iter().any(|zone| is_under(zone)) {
        Kind::Never
    } else if is_under("localhost") || is_under("internal") {
        Kind::Private
    } else {
        Kind::Public
    }
}

/// What an address says. Asked for literals by [`Target::check`], and by the connector for every resolved address.
pub(crate) fn check_address(address: IpAddr, class: Class) -> Result<(), Refusal> {
    match kind(address) {
        _ if class == Class::Operator => Ok(()),
        Kind::Never => Err(Refusal::Never),
        Kind::Private if class == Class::Public => Err(Refusal::PrivateAddress),
        Kind::Private | Kind::Public => Ok(()),
    }
}

#[cfg(test)]
mod tests;
