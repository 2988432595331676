//! Identity providers: who vouches for people that sign in. One file each; the configuration file says which there are.
//!
//! Before: `login` knows which browser it is. After: `login` makes the user and opens the session. A provider tells who
//! somebody is and never hands a token on.

mod admission;
mod client;
mod http;
mod id_token;
mod oidc;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::limits::Limits;
use portreeve_core::name::GroupName;
use portreeve_core::ports::Outgoing;
use portreeve_core::random::Rng;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_core::user::ExternalIdentity;
use portreeve_net::Egress;
use url::Url;

pub use settings::{AdmitRule, ClaimNames, ClientCredential, ProviderSettings, SignOut};

/// Why a provider vouches for nobody. The text is public.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It could not be asked.
    #[error("`{provider}` could not be asked: {problem}")]
    Unreachable {
        /// The provider's name.
        provider: String,
        /// What is the matter, without a secret.
        problem: String,
    },
    /// It said that something went wrong.
    #[error("`{provider}` signed nobody in: {said}")]
    Said {
        /// The provider's name.
        provider: String,
        /// Its own words, cut.
        said: String,
    },
    /// What it answered is not what it must be.
    #[error("the answer of `{provider}` is not taken: {problem}")]
    Untrusted {
        /// The provider's name.
        provider: String,
        /// Which check failed.
        problem: &'static str,
    },
    /// It vouches for somebody whom the configuration does not admit.
    #[error("`{provider}` knows you, and this Portreeve does not admit you")]
    NotAdmitted {
        /// The provider's name.
        provider: String,
    },
    /// It leaves out the groups of people who have many (Entra: more than 200).
    #[error("`{provider}` did not tell your groups, since you are in too many of them")]
    TooManyGroups {
        /// The provider's name.
        provider: String,
    },
    /// The configuration does not fit it.
    #[error("`{provider}` cannot be used: {problem}")]
    Misconfigured {
        /// The provider's name.
        provider: String,
        /// What is the matter.
        problem: String,
    },
}

/// What a browser takes along to a provider.
#[derive(Debug)]
pub(crate) struct Outbound<'a> {
    pub(crate) state: &'a str,
    pub(crate) nonce: &'a str,
    /// The PKCE verifier: only its hash leaves.
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: &'a str,
    /// Whether the user must sign in there once more.
    pub(crate) is_anew: bool,
}

/// What a browser brings back from a provider.
#[derive(Debug)]
pub(crate) struct Inbound<'a> {
    pub(crate) code: &'a str,
    /// Who says that it answers (RFC 9207).
    pub(crate) issuer: Option<&'a str>,
    pub(crate) nonce: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: &'a str,
}

/// Somebody for whom a provider vouches, and who is admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) external: ExternalIdentity,
    /// What it calls the user, as it came.
    pub(crate) name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) groups: BTreeSet<GroupName>,
    pub(crate) authenticated_at: Option<Timestamp>,
    /// The provider's session.
    pub(crate) session: Option<String>,
}

/// Whose sessions a provider ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logout {
    pub(crate) issuer: String,
    pub(crate) session: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) issued_at: Timestamp,
}

/// A provider.
#[async_trait]
pub(crate) trait IdentityProvider: Send + Sync {
    /// Its name in the configuration and in addresses.
    fn name(&self) -> &str;

    /// What people call it.
    fn title(&self) -> &str;

    /// Its identifier.
    fn issuer(&self) -> &str;

    /// How far signing out goes.
    fn sign_out(&self) -> SignOut;

    /// Where a browser is sent.
    async fn address(&self, outbound: &Outbound<'_>) -> Result<Url, ProviderError>;

    /// Who came back.
    async fn vouched(&self, inbound: &Inbound<'_>) -> Result<Vouched, ProviderError>;

    /// Whose sessions a logout token ends.
    async fn logout(&self, token: &str) -> Result<Logout, ProviderError>;

    /// Where a browser signs out of it, to come back to an address of ours with our word for it. `None` if it knows no such
    /// place.
    async fn departure(&self, back_to: &str, state: &str) -> Result<Option<Url>, ProviderError>;
}

/// What providers work with.
#[derive(Clone)]
pub(crate) struct ProviderParts {
    pub(crate) egress: Egress,
    pub(crate) limits: Arc<Limits>,
    pub(crate) outgoing: Arc<dyn Outgoing>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
}

/// Those that the configuration names.
pub(crate) fn providers(
    settings: Vec<ProviderSettings>,
    parts: &ProviderParts,
) -> Vec<Box<dyn IdentityProvider>> {
    let oidc = |settings| Box::new(oidc::Oidc::new(settings, parts.clone())) as Box<dyn IdentityProvider>;
    settings.into_iter().map(oidc).collect()
}
