//! The section `[registry]`: who may publish over the registry API, and what is approved at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use portreeve_access::{GithubOidcSettings, GithubSettings, OidcSettings, ProofSettings};
use portreeve_core::publishing::NamePattern;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::cli::Failure;

/// The registry API's writing side.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Registry {
    /// Names under which what is submitted or published is approved at once, as in `com.acme/*`, `com.acme.*`
    /// (the namespaces below), `com.acme/billing` or `*`. Default: none; everything waits for an approver.
    #[schemars(with = "Vec<String>")]
    pub(crate) auto_approve: Vec<NamePattern>,
    /// How publishers prove that a namespace is theirs.
    pub(crate) auth: Auth,
}

/// How publishers prove that a namespace is theirs. Whoever may manage publishes with an API key, without any of these.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// Anybody who reaches the listener may publish under `io.modelcontextprotocol.anonymous/*`. For trying things out.
    pub(crate) none: bool,
    /// A key in a TXT record of the domain: its namespace, and those of its sub-domains.
    pub(crate) dns: bool,
    /// The name server that is asked for TXT records, as in `10.0.0.53:53`. Default: those of this machine.
    #[schemars(with = "Option<String>")]
    pub(crate) name_server: Option<SocketAddr>,
    /// A key at `https://DOMAIN/.well-known/mcp-registry-auth`: the domain's namespace.
    pub(crate) http: bool,
    /// Access tokens of GitHub: the user's namespace, and those of the organizations whose public member the user is.
    pub(crate) github: Option<Github>,
    /// ID tokens of GitHub Actions: the namespace of the account that the repository belongs to.
    pub(crate) github_oidc: Option<GithubOidc>,
    /// ID tokens of an issuer of your own.
    pub(crate) oidc: Option<Oidc>,
}

/// Access tokens of GitHub.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Github {
    /// The OAuth client with which publishers sign in. The official publisher asks this Portreeve for it.
    pub(crate) client_id: Option<String>,
    /// GitHub's API. Default: `https://api.github.com`.
    #[schemars(with = "String")]
    #[serde(default = "github_api")]
    pub(crate) api_url: Url,
}

/// ID tokens of GitHub Actions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GithubOidc {
    /// Who issues them. Default: `https://token.actions.githubusercontent.com`.
    #[schemars(with = "String")]
    #[serde(default = "github_issuer")]
    pub(crate) issuer: Url,
    /// For whom they must be made out. Default: `mcp-registry`, as the official publisher asks for them.
    #[serde(default = "github_audience")]
    pub(crate) audience: String,
}

/// ID tokens of an issuer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oidc {
    /// Who issues them: an OpenID Connect issuer.
    #[schemars(with = "String")]
    pub(crate) issuer: Url,
    /// For whom they must be made out.
    pub(crate) client_id: String,
    /// What else must stand in a token: the claim is this text, or a list that has it.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, String>,
    /// Names under which their holders may publish.
    #[schemars(with = "Vec<String>")]
    #[serde(default)]
    pub(crate) publish: Vec<NamePattern>,
    /// Names under which their holders may edit versions that exist.
    #[schemars(with = "Vec<String>")]
    #[serde(default)]
    pub(crate) edit: Vec<NamePattern>,
}

#[expect(
    clippy::expect_used,
    reason = "the text is a constant, and every test of a default reads it"
)]
fn constant(url: &str) -> Url {
    Url::parse(url).expect("a URL")
}

fn github_api() -> Url {
    constant("https://api.github.com")
}

fn github_issuer() -> Url {
    constant("https://token.actions.githubusercontent.com")
}

fn github_audience() -> String {
    "mcp-registry".to_owned()
}

// === impl Auth ===

impl Auth {
    /// The proofs that are taken, as `access` wants them.
    pub(crate) fn settings(&self) -> Result<ProofSettings, Failure> {
        for (key, url) in [
            (
                "github.api_url",
                self.github.as_ref().map(|github| &github.api_url),
            ),
            (
                "github_oidc.issuer",
                self.github_oidc.as_ref().map(|github| &github.issuer),
            ),
            ("oidc.issuer", self.oidc.as_ref().map(|oidc| &oidc.issuer)),
        ] {
            check_url(key, url)?;
        }
        if self.none {
            tracing::warn!(
                "`registry.auth.none` is switched on: ANYBODY who reaches this Portreeve may publish under \
                 `io.modelcontextprotocol.anonymous/*`"
            );
        }
        Ok(ProofSettings {
            none: self.none,
            dns: self.dns,
            http: self.http,
            github: self.github.as_ref().map(|github| GithubSettings {
                api_url: github.api_url.clone(),
                client_id: github.client_id.clone(),
            }),
            github_oidc: self.github_oidc.as_ref().map(|github| GithubOidcSettings {
                issuer: github.issuer.clone(),
                audience: github.audience.clone(),
            }),
            oidc: self.oidc.as_ref().map(|oidc| OidcSettings {
                issuer: oidc.issuer.clone(),
                client_id: oidc.client_id.clone(),
                claims: oidc.claims.clone(),
                publish: oidc.publish.clone(),
                edit: oidc.edit.clone(),
            }),
        })
    }
}

/// What vouches for publishers is asked over TLS, unless it is this machine.
fn check_url(key: &str, url: Option<&Url>) -> Result<(), Failure> {
    let Some(url) = url else { return Ok(()) };
    if is_vouching(url) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`registry.auth.{key}` cannot be `{url}`: whoever answers there decides who publishes"
    ))
    .hint("write an https URL without a query"))
}

/// Whether an address may vouch for somebody: it is asked over TLS, or is on this machine.
pub(super) fn is_vouching(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    is_plain && (url.scheme() == "https" || (url.scheme() == "http" && is_here))
}
