//! Signatures as [Standard Webhooks](https://www.standardwebhooks.com) has them: HMAC-SHA-256 over identity, time and
//! body, by a key that the receiver has as well. While a key is replaced there are two signatures, and either is enough.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_inspect::Mac;

/// What stands before the base64 of a key, so that people and scanners know it for one.
const PREFIX: &str = "whsec_";
/// How many bytes a key has.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that signs.
#[derive(Debug)]
pub(super) struct SigningKey(Mac);

impl SigningKey {
    /// Reads a key; an error says what is wrong without saying the key.
    pub(super) fn read(secret: &Secret) -> Result<Self, &'static str> {
        let Some(text) = secret.expose().trim().strip_prefix(PREFIX) else {
            return Err("it does not begin with `whsec_`");
        };
        let Ok(bytes) = STANDARD.decode(text) else {
            return Err("what stands behind `whsec_` is not base64");
        };
        if !BYTES.contains(&bytes.len()) {
            return Err("it must have 24 to 64 bytes");
        }
        Ok(Self(Mac::shared(&bytes)))
    }
}

/// The time as it is signed and sent: seconds since 1970.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}

/// The header `webhook-signature`: one signature for each key.
pub(super) fn signatures(keys: &[SigningKey], id: &str, at: Timestamp, body: &str) -> String {
    let signed = format!("{id}.{}.{body}", seconds(at));
    let signatures: Vec<String> = keys
        .iter()
        .map(|key| format!("v1,{}", STANDARD.encode(key.0.tag(signed.as_bytes()))))
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's own libraries.
    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        let key = SigningKey::read(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let at = Timestamp::from_millis(1_614_265_330_999);
        let header = signatures(
            &[key],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            "{\"test\": 2432232314}",
        );
        assert_eq!(header, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_key_is_not_taken_for_one() {
        for wrong in [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_short",
            "whsec_MfKQ9r8GKYqrTwjU",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w",
        ] {
            assert!(SigningKey::read(&Secret::new(wrong)).is_err(), "{wrong}");
        }
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        assert!(SigningKey::read(&Secret::new(long)).is_err());
    }
}
