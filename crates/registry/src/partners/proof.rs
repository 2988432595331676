//! Who signed a partner's content: the domain that it claims, and a reviewer who read it. Both signatures are over a short
//! statement that names the content by its hash, so none of them is worth anything for another content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::time::Timestamp;
use portreeve_inspect::{PublicKey, from_hex};
use serde::{Deserialize, Serialize};

/// `proof.json`: the signature of whoever holds the key that the domain shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The key, as the domain's record writes it: `v=MCPv1; k=ed25519; p=BASE64`.
    pub key: String,
    /// The signature over [`proof_statement`], hex.
    pub signature: String,
}

/// `approval.json`: the signature of a reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub reviewer: String,
    /// When.
    pub at: Timestamp,
    /// The reviewer's Ed25519 key, base64.
    pub key: String,
    /// The signature over [`approval_statement`], hex.
    pub signature: String,
}

/// What the holder of a domain's key signs.
pub fn proof_statement(domain: &str, content_hash: &str) -> String {
    format!("portreeve partner proof v1\n{domain}\n{content_hash}\n")
}

/// What a reviewer signs.
pub fn approval_statement(reviewer: &str, at: Timestamp, content_hash: &str) -> String {
    format!("portreeve partner approval v1\n{reviewer}\n{at}\n{content_hash}\n")
}

// === impl Proof ===

impl Proof {
    /// The key that made it, if it made it, over this.
    pub fn key_for(&self, domain: &str, content_hash: &str) -> Option<PublicKey> {
        let key = PublicKey::of_record(&self.key)?;
        let signature = from_hex(&self.signature)?;
        let statement = proof_statement(domain, content_hash);
        key.verify(statement.as_bytes(), &signature).then_some(key)
    }
}

// === impl Approval ===

impl Approval {
    /// Whether one of these reviewers made it, over this. Keys are base64.
    pub fn is_by(&self, reviewers: &[String], content_hash: &str) -> bool {
        let statement = approval_statement(&self.reviewer, self.at, content_hash);
        reviewers.contains(&self.key) && signed(&self.key, statement.as_bytes(), &self.signature)
    }
}

/// Whether an Ed25519 key (base64) made a signature (hex) over some bytes.
pub(super) fn signed(key: &str, message: &[u8], signature: &str) -> bool {
    let (Ok(key), Some(signature)) = (STANDARD.decode(key), from_hex(signature)) else {
        return false;
    };
    key.len() == 32 && PublicKey::Ed25519(key).verify(message, &signature)
}
