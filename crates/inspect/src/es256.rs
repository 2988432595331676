//! Key pairs of ES256 (ECDSA on the curve P-256 with SHA-256), with which access tokens are signed.

use std::fmt;

use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use portreeve_core::random::Rng;
use portreeve_core::secret::{Secret, SecretKey};

use crate::hex;

/// How often a number is drawn until it is a key. All but one of four thousand millions are.
const DRAWS: usize = 4;

/// A key pair.
pub struct Es256Pair {
    private: SecretKey,
    /// 0x04, then both coordinates.
    point: Vec<u8>,
}

/// No key pair: not 32 bytes, or not a number below the order of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no key of the curve P-256")]
pub struct NoPair;

// === impl Es256Pair ===

impl Es256Pair {
    /// A new pair.
    pub fn draw(rng: &dyn Rng) -> Result<Self, NoPair> {
        let mut drawn = Err(NoPair);
        for _ in 0..DRAWS {
            let mut bytes = [0; 32];
            rng.fill(&mut bytes);
            drawn = Self::from_private(SecretKey::new(bytes));
            if drawn.is_ok() {
                break;
            }
        }
        drawn
    }

    fn from_private(private: SecretKey) -> Result<Self, NoPair> {
        let key = agreement::PrivateKey::from_private_key(&ECDH_P256, private.expose());
        let public = key.and_then(|key| Ok(key.compute_public_key()?.as_ref().to_vec()));
        let point = public.map_err(|_| NoPair)?;
        Ok(Self { private, point })
    }

    /// The pair of what [`Es256Pair::to_text`] wrote.
    pub fn from_text(text: &Secret) -> Result<Self, NoPair> {
        let bytes = hex::decode(text.expose()).ok_or(NoPair)?;
        Self::from_private(SecretKey::new(bytes.try_into().map_err(|_| NoPair)?))
    }

    /// The private half as text, to be sealed.
    pub fn to_text(&self) -> Secret {
        Secret::new(hex::encode(self.private.expose()))
    }

    /// Both coordinates of the public point, 32 bytes each.
    pub fn public(&self) -> ([u8; 32], [u8; 32]) {
        let mut halves = ([0; 32], [0; 32]);
        let coordinates = self.point.iter().skip(1);
        for (to, from) in halves.0.iter_mut().chain(&mut halves.1).zip(coordinates) {
            *to = *from;
        }
        halves
    }

    /// The private half as libraries take it: PKCS #8, DER.
    pub fn pkcs8(&self) -> Result<Vec<u8>, NoPair> {
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            self.private.expose(),
            &self.point,
        );
        let document = pair.map_err(|_| NoPair)?.to_pkcs8v1().map_err(|_| NoPair)?;
        Ok(document.as_ref().to_vec())
    }
}

impl fmt::Debug for Es256Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Es256Pair({})", hex::encode(&self.point))
    }
}
