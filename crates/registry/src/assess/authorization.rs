//! Whether a host that is asked for a credential finds out how to get one: the challenge names the server's metadata (RFC
//! 9728), that names authorization servers, and their metadata (RFC 8414, OpenID Connect Discovery) says what a host needs.
//!
//! What was found on the network is gathered by `follow`; here it is judged.

pub(super) mod follow;

use super::{Assessor, Notes, Severity, Subject};

pub(super) struct Authorization;

/// What was found at a server that asks for a credential.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Trail {
    /// What is wrong, in the order of the steps.
    pub(super) faults: Vec<Fault>,
    /// The authorization servers that it leads to.
    pub(super) issuers: Vec<Issuer>,
}

/// An authorization server that a protected server names.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Issuer {
    /// Its name, as the server wrote it.
    pub(crate) name: String,
    /// Where it asks people, if its metadata says so.
    pub(crate) authorization: Option<String>,
    /// Where it gives out tokens, if its metadata says so.
    pub(crate) token: Option<String>,
}

/// One thing that is wrong, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) severity: Severity,
    /// The step: `challenge`, `resource`, `issuer`.
    pub(super) step: &'static str,
    pub(super) message: &'static str,
    pub(super) evidence: String,
}

impl Assessor for Authorization {
    fn id(&self) -> &'static str {
        "authorization"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        for place in &subject.places {
            for fault in place.trail.iter().flat_map(|trail| &trail.faults) {
                let path = format!("{}authorization.{}", place.spot.root(), fault.step);
                notes.show(fault.severity, path, fault.message, fault.evidence.clone());
            }
        }
    }
}
