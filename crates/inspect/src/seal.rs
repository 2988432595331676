//! Seals secrets for storage: AES-256-GCM under a derived key, bound to what they are for.
//!
//! Before: somebody handed a secret over. After: the store keeps the sealed text, and `access` opens it when it must be
//! presented.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use portreeve_core::random::Rng;
use portreeve_core::secret::{Secret, SecretKey};

use crate::hex;

/// Names the algorithm and the key, so that another one can come after it.
const FORM: &str = "1";

/// Seals and opens.
pub struct Sealer {
    key: LessSafeKey,
}

/// Why a sealed text cannot be made or opened. Which of the reasons it is nobody learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seal does not open")]
pub struct SealError;

// === impl Sealer ===

impl Sealer {
    /// With a key of the [`crate::Keyring`].
    ///
    /// # Errors
    ///
    /// When the cryptography library does not take the key.
    pub fn new(key: &SecretKey) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| SealError)?;
        Ok(Self {
            key: LessSafeKey::new(key),
        })
    }

    /// Seals a secret under a fresh random nonce. It opens only together with the same `bound_to`.
    pub fn seal(&self, secret: &Secret, bound_to: &[&str], rng: &dyn Rng) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut sealed = secret.expose().as_bytes().to_vec();
        let aad = Aad::from(joined(bound_to));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| SealError)?;
        Ok(format!("{FORM}.{}{}", hex::encode(&nonce), hex::encode(&sealed)))
    }

    /// Opens what was sealed.
    pub fn open(&self, sealed: &str, bound_to: &[&str]) -> Result<Secret, SealError> {
        let bytes = sealed.strip_prefix(FORM).and_then(|rest| rest.strip_prefix('.'));
        let mut bytes = bytes.and_then(hex::decode).ok_or(SealError)?;
        let (nonce, body) = bytes.split_first_chunk_mut::<NONCE_LEN>().ok_or(SealError)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(joined(bound_to)), body);
        let opened = opened.map_err(|_| SealError)?;
        let secret = std::str::from_utf8(opened)
            .map(Secret::new)
            .map_err(|_| SealError);
        // What was opened in place must not stay behind.
        opened.fill(0);
        secret
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([secret key])")
    }
}

/// The parts, each with its length in front, so that no two lists of parts are one.
fn joined(parts: &[&str]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part.as_bytes());
    }
    joined
}
