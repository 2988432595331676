//! What was found about a version, on its page.

use portreeve_registry::{Assessment, Finding, FindingSeverity as Severity};

use crate::view::badge::Badge;
use crate::words::Moment;

/// Findings on the page; the management API has them all.
const SHOWN: usize = 50;

/// An assessment.
#[derive(Debug, Clone)]
pub(crate) struct AssessmentView {
    pub(crate) score: u8,
    pub(crate) at: Moment,
    pub(crate) blocked: bool,
    pub(crate) findings: Vec<FindingView>,
    pub(crate) more: usize,
}

/// A finding.
#[derive(Debug, Clone)]
pub(crate) struct FindingView {
    pub(crate) badges: Vec<Badge>,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) evidence: Option<String>,
}

impl AssessmentView {
    pub(crate) fn new(assessment: &Assessment) -> Self {
        Self {
            score: assessment.score,
            at: Moment::new(assessment.at),
            blocked: assessment.blocked,
            findings: assessment
                .findings
                .iter()
                .take(SHOWN)
                .map(FindingView::new)
                .collect(),
            more: assessment.findings.len().saturating_sub(SHOWN),
        }
    }
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        let (text, tone) = match finding.severity {
            Severity::High => ("High", "badge-bad"),
            Severity::Medium => ("Medium", "badge-warn"),
            Severity::Low => ("Low", "badge-quiet"),
        };
        Self {
            badges: vec![Badge::new(text, "Severity", tone)],
            path: finding.path.clone(),
            message: finding.message.clone(),
            evidence: finding.evidence.clone(),
        }
    }
}
