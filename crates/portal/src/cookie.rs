//! The session cookie: one name, set and read in one place.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use portreeve_core::secret::Secret;
use url::Url;

/// How the session's secret travels.
pub(crate) struct SessionCookie {
    name: &'static str,
    secure: bool,
}

impl SessionCookie {
    /// On https the name's prefix makes browsers insist on Secure, on `/`, and on this very host. Plain http (a
    /// loopback listener, or an operator who insists) cannot have that.
    pub(crate) fn new(public_url: &Url) -> Self {
        let secure = public_url.scheme() == "https";
        Self {
            name: if secure {
                "__Host-portreeve_session"
            } else {
                "portreeve_session"
            },
            secure,
        }
    }

    /// The secret that the browser sent, if it sent exactly one.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<Secret> {
        let mut found = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name)
            .map(|(_, value)| value);
        let first = found.next()?;
        found.next().is_none().then(|| Secret::new(first))
    }

    /// The header that starts a session. It ends with the browser's session, or when the store forgets it.
    pub(crate) fn set(&self, secret: &Secret) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.text(secret.expose(), "")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The header that ends a session.
    pub(crate) fn clear(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.text("", "; Max-Age=0")).ok()
    }

    fn text(&self, value: &str, life: &str) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}",
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(url: &str) -> SessionCookie {
        SessionCookie::new(&Url::parse(url).unwrap())
    }

    #[test]
    fn https_binds_the_cookie_to_the_host() {
        let set = cookie("https://gw.example").set(&Secret::new("s3")).unwrap();
        assert_eq!(
            set,
            "__Host-portreeve_session=s3; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let set = cookie("http://127.0.0.1:8080").set(&Secret::new("s3")).unwrap();
        assert_eq!(set, "portreeve_session=s3; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn two_cookies_of_the_name_are_none() {
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(text))]);
            cookie("http://localhost")
                .read(&headers)
                .map(|secret| secret.expose().to_owned())
        };
        assert_eq!(read("a=b; portreeve_session=one").as_deref(), Some("one"));
        assert_eq!(read("portreeve_session=one; portreeve_session=two"), None);
        assert_eq!(read("portreeve_sessions=one"), None);
    }
}
