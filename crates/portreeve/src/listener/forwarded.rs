//! What proxies say of the requests that they pass on: `X-Forwarded-For`, `-Proto`, `-Host`, and `Forwarded` (RFC 7239).
//!
//! Before: a connection brought a request. After: whoever limits or records by address takes the one found here. Only the
//! words of a proxy that the configuration names are believed; a caller may write all of these headers itself.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri, header};

/// Elements of a header that are looked at. No chain of proxies is that long.
const ELEMENTS: usize = 32;

/// An address, or a network such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

/// Whose words are believed, and what was seen of others.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    trusted: Vec<Network>,
    /// Requests with `X-Forwarded-For` or `Forwarded` from somebody else.
    unbelieved: AtomicU64,
    /// The first of them.
    stranger: Mutex<Option<IpAddr>>,
    has_stranger: AtomicBool,
    /// Requests that reached a trusted proxy without TLS.
    in_clear: AtomicU64,
}

/// Where a request comes from, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address.
    pub(crate) address: IpAddr,
    /// The host that it was asked for.
    pub(crate) host: Option<Authority>,
}

/// One hop, as a proxy describes it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Hop<'a> {
    from: &'a str,
    scheme: &'a str,
    host: &'a str,
}

// === impl Network ===

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().map_err(|_| ())?,
            Some(_) => return Err(()),
            None => most,
        };
        (bits <= most).then_some(Self { address, bits }).ok_or(())
    }
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        let (one, other, width) = match (self.address, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => (u32::from(one).into(), u32::from(other).into(), 32),
            (IpAddr::V6(one), IpAddr::V6(other)) => (u128::from(one), u128::from(other), 128),
            _ => return false,
        };
        let rest: u32 = width - u32::from(self.bits);
        let kept = |bits: u128| bits.checked_shr(rest).unwrap_or(0);
        kept(one) == kept(other)
    }
}

// === impl Proxies ===

impl Proxies {
    pub(crate) fn new(trusted: Vec<Network>) -> Self {
        Self {
            trusted,
            ..Self::default()
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.has(address))
    }

    /// Where a request comes from that this peer sent.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let unknown = Origin {
            address: peer,
            host: None,
        };
        let is_said = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
        if !self.trusts(peer) {
            if is_said {
                self.note(peer);
            }
            return unknown;
        }
        let split = |name: &str| elements(headers, name, ',');
        let (Some(said), Some(forwarded)) = (split("x-forwarded-for"), split("forwarded")) else {
            return unknown;
        };
        let said: Vec<Hop<'_>> = said.into_iter().map(Hop::of).collect();
        let Some(forwarded) = forwarded.into_iter().map(Hop::read).collect::<Option<Vec<_>>>() else {
            return unknown;
        };
        // A proxy writes one of the two and lets the other pass as the caller wrote it.
        let (index, address) = match (self.first_stranger(&said), self.first_stranger(&forwarded)) {
            (Ok(one), Ok(other)) if one == other || other.is_none() => one,
            (Ok(None), Ok(other)) => other,
            _ => return unknown,
        }
        .unwrap_or((0, peer));
        let of_forwarded = nth_back(&forwarded, index);
        let pick = |name: &str, other: &dyn Fn(Hop<'_>) -> String| {
            let said = split(name).and_then(|said| nth_back(&said, index).map(str::to_owned));
            said.or_else(|| of_forwarded.map(other))
                .filter(|said| !said.is_empty())
        };
        let scheme = pick("x-forwarded-proto", &|hop| hop.scheme.to_owned());
        let scheme = scheme
            .map(|scheme| scheme.to_ascii_lowercase())
            .filter(|scheme| matches!(scheme.as_str(), "http" | "https"));
        if scheme.as_deref() == Some("http") {
            self.in_clear.fetch_add(1, Ordering::Relaxed);
        }
        let host = pick("x-forwarded-host", &|hop| hop.host.to_owned());
        Origin {
            address,
            host: host.and_then(|host| host.parse().ok()),
        }
    }

    /// From the right: the first address that is no proxy of ours, or the outermost one, with its place. Anything on the way
    /// there that is no address makes all of it worthless.
    fn first_stranger(&self, hops: &[Hop<'_>]) -> Result<Option<(usize, IpAddr)>, ()> {
        let mut last = None;
        for (index, hop) in hops.iter().rev().enumerate() {
            let address = address(hop.from).ok_or(())?;
            last = Some((index, address));
            if !self.trusts(address) {
                break;
            }
        }
        Ok(last)
    }

    fn note(&self, peer: IpAddr) {
        self.unbelieved.fetch_add(1, Ordering::Relaxed);
        if !self.has_stranger.swap(true, Ordering::Relaxed)
            && let Ok(mut stranger) = self.stranger.lock()
        {
            *stranger = Some(peer);
        }
    }

    /// How many requests came with words that are not believed, and from whom the first one.
    pub(crate) fn unbelieved(&self) -> Option<(u64, IpAddr)> {
        let stranger = self.stranger.lock().ok().and_then(|stranger| *stranger)?;
        Some((self.unbelieved.load(Ordering::Relaxed), stranger))
    }

    /// How many requests came to trusted proxies without TLS.
    pub(crate) fn in_clear(&self) -> u64 {
        self.in_clear.load(Ordering::Relaxed)
    }

    /// How many networks are believed.
    pub(crate) fn count(&self) -> usize {
        self.trusted.len()
    }
}

impl Origin {
    /// Makes a request ask for the host that the proxy was asked for, where it says so.
    pub(crate) fn restore<B>(&self, request: &mut http::Request<B>) {
        let Some(host) = &self.host else { return };
        if let Ok(value) = HeaderValue::from_str(host.as_str()) {
            request.headers_mut().insert(header::HOST, value);
        }
        if request.uri().authority().is_some() {
            let mut parts = request.uri().clone().into_parts();
            parts.authority = Some(host.clone());
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
}

// === impl Hop ===

impl<'a> Hop<'a> {
    fn of(from: &'a str) -> Self {
        Self {
            from,
            ..Self::default()
        }
    }

    /// Reads an element of `Forwarded`: `for="[2001:db8::17]:4711";proto=https;host=mcp.acme.example`.
    fn read(element: &'a str) -> Option<Self> {
        let mut hop = Self::default();
        for pair in split(element, ';')? {
            let (name, value) = pair.split_once('=')?;
            let value = value.trim();
            let value = match value.strip_prefix('"') {
                Some(quoted) => quoted.strip_suffix('"')?,
                None => value,
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.from = value,
                "proto" => hop.scheme = value,
                "host" => hop.host = value,
                _ => {}
            }
        }
        Some(hop)
    }
}

/// An address as proxies write it: `192.0.2.43`, `192.0.2.43:4711`, `2001:db8::17`, `[2001:db8::17]`, with a port too.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let found = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|found| found.ip()));
    found.ok().map(|address| address.to_canonical())
}

/// The elements of every header of that name, in order; `None` for what cannot be read.
fn elements<'a>(headers: &'a HeaderMap, name: &str, by: char) -> Option<Vec<&'a str>> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        all.extend(split(value.to_str().ok()?, by)?);
    }
    (all.len() <= ELEMENTS).then_some(all)
}

/// Cuts a text where a mark stands outside of quotes. No value that is of use has an escaped character.
fn split(text: &str, by: char) -> Option<Vec<&str>> {
    let mut is_quoted = false;
    let cut = |letter: char| {
        is_quoted ^= letter == '"';
        letter == by && !is_quoted
    };
    let parts = text.split(cut).map(str::trim).collect();
    (!is_quoted).then_some(parts)
}

/// The element that many places from the right, or the first one where there are fewer.
fn nth_back<T: Copy>(elements: &[T], index: usize) -> Option<T> {
    elements.iter().rev().nth(index).or(elements.first()).copied()
}

#[cfg(test)]
#[path = "forwarded_tests.rs"]
mod tests;
