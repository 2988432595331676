//! What a partner's evidence is worth. A tier is computed whenever somebody looks, and written down nowhere: it ends by itself.
//!
//! Before: a catalogue carries the evidence. After: cards and entries show the tier, and when it ends.

use std::time::Duration;

use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::check::{Evidence, Outcome, check_ids};
use super::proof::Approval;

/// How long evidence is good for.
pub const TRUSTED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How far a partner is vouched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Nothing was shown, or something must be mended, or it was too long ago.
    Unverified,
    /// The domain signed the content.
    DomainVerified,
    /// Every check was made, and passed.
    Verified,
    /// The same, and a reviewer signed the content.
    Official,
}

/// A tier at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The tier.
    pub tier: Tier,
    /// When it ends, or ended; `None` without evidence.
    pub expires_at: Option<Timestamp>,
    /// Whether there was more, which has ended.
    pub is_expired: bool,
}

// === impl Tier ===

impl Tier {
    /// The words by which it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::DomainVerified => "domain-verified",
            Self::Verified => "verified",
            Self::Official => "official partner",
        }
    }
}

/// Where a partner with this content stands now. `reviewers` are the keys (base64) of those whose approval counts.
pub fn standing(
    content_hash: &str,
    (evidence, approval): (Option<&Evidence>, Option<&Approval>),
    reviewers: &[String],
    now: Timestamp,
) -> Standing {
    let nothing = Standing {
        tier: Tier::Unverified,
        expires_at: None,
        is_expired: false,
    };
    // Evidence about another content is none about this one, and what was found tomorrow was not found.
    let Some(evidence) = evidence.filter(|one| one.content_hash == content_hash && one.at <= now) else {
        return nothing;
    };
    let tier = earned(evidence, || {
        approval.is_some_and(|approval| approval.is_by(reviewers, content_hash))
    });
    let expires_at = evidence.at.plus(TRUSTED_FOR);
    let is_over = now >= expires_at;
    Standing {
        tier: if is_over { Tier::Unverified } else { tier },
        expires_at: Some(expires_at),
        is_expired: is_over && tier > Tier::Unverified,
    }
}

fn earned(evidence: &Evidence, is_approved: impl FnOnce() -> bool) -> Tier {
    let of = |id: &str| evidence.checks.get(id).copied();
    if evidence.is_refused() || of("domain-proof") != Some(Outcome::Passed) {
        return Tier::Unverified;
    }
    // A check that is not named was not made: the evidence is of a time when there was no such check.
    let is_whole = check_ids().all(|id| matches!(of(id), Some(Outcome::Passed | Outcome::Noted)));
    let tools = evidence.servers.values().map(|server| server.tools_hash.as_ref());
    let are_seen = !evidence.servers.is_empty() && tools.flatten().count() == evidence.servers.len();
    if !(is_whole && are_seen) {
        Tier::DomainVerified
    } else if is_approved() {
        Tier::Official
    } else {
        Tier::Verified
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::check::ServerEvidence;
    use super::*;

    fn evidence() -> Evidence {
        let seen = ServerEvidence {
            tools: Some(1),
            tools_hash: Some("h".to_owned()),
            ..ServerEvidence::default()
        };
        Evidence {
            name: "acme".to_owned(),
            content_hash: "c".to_owned(),
            at: Timestamp::from_millis(1_000),
            checks: check_ids().map(|id| (id.to_owned(), Outcome::Passed)).collect(),
            servers: BTreeMap::from([("acme".to_owned(), seen)]),
            findings: Vec::new(),
            icon: None,
        }
    }

    fn tier_of(change: impl FnOnce(&mut Evidence)) -> Tier {
        let mut evidence = evidence();
        change(&mut evidence);
        standing("c", (Some(&evidence), None), &[], Timestamp::from_millis(2_000)).tier
    }

    #[test]
    fn a_tier_is_what_the_evidence_shows_and_no_more() {
        let set = |id: &'static str, outcome| {
            move |it: &mut Evidence| {
                it.checks.insert(id.to_owned(), outcome);
            }
        };
        assert_eq!(tier_of(|_| {}), Tier::Verified);
        assert_eq!(tier_of(set("links", Outcome::Noted)), Tier::Verified);
        assert_eq!(tier_of(set("tools", Outcome::NotMade)), Tier::DomainVerified);
        assert_eq!(
            tier_of(|it| it.servers.get_mut("acme").unwrap().tools_hash = None),
            Tier::DomainVerified
        );
        assert_eq!(
            tier_of(|it| {
                it.checks.remove("poisoning");
            }),
            Tier::DomainVerified
        );
        assert_eq!(tier_of(|it| it.servers.clear()), Tier::DomainVerified);
        assert_eq!(
            tier_of(|it| {
                it.servers.insert("unseen".to_owned(), ServerEvidence::default());
            }),
            Tier::DomainVerified
        );
        assert_eq!(tier_of(set("links", Outcome::Refused)), Tier::Unverified);
        assert_eq!(tier_of(set("domain-proof", Outcome::NotMade)), Tier::Unverified);
        assert_eq!(tier_of(|it| it.content_hash = "d".to_owned()), Tier::Unverified);
        assert_eq!(
            tier_of(|it| it.at = Timestamp::from_millis(3_000)),
            Tier::Unverified
        );
    }

    #[test]
    fn a_tier_ends_by_itself() {
        let evidence = evidence();
        let end = evidence.at.plus(TRUSTED_FOR);
        let before = standing(
            "c",
            (Some(&evidence), None),
            &[],
            end.minus(Duration::from_millis(1)),
        );
        assert_eq!((before.tier, before.is_expired), (Tier::Verified, false));
        let after = standing("c", (Some(&evidence), None), &[], end);
        assert_eq!((after.tier, after.is_expired), (Tier::Unverified, true));
        assert_eq!(after.expires_at, Some(end));
    }
}
