//! What the configuration file says about the authorization server.

use std::time::Duration;

use url::Url;

/// Whether clients may register themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// Anybody may.
    #[default]
    Open,
    /// Nobody may: clients are entered, or have a document of their own.
    Off,
}

/// The settings.
#[derive(Debug, Clone)]
pub struct OauthSettings {
    /// Whether clients may register themselves.
    pub registration: Registration,
    /// How long a client that registered itself is kept without being used.
    pub unused: Duration,
    /// How long a refresh token works.
    pub refresh: Duration,
    /// Identity providers of the company whose assertions are taken for tokens (ID-JAG).
    pub issuers: Vec<Url>,
}

impl Default for OauthSettings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            registration: Registration::Open,
            unused: DAY * 30,
            refresh: DAY * 30,
            issuers: Vec::new(),
        }
    }
}
