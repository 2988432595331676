//! Signatures by keys of others: what a publisher signs to show that a domain is his.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};

/// The public key of somebody else.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519: 32 bytes.
    Ed25519(Vec<u8>),
    /// ECDSA on the curve P-384 with SHA-384: a point, compressed (49 bytes) or not (97).
    EcdsaP384(Vec<u8>),
}

impl PublicKey {
    /// Whether the signature over the message was made with the private half. An ECDSA signature is its two numbers,
    /// 48 bytes each.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, key): (&'static dyn VerificationAlgorithm, _) = match self {
            Self::Ed25519(key) => (&ED25519, key),
            Self::EcdsaP384(key) => (&ECDSA_P384_SHA384_FIXED, key),
        };
        UnparsedPublicKey::new(algorithm, key)
            .verify(message, signature)
            .is_ok()
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) | Self::EcdsaP384(key) => key,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Ed25519(_) => "Ed25519",
            Self::EcdsaP384(_) => "EcdsaP384",
        };
        write!(f, "{name}({})", crate::hex::encode(self.bytes()))
    }
}
