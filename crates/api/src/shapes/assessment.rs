//! What was found about a version, as it is shown.

use portreeve_core::time::Timestamp;
use portreeve_registry::{Assessment, Finding};
use serde::Serialize;
use utoipa::ToSchema;

/// What was found about a version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Assessment)]
pub(crate) struct AssessmentShape {
    /// The server.
    name: String,
    version: String,
    /// The content that was judged.
    content_hash: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// 100 for nothing found, less for each finding by its severity.
    score: u8,
    /// How many tools were looked at.
    tools: usize,
    /// Whether a finding is severe enough to stop an approval here.
    blocked: bool,
    /// What was found, the most severe first, at most 200.
    findings: Vec<FindingShape>,
}

/// Something that was found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Finding)]
struct FindingShape {
    /// Which assessor found it.
    assessor: String,
    /// `low`, `medium` or `high`.
    severity: &'static str,
    /// Where: `remotes[0].url`, `tools.echo.description`.
    path: String,
    /// What, as a sentence without its final stop.
    message: String,
    /// What shows it, without anything invisible and without a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
}

impl AssessmentShape {
    pub(crate) fn new(name: String, assessment: Assessment) -> Self {
        Self {
            name,
            version: assessment.version.to_string(),
            content_hash: assessment.content_hash,
            at: assessment.at,
            score: assessment.score,
            tools: assessment.tools,
            blocked: assessment.blocked,
            findings: assessment.findings.into_iter().map(FindingShape::from).collect(),
        }
    }
}

impl From<Finding> for FindingShape {
    fn from(finding: Finding) -> Self {
        Self {
            assessor: finding.assessor,
            severity: finding.severity.as_str(),
            path: finding.path,
            message: finding.message,
            evidence: finding.evidence,
        }
    }
}
