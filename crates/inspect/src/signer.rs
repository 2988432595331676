//! Ed25519 signatures over the heads of the audit chains.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use portreeve_core::ports::CheckpointSigner;
use portreeve_core::secret::SecretKey;

use crate::hex;

/// Signs with a key pair that follows from a 32-byte seed.
pub struct Ed25519Signer {
    pair: Ed25519KeyPair,
    public_key: String,
}

impl Ed25519Signer {
    /// The key pair of a seed.
    #[expect(
        clippy::expect_used,
        reason = "the library refuses seeds that do not have 32 bytes, and the type has 32"
    )]
    pub fn from_seed(seed: &SecretKey) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).expect("a seed of 32 bytes");
        let public_key = hex::encode(pair.public_key().as_ref());
        Self { pair, public_key }
    }
}

impl CheckpointSigner for Ed25519Signer {
    fn sign(&self, statement: &[u8]) -> Vec<u8> {
        self.pair.sign(statement).as_ref().to_vec()
    }

    fn verify(&self, public_key: &str, statement: &[u8], signature: &[u8]) -> bool {
        hex::decode(public_key).is_some_and(|key| {
            UnparsedPublicKey::new(&ED25519, key)
                .verify(statement, signature)
                .is_ok()
        })
    }

    fn public_key(&self) -> &str {
        &self.public_key
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", self.public_key)
    }
}
