//! The keys of those who sign catalogues: Ed25519, written in base64; and how an old one hands over to a new one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::ports::CheckpointSigner;
use portreeve_core::time::Timestamp;
use portreeve_inspect::{Ed25519Signer, from_hex};
use serde::{Deserialize, Serialize};

use super::super::proof::{Approval, Proof, approval_statement, proof_statement, signed};

/// An old key says that from now on another one signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// The old key, base64.
    pub from: String,
    /// The new one.
    pub to: String,
    /// When.
    pub at: Timestamp,
    /// The old key's signature, hex.
    pub signature: String,
}

// === impl Rotation ===

impl Rotation {
    /// Hands over.
    pub fn sign(from: &Ed25519Signer, to: &str, at: Timestamp) -> Self {
        let statement = statement(&text_of(from), to, at);
        Self {
            from: text_of(from),
            to: to.to_owned(),
            at,
            signature: to_hex(&from.sign(statement.as_bytes())),
        }
    }

    fn is_genuine(&self) -> bool {
        signed(
            &self.from,
            statement(&self.from, &self.to, self.at).as_bytes(),
            &self.signature,
        )
    }
}

impl Proof {
    /// Signs a content with the key of its domain.
    pub fn sign(signer: &Ed25519Signer, domain: &str, content_hash: &str) -> Self {
        Self {
            key: format!("v=MCPv1; k=ed25519; p={}", text_of(signer)),
            signature: to_hex(&signer.sign(proof_statement(domain, content_hash).as_bytes())),
        }
    }
}

impl Approval {
    /// Signs a content as its reviewer.
    pub fn sign(signer: &Ed25519Signer, reviewer: &str, at: Timestamp, content_hash: &str) -> Self {
        let statement = approval_statement(reviewer, at, content_hash);
        Self {
            reviewer: reviewer.to_owned(),
            at,
            key: text_of(signer),
            signature: to_hex(&signer.sign(statement.as_bytes())),
        }
    }
}

fn statement(from: &str, to: &str, at: Timestamp) -> String {
    format!("portreeve catalogue key v1\n{from}\n{to}\n{at}\n")
}

/// Every key that a trusted one leads to, and when it handed over: from then on it signs nothing more, and leads nowhere else.
/// What is not genuine, or begins at a key that nobody trusts, leads nowhere; what is revoked neither begins nor ends a way.
pub(super) fn trusted(
    (keys, revoked): (&[String], &[String]),
    rotations: &[Rotation],
    now: Timestamp,
) -> BTreeMap<String, Option<Timestamp>> {
    let trusted = keys.iter().filter(|key| !revoked.contains(*key));
    let mut known: BTreeMap<String, Option<Timestamp>> = trusted.map(|key| (key.clone(), None)).collect();
    let mut left: Vec<&Rotation> = rotations
        .iter()
        .filter(|rotation| !revoked.contains(&rotation.to))
        .filter(|rotation| rotation.at <= now && rotation.is_genuine())
        .collect();
    // The first handover of a key counts.
    while let Some(place) = left
        .iter()
        .enumerate()
        .filter(|(_, rotation)| known.get(&rotation.from).is_some_and(Option::is_none))
        .min_by_key(|(_, rotation)| rotation.at)
        .map(|(place, _)| place)
    {
        let rotation = left.swap_remove(place);
        known.insert(rotation.from.clone(), Some(rotation.at));
        known.entry(rotation.to.clone()).or_default();
    }
    known
}

/// The public half as it is written.
pub(super) fn text_of(signer: &Ed25519Signer) -> String {
    STANDARD.encode(from_hex(signer.public_key()).unwrap_or_default())
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
