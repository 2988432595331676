//! Names and addresses that are easily taken for those of a verified partner, who has shown whose domain that is.
//!
//! Before: `partners::registry` says who is verified, and for how long. After: a finding names the partner.

use std::ops::Range;

use portreeve_core::time::Timestamp;
use url::Url;

use super::letters::{shown, skeleton};
use super::{SHORTEST, is_one_edit};
use crate::assess::{Notes, Severity, Subject};

/// A word below this length is compared by its look alone: nearly every word is one letter off it.
const WORD: usize = 4;

/// A partner who is verified: what others must not be taken for.
#[derive(Debug)]
pub(crate) struct Vouched {
    title: String,
    namespace: Known,
    domain: Known,
    /// The length of the domain's longest word.
    word: usize,
    /// While he is verified.
    good: Range<Timestamp>,
}

#[derive(Debug)]
struct Known {
    text: String,
    skeleton: String,
    /// Words between dots.
    labels: usize,
}

// === impl Vouched ===

impl Vouched {
    pub(crate) fn new(title: &str, (namespace, domain): (&str, &str), good: Range<Timestamp>) -> Self {
        let words = domain.split('.').rev().skip(1);
        Self {
            title: title.to_owned(),
            namespace: Known::of(namespace),
            domain: Known::of(domain),
            word: words.map(str::len).max().unwrap_or_default(),
            good,
        }
    }

    /// Whether a namespace is his.
    fn has_namespace(&self, namespace: &str) -> bool {
        head(namespace, self.namespace.labels) == self.namespace.text
    }

    /// Whether a host is his.
    fn has_host(&self, host: &str) -> bool {
        tail(host, self.domain.labels) == self.domain.text
    }

    /// How bad it is that a namespace looks like his.
    fn like_namespace(&self, namespace: &str) -> Option<Severity> {
        self.likeness(head(namespace, self.namespace.labels), &self.namespace)
    }

    /// How bad it is that a host looks like his: `githud.com`, and `github.com.login.example`.
    fn like_host(&self, host: &str) -> Option<Severity> {
        let domain = &self.domain.text;
        let is_in_front = host.starts_with(&format!("{domain}.")) || host.contains(&format!(".{domain}."));
        if is_in_front {
            return Some(Severity::High);
        }
        self.likeness(tail(host, self.domain.labels), &self.domain)
    }

    fn likeness(&self, text: &str, known: &Known) -> Option<Severity> {
        if skeleton(text) == known.skeleton {
            return Some(Severity::High);
        }
        if self.word < WORD || !is_one_edit(text, &known.text) {
            return None;
        }
        Some(if self.word < SHORTEST {
            Severity::Medium
        } else {
            Severity::High
        })
    }

    fn message(&self, known: &Known) -> String {
        format!(
            "is easily taken for `{}` of the verified partner `{}`",
            known.text, self.title
        )
    }
}

// === impl Known ===

impl Known {
    fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        Self {
            skeleton: skeleton(&text),
            labels: text.split('.').count(),
            text,
        }
    }
}

/// Notes what is easily taken for a verified partner's, and says for which namespaces.
pub(super) fn note<'a>(subject: &'a Subject, namespace: &str, notes: &mut Notes) -> Vec<&'a str> {
    let vouched = subject.vouched.iter();
    let verified: Vec<&Vouched> = vouched.filter(|one| one.good.contains(&subject.now)).collect();
    let mut said = Vec::new();
    // Who is verified himself is nobody's look-alike.
    if !verified.iter().any(|one| one.has_namespace(namespace)) {
        for one in &verified {
            if let Some(severity) = one.like_namespace(namespace) {
                notes.show(severity, "name", one.message(&one.namespace), shown(namespace));
                said.push(one.namespace.text.as_str());
            }
        }
    }
    for (path, host) in hosts(subject) {
        if verified.iter().any(|one| one.has_host(&host)) {
            continue;
        }
        for one in &verified {
            if let Some(severity) = one.like_host(&host) {
                notes.show(severity, path.as_str(), one.message(&one.domain), shown(&host));
            }
        }
    }
    said
}

/// The hosts at which it is reached, with the places that name them.
fn hosts(subject: &Subject) -> Vec<(String, String)> {
    let remotes = subject
        .view
        .remotes
        .iter()
        .enumerate()
        .filter_map(|(at, remote)| {
            // The name of a variable stands for any word: what comes behind it counts.
            let url = Url::parse(&remote.url.replace(['{', '}'], "")).ok()?;
            Some((format!("remotes[{at}].url"), url.host_str()?.to_ascii_lowercase()))
        });
    let spots = subject.places.iter().map(|place| &place.spot);
    // What the document says of its remotes is told above.
    let elsewhere = spots.filter(|spot| !spot.is_own() || subject.view.remotes.is_empty());
    let elsewhere = elsewhere.filter_map(|spot| {
        let host = spot.url.host_str()?.to_ascii_lowercase();
        Some((format!("{}.url", spot.path), host))
    });
    remotes.chain(elsewhere).collect()
}

/// The first words of a namespace.
fn head(text: &str, labels: usize) -> &str {
    let end = text.match_indices('.').nth(labels.saturating_sub(1));
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The last words of a host.
fn tail(text: &str, labels: usize) -> &str {
    let start = text.rmatch_indices('.').nth(labels.saturating_sub(1));
    start.and_then(|(at, _)| text.get(at + 1..)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use portreeve_core::time::Timestamp;

    use super::{Severity, Vouched, head, tail};

    fn vouched(domain: &str) -> Vouched {
        let mut labels: Vec<&str> = domain.split('.').collect();
        labels.reverse();
        let good = Timestamp::from_millis(0)..Timestamp::from_millis(1);
        let namespace = labels.join(".");
        Vouched::new("Somebody", (namespace.as_str(), domain), good)
    }

    #[test]
    fn as_many_words_are_compared_as_the_domain_has() {
        assert_eq!(head("com.github.mcp", 2), "com.github");
        assert_eq!(head("com.github", 2), "com.github");
        assert_eq!(head("com", 2), "com");
        assert_eq!(tail("a.mcp.github.com", 2), "github.com");
        assert_eq!(tail("shop.acme.co.uk", 3), "acme.co.uk");
        assert_eq!(tail("localhost", 2), "localhost");
    }

    #[test]
    fn a_gw_8_a_host_that_looks_like_a_partners_is_told_from_his_own() {
        let partner = vouched("github.com");
        for own in ["github.com", "mcp.github.com"] {
            assert!(partner.has_host(own), "{own}");
        }
        for near in [
            "gihtub.com",
            "mcp.githud.com",
            "g1thub.com",
            "git-hub.com",
            "github.co",
            "github.com.login.example",
            "mcp.github.com.login.example",
            "xn--gthub-n4a.com",
            "mcp.xn--gthub-n4a.com",
        ] {
            assert!(!partner.has_host(near), "{near}");
            assert_eq!(partner.like_host(near), Some(Severity::High), "{near}");
        }
        for other in ["gitlab.com", "github.example.org", "notgithub.io", "10.0.0.1"] {
            assert_eq!(partner.like_host(other), None, "{other}");
        }
        assert!(partner.has_namespace("com.github.copilot"));
        assert_eq!(partner.like_namespace("com.gihtub"), Some(Severity::High));
        assert_eq!(partner.like_namespace("io.github.ada"), None);
    }

    #[test]
    fn short_words_are_compared_by_their_look() {
        assert_eq!(vouched("box.com").like_host("fox.com"), None);
        assert_eq!(vouched("wix.com").like_host("w1x.com"), Some(Severity::High));
        assert_eq!(
            vouched("figma.com").like_host("fiqma.com"),
            Some(Severity::Medium)
        );
    }
}
