//! Signatures by keys of others: what a publisher signs to show that a domain is his.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The public key of somebody else.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519: 32 bytes.
    Ed25519(Vec<u8>),
    /// ECDSA on the curve P-384 with SHA-384: a point, compressed (49 bytes) or not (97).
    EcdsaP384(Vec<u8>),
}

impl PublicKey {
    /// The key of a record that a domain shows, `v=MCPv1; k=ed25519; p=BASE64`; other texts are none.
    pub fn of_record(record: &str) -> Option<Self> {
        let mut fields = record.split(';').map(str::trim).filter(|field| !field.is_empty());
        if fields.next()? != "v=MCPv1" {
            return None;
        }
        let (mut kind, mut point) = (None, None);
        for field in fields {
            match field.split_once('=')? {
                ("k", value) => kind = Some(value),
                ("p", value) => point = Some(value),
                _ => {}
            }
        }
        let point = STANDARD.decode(point?).ok()?;
        match (kind?, point.len()) {
            ("ed25519", 32) => Some(Self::Ed25519(point)),
            ("ecdsap384", 49 | 97) => Some(Self::EcdsaP384(point)),
            _ => None,
        }
    }

    /// The key as the record that a domain shows for it.
    pub fn record(&self) -> String {
        let (kind, bytes) = match self {
            Self::Ed25519(bytes) => ("ed25519", bytes),
            Self::EcdsaP384(bytes) => ("ecdsap384", bytes),
        };
        format!("v=MCPv1; k={kind}; p={}", STANDARD.encode(bytes))
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_record_of_the_form_is_a_key() {
        let point = STANDARD.encode([7; 32]);
        let key = Some(PublicKey::Ed25519(vec![7; 32]));
        assert_eq!(
            PublicKey::of_record(&format!("v=MCPv1; k=ed25519; p={point}")),
            key
        );
        assert_eq!(
            PublicKey::of_record(&format!("v=MCPv1;k=ed25519;p={point};")),
            key
        );
        for other in [
            format!("k=ed25519; p={point}; v=MCPv1"),
            format!("v=MCPv2; k=ed25519; p={point}"),
            format!("v=MCPv1; k=rsa; p={point}"),
            "v=MCPv1; k=ed25519; p=AAAA".to_owned(),
            format!("v=MCPv1; p={point}"),
            "v=spf1 -all".to_owned(),
            String::new(),
        ] {
            assert_eq!(PublicKey::of_record(&other), None, "{other}");
        }
    }
}
