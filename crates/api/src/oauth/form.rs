//! Forms of the token endpoint, and the client's credential out of them and out of `Authorization`.

use std::net::IpAddr;

use axum::extract::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use percent_encoding::percent_decode_str;
use portreeve_access::Credential;
use portreeve_core::secret::Secret;
use url::form_urlencoded;

use super::answer::refused;
use super::{peer, read};

/// Whether the client authenticated by `Authorization: Basic`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
    /// It tried to.
    Used,
    /// It did not.
    Unused,
}

/// A form.
pub(super) struct Form {
    fields: Vec<(String, String)>,
    basic: Option<(String, Secret)>,
    from: Option<IpAddr>,
}

/// Fields of a form.
const FIELDS: usize = 64;

impl Form {
    /// Reads it. Every parameter but `resource` may be there once (RFC 6749, section 3.2).
    pub(super) async fn read(request: Request) -> Result<Self, Response> {
        let wrong = |text: &str| refused(StatusCode::BAD_REQUEST, "invalid_request", text);
        let from = peer(request.extensions());
        let (head, body) = request.into_parts();
        let kind = head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(wrong("send `application/x-www-form-urlencoded`"));
        }
        let body = read(body).await.ok_or_else(|| wrong("the form is too long"))?;
        let fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
        if fields.len() > FIELDS {
            return Err(wrong("the form has more than 64 fields"));
        }
        for (index, (name, _)) in fields.iter().enumerate() {
            let again = fields.iter().skip(index + 1).any(|(other, _)| other == name);
            if again && name != "resource" {
                return Err(wrong("a parameter is there more than once"));
            }
        }
        let basic = basic(&head.headers).map_err(|()| {
            let mut response = refused(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "`Authorization` must be `Basic` with identity and secret",
            );
            let challenge = http::HeaderValue::from_static("Basic realm=\"portreeve\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        })?;
        Ok(Self { fields, basic, from })
    }

    /// A parameter; an empty one is not there.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|(found, value)| found == name && !value.is_empty())
            .map(|(_, value)| value.clone())
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let named = self.fields.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    /// What it says about its client.
    pub(super) fn credential(&self) -> Credential {
        Credential {
            basic: self.basic.clone(),
            client_id: self.text("client_id"),
            client_secret: self.secret("client_secret"),
            assertion_type: self.text("client_assertion_type"),
            assertion: self.secret("client_assertion"),
            from: self.from,
        }
    }

    pub(super) const fn used_basic(&self) -> Basic {
        if self.basic.is_some() {
            Basic::Used
        } else {
            Basic::Unused
        }
    }
}

/// Identity and secret of `Authorization`, each form-encoded before they are joined (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, ()> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(());
    }
    let text = value.to_str().map_err(|_| ())?;
    let (scheme, rest) = text.split_once(' ').ok_or(())?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(());
    }
    let bytes = STANDARD.decode(rest.trim()).map_err(|_| ())?;
    let pair = Secret::new(String::from_utf8(bytes).map_err(|_| ())?);
    let (id, secret) = pair.expose().split_once(':').ok_or(())?;
    Ok(Some((decoded(id)?, Secret::new(decoded(secret)?))))
}

fn decoded(text: &str) -> Result<String, ()> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| ())?;
    Ok(decoded.into_owned())
}
