//! A key in a TXT record of the domain. Who writes into the zone speaks for what is below it, so its sub-domains'
//! namespaces are granted too.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::publishing::{NameAction, NamePattern, Permission};
use portreeve_net::TxtLookup;

use super::challenge::Challenges;
use super::none::publish_under;
use super::{Claim, Method, ProofError, Proven};

pub(super) struct Dns {
    pub(super) challenges: Challenges,
    pub(super) texts: Arc<dyn TxtLookup>,
}

#[async_trait]
impl Method for Dns {
    fn name(&self) -> &'static str {
        "dns"
    }

    async fn prove(&self, claim: &Claim) -> Result<Proven, ProofError> {
        let challenge = self.challenges.read(claim)?;
        let domain = challenge.domain.as_str();
        let texts = self.texts.texts(domain).await.map_err(|cause| {
            ProofError::unreachable(&format!("the TXT records of `{domain}` could not be read"), cause)
        })?;
        self.challenges
            .settle(&challenge, texts.iter().map(String::as_str))
            .await?;
        let namespace = challenge.domain.namespace();
        let mut permissions = publish_under(&[&namespace])?;
        permissions.extend(NamePattern::below(&namespace).ok().map(|resource| Permission {
            action: NameAction::Publish,
            resource,
        }));
        Ok(Proven {
            label: format!("dns:{domain}"),
            permissions,
        })
    }
}
