//! Secrets as they are listed, and as they are set. No shape shows a value.

use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_core::vault::{SecretFacts, SecretUse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::labels;

/// What may be told of a secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Secret)]
pub(crate) struct SecretShape {
    /// Its name; `secret:NAME` refers to it.
    name: String,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who set or replaced it last.
    updated_by: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Counts the replacements; the `ETag` is the same number in quotes.
    revision: i64,
    /// Who names it and cannot do without it, as in "webhook `chat`". Only where one secret is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<Vec<String>>,
}

/// A secret to be sealed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSecret)]
pub(crate) struct NewSecretShape {
    /// The value: 1 byte to 16 KiB. It is never shown again.
    #[schema(value_type = String, write_only)]
    pub(crate) value: Secret,
}

impl From<&SecretFacts> for SecretShape {
    fn from(facts: &SecretFacts) -> Self {
        Self {
            name: facts.name.to_string(),
            created_by: facts.created_by.clone(),
            created_at: facts.created_at,
            updated_by: facts.updated_by.clone(),
            updated_at: facts.updated_at,
            revision: facts.revision,
            used_by: None,
        }
    }
}

impl SecretShape {
    /// The same with who names it.
    pub(crate) fn used_by(self, uses: &[SecretUse]) -> Self {
        Self {
            used_by: Some(labels(uses)),
            ..self
        }
    }
}
