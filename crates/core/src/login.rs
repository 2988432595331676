//! How Portreeve itself logs in at somebody else's: with a secret of the vault, in one of three forms.

use serde::{Deserialize, Serialize};

use crate::name::ServerName;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::vault::SecretRef;

/// How to log in. Names its secret and never holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "lowercase", deny_unknown_fields)]
pub enum Login {
    /// `Authorization: Bearer SECRET`
    Bearer {
        /// The secret.
        secret: SecretRef,
    },
    /// A header of its own, as in `X-Api-Key: SECRET`.
    Header {
        /// The header's name.
        header: String,
        /// The secret.
        secret: SecretRef,
    },
    /// `Authorization: Basic`, with a user name.
    Basic {
        /// The user name.
        user: String,
        /// The secret is the password.
        secret: SecretRef,
    },
}

/// A header as it is presented. Its value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The header's name, in lower case.
    pub header: String,
    /// Its value.
    pub value: Secret,
}

/// How Portreeve logs in at a server when it looks at its tools.
///
/// It is for one URL, byte for byte. A version that leads somewhere else gets no credential: whoever may publish versions
/// could otherwise have it sent to a place of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLogin {
    /// The server.
    pub server: ServerName,
    /// Its endpoint.
    pub url: String,
    /// How.
    pub login: Login,
    /// Actor label of who set it.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

/// Headers that nobody sets by hand: they carry the protocol, or decide where a request goes.
const RESERVED: [&str; 14] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "proxy-authorization",
];

// === impl Login ===

impl Login {
    /// The secret that is presented.
    pub const fn secret(&self) -> &SecretRef {
        match self {
            Self::Bearer { secret } | Self::Header { secret, .. } | Self::Basic { secret, .. } => secret,
        }
    }

    /// What is wrong with it, if anything is.
    pub fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Bearer { .. } => None,
            Self::Header { header, .. } => header_problem(header),
            Self::Basic { user, .. } => {
                let is_fine = (1..=200).contains(&user.len())
                    && !user.contains(':')
                    && !user.chars().any(char::is_control);
                (!is_fine).then_some("`user` must have 1 to 200 bytes, without `:` and control characters")
            }
        }
    }
}

fn header_problem(header: &str) -> Option<&'static str> {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let lower = header.to_ascii_lowercase();
    if !(1..=100).contains(&header.len()) || !header.bytes().all(is_token) {
        return Some("`header` must be the name of a header, at most 100 bytes");
    }
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("mcp-") || lower.starts_with("sec-") {
        return Some("`header` is one that carries the protocol; a credential has another one");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Login, String> {
        let login: Login = serde_json::from_str(text).map_err(|error| error.to_string())?;
        login
            .problem()
            .map_or(Ok(login.clone()), |problem| Err(problem.to_owned()))
    }

    #[test]
    fn a_login_names_its_secret_and_never_is_one() {
        for good in [
            r#"{"scheme":"bearer","secret":"secret:acme"}"#,
            r#"{"scheme":"header","header":"X-Api-Key","secret":"secret:acme"}"#,
            r#"{"scheme":"header","header":"Authorization","secret":"secret:acme"}"#,
            r#"{"scheme":"basic","user":"ada","secret":"secret:acme"}"#,
        ] {
            assert_eq!(read(good).unwrap().secret().to_string(), "secret:acme", "{good}");
        }
        for wrong in [
            r#"{"scheme":"bearer","secret":"ghp_123"}"#,
            r#"{"scheme":"bearer"}"#,
            r#"{"scheme":"bearer","secret":"secret:acme","user":"ada"}"#,
            r#"{"scheme":"digest","secret":"secret:acme"}"#,
            r#"{"scheme":"header","header":"Host","secret":"secret:acme"}"#,
            r#"{"scheme":"header","header":"Mcp-Session-Id","secret":"secret:acme"}"#,
            r#"{"scheme":"header","header":"X Y","secret":"secret:acme"}"#,
            r#"{"scheme":"header","header":"","secret":"secret:acme"}"#,
            r#"{"scheme":"basic","user":"a:b","secret":"secret:acme"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let told = read(r#"{"scheme":"bearer","secret":"ghp_123"}"#).unwrap_err();
        assert!(!told.contains("ghp_123"), "{told}");
    }
}
