//! Where the way goes on after signing in: a path of our own origin, and nothing else.
//!
//! Before: the portal read `?next=`. After: every way to sign in carries it to its end.

/// The longest path. Requests of authorization servers are long, their `state` above all.
const BYTES: usize = 8_000;

/// A path on our own origin, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    /// The home page.
    pub fn home() -> Self {
        Self("/".to_owned())
    }

    /// What was asked for, if a browser can only read it as a path of the origin that it came from; else the home page.
    ///
    /// Browsers take a backslash for a slash and leave out tabs and line breaks (WHATWG URL), so none may stand in it, and
    /// two slashes at its beginning name another host.
    pub fn read(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::home();
        };
        let is_plain = text
            .bytes()
            .all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\');
        let mut bytes = text.bytes();
        let is_path = bytes.next() == Some(b'/') && bytes.next() != Some(b'/');
        // Signing in leads to no page that signs in: whoever followed it would come back for ever.
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let is_loop = ["/sign-in", "/sign-out", "/signed-out", "/admin/welcome"]
            .iter()
            .any(|own| path == *own || path.starts_with(&format!("{own}/")));
        if text.len() <= BYTES && is_plain && is_path && !is_loop {
            Self(text.to_owned())
        } else {
            Self::home()
        }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether whoever leads there wants the user to sign in anew: a client may (`prompt=login`, `max_age`).
    pub(super) fn is_anew(&self) -> bool {
        let query = self.0.strip_prefix("/authorize?").unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| match &*name {
            "max_age" => true,
            "prompt" => value.split(' ').any(|word| word == "login"),
            _ => false,
        })
    }

    /// Whether it is more than the home page.
    pub fn is_home(&self) -> bool {
        self.0 == "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_our_own_is_followed() {
        for good in [
            "/",
            "/servers/com.acme/billing?version=1#tools",
            "/authorize?client_id=https%3A%2F%2Fx&state=%5C",
        ] {
            assert_eq!(Next::read(Some(good)).as_str(), good);
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "https://evil.example/",
            "javascript:alert(1)",
            "evil",
            "/\t/evil",
            "/\n/evil",
            "/a\r\nSet-Cookie: x=1",
            "/ /evil",
            "/caf\u{e9}",
            " /a",
            "/sign-in",
            "/sign-in?next=/",
            "/sign-out",
            "/signed-out?from=entra",
            "/admin/welcome?link=x",
            "/sign-in/entra",
            &format!("/{}", "a".repeat(BYTES)),
        ] {
            assert_eq!(Next::read(Some(bad)), Next::home(), "{bad:?}");
        }
        assert!(Next::read(None).is_home());
    }

    #[test]
    fn a_client_may_want_its_user_to_sign_in_anew() {
        let is_anew = |text: &str| Next::read(Some(text)).is_anew();
        assert!(is_anew("/authorize?client_id=x&prompt=consent%20login"));
        assert!(is_anew("/authorize?max_age=60"));
        assert!(!is_anew("/authorize?client_id=x&prompt=consent"));
        assert!(!is_anew("/servers?prompt=login"));
    }
}
