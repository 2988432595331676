//! What a partner says, compared with what is so. Each check looks at one thing; every finding names the file, the field, what
//! shows it, and how to mend it.
//!
//! Before: `folder` and `sight`. After: `tier` reads the evidence, and `portreeve partner check` prints it. To add a check: one
//! function, and one line in [`CHECKS`].

mod domain;
mod form;
mod live;
mod pages;
mod said;

use std::collections::BTreeMap;

use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::catalogue::ListedIcon;
use super::folder::{Folder, Submitted, SubmittedServer};
use super::sight::Sight;
use crate::assess::outside::Looked;

/// The name of a check.
pub type CheckId = &'static str;

/// Looks at one thing.
type Check = fn(&Subject<'_>, &mut Notes);

/// The checks, in the order in which they are made.
const CHECKS: [(CheckId, Check); 17] = [
    ("schema", form::schema),
    ("names", form::names),
    ("endpoints", form::endpoints),
    ("scheme-keys", form::scheme_keys),
    ("variables", form::variables),
    ("placeholders", said::placeholders),
    ("endpoint", form::endpoint),
    ("domain-proof", domain::domain_proof),
    ("tls", live::tls),
    ("challenge", live::challenge),
    ("oauth", live::oauth),
    ("handshake", live::handshake),
    ("tools", live::tools),
    ("tool-lint", live::tool_lint),
    ("poisoning", live::poisoning),
    ("icon", pages::icon),
    ("links", pages::links),
];

/// The names of all checks, in their order.
pub fn check_ids() -> impl Iterator<Item = CheckId> {
    CHECKS.iter().map(|(id, _)| *id)
}

/// Findings of one partner that are told.
const FINDINGS: usize = 200;
/// Characters of evidence.
const EVIDENCE: usize = 240;

/// What is judged.
struct Subject<'a> {
    folder: &'a Folder,
    partner: &'a Submitted,
    /// What was seen; `None` when nobody looked.
    sight: Option<&'a Sight>,
    limits: &'a Limits,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A reviewer should know it.
    Noted,
    /// It must be mended.
    Refused,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// By which check.
    pub check: String,
    /// How much it weighs.
    pub level: Level,
    /// The file, from the partner's folder on.
    pub file: String,
    /// Where in it; empty for the whole.
    pub field: String,
    /// What, as a sentence without its final stop.
    pub message: String,
    /// What shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What to do about it.
    pub mend: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was found.
    Passed,
    /// Something that a reviewer should know.
    Noted,
    /// It could not be made, or not for everything.
    NotMade,
    /// Something must be mended.
    Refused,
}

/// What was found about one partner: what its tier is computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The partner.
    pub name: String,
    /// The content that was judged.
    pub content_hash: String,
    /// When.
    pub at: Timestamp,
    /// How each check ended.
    pub checks: BTreeMap<String, Outcome>,
    /// What was seen of each server.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<String, ServerEvidence>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The icon as it was fetched and cleaned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<ListedIcon>,
}

/// What was seen of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerEvidence {
    /// The eras that it speaks.
    pub eras: Vec<Era>,
    /// How many tools it shows, and the hash over their definitions; `None`: tools not seen.
    pub tools: Option<usize>,
    /// See `tools`.
    pub tools_hash: Option<String>,
    /// The authorization servers that it names.
    pub authorization_servers: Vec<String>,
}

/// What was found about a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Each partner that was judged.
    pub items: Vec<Evidence>,
}

/// Where a check writes what it finds.
struct Notes {
    check: CheckId,
    findings: Vec<Finding>,
    /// Whether something could not be looked at.
    is_partial: bool,
}

// === impl Evidence ===

impl Evidence {
    /// Judges one partner among the others of its folder.
    pub fn of(
        folder: &Folder,
        partner: &Submitted,
        (sight, now): (Option<&Sight>, Timestamp),
        limits: &Limits,
    ) -> Self {
        let subject = Subject {
            folder,
            partner,
            sight,
            limits,
        };
        let (mut checks, mut findings) = (BTreeMap::new(), Vec::new());
        for (id, check) in CHECKS {
            let mut notes = Notes {
                check: id,
                findings: Vec::new(),
                is_partial: false,
            };
            check(&subject, &mut notes);
            checks.insert(id.to_owned(), notes.outcome());
            findings.extend(notes.findings);
        }
        findings.dedup();
        findings.truncate(FINDINGS);
        Self {
            name: partner.slug.clone(),
            content_hash: partner.content_hash.clone(),
            at: now,
            checks,
            servers: subject.seen(),
            findings,
            icon: pages::kept_icon(&subject),
        }
    }

    /// Whether something must be mended.
    pub fn is_refused(&self) -> bool {
        self.checks.values().any(|outcome| *outcome == Outcome::Refused)
    }
}

// === impl Report ===

impl Report {
    /// Whether something must be mended.
    pub fn is_refused(&self) -> bool {
        self.items.iter().any(Evidence::is_refused)
    }
}

// === impl Subject ===

impl Subject<'_> {
    /// Each server with each of its addresses, and what was seen there.
    fn looked(&self) -> impl Iterator<Item = (&SubmittedServer, usize, Option<&Looked>)> {
        self.partner.servers.iter().flat_map(move |server| {
            (0..server.view.remotes.len()).map(move |index| {
                let key = (server.stem.clone(), index);
                (
                    server,
                    index,
                    self.sight.and_then(|sight| sight.servers.get(&key)),
                )
            })
        })
    }

    /// Every server of the partner: one that nobody looked at is one whose tools were not seen.
    fn seen(&self) -> BTreeMap<String, ServerEvidence> {
        let mut seen = BTreeMap::new();
        for (server, _, looked) in self.looked() {
            let Some(looked) = looked else { continue };
            let one = ServerEvidence {
                eras: looked
                    .probe
                    .as_ref()
                    .map(|probe| probe.eras.clone())
                    .unwrap_or_default(),
                tools: live::tool_count(looked),
                tools_hash: live::tools_hash(looked),
                authorization_servers: looked
                    .issuers
                    .iter()
                    .flatten()
                    .map(|issuer| issuer.name.clone())
                    .collect(),
            };
            seen.entry(server.stem.clone()).or_insert(one);
        }
        for server in &self.partner.servers {
            seen.entry(server.stem.clone()).or_default();
        }
        seen
    }
}

// === impl Notes ===

impl Notes {
    /// Something must be mended.
    fn refuse(&mut self, at: (&str, &str), message: &str, evidence: impl Into<Option<String>>, mend: &str) {
        self.add(Level::Refused, at, (message, evidence.into(), mend));
    }

    /// Something that a reviewer should know.
    fn note(&mut self, at: (&str, &str), message: &str, evidence: impl Into<Option<String>>, mend: &str) {
        self.add(Level::Noted, at, (message, evidence.into(), mend));
    }

    /// Something could not be looked at.
    fn not_made(&mut self) {
        self.is_partial = true;
    }

    fn add(&mut self, level: Level, at: (&str, &str), said: (&str, Option<String>, &str)) {
        let plain = |text: &str| -> String {
            let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            plain.take(EVIDENCE).collect()
        };
        self.findings.push(Finding {
            check: self.check.to_owned(),
            level,
            file: plain(at.0),
            field: plain(at.1),
            message: said.0.to_owned(),
            evidence: said.1.map(|text| plain(&text)).filter(|text| !text.is_empty()),
            mend: said.2.to_owned(),
        });
    }

    fn outcome(&self) -> Outcome {
        match self.findings.iter().map(|finding| finding.level).max() {
            Some(Level::Refused) => Outcome::Refused,
            _ if self.is_partial => Outcome::NotMade,
            Some(Level::Noted) => Outcome::Noted,
            None => Outcome::Passed,
        }
    }
}

/// What a server's file is called in findings.
fn file_of(server: &SubmittedServer) -> String {
    format!("servers/{}.json", server.stem)
}
