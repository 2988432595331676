//! An ID token of GitHub Actions: a workflow publishes for the account that its repository belongs to.

use async_trait::async_trait;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::github::{account, namespace};
use super::keys::IssuerKeys;
use super::none::publish_under;
use super::oidc::token_of;
use super::{Claim, GithubOidcSettings, Method, ProofError, Proven, PublishingParts};

pub(super) struct Workflow {
    keys: IssuerKeys,
}

impl Workflow {
    pub(super) fn new(settings: &GithubOidcSettings, parts: &PublishingParts) -> Self {
        let algorithms = &[Algorithm::RS256];
        Self {
            keys: IssuerKeys::new(&settings.issuer, &settings.audience, algorithms, parts),
        }
    }
}

#[async_trait]
impl Method for Workflow {
    fn name(&self) -> &'static str {
        "github-oidc"
    }

    async fn prove(&self, claim: &Claim) -> Result<Proven, ProofError> {
        let claims = self.keys.verified(token_of(claim)?).await?;
        let owner = claims.get("repository_owner").and_then(Value::as_str);
        let owner = owner.ok_or_else(|| ProofError::refused("the ID token names no `repository_owner`"))?;
        let owner = account(owner)?;
        Ok(Proven {
            label: format!("github-oidc:{owner}"),
            permissions: publish_under(&[&namespace(owner)])?,
        })
    }
}
