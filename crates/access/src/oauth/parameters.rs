//! The parameters of `/authorize`, one by one. Before: a face cut the query. After: `authorize` judges the request.

use std::time::Duration;

use super::error::OauthError;

/// Characters of a proof key's digest: 32 bytes in base64url.
const CHALLENGE: usize = 43;
/// What counts as having signed in for this request: the way back from a provider takes a moment.
const JUST_NOW: Duration = Duration::from_secs(120);

/// The parameters. Reading them finds those that are there twice.
pub(super) struct Parameters<'a>(pub(super) &'a [(String, String)]);

/// What the client wants its user to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Whatever is needed.
    Usual,
    /// Nothing.
    Never,
    /// The page, in any case.
    Always,
}

// === impl Parameters ===

impl<'a> Parameters<'a> {
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(found, _)| found == name);
        named.map(|(_, value)| value.as_str())
    }

    /// A parameter that is there once. An empty one is not there (RFC 6749, section 3.1).
    pub(super) fn one(&self, name: &str) -> Result<Option<&'a str>, OauthError> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() {
            return Err(OauthError::request(format!("`{name}` is there more than once")));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The proof key.
    pub(super) fn challenge(&self) -> Result<String, OauthError> {
        let missing = "`code_challenge` is missing: a proof key is required (PKCE, S256)";
        let challenge = self
            .one("code_challenge")?
            .ok_or_else(|| OauthError::request(missing))?;
        if self.one("code_challenge_method")? != Some("S256") {
            return Err(OauthError::request("`code_challenge_method` must be `S256`"));
        }
        let is_digest = challenge.len() == CHALLENGE
            && challenge
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if is_digest {
            Ok(challenge.to_owned())
        } else {
            Err(OauthError::request(
                "`code_challenge` must be SHA-256 in base64url: 43 characters",
            ))
        }
    }

    /// What the user is to see.
    pub(super) fn prompt(&self) -> Result<Prompt, OauthError> {
        match self.prompts()?.as_slice() {
            [] => Ok(Prompt::Usual),
            ["none"] => Ok(Prompt::Never),
            words if words.contains(&"none") => Err(OauthError::request("`prompt=none` stands by itself")),
            _ => Ok(Prompt::Always),
        }
    }

    /// How long ago the user may have signed in: `max_age` says so, and `prompt=login` that it is for this request.
    pub(super) fn signed_in_within(&self) -> Result<Option<Duration>, OauthError> {
        let age = self.one("max_age")?.map(|age| {
            let seconds: Result<u32, _> = age.parse();
            seconds.map_err(|_| OauthError::request("`max_age` must be a number of seconds"))
        });
        let age = age
            .transpose()?
            .map(|seconds| Duration::from_secs(seconds.into()).max(JUST_NOW));
        if self.prompts()?.contains(&"login") {
            return Ok(Some(JUST_NOW));
        }
        Ok(age)
    }

    fn prompts(&self) -> Result<Vec<&'a str>, OauthError> {
        let words = self.one("prompt")?.unwrap_or_default().split(' ');
        Ok(words.filter(|word| !word.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(pairs: &[(&str, &str)]) -> Result<Option<u64>, OauthError> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let within = Parameters(&pairs).signed_in_within()?;
        Ok(within.map(|within| within.as_secs()))
    }

    #[test]
    fn a_client_says_how_long_ago_its_user_may_have_signed_in() {
        let just_now = JUST_NOW.as_secs();
        assert_eq!(within(&[]).ok(), Some(None));
        assert_eq!(within(&[("max_age", "3600")]).ok(), Some(Some(3_600)));
        assert_eq!(within(&[("max_age", "0")]).ok(), Some(Some(just_now)));
        assert_eq!(within(&[("prompt", "consent login")]).ok(), Some(Some(just_now)));
        let both = [("prompt", "login"), ("max_age", "3600")];
        assert_eq!(within(&both).ok(), Some(Some(just_now)));
        assert_eq!(within(&[("prompt", "consent")]).ok(), Some(None));
        for wrong in ["x", "-1", "1.5", "99999999999"] {
            assert!(within(&[("max_age", wrong)]).is_err(), "{wrong}");
        }
    }
}
