//! Small marks: badges for states, and the face of a server: its icon as it is kept here (a document's own would be a request
//! to a stranger), or two letters.

use portreeve_core::server::{Approval, Lifecycle};
use portreeve_registry::ShownIcons;

/// One badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Badge {
    /// What it says.
    pub(crate) text: String,
    /// What it is about, read aloud before the text.
    pub(crate) meaning: &'static str,
    /// Its CSS class.
    pub(crate) tone: &'static str,
}

impl Badge {
    pub(crate) fn new(text: impl Into<String>, meaning: &'static str, tone: &'static str) -> Self {
        Self {
            text: text.into(),
            meaning,
            tone,
        }
    }

    pub(crate) fn version(version: &str) -> Self {
        Self::new(version, "Version", "badge-version")
    }

    pub(crate) fn kind(text: impl Into<String>) -> Self {
        Self::new(text, "", "badge-quiet")
    }

    pub(crate) fn lifecycle(lifecycle: Lifecycle) -> Self {
        let (text, tone) = match lifecycle {
            Lifecycle::Design => ("Design", "badge-info"),
            Lifecycle::Development => ("Development", "badge-info"),
            Lifecycle::Testing => ("Testing", "badge-info"),
            Lifecycle::Preview => ("Preview", "badge-info"),
            Lifecycle::Production => ("Production", "badge-good"),
            Lifecycle::Deprecated => ("Deprecated", "badge-warn"),
            Lifecycle::Retired => ("Retired", "badge-bad"),
        };
        Self::new(text, "Lifecycle", tone)
    }

    /// Where a version stands; nothing for approved ones, which is what visitors expect.
    pub(crate) fn approval(approval: Approval) -> Option<Self> {
        let (text, tone) = match approval {
            Approval::Approved => return None,
            Approval::Draft => ("Draft", "badge-quiet"),
            Approval::Submitted => ("Waits for approval", "badge-warn"),
            Approval::Rejected => ("Rejected", "badge-bad"),
        };
        Some(Self::new(text, "Approval", tone))
    }
}

/// Two letters on a tone, unless there is an icon: the same server always looks the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Monogram {
    pub(crate) letters: String,
    pub(crate) tone: String,
    /// Addresses of its icon, on a light and on a dark background.
    pub(crate) icon: Option<(String, String)>,
}

impl Monogram {
    pub(crate) fn new(title: &str, name: &str) -> Self {
        // FNV-1a: stable between builds and machines, which the standard hasher does not promise.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self {
            letters: letters(title),
            tone: format!("tone-{}", hash % 6),
            icon: None,
        }
    }

    /// Shows this icon instead.
    pub(crate) fn shows(&mut self, icon: Option<&ShownIcons>) {
        let address = |id| format!("/icons/{id}");
        self.icon = icon.map(|icon| (address(icon.light), address(icon.dark)));
    }
}

fn letters(title: &str) -> String {
    let mut words = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or("?"), words.next());
    let mut letters: String = first.chars().take(1).flat_map(char::to_uppercase).collect();
    match second {
        Some(second) => letters.extend(second.chars().take(1).flat_map(char::to_uppercase)),
        None => letters.extend(first.chars().skip(1).take(1).flat_map(char::to_lowercase)),
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monograms_are_stable_and_short() {
        let letters = |title| Monogram::new(title, "com.acme/x").letters;
        assert_eq!(
            [
                letters("Billing"),
                letters("GitHub Issues"),
                letters("§"),
                letters("x")
            ],
            ["Bi", "GI", "?", "X"]
        );
        assert_eq!(
            Monogram::new("A", "com.acme/x").tone,
            Monogram::new("B", "com.acme/x").tone
        );
    }
}
