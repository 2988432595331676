//! An ID token of the company's own issuer: what its holders may do stands in the configuration file.

use async_trait::async_trait;
use portreeve_core::publishing::{NameAction, NamePattern, Permission};
use serde_json::{Map, Value};

use super::keys::IssuerKeys;
use super::{Claim, Method, OidcSettings, ProofError, Proven, PublishingParts};
use crate::signatures::KEY_PAIRS;

pub(super) struct Oidc {
    keys: IssuerKeys,
    settings: OidcSettings,
}

impl Oidc {
    pub(super) fn new(settings: OidcSettings, parts: &PublishingParts) -> Self {
        Self {
            keys: IssuerKeys::new(&settings.issuer, &settings.client_id, KEY_PAIRS, parts),
            settings,
        }
    }
}

#[async_trait]
impl Method for Oidc {
    fn name(&self) -> &'static str {
        "oidc"
    }

    async fn prove(&self, claim: &Claim) -> Result<Proven, ProofError> {
        let claims = self.keys.verified(token_of(claim)?).await?;
        let lacking = self
            .settings
            .claims
            .iter()
            .find(|(name, wanted)| !says(&claims, name, wanted));
        if let Some((name, _)) = lacking {
            return Err(ProofError::refused(format!(
                "the claim `{name}` of the ID token is not what this registry asks for"
            )));
        }
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        let subject: String = subject.chars().filter(|c| !c.is_control()).take(120).collect();
        if subject.is_empty() {
            return Err(ProofError::refused("the ID token names no subject"));
        }
        let permissions = |action: NameAction, patterns: &[NamePattern]| {
            let permission = |resource: &NamePattern| Permission {
                action,
                resource: resource.clone(),
            };
            patterns.iter().map(permission).collect::<Vec<_>>()
        };
        let mut granted = permissions(NameAction::Publish, &self.settings.publish);
        granted.extend(permissions(NameAction::Edit, &self.settings.edit));
        Ok(Proven {
            label: format!("oidc:{subject}"),
            permissions: granted,
        })
    }
}

/// Whether a claim is this text, or a list that has it.
fn says(claims: &Map<String, Value>, name: &str, wanted: &str) -> bool {
    match claims.get(name) {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(wanted)),
        Some(Value::Bool(flag)) => flag.to_string() == wanted,
        Some(Value::Number(number)) => number.to_string() == wanted,
        _ => false,
    }
}

/// The ID token of a claim.
pub(super) fn token_of(claim: &Claim) -> Result<&str, ProofError> {
    let token = claim.oidc_token.as_ref().map(|token| token.expose());
    token
        .filter(|token| !token.is_empty())
        .ok_or(ProofError::malformed("oidc_token", "it is required"))
}
