//! The signed catalogue: all partners of a folder with their evidence, a version that only grows, a time until which it is
//! good, and the signature of a key that the reader knows.
//!
//! Before: `portreeve partner bundle` has a folder and its evidence. After: every registry reads it with [`Reader`], or refuses
//! it with a reason. Reading is a pure function: the time and what is held already come in.

mod keys;
mod reader;

use std::collections::BTreeMap;

use portreeve_core::icon::IconKind;
use portreeve_core::partner::Withdrawal;
use portreeve_core::ports::CheckpointSigner;
use portreeve_core::time::Timestamp;
use portreeve_inspect::{Ed25519Signer, InspectError, canonical, sha256_hex};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::Evidence;
use super::folder::{Folder, Submitted, hash_of};
use super::format::Partner;
use super::proof::{Approval, Proof};

pub use keys::Rotation;
pub use reader::{Held, Reader, Refusal, law};

/// The form that is written here.
pub const CATALOGUE_FORMAT: &str = "portreeve-catalogue/1";

/// A catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalogue {
    /// [`CATALOGUE_FORMAT`].
    pub format: String,
    /// Grows with every catalogue.
    pub version: u64,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Its partners, by their names.
    pub partners: Vec<Listed>,
    /// What was withdrawn, of this catalogue or of one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<ListedWithdrawal>,
}

/// A partner, or one of its servers, that the keepers of a catalogue withdraw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedWithdrawal {
    /// The partner.
    pub partner: String,
    /// The server, as its file is called; without it, all of the partner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// `delisted`: not shown to who does not have it. `revoked`: nobody may call it.
    pub what: Withdrawal,
    /// Why, as people read it.
    pub reason: String,
}

/// A partner in a catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listed {
    /// What it says of itself.
    pub partner: Partner,
    /// Its servers.
    pub servers: Vec<ListedServer>,
    /// SHA-256 of the file that `partner.icon` names; part of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_hash: Option<String>,
    /// The icon as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<ListedIcon>,
    /// SHA-256 over what it says.
    pub content_hash: String,
    /// The signature of its domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The signature of a reviewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What was found when it was checked; nothing: nobody checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// A server of a listed partner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedServer {
    /// What its file is called.
    pub name: String,
    /// The `server.json`.
    pub document: Map<String, Value>,
}

/// An icon that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedIcon {
    /// What it is.
    pub kind: IconKind,
    /// Its bytes, base64.
    pub data: String,
}

/// A catalogue with its signature: what a file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedCatalogue {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// The key that signed, base64.
    pub key: String,
    /// The signature, hex.
    pub signature: String,
    /// Old keys that vouch for new ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<Rotation>,
}

// === impl Catalogue ===

impl Catalogue {
    /// The catalogue of a folder. Evidence is taken where it is about the same content.
    pub fn of(
        folder: &Folder,
        evidence: &BTreeMap<String, Evidence>,
        version: u64,
        (issued_at, expires_at): (Timestamp, Timestamp),
    ) -> Self {
        let partners = folder.partners.iter();
        let partners = partners.filter_map(|partner| Listed::of(partner, evidence.get(&partner.slug)));
        Self {
            format: CATALOGUE_FORMAT.to_owned(),
            version,
            issued_at,
            expires_at,
            partners: partners.collect(),
            withdrawn: Vec::new(),
        }
    }

    /// SHA-256 over all of it in canonical form.
    pub fn hash(&self) -> Result<String, InspectError> {
        Ok(sha256_hex(&self.statement()?))
    }

    /// What is signed.
    fn statement(&self) -> Result<Vec<u8>, InspectError> {
        let mut statement = format!("{CATALOGUE_FORMAT}\n").into_bytes();
        statement.extend(canonical(&json!(self).to_string())?);
        Ok(statement)
    }
}

// === impl Listed ===

impl Listed {
    fn of(submitted: &Submitted, evidence: Option<&Evidence>) -> Option<Self> {
        let mut evidence = evidence
            .filter(|one| one.content_hash == submitted.content_hash)
            .cloned();
        let icon = evidence.as_mut().and_then(|one| one.icon.take());
        Some(Self {
            partner: submitted.partner.clone()?,
            servers: submitted
                .servers
                .iter()
                .map(|server| ListedServer {
                    name: server.stem.clone(),
                    document: server.document.clone(),
                })
                .collect(),
            icon_hash: submitted.icon.as_ref().map(|icon| sha256_hex(&icon.bytes)),
            icon,
            content_hash: submitted.content_hash.clone(),
            proof: submitted.proof.clone(),
            approval: submitted.approval.clone(),
            evidence,
        })
    }

    /// The hash of what it says here.
    fn hash(&self) -> String {
        let servers = self
            .servers
            .iter()
            .map(|server| (server.name.as_str(), &server.document));
        hash_of(Some(&json!(self.partner)), servers, self.icon_hash.as_deref())
    }
}

/// Signs a catalogue: the bytes of the file.
pub fn seal(
    catalogue: Catalogue,
    signer: &Ed25519Signer,
    rotations: Vec<Rotation>,
) -> Result<Vec<u8>, InspectError> {
    let signature = signer.sign(&catalogue.statement()?);
    let signed = SignedCatalogue {
        key: keys::text_of(signer),
        signature: keys::to_hex(&signature),
        catalogue,
        rotations,
    };
    // Canonical, so that one catalogue is one file.
    let mut bytes = canonical(&json!(signed).to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A file read without being believed: to look at it, and never to serve it.
pub fn opened(bytes: &[u8]) -> Result<SignedCatalogue, serde_json::Error> {
    serde_json::from_slice(bytes)
}
