//! Forms that change something come from our own pages only: checked twice, by where the browser says the request
//! came from, and by a token that only our page for this very visitor could hold.

use aws_lc_rs::{constant_time, digest, hmac};
use http::HeaderMap;
use http::header::ORIGIN;
use portreeve_core::secret::{Secret, SecretKey};
use url::Url;

use crate::failure::Failure;

/// What a form does. A token for one purpose means nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SignIn,
    SignOut,
    LeaveProvider,
    Account,
    ApproveTools,
    ApproveMany,
    Review,
    Govern,
    Import,
    Publish,
    Rest,
    TryTool,
    Secret,
    VerifyAudit,
    DecideCall,
    AskAccess,
    DecideAccess,
    Authorize,
    Withdraw,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::LeaveProvider => "leave-provider",
            Self::Account => "account",
            Self::ApproveTools => "approve-tools",
            Self::ApproveMany => "approve-many",
            Self::Review => "review",
            Self::Govern => "govern",
            Self::Import => "import",
            Self::Publish => "publish",
            Self::Rest => "rest",
            Self::TryTool => "try-tool",
            Self::Secret => "secret",
            Self::VerifyAudit => "verify-audit",
            Self::DecideCall => "decide-call",
            Self::AskAccess => "ask-access",
            Self::DecideAccess => "decide-access",
            Self::Authorize => "authorize",
            Self::Withdraw => "withdraw",
        }
    }
}

/// Makes and checks what guards the forms.
pub(crate) struct Forms {
    key: hmac::Key,
    origin: String,
}

impl Forms {
    pub(crate) fn new(key: &SecretKey, public_url: &Url) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.expose()),
            origin: public_url.origin().ascii_serialization(),
        }
    }

    /// The token of a form: a MAC over what it is for and the hash of the secret it is bound to, which is the
    /// session's, or the sign-in link's where there is no session yet.
    pub(crate) fn token(&self, purpose: Purpose, bound_to: &Secret) -> String {
        hmac::sign(&self.key, &statement(purpose, bound_to))
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Refuses what another site made the browser send. Browsers say where a request comes from by `Sec-Fetch-Site`;
    /// on plain http beyond loopback only by `Origin`. Who says neither is no browser of today.
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let same = match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => origin == self.origin,
            (None, None) => false,
        };
        if same {
            Ok(())
        } else {
            Err(Failure::CrossSite {
                origin: self.origin.clone(),
            })
        }
    }

    /// Refuses a form without the right token.
    pub(crate) fn check_token(
        &self,
        purpose: Purpose,
        bound_to: &Secret,
        token: Option<&str>,
    ) -> Result<(), Failure> {
        let right = self.token(purpose, bound_to);
        let given = token.unwrap_or_default();
        constant_time::verify_slices_are_equal(right.as_bytes(), given.as_bytes())
            .map_err(|_| Failure::StaleForm)
    }
}

fn statement(purpose: Purpose, bound_to: &Secret) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, bound_to.expose().as_bytes());
    // The hash has a fixed length and stands last, so no two statements are alike.
    [purpose.as_str().as_bytes(), b"\0", hash.as_ref()].concat()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn forms() -> Forms {
        Forms::new(
            &SecretKey::new([7; 32]),
            &Url::parse("https://gw.example/").unwrap(),
        )
    }

    #[test]
    fn a_token_is_for_one_purpose_and_one_session() {
        let (forms, mine, theirs) = (forms(), Secret::new("mine"), Secret::new("theirs"));
        let token = forms.token(Purpose::SignOut, &mine);
        assert!(forms.check_token(Purpose::SignOut, &mine, Some(&token)).is_ok());
        assert!(
            forms
                .check_token(Purpose::ApproveTools, &mine, Some(&token))
                .is_err()
        );
        assert!(
            forms
                .check_token(Purpose::SignOut, &theirs, Some(&token))
                .is_err()
        );
        assert!(forms.check_token(Purpose::SignOut, &mine, None).is_err());
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        let allowed = |fields: &[(&'static str, &'static str)]| {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            forms().check_origin(&fields.collect::<HeaderMap>()).is_ok()
        };
        assert!(allowed(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(allowed(&[("origin", "https://gw.example")]));
        assert!(!allowed(&[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://gw.example")
        ]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("sec-fetch-site", "none")]));
        assert!(!allowed(&[("origin", "https://gw.example.evil")]));
        assert!(!allowed(&[("origin", "null")]));
        assert!(!allowed(&[]));
    }
}
