//! What waits for somebody, and what was decided about many versions at once.

use portreeve_core::name::InvalidName;
use portreeve_core::time::Timestamp;
use portreeve_registry::{Brief, Decision, FailingServer, Proposal, WaitingItem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::import::FindingShape;
use crate::problem::Problem;

/// Something that waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Waiting)]
pub(crate) struct WaitingShape {
    /// The server.
    name: String,
    /// `version`, `deployments` or `tools`.
    kind: &'static str,
    /// The version, or the one that the route of the tools serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The route of the tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// How many tools, or deployments.
    count: u64,
    /// Who submitted or proposed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Since when: the version was submitted, the server changed last, the first of the tools was last seen.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The version's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_hash: Option<String>,
    /// The assessment of exactly this content, in numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    assessment: Option<BriefShape>,
    /// The import that took it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<ImportedShape>,
}

/// An assessment in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssessmentBrief)]
struct BriefShape {
    /// 100 for nothing found, less for each finding by its severity.
    score: u8,
    /// How many findings there are.
    findings: usize,
    /// `low`, `medium` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst: Option<&'static str>,
    /// Whether a finding is severe enough to stop an approval here.
    blocked: bool,
}

/// Where a version that waits came from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingImport)]
struct ImportedShape {
    /// The import.
    name: String,
    /// What was noticed about the record.
    findings: Vec<FindingShape>,
}

/// Versions that were looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposals {
    /// At most 50.
    items: Vec<ProposalShape>,
}

/// A version with the content that was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Proposal)]
struct ProposalShape {
    /// The server.
    name: String,
    version: String,
    /// As the list shows it.
    content_hash: String,
    /// The hash of the plan that was looked at. Without one, what would bring deployments into force that somebody else
    /// proposed is refused.
    #[serde(default)]
    plan: Option<String>,
}

/// What became of a version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(crate) struct DecisionShape {
    /// The server.
    name: String,
    version: String,
    /// Whether it was approved.
    approved: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

/// A server that does not meet what the custom properties ask.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MetadataFailure)]
pub(crate) struct FailingShape {
    /// The server.
    name: String,
    problems: Vec<FindingShape>,
}

// === impl WaitingShape ===

impl WaitingShape {
    pub(crate) fn new(item: WaitingItem) -> Self {
        let waiting = item.waiting;
        Self {
            name: waiting.server.to_string(),
            kind: waiting.kind.as_str(),
            version: waiting.version.map(|version| version.to_string()),
            route: waiting.route.map(|route| route.to_string()),
            count: waiting.count,
            by: waiting.by,
            since: waiting.since,
            content_hash: waiting.content_hash,
            assessment: item.assessment.map(BriefShape::new),
            import: waiting.import.map(|(import, findings)| ImportedShape {
                name: import.to_string(),
                findings: findings.iter().map(FindingShape::new).collect(),
            }),
        }
    }
}

impl BriefShape {
    fn new(brief: Brief) -> Self {
        Self {
            score: brief.score,
            findings: brief.findings,
            worst: brief.worst.map(portreeve_registry::FindingSeverity::as_str),
            blocked: brief.blocked,
        }
    }
}

// === impl Proposals ===

impl Proposals {
    pub(crate) fn read(self) -> Result<Vec<Proposal>, Problem> {
        let read = |item: ProposalShape| {
            Ok(Proposal {
                name: item.name.parse()?,
                version: item.version.parse()?,
                content_hash: item.content_hash,
                plan: item.plan,
            })
        };
        let read: Result<_, InvalidName> = self.items.into_iter().map(read).collect();
        read.map_err(|error| Problem::bad_request(error.to_string()))
    }
}

// === impl DecisionShape ===

impl DecisionShape {
    pub(crate) fn new(decision: Decision) -> Self {
        let refused = decision.outcome.err();
        Self {
            name: decision.proposal.name.to_string(),
            version: decision.proposal.version.to_string(),
            approved: refused.is_none(),
            reason: refused.as_ref().map(ToString::to_string),
            hint: refused.as_ref().map(portreeve_registry::RegistryError::hint),
        }
    }
}

// === impl FailingShape ===

impl FailingShape {
    pub(crate) fn new(failing: FailingServer) -> Self {
        Self {
            name: failing.name.to_string(),
            problems: failing
                .problems
                .into_iter()
                .map(|problem| FindingShape::of(problem.path, problem.message))
                .collect(),
        }
    }
}
