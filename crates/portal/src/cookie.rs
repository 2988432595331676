//! The cookies: each has one name, and is set and read in one place.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use portreeve_core::secret::Secret;
use url::Url;

/// How a secret travels.
pub(crate) struct Cookie {
    name: String,
    secure: bool,
    /// For how many seconds browsers keep it; until they are closed, if that is not said.
    life: Option<u32>,
}

impl Cookie {
    /// The session's. It ends with the browser's session, or when the store forgets it.
    pub(crate) fn session(public_url: &Url) -> Self {
        Self::new(public_url, "session", None)
    }

    /// What tells a browser that is about to sign in from every other one.
    pub(crate) fn browser(public_url: &Url) -> Self {
        Self::new(public_url, "login", Some(20 * 60))
    }

    /// Where the way goes on after signing in, for those who come back by a link.
    pub(crate) fn next(public_url: &Url) -> Self {
        Self::new(public_url, "next", Some(10 * 60))
    }

    /// On https the name's prefix makes browsers insist on Secure, on `/`, and on this very host. Plain http (a
    /// loopback listener, or an operator who insists) cannot have that.
    fn new(public_url: &Url, what: &str, life: Option<u32>) -> Self {
        let secure = public_url.scheme() == "https";
        let prefix = if secure { "__Host-" } else { "" };
        Self {
            name: format!("{prefix}portreeve_{what}"),
            secure,
            life,
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

    /// The header that sets it.
    pub(crate) fn set(&self, secret: &Secret) -> Option<HeaderValue> {
        let life = self.life.map(|life| format!("; Max-Age={life}"));
        let mut value = HeaderValue::from_str(&self.text(secret.expose(), &life.unwrap_or_default())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The header that ends it.
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

    fn cookie(url: &str) -> Cookie {
        Cookie::session(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_cd_7_https_binds_the_cookie_to_the_host() {
        let set = cookie("https://gw.example").set(&Secret::new("s3")).unwrap();
        assert_eq!(
            set,
            "__Host-portreeve_session=s3; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let set = cookie("http://127.0.0.1:8080").set(&Secret::new("s3")).unwrap();
        assert_eq!(set, "portreeve_session=s3; Path=/; HttpOnly; SameSite=Lax");
        let browser = Cookie::browser(&Url::parse("https://gw.example").unwrap());
        assert_eq!(
            browser.set(&Secret::new("s3")).unwrap(),
            "__Host-portreeve_login=s3; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=1200"
        );
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
