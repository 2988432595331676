//! Which version is `latest`: the rules of the official registry, recomputed whenever a version or its status changes.
//!
//! Before: `approve` changed something. After: `settle` moves the mark, and the route with it.

use std::cmp::Ordering;

use portreeve_core::deployment::Major;
use portreeve_core::server::{Approval, Version};

/// Which of the versions hosts get for `latest`: the highest that is listed. When all approved ones are retired, the
/// highest of those keeps the mark, so that `include_deleted` still finds it.
pub fn latest_of(versions: &[Version]) -> Option<usize> {
    highest(versions, Version::is_listed)
        .or_else(|| highest(versions, |version| version.approval == Approval::Approved))
}

fn highest(versions: &[Version], admits: impl Fn(&Version) -> bool) -> Option<usize> {
    ranked(versions)
        .into_iter()
        .find(|index| versions.get(*index).is_some_and(&admits))
}

/// The places of the versions, highest first.
pub(crate) fn ranked(versions: &[Version]) -> Vec<usize> {
    let mut places: Vec<(usize, &Version, Option<Semver<'_>>)> = versions
        .iter()
        .enumerate()
        .map(|(place, version)| (place, version, Semver::parse(version.version.as_str())))
        .collect();
    places.sort_by(|(_, a, a_semver), (_, b, b_semver)| match (a_semver, b_semver) {
        // What semver does not order (build metadata) does not take the mark away from who had it first.
        (Some(x), Some(y)) => y.cmp(x).then_with(|| published(a).cmp(&published(b))),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => published(b).cmp(&published(a)),
    });
    places.into_iter().map(|(place, ..)| place).collect()
}

fn published(version: &Version) -> (i64, &str) {
    (version.published_at.as_millis(), version.version.as_str())
}

/// Whether a text is a semantic version: an optional `v`, exactly three numbers, perhaps a prerelease and a build.
pub fn is_semver(text: &str) -> bool {
    Semver::parse(text).is_some()
}

/// The major version of a text: the number that it begins with, whether it is a semantic version or not.
pub(crate) fn major_of(text: &str) -> Option<Major> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let first = text.split(['.', '-', '+']).next()?;
    first.parse().ok().filter(|_| is_digits(first))
}

/// What orders a semantic version; the build metadata does not.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Semver<'a> {
    core: [&'a str; 3],
    prerelease: Vec<&'a str>,
}

// === impl Semver ===

impl<'a> Semver<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if build.is_some_and(|build| !build.split('.').all(is_identifier)) {
            return None;
        }
        let (core, prerelease) = match text.split_once('-') {
            Some((core, prerelease)) => (core, prerelease.split('.').collect()),
            None => (text, Vec::new()),
        };
        let is_prerelease_part = |part: &&str| is_identifier(part) && (!is_digits(part) || is_number(part));
        if !prerelease.iter().all(is_prerelease_part) {
            return None;
        }
        let mut parts = core.split('.');
        let core = [parts.next()?, parts.next()?, parts.next()?];
        (parts.next().is_none() && core.iter().all(|part| is_number(part)))
            .then_some(Self { core, prerelease })
    }
}

impl Ord for Semver<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = self.core.iter().zip(&other.core);
        numbers
            .map(|(a, b)| number_order(a, b))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| prerelease_order(&self.prerelease, &other.prerelease))
    }
}

impl PartialOrd for Semver<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn is_identifier(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_digits(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}

/// Digits without a leading zero.
fn is_number(part: &str) -> bool {
    is_digits(part) && (part.len() == 1 || !part.starts_with('0'))
}

/// Numbers of any length: dates and build counters do not fit into 64 bits when somebody joins them.
fn number_order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A release comes after its prereleases; the parts are compared one by one, numbers before words.
fn prerelease_order(a: &[&str], b: &[&str]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let pairs = a.iter().zip(b);
    pairs
        .map(|(x, y)| match (is_digits(x), is_digits(y)) {
            (true, true) => number_order(x, y),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => x.cmp(y),
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}
