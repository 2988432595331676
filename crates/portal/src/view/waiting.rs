//! The list of what waits, and what became of a choice out of it.

use askama::Template;
use portreeve_core::ports::WaitingKind;
use portreeve_registry::{Brief, Decision, FailingServer, FindingSeverity, WaitingItem};

use crate::view::access_requests::AccessRow;
use crate::view::badge::Badge;
use crate::view::form::Tab;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// Findings of an import that are told in a row.
const TOLD: usize = 3;

/// Which part of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitingFilter {
    Everything,
    Versions,
    /// Versions about which something was noticed when they were imported.
    Flagged,
    Deployments,
    Tools,
    /// Requests for access.
    Access,
    /// Servers that do not meet the custom properties.
    Failing,
    /// Versions that one import took in.
    Import,
}

/// Something that waits.
#[derive(Debug, Clone)]
pub(crate) struct WaitingRow {
    pub(crate) name: String,
    /// Where one decides about it.
    pub(crate) href: String,
    pub(crate) what: String,
    pub(crate) since: Moment,
    pub(crate) by: Option<String>,
    pub(crate) badges: Vec<Badge>,
    /// What was noticed when it was imported.
    pub(crate) remarks: Vec<String>,
    /// What a choice sends back: the name, the hash of the content, the version.
    pub(crate) seen: Option<String>,
    /// Whether it is chosen at first: nothing speaks against it.
    pub(crate) chosen: bool,
}

/// A server that does not meet the custom properties.
#[derive(Debug, Clone)]
pub(crate) struct FailingRow {
    pub(crate) name: String,
    pub(crate) problems: Vec<String>,
}

/// The form around the list of one import.
#[derive(Debug, Clone)]
pub(crate) struct WaitingBulk {
    pub(crate) token: String,
    pub(crate) import: String,
}

/// The page.
#[derive(Template)]
#[template(path = "waiting.html")]
pub(crate) struct WaitingPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) is_failing: bool,
    /// Whether rows can be chosen.
    pub(crate) is_bulk: bool,
    pub(crate) rows: Vec<WaitingRow>,
    pub(crate) failing: Vec<FailingRow>,
    /// Requests for access: all on their page, the oldest above everything.
    pub(crate) access: Vec<AccessRow>,
    pub(crate) is_access: bool,
    pub(crate) bulk: Option<WaitingBulk>,
    pub(crate) next: Option<String>,
    pub(crate) empty: &'static str,
}

/// What became of one version.
#[derive(Debug, Clone)]
pub(crate) struct RefusedRow {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) reason: String,
    pub(crate) hint: &'static str,
}

/// What became of a choice.
#[derive(Template)]
#[template(path = "decided.html")]
pub(crate) struct DecidedPage {
    pub(crate) shell: Shell,
    pub(crate) approved: String,
    pub(crate) refused: Vec<RefusedRow>,
    /// The list that the choice was made in.
    pub(crate) back: String,
}

// === impl WaitingFilter ===

impl WaitingFilter {
    const TABS: [(Self, &'static str, &'static str); 7] = [
        (Self::Everything, "", "Everything"),
        (Self::Versions, "versions", "Versions"),
        (Self::Flagged, "flagged", "Flagged imports"),
        (Self::Deployments, "deployments", "Deployments"),
        (Self::Tools, "tools", "Tools"),
        (Self::Access, "access", "Access"),
        (Self::Failing, "properties", "Properties"),
    ];

    /// Out of the address.
    pub(crate) fn read(show: Option<&str>, import: Option<&str>) -> Self {
        if import.is_some() {
            return Self::Import;
        }
        let found = Self::TABS.iter().find(|(_, word, _)| show == Some(*word));
        found.map_or(Self::Everything, |(filter, ..)| *filter)
    }

    fn tabs(self) -> Vec<Tab> {
        let tab = |(filter, word, text): &(Self, &'static str, &'static str)| Tab {
            href: match *word {
                "" => "/admin/waiting".to_owned(),
                word => format!("/admin/waiting?show={word}"),
            },
            text: (*text).to_owned(),
            current: *filter == self,
        };
        Self::TABS.iter().map(tab).collect()
    }

    const fn empty(self) -> &'static str {
        match self {
            Self::Everything => "Nothing waits for you.",
            Self::Versions => "No version waits for an approval.",
            Self::Flagged => "No version that waits was flagged when it was imported.",
            Self::Deployments => "No deployments were proposed.",
            Self::Access => "Nobody asks for access that you could grant.",
            Self::Tools => "Every tool reads as it was approved.",
            Self::Failing => "Every server meets what the custom properties ask.",
            Self::Import => "Nothing of this import waits any more.",
        }
    }
}

// === impl WaitingRow ===

impl WaitingRow {
    pub(crate) fn new(item: &WaitingItem) -> Self {
        let waiting = &item.waiting;
        let count = usize::try_from(waiting.count).unwrap_or(usize::MAX);
        let version = waiting.version.as_ref().map(ToString::to_string);
        let (what, href) = match waiting.kind {
            WaitingKind::Version => {
                let version = version.as_deref().unwrap_or_default();
                let encoded = words::encoded(version);
                let href = format!("/servers/{}/review?version={encoded}", waiting.server);
                (format!("Version {}", words::visible(version)), href)
            }
            WaitingKind::Deployments => {
                let href = format!("/servers/{}/review", waiting.server);
                (words::count(count, "deployment"), href)
            }
            WaitingKind::Tools => {
                let route = waiting
                    .route
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let href = format!(
                    "/servers/{}?route={}#tools",
                    waiting.server,
                    words::encoded(&route)
                );
                (format!("{} of route {route}", words::count(count, "tool")), href)
            }
        };
        let findings = waiting.import.as_ref().map_or(&[][..], |(_, findings)| findings);
        let mut remarks: Vec<String> = findings
            .iter()
            .take(TOLD)
            .map(|finding| words::visible(&format!("{}: {}", finding.path, finding.message)))
            .collect();
        if findings.len() > TOLD {
            remarks.push(format!("and {} more", findings.len() - TOLD));
        }
        let hash = waiting.content_hash.as_deref();
        Self {
            name: waiting.server.to_string(),
            href,
            what,
            since: Moment::new(waiting.since),
            by: waiting.by.as_deref().map(words::visible),
            badges: badges(item, findings.len()),
            chosen: findings.is_empty() && item.assessment.is_none_or(|brief| !is_alarming(brief)),
            remarks,
            seen: hash
                .zip(version)
                .map(|(hash, version)| format!("{} {hash} {version}", waiting.server)),
        }
    }
}

fn is_alarming(brief: Brief) -> bool {
    brief.blocked || brief.worst == Some(FindingSeverity::High)
}

fn badges(item: &WaitingItem, flags: usize) -> Vec<Badge> {
    let mut badges = Vec::new();
    if item.waiting.kind == WaitingKind::Version {
        badges.push(match item.assessment {
            None => Badge::new("Not judged yet", "Assessment", "badge-quiet"),
            Some(brief) => {
                let tone = match brief.worst {
                    Some(FindingSeverity::High) => "badge-bad",
                    Some(FindingSeverity::Medium) => "badge-warn",
                    Some(FindingSeverity::Low) | None => "badge-good",
                };
                Badge::new(format!("Score {}", brief.score), "Assessment", tone)
            }
        });
        if item.assessment.is_some_and(|brief| brief.blocked) {
            badges.push(Badge::new("Stopped", "Approval", "badge-bad"));
        }
    }
    if item.waiting.import.is_some() {
        badges.push(Badge::new("Imported", "", "badge-info"));
    }
    if flags > 0 {
        badges.push(Badge::new(words::count(flags, "flag"), "", "badge-warn"));
    }
    badges
}

// === impl FailingRow ===

impl FailingRow {
    pub(crate) fn new(failing: &FailingServer) -> Self {
        let problems = failing.problems.iter();
        Self {
            name: failing.name.to_string(),
            problems: problems.map(|problem| words::visible(&problem.message)).collect(),
        }
    }
}

// === impl WaitingPage ===

impl WaitingPage {
    /// The page of a filter, without what is in it.
    pub(crate) fn new(shell: Shell, filter: WaitingFilter) -> Self {
        Self {
            shell,
            tabs: filter.tabs(),
            is_failing: filter == WaitingFilter::Failing,
            is_bulk: filter == WaitingFilter::Import,
            rows: Vec::new(),
            failing: Vec::new(),
            access: Vec::new(),
            is_access: filter == WaitingFilter::Access,
            bulk: None,
            next: None,
            empty: filter.empty(),
        }
    }
}

// === impl DecidedPage ===

impl DecidedPage {
    pub(crate) fn new(shell: Shell, decisions: &[Decision], import: Option<&str>) -> Self {
        let refused: Vec<RefusedRow> = decisions
            .iter()
            .filter_map(|decision| {
                let error = decision.outcome.as_ref().err()?;
                Some(RefusedRow {
                    name: decision.proposal.name.to_string(),
                    version: words::visible(decision.proposal.version.as_str()),
                    reason: words::visible(&error.to_string()),
                    hint: error.hint(),
                })
            })
            .collect();
        let approved = decisions.len() - refused.len();
        Self {
            shell,
            approved: words::count(approved, "version"),
            refused,
            back: match import {
                Some(import) => format!("/admin/waiting?import={}", words::encoded(import)),
                None => "/admin/waiting".to_owned(),
            },
        }
    }
}
