//! How others may sign what is believed here.

use jsonwebtoken::Algorithm;

/// Signatures with a key pair. A shared secret is none: whoever can check it can make it.
pub(crate) const KEY_PAIRS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
