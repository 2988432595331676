//! A check of policy documents, offered by the gateway (which owns their meaning) to whoever saves one.

use crate::route::PolicyDocument;

/// One thing that is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// Place of the document in the list, from 0.
    pub index: usize,
    /// What is wrong, with the field in backticks.
    pub problem: String,
}

/// Checks documents before they are saved.
pub trait PolicyCheck: Send + Sync {
    /// Everything that is wrong; empty when they can be saved.
    fn check(&self, documents: &[PolicyDocument]) -> Vec<PolicyProblem>;
}
