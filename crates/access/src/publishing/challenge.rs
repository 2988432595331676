//! The challenge of `dns` and `http`: a signature over the time of day, by a key that the domain shows.
//!
//! Before: a claim with a domain. After: the method knows the domain's records and asks whether one of the keys signed.
//! A signature is fresh for fifteen seconds, and works once on all nodes.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::ports::Locks;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_inspect::{PublicKey, from_hex, sha256_hex};

use super::{Claim, ProofError};

/// How far the claim's time may be from ours.
const WINDOW: Duration = Duration::from_secs(15);

/// How long a used signature is remembered: longer than it is fresh.
const MEMORY: Duration = Duration::from_secs(60);

/// Records of one domain that are tried.
const RECORDS: usize = 20;

/// Reads and settles challenges.
#[derive(Clone)]
pub(super) struct Challenges {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) locks: Arc<dyn Locks>,
}

/// A fresh claim.
#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) domain: Domain,
    timestamp: String,
    signature: Vec<u8>,
}

/// A domain of the public DNS, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Domain(String);

// === impl Domain ===

impl Domain {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(is_plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let last = text.rsplit('.').next().unwrap_or_default();
        let is_one = text.len() <= 190
            && text.contains('.')
            && text.split('.').all(is_label)
            && !last.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then_some(Self(text))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace that belongs to it: `com.acme` for `acme.com`.
    pub(super) fn namespace(&self) -> String {
        let labels: Vec<&str> = self.0.rsplit('.').collect();
        labels.join(".")
    }
}

// === impl Challenges ===

impl Challenges {
    /// Reads a claim, without asking anybody.
    pub(super) fn read(&self, claim: &Claim) -> Result<Challenge, ProofError> {
        let domain = claim.domain.as_deref().and_then(Domain::parse);
        let domain = domain.ok_or(ProofError::malformed(
            "domain",
            "it must be a domain name, as in `acme.example`",
        ))?;
        let timestamp = claim.timestamp.as_deref().filter(|text| text.len() <= 64);
        let at = timestamp.and_then(Timestamp::parse);
        let (Some(timestamp), Some(at)) = (timestamp, at) else {
            return Err(ProofError::malformed("timestamp", "it must be an RFC 3339 time"));
        };
        let now = self.clock.now();
        if now.since(at).max(at.since(now)) > WINDOW {
            return Err(ProofError::refused(format!(
                "the timestamp `{timestamp}` is more than 15 seconds away from this clock, `{now}`"
            )));
        }
        let signature = claim.signed_timestamp.as_deref().filter(|text| text.len() <= 256);
        let signature = signature.and_then(from_hex).ok_or(ProofError::malformed(
            "signed_timestamp",
            "it must be a signature in hex",
        ))?;
        Ok(Challenge {
            domain,
            timestamp: timestamp.to_owned(),
            signature,
        })
    }

    /// Whether one of the domain's keys signed, now and for the first time.
    pub(super) async fn settle(
        &self,
        challenge: &Challenge,
        records: impl Iterator<Item = &str>,
    ) -> Result<(), ProofError> {
        let domain = challenge.domain.as_str();
        let keys: Vec<PublicKey> = records.filter_map(PublicKey::of_record).take(RECORDS).collect();
        if keys.is_empty() {
            return Err(ProofError::refused(format!(
                "`{domain}` shows no key of the form `v=MCPv1; k=ed25519; p=BASE64`"
            )));
        }
        let signed = |key: &&PublicKey| key.verify(challenge.timestamp.as_bytes(), &challenge.signature);
        let Some(key) = keys.iter().find(signed) else {
            return Err(ProofError::refused(format!(
                "the signature was not made by a key that `{domain}` shows"
            )));
        };
        // Not the signature itself: of one, others can be made that verify as well.
        let used = [
            domain.as_bytes(),
            b"\0",
            challenge.timestamp.as_bytes(),
            b"\0",
            key.bytes(),
        ]
        .concat();
        let used = format!("registry-proof/{}", sha256_hex(&used));
        match self.locks.acquire(&used, "used", MEMORY).await? {
            Some(_) => Ok(()),
            None => Err(ProofError::refused(
                "this signature was used already: make a new one",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_turned_around() {
        let namespace = |text: &str| Domain::parse(text).map(|domain| domain.namespace());
        assert_eq!(namespace("acme.example").as_deref(), Some("example.acme"));
        assert_eq!(namespace("API.Acme.co.uk").as_deref(), Some("uk.co.acme.api"));
        for text in [
            "",
            "acme",
            ".acme",
            "acme.",
            "a..b",
            "-a.b",
            "127.0.0.1",
            "a_b.c",
            "ü.de",
            "a/b.c",
            "a.b:1",
        ] {
            assert_eq!(namespace(text), None, "{text}");
        }
        assert_eq!(namespace(&format!("{}.example", "a".repeat(190))), None);
    }
}
