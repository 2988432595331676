//! Why an identity or a right could not be changed.

use portreeve_core::ports::{JournalError, StoreError};
use portreeve_core::vault::SecretUse;

/// Users of a secret that a message names.
const NAMED: usize = 10;

/// Why the room refused or failed. The text is public.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The caller lacks a right.
    #[error("`{caller}` may not {action}")]
    Forbidden {
        /// The caller's label.
        caller: String,
        /// What was asked, and which grant is missing, as words.
        action: String,
    },
    /// A value that cannot be taken.
    #[error("`{field}` cannot be `{value}`: {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was given, cut to 200 characters.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What was given cannot be taken; the problem names the value.
    #[error("`{field}`: {problem}")]
    Rejected {
        /// The field.
        field: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A live key, or a secret, has that name already.
    #[error("the name `{name}` is taken already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A secret is named by something that cannot do without it.
    #[error("the secret `{name}` is used by {}", listed(.uses))]
    InUse {
        /// Its name.
        name: String,
        /// Who names it.
        uses: Vec<SecretUse>,
    },
    /// There is no such key, user or grant.
    #[error("there is no {what}")]
    NotFound {
        /// The thing, as words: "key `deploy`".
        what: String,
    },
    /// A sign-in link that was never made, was used, or is too old. Which of them is nobody's business.
    #[error("this sign-in link does not work, or does not work any more")]
    LinkSpent,
    /// Somebody else must decide.
    #[error("`{caller}` may not decide about this call")]
    MayNotDecide {
        /// The caller's label.
        caller: String,
    },
    /// A call that was decided about, made, or waited too long.
    #[error("this call was decided about already, or waited too long")]
    Decided,
    /// A secret could not be sealed.
    #[error("the secret cannot be sealed, so it was not stored")]
    Seal,
    /// There is no key that this node could sign a token with.
    #[error("no token can be issued: this node has no key to sign it with")]
    NoSigningKey,
    /// The audit event could not be written, so the thing was not done.
    #[error("the audit log cannot be written, so this was not done")]
    Audit(#[from] JournalError),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn listed(uses: &[SecretUse]) -> String {
    let mut names: Vec<String> = uses.iter().take(NAMED).map(ToString::to_string).collect();
    if let Some(more) = uses.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

impl AccessError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "use a key of somebody who may, or ask an administrator for that grant",
            Self::Invalid { .. } | Self::Rejected { .. } => "change that value and try again",
            Self::NameTaken { .. } => "choose another name, or do away with what has it",
            Self::InUse { .. } => "let them use another secret first; `--force` deletes it all the same",
            Self::NotFound { .. } => "list what there is and take a name or an id from there",
            Self::LinkSpent => "a link works once and for a short time: ask for a new one",
            Self::NoSigningKey => {
                "start every node with the same master key; the log says which key cannot be opened"
            }
            Self::MayNotDecide { .. } => {
                "ask one of its approvers, who are named with it; nobody approves a call of their own"
            }
            Self::Decided => "look at it again; the caller may make the call once more, which asks anew",
            Self::Seal => "this is a fault of Portreeve: report it",
            Self::Audit(_) => "free space or repair the rights of the data directory, then try again",
            Self::Store(StoreError::Unavailable(_)) => {
                "check that the database can be reached, then try again"
            }
            Self::Store(_) => "read again what there is, then decide anew",
        }
    }

    /// An [`AccessError::Invalid`] with its value cut.
    pub(crate) fn invalid(field: &'static str, value: &str, problem: &'static str) -> Self {
        Self::Invalid {
            field,
            value: value.chars().take(200).collect(),
            problem,
        }
    }

    /// An [`AccessError::NotFound`] with the name cut.
    pub(crate) fn not_found(kind: &'static str, name: &str) -> Self {
        let name: String = name.chars().take(200).collect();
        Self::NotFound {
            what: format!("{kind} `{name}`"),
        }
    }
}
