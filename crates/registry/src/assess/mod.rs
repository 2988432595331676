//! Valid to judged: what a reviewer should know about a version before approving it. Each assessor looks at one thing and
//! names what it found, with evidence.
//!
//! Before: `publish` saved a version. After: `approve` asks whether anything found is severe enough to stop it. To add an
//! assessor: one file, and one line in `ASSESSORS`.

mod authorization;
mod links;
pub(crate) mod near_names;
mod packages;
mod poisoning;
mod reachable;
mod secrets_in_document;
mod tls;
mod tool_quality;
mod transport;

mod look;

mod job;
mod login;
mod run;
pub(crate) mod submitted;

pub(crate) mod outside;

use std::sync::Arc;

pub use job::{AssessJob, AssessParts, Round};
pub use packages::{PackagePlace, PackagePlaces};
use portreeve_core::name::VersionText;
use portreeve_core::time::Timestamp;
use portreeve_mcp::server_json::ServerJson;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The assessors, in the order in which they are asked.
const ASSESSORS: [&dyn Assessor; 10] = [
    &secrets_in_document::SecretsInDocument,
    &near_names::NearNames,
    &transport::Transport,
    &tls::Tls,
    &links::Links,
    &packages::Packages,
    &reachable::Reachable,
    &authorization::Authorization,
    &tool_quality::ToolQuality,
    &poisoning::Poisoning,
];

/// Most findings of one assessment, the most severe first. Nobody reads more, and a server could make thousands.
const FINDINGS: usize = 200;

/// Looks at one thing.
trait Assessor: Send + Sync {
    /// Its name in findings.
    fn id(&self) -> &'static str;

    /// Names what it finds.
    fn assess(&self, subject: &Subject, notes: &mut Notes);
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Could be better.
    Low,
    /// A reviewer should look.
    Medium,
    /// A reviewer must look: it is dangerous unless there is a reason for it.
    High,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which assessor found it.
    pub assessor: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where: `remotes[0].url`, `tools.echo.description`.
    pub path: String,
    /// What, as a sentence without its final stop.
    pub message: String,
    /// What shows it, without anything invisible and without a secret.
    pub evidence: Option<String>,
}

/// What was found about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The version.
    pub version: VersionText,
    /// The content that was judged. Another content is another assessment.
    pub content_hash: String,
    /// When.
    pub at: Timestamp,
    /// 100 for nothing found, less for each finding by its severity.
    pub score: u8,
    /// What was found, the most severe first.
    pub findings: Vec<Finding>,
    /// How many tools were looked at.
    pub tools: usize,
    /// Whether a finding is severe enough to stop an approval here.
    pub blocked: bool,
}

/// An assessment in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief {
    /// See [`Assessment::score`].
    pub score: u8,
    /// How many findings there are.
    pub findings: usize,
    /// The worst of them.
    pub worst: Option<Severity>,
    /// See [`Assessment::blocked`].
    pub blocked: bool,
}

/// What the installation makes of findings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssessmentPolicy {
    /// Findings of this severity or worse stop an approval. `None`: none does.
    pub block: Option<Severity>,
    /// A score below this stops an approval. `None`: none does.
    pub least_score: Option<u8>,
    /// Whether servers are greeted over TLS, to see what they show.
    pub judge_tls: bool,
    /// Whether links are asked if they answer.
    pub ask_links: bool,
    /// Where packages are asked whether they belong to their server. `None`: they are not asked.
    pub packages: Option<PackagePlaces>,
    /// Namespaces whose look-alikes are reported, besides those of well-known makers.
    pub protected: Vec<String>,
}

/// What is judged.
struct Subject {
    document: Map<String, Value>,
    view: ServerJson,
    /// Where it is served or would be, and what was seen there. None when nothing of it could be served.
    places: Vec<look::Seen>,
    /// Names of listed servers, its own perhaps among them.
    neighbours: Arc<near_names::Neighbours>,
    protected: Vec<String>,
    /// Partners whose names and domains are known to be theirs.
    vouched: Arc<Vec<near_names::Vouched>>,
    /// Links that lead nowhere, if they were asked.
    broken: Vec<links::ask::Broken>,
    /// What its packages say of themselves, if they were asked.
    packages: Vec<packages::Seen>,
    /// Whether people named a licence beside the document.
    is_licensed: bool,
    /// When it is judged.
    now: Timestamp,
}

/// Where an assessor writes what it finds.
struct Notes {
    assessor: &'static str,
    findings: Vec<Finding>,
}

// === impl AssessmentPolicy ===

impl AssessmentPolicy {
    /// Whether anything at all may stop an approval, so that a version is judged before it is approved.
    pub(crate) fn is_strict(&self) -> bool {
        self.block.is_some() || self.least_score.is_some()
    }

    /// Whether findings of which this is the worst, and this score, stop an approval.
    fn stops(&self, worst: Option<Severity>, score: u8) -> bool {
        let is_grave = self
            .block
            .is_some_and(|block| worst.is_some_and(|worst| worst >= block));
        is_grave || self.least_score.is_some_and(|least| score < least)
    }
}

// === impl Severity ===

impl Severity {
    /// The word by which it is shown and configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// What a finding takes off the score.
    const fn weight(self) -> usize {
        match self {
            Self::Low => 2,
            Self::Medium => 10,
            Self::High => 40,
        }
    }
}

// === impl Subject ===

impl Subject {
    /// Its tools, wherever they were seen.
    fn tools(&self) -> impl Iterator<Item = look::Tool<'_>> {
        self.places.iter().flat_map(look::Seen::tools)
    }
}

// === impl Notes ===

impl Notes {
    fn note(&mut self, severity: Severity, path: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding {
            assessor: self.assessor.to_owned(),
            severity,
            path: path.into(),
            message: message.into(),
            evidence: None,
        });
    }

    fn show(
        &mut self,
        severity: Severity,
        path: impl Into<String>,
        message: impl Into<String>,
        evidence: impl Into<String>,
    ) {
        self.findings.push(Finding {
            assessor: self.assessor.to_owned(),
            severity,
            path: path.into(),
            message: message.into(),
            evidence: Some(evidence.into()),
        });
    }
}

/// Asks every assessor.
fn judge(subject: &Subject) -> Vec<Finding> {
    ask(&ASSESSORS, subject)
}

/// Asks those that look at tools, and reads nothing else.
fn judge_tools(subject: &Subject) -> Vec<Finding> {
    ask(
        &[
            &reachable::Reachable,
            &tool_quality::ToolQuality,
            &poisoning::Poisoning,
        ],
        subject,
    )
}

fn ask(assessors: &[&dyn Assessor], subject: &Subject) -> Vec<Finding> {
    let mut notes = Notes {
        assessor: "",
        findings: Vec::new(),
    };
    for assessor in assessors {
        notes.assessor = assessor.id();
        assessor.assess(subject, &mut notes);
    }
    let mut findings = notes.findings;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.dedup();
    findings.truncate(FINDINGS);
    findings
}

fn score(findings: &[Finding]) -> u8 {
    let lost: usize = findings.iter().map(|finding| finding.severity.weight()).sum();
    u8::try_from(100_usize.saturating_sub(lost)).unwrap_or_default()
}

/// Longest path that is written out. Deeper places are named by what they are below.
const PATH: usize = 200;

/// Every text in a value with its path, keys included: a model reads both.
fn texts(root: &str, value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![(root.to_owned(), value)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::String(text) => found.push((path, text.clone())),
            Value::Array(items) => {
                open.extend(
                    items
                        .iter()
                        .enumerate()
                        .map(|(at, item)| (within(&path, at), item)),
                );
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    found.push((path.clone(), key.clone()));
                    open.push((below(&path, key), field));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

fn below(path: &str, key: &str) -> String {
    let shown: String = key.chars().take(60).collect();
    match path.len() {
        0 => shown,
        1..PATH => format!("{path}.{shown}"),
        _ => path.to_owned(),
    }
}

fn within(path: &str, at: usize) -> String {
    if path.len() < PATH {
        format!("{path}[{at}]")
    } else {
        path.to_owned()
    }
}
