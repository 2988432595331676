//! Which proofs are taken, as the configuration file says it. Nothing is, unless it says so.

use std::collections::BTreeMap;

use portreeve_core::publishing::NamePattern;
use url::Url;

/// Which proofs are taken.
#[derive(Debug, Clone, Default)]
pub struct ProofSettings {
    /// Anybody may publish under `io.modelcontextprotocol.anonymous/*`.
    pub none: bool,
    /// A key in a TXT record of a domain.
    pub dns: bool,
    /// A key in a well-known file of a domain.
    pub http: bool,
    /// Access tokens of GitHub.
    pub github: Option<GithubSettings>,
    /// ID tokens of GitHub Actions.
    pub github_oidc: Option<GithubOidcSettings>,
    /// ID tokens of the company's own issuer.
    pub oidc: Option<OidcSettings>,
}

/// Access tokens of GitHub.
#[derive(Debug, Clone)]
pub struct GithubSettings {
    /// Where its API is.
    pub api_url: Url,
    /// The OAuth client with which publishers sign in.
    pub client_id: Option<String>,
}

/// ID tokens of GitHub Actions.
#[derive(Debug, Clone)]
pub struct GithubOidcSettings {
    /// Who issues them.
    pub issuer: Url,
    /// For whom they must be made out.
    pub audience: String,
}

/// ID tokens of an issuer.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// Who issues them.
    pub issuer: Url,
    /// For whom they must be made out.
    pub client_id: String,
    /// What else must stand in them: a claim is this text, or a list that has it.
    pub claims: BTreeMap<String, String>,
    /// Under which names their holders may publish.
    pub publish: Vec<NamePattern>,
    /// Under which names they may edit.
    pub edit: Vec<NamePattern>,
}
