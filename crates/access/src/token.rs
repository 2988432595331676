//! 256-bit secrets as text: the secret part of an API key, a sign-in link, a session.
//!
//! Each is 32 random bytes in base64url without padding, exactly 43 characters. Only SHA-256 of the bytes is kept: a
//! slow hash protects guessable passwords, and nobody guesses 256 bits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::random::Rng;
use portreeve_core::secret::Secret;
use portreeve_inspect::{sha256, sha256_hex};

/// The length of the text.
pub(crate) const TEXT_LENGTH: usize = 43;

/// A new secret and what is stored of it.
pub(crate) fn mint(rng: &dyn Rng) -> (Secret, String) {
    let mut bytes = [0_u8; 32];
    rng.fill(&mut bytes);
    let minted = (Secret::new(URL_SAFE_NO_PAD.encode(bytes)), sha256_hex(&bytes));
    zeroize::Zeroize::zeroize(&mut bytes);
    minted
}

/// SHA-256 of the secret behind a text; `None` when the text cannot be one.
pub(crate) fn hash(text: &str) -> Option<[u8; 32]> {
    decode(text).map(|bytes| sha256(&bytes))
}

/// The same as it is stored, hex.
pub(crate) fn hash_hex(text: &str) -> Option<String> {
    decode(text).map(|bytes| sha256_hex(&bytes))
}

fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() != TEXT_LENGTH {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
