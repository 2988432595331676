//! Why a claim shows nothing. The texts are public.

use std::time::Duration;

use portreeve_core::ports::{JournalError, StateError};

/// Why no token was granted.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// There is no such method.
    #[error("there is no proof by `{method}`")]
    UnknownMethod {
        /// What was asked for, cut.
        method: String,
    },
    /// The method exists, and is not switched on.
    #[error("proof by `{method}` is switched off here")]
    SwitchedOff {
        /// Which.
        method: &'static str,
    },
    /// The claim lacks something, or something in it is not what it should be.
    #[error("`{field}`: {problem}")]
    Malformed {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It was looked into, and shows nothing.
    #[error("{reason}")]
    Refused {
        /// Why, as a sentence.
        reason: String,
    },
    /// It could not be looked into.
    #[error("{what}")]
    Unreachable {
        /// What could not be reached, as a sentence.
        what: String,
    },
    /// Too many claims are being looked into.
    #[error("too many claims are being looked into")]
    Busy,
    /// This publisher proves who he is more often than anybody needs to.
    #[error("`{publisher}` signs in too often")]
    TooOften {
        /// The publisher's label.
        publisher: String,
        /// When the next one is taken.
        wait: Duration,
    },
    /// It cannot be told whether the signature was used before.
    #[error("it cannot be told whether this signature was used before")]
    State(#[from] StateError),
    /// The audit event could not be written, so no token was granted.
    #[error("the audit log cannot be written, so no token was granted")]
    Audit(#[from] JournalError),
}

impl ProofError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownMethod { .. } => {
                "there are `none`, `dns`, `http`, `github-at`, `github-oidc` and `oidc`"
            }
            Self::SwitchedOff { .. } => {
                "an administrator switches it on in `[registry.auth]` of the configuration file"
            }
            Self::Malformed { .. } => "correct that field and try again",
            Self::Refused { .. } => "check what was claimed, and sign in again",
            Self::Unreachable { .. } => "check that it can be reached from this Portreeve, and sign in again",
            Self::Busy => "try again in a moment",
            Self::TooOften { .. } => {
                "a token works for five minutes: keep it, or wait as long as `Retry-After` says"
            }
            Self::State(_) => "try again; an administrator looks at `state.url`",
            Self::Audit(_) => "free space or repair the rights of the data directory, then try again",
        }
    }

    pub(super) fn unknown(method: &str) -> Self {
        Self::UnknownMethod {
            method: method.chars().take(60).collect(),
        }
    }

    pub(super) const fn malformed(field: &'static str, problem: &'static str) -> Self {
        Self::Malformed { field, problem }
    }

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
        }
    }

    pub(super) fn unreachable(what: &str, cause: impl std::fmt::Display) -> Self {
        // The cause may name addresses of this network.
        tracing::info!(%cause, "A proof could not be looked into: {what}.");
        Self::Unreachable {
            what: what.to_owned(),
        }
    }
}
