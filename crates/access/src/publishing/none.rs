//! No proof: anybody may publish under one namespace that says so. For trying things out, never for a registry that
//! others read.

use async_trait::async_trait;
use portreeve_core::publishing::{NameAction, NamePattern, Permission};

use super::{Claim, Method, ProofError, Proven};

pub(super) const NAME: &str = "none";

/// The namespace of those who prove nothing.
const NAMESPACE: &str = "io.modelcontextprotocol.anonymous";

pub(super) struct Nothing;

#[async_trait]
impl Method for Nothing {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn prove(&self, _: &Claim) -> Result<Proven, ProofError> {
        Ok(Proven {
            label: "none:anonymous".to_owned(),
            permissions: publish_under(&[NAMESPACE])?,
        })
    }
}

/// The right to publish under these namespaces.
pub(super) fn publish_under(namespaces: &[&str]) -> Result<Vec<Permission>, ProofError> {
    let permission = |namespace: &&str| {
        let resource = NamePattern::namespace(namespace).map_err(|_| {
            ProofError::refused(format!(
                "`{namespace}` cannot be the namespace of a server's name"
            ))
        })?;
        Ok(Permission {
            action: NameAction::Publish,
            resource,
        })
    };
    namespaces.iter().map(permission).collect()
}
