//! Keys derived from the installation's master key, and MACs made with them.

use std::fmt;

use aws_lc_rs::hmac;
use portreeve_core::secret::SecretKey;

use crate::hex;

/// Separates our derivations from those of any other program that holds the same master key.
const SALT: &[u8] = b"portreeve keyring v1";

/// Derives the installation's keys from its master key. Each purpose has a key of its own, so that one that leaks, or
/// a text that is valid for one purpose, is worth nothing for another.
#[derive(Debug, Clone)]
pub struct Keyring {
    master: SecretKey,
}

/// Makes and checks HMAC-SHA-256 tags.
#[derive(Clone)]
pub struct Mac {
    key: hmac::Key,
}

// === impl Keyring ===

impl Keyring {
    /// From the installation's master key.
    pub const fn new(master: SecretKey) -> Self {
        Self { master }
    }

    /// The key for a purpose: HKDF-SHA-256 (RFC 5869). The 32 bytes are exactly one block of its expansion, so extract
    /// and expand are two HMACs, neither of which can fail.
    pub fn derive(&self, purpose: &'static str) -> SecretKey {
        let extracted = Mac::from_bytes(SALT).tag(self.master.expose());
        let first_block = [purpose.as_bytes(), &[1]].concat();
        SecretKey::new(Mac::from_bytes(&extracted).tag(&first_block))
    }
}

// === impl Mac ===

impl Mac {
    /// With a key of the [`Keyring`].
    pub fn new(key: &SecretKey) -> Self {
        Self::from_bytes(key.expose())
    }

    /// With a key that somebody outside has as well: what a webhook's receiver checks by.
    pub fn shared(key: &[u8]) -> Self {
        Self::from_bytes(key)
    }

    fn from_bytes(key: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// The tag of some bytes.
    pub fn tag(&self, bytes: &[u8]) -> [u8; 32] {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&self.key, bytes).as_ref());
        tag
    }

    /// The tag of some bytes, hex.
    pub fn hex(&self, bytes: &[u8]) -> String {
        hex::encode(&self.tag(bytes))
    }

    /// Whether the tag belongs to the bytes. Takes the same time wherever they differ.
    pub fn verify(&self, bytes: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.key, bytes, tag).is_ok()
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac([secret key])")
    }
}
