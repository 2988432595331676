//! Where a code may be sent. Pure: before it a client registers addresses, or asks with one; after it a code travels.
//!
//! Addresses are compared as texts (RFC 9700, section 2.1). There is one exception: a program on the user's own computer
//! listens on whichever port is free (RFC 8252, section 7.3), so the port of a loopback address does not count. So that
//! texts can be compared, an address that two readers could read differently is none.

use std::fmt;

use url::Url;

/// Bytes of an address.
const BYTES: usize = 2_000;

/// Hosts of this computer. They stand for themselves: none of them is taken for another.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Schemes without a dot that programs registered with their systems.
const PRIVATE_SCHEMES: [&str; 6] = ["vscode", "vscode-insiders", "cursor", "claude", "windsurf", "zed"];

/// An address that codes may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    place: Place,
}

/// What kind of place it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A web server.
    Web {
        /// Its host and, if it is named, its port.
        authority: String,
    },
    /// A program on the user's computer.
    Loopback {
        /// One of [`LOOPBACK`].
        host: &'static str,
        /// Path and query.
        rest: String,
    },
    /// A program that its system starts for a scheme.
    App {
        /// The scheme.
        scheme: String,
    },
}

/// Why an address is none that codes may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRedirect(&'static str);

// === impl RedirectUri ===

impl RedirectUri {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// When no code may be sent there, or when it could be read in two ways.
    pub fn parse(text: &str) -> Result<Self, InvalidRedirect> {
        if text.len() > BYTES {
            return Err(InvalidRedirect("it has more than 2,000 bytes"));
        }
        if !text
            .bytes()
            .all(|byte| (0x21..=0x7e).contains(&byte) && !b"\\\"<>^`{|}".contains(&byte))
        {
            return Err(InvalidRedirect("it has characters that no URI has"));
        }
        if text.contains('#') {
            return Err(InvalidRedirect("it has a fragment"));
        }
        let (scheme, rest) = text
            .split_once(':')
            .ok_or(InvalidRedirect("it is not an absolute URI"))?;
        let place = match scheme {
            "https" => web(text, rest)?,
            "http" => loopback(text, rest)?,
            _ => app(scheme, rest)?,
        };
        Ok(Self {
            text: text.to_owned(),
            place,
        })
    }

    /// Whether a code that was asked for with `asked` may be sent where `self` was registered.
    pub fn admits(&self, asked: &Self) -> bool {
        match (&self.place, &asked.place) {
            (
                Place::Loopback { host, rest },
                Place::Loopback {
                    host: to,
                    rest: there,
                },
            ) => host == to && rest == there,
            _ => self.text == asked.text,
        }
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Who gets the code, as people are told and asked once for each: `host.example`, `127.0.0.1`, `cursor:`.
    pub fn host(&self) -> String {
        match &self.place {
            Place::Web { authority } => authority.clone(),
            Place::Loopback { host, .. } => (*host).to_owned(),
            Place::App { scheme } => format!("{scheme}:"),
        }
    }

    /// Whether any program on the user's computer could listen there.
    pub const fn is_loopback(&self) -> bool {
        matches!(self.place, Place::Loopback { .. })
    }

    /// Whether TLS shows who gets the code.
    pub const fn is_web(&self) -> bool {
        matches!(self.place, Place::Web { .. })
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether one of the registered addresses admits this one.
pub(super) fn admitted(registered: &[String], asked: &RedirectUri) -> bool {
    registered
        .iter()
        .filter_map(|text| RedirectUri::parse(text).ok())
        .any(|known| known.admits(asked))
}

/// Host with port, and what stands behind.
fn authority(rest: &str) -> Result<(&str, &str), InvalidRedirect> {
    let rest = rest
        .strip_prefix("//")
        .ok_or(InvalidRedirect("it names no host"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, behind) = rest
        .split_at_checked(end)
        .ok_or(InvalidRedirect("it names no host"))?;
    if authority.contains('@') {
        return Err(InvalidRedirect("it has a user name"));
    }
    check_path(behind)?;
    Ok((authority, behind))
}

/// The host of an authority, whose port is a number if there is one.
fn host_of(authority: &str) -> Result<&str, InvalidRedirect> {
    let at = match authority.rfind(']') {
        Some(end) => authority
            .get(end..)
            .and_then(|tail| tail.find(':'))
            .map(|at| at + end),
        None => authority.find(':'),
    };
    let Some((host, port)) = at.and_then(|at| authority.split_at_checked(at)) else {
        return Ok(authority);
    };
    let port = port.get(1..).unwrap_or_default();
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(1..) if is_number && !port.starts_with('0') => Ok(host),
        _ => Err(InvalidRedirect("its port is none")),
    }
}

/// `..` and its spellings mean another path to one reader than to the next.
fn check_path(behind: &str) -> Result<(), InvalidRedirect> {
    let path = behind.split_once('?').map_or(behind, |(path, _)| path);
    let lower = path.to_ascii_lowercase();
    let dotted = lower.split('/').any(|segment| matches!(segment, "." | ".."));
    if dotted || lower.contains("%2e") || lower.contains("%2f") || lower.contains("%5c") {
        return Err(InvalidRedirect("its path could be read in two ways"));
    }
    Ok(())
}

fn web(text: &str, rest: &str) -> Result<Place, InvalidRedirect> {
    let (authority, _) = authority(rest)?;
    let host = host_of(authority)?;
    // The reader of browsers must see the same host: `0x7f.1` is another one to it.
    let same = Url::parse(text).is_ok_and(|url| url.host_str() == Some(host));
    if host.is_empty() || !same {
        return Err(InvalidRedirect("its host is not written in its plain form"));
    }
    Ok(Place::Web {
        authority: authority.to_owned(),
    })
}

fn loopback(text: &str, rest: &str) -> Result<Place, InvalidRedirect> {
    const ELSEWHERE: InvalidRedirect =
        InvalidRedirect("plain http leads only to `127.0.0.1`, `[::1]` and `localhost`");
    let (authority, behind) = authority(rest)?;
    let named = host_of(authority)?;
    let host = LOOPBACK
        .into_iter()
        .find(|host| *host == named)
        .ok_or(ELSEWHERE)?;
    if Url::parse(text)
        .ok()
        .and_then(|url| url.host_str().map(|seen| seen == host))
        != Some(true)
    {
        return Err(ELSEWHERE);
    }
    let slash = if behind.starts_with('/') { "" } else { "/" };
    Ok(Place::Loopback {
        host,
        rest: format!("{slash}{behind}"),
    })
}

fn app(scheme: &str, rest: &str) -> Result<Place, InvalidRedirect> {
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte));
    let is_private = PRIVATE_SCHEMES.contains(&scheme)
        || (scheme.contains('.') && !scheme.ends_with('.') && !scheme.contains(".."));
    if !is_scheme || !is_private {
        return Err(InvalidRedirect(
            "its scheme is none of `https`, of loopback `http`, and of programs, as `com.example.app`",
        ));
    }
    if rest.is_empty() {
        return Err(InvalidRedirect("it is not an absolute URI"));
    }
    Ok(Place::App {
        scheme: scheme.to_owned(),
    })
}

/// What must hold for any two texts: asked by the property tests and by the fuzz target.
pub fn law(registered: &str, asked: &str) {
    let (Ok(known), Ok(asked)) = (RedirectUri::parse(registered), RedirectUri::parse(asked)) else {
        return;
    };
    assert!(known.admits(&known), "{known} admits itself");
    assert_eq!(known.admits(&asked), asked.admits(&known), "{known} {asked}");
    if !known.admits(&asked) {
        return;
    }
    assert_eq!(known.host(), asked.host(), "{known} {asked}");
    let read = |uri: &RedirectUri| Url::parse(uri.as_str()).ok();
    let (Some(one), Some(other)) = (read(&known), read(&asked)) else {
        // A scheme of a program may be opaque to the reader of browsers; then the texts are the same.
        assert_eq!(known.as_str(), asked.as_str());
        return;
    };
    // A browser that is sent to the one sees what it sees at the other, but for the port of its own computer.
    assert_eq!(one.scheme(), other.scheme());
    assert_eq!(one.host_str(), other.host_str());
    assert_eq!((one.path(), one.query()), (other.path(), other.query()));
    // What a program's own scheme has before `@`, its program reads.
    let is_app = matches!(known.place, Place::App { .. });
    assert!(
        is_app || (one.username().is_empty() && one.password().is_none()),
        "{known}"
    );
    assert!(one.fragment().is_none(), "{known}");
    if one.port_or_known_default() != other.port_or_known_default() {
        assert!(known.is_loopback(), "{known} {asked}");
    }
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
