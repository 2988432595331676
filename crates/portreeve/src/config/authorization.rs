//! The section `[oauth]` as far as it is about the authorization server: how programs become known, and how long what they
//! are allowed lasts.

use std::time::Duration;

use portreeve_access::{OauthSettings, Registration, TOKEN_LIFETIME};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::oauth::Oauth;

/// Days that are meant where nothing is said.
const USUAL_DAYS: u64 = 30;
/// Longest time that can be set, in days.
const MOST_DAYS: u64 = 3_650;

/// Whether programs register themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Register {
    /// They do.
    #[default]
    Open,
    /// They do not.
    Off,
}

/// Assertions of the company's identity provider (ID-JAG).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Enterprise {
    /// Issuers whose assertions are taken for tokens. Default: none.
    #[schemars(with = "Vec<String>")]
    pub(crate) issuers: Vec<Url>,
}

impl Oauth {
    /// How long an access token works.
    pub(crate) fn access_lifetime(&self) -> Duration {
        let seconds = self.access_seconds.unwrap_or(u64::MAX).max(1);
        Duration::from_secs(seconds).min(TOKEN_LIFETIME)
    }

    /// The settings of the authorization server, in the room's words.
    pub(crate) fn authorization(&self) -> OauthSettings {
        let days = |days: Option<u64>| {
            let days = days.unwrap_or(USUAL_DAYS).clamp(1, MOST_DAYS);
            Duration::from_secs(days * 24 * 60 * 60)
        };
        OauthSettings {
            registration: match self.registration {
                Register::Open => Registration::Open,
                Register::Off => Registration::Off,
            },
            unused: days(self.unused_client_days),
            refresh: days(self.refresh_days),
            issuers: self.enterprise.issuers.clone(),
        }
    }
}
