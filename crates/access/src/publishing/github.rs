//! An access token of GitHub: its owner's namespace, and one for each organization whose public member he is.

use ::http::{HeaderMap, HeaderValue, header};
use async_trait::async_trait;
use portreeve_core::secret::Secret;
use portreeve_net::Reach;
use serde::Deserialize;
use url::Url;

use super::keys::Fetch;
use super::none::publish_under;
use super::{Claim, GithubSettings, Method, ProofError, Proven, PublishingParts};

pub(super) struct Github {
    settings: GithubSettings,
    fetch: Fetch,
}

/// A user or an organization.
#[derive(Deserialize)]
struct Account {
    login: String,
}

// === impl Github ===

impl Github {
    pub(super) fn new(settings: GithubSettings, parts: &PublishingParts) -> Self {
        Self {
            settings,
            fetch: Fetch::new(parts),
        }
    }

    fn url(&self, path: &str) -> Result<Url, ProofError> {
        let base = self.settings.api_url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}"))
            .map_err(|error| ProofError::unreachable("GitHub could not be asked", error))
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str, token: &Secret) -> Result<T, ProofError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| ProofError::malformed("github_token", "it holds characters that no token has"))?;
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        let answer = self
            .fetch
            .json(&self.url(path)?, &Reach::Operator, headers)
            .await?;
        answer.ok_or_else(|| ProofError::refused("GitHub does not know this token"))
    }
}

#[async_trait]
impl Method for Github {
    fn name(&self) -> &'static str {
        "github-at"
    }

    async fn prove(&self, claim: &Claim) -> Result<Proven, ProofError> {
        let token = claim.github_token.as_ref().filter(|token| {
            let length = token.expose().len();
            (1..=1_024).contains(&length)
        });
        let token = token.ok_or(ProofError::malformed("github_token", "it is required"))?;
        let user: Account = self.ask("/user", token).await?;
        let login = account(&user.login)?;
        let organizations: Vec<Account> = self
            .ask(&format!("/users/{login}/orgs?per_page=100"), token)
            .await?;
        let mut namespaces = vec![namespace(login)];
        let known = organizations
            .iter()
            .filter_map(|organization| account(&organization.login).ok());
        namespaces.extend(known.map(namespace));
        let namespaces: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        Ok(Proven {
            label: format!("github:{login}"),
            permissions: publish_under(&namespaces)?,
        })
    }
}

/// The name of an account that can stand in a namespace.
pub(super) fn account(login: &str) -> Result<&str, ProofError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_one = (1..=39).contains(&login.len())
        && login.bytes().all(is_plain)
        && !login.starts_with('-')
        && !login.ends_with('-');
    if is_one {
        return Ok(login);
    }
    let shown: String = login.chars().take(60).collect();
    Err(ProofError::refused(format!(
        "the GitHub account `{shown}` cannot stand in a namespace"
    )))
}

pub(super) fn namespace(login: &str) -> String {
    format!("io.github.{login}")
}
