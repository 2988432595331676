//! Why something about webhooks was refused or failed.

use std::sync::Arc;

use portreeve_core::name::SecretName;
use portreeve_core::ports::{SecretUnavailable, StoreError};
use portreeve_net::NetError;

/// Something that is wrong with a webhook as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookProblem {
    /// Where: `url`, `events[0]`.
    pub path: &'static str,
    /// What.
    pub message: String,
}

/// Why a use case of webhooks was refused or failed. The text is public.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The caller may not operate the installation.
    #[error(
        "`{caller}` may not have webhooks, which tell of everything that is registered here: ask for a grant of `operate` on all servers"
    )]
    Forbidden {
        /// The caller's label.
        caller: Arc<str>,
    },
    /// The caller may not open private hosts to events.
    #[error(
        "`{caller}` may not let a webhook reach private hosts: ask for a grant of `manage` on all servers"
    )]
    PrivateHosts {
        /// The caller's label.
        caller: Arc<str>,
    },
    /// It cannot be as it was asked for; every problem is listed.
    #[error("the webhook is not valid: {}", joined(.0))]
    Invalid(Vec<WebhookProblem>),
    /// There is no such thing.
    #[error("there is no {what}")]
    NotFound {
        /// The thing, as words.
        what: String,
    },
    /// Somebody was faster, or there is one of the name.
    #[error("{what} was changed or exists already")]
    Conflict {
        /// The thing, as words.
        what: String,
    },
    /// The egress guard does not let events go there.
    #[error("the URL cannot be used: {0}")]
    Refused(NetError),
    /// The secret is not there, or cannot be opened.
    #[error(transparent)]
    Secret(#[from] SecretUnavailable),
    /// The secret is not what signs.
    #[error("the secret `{name}` is no signing key: {problem}")]
    NoKey {
        /// Its name.
        name: SecretName,
        /// What is wrong, without the value.
        problem: &'static str,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(StoreError),
}

fn joined(problems: &[WebhookProblem]) -> String {
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| format!("`{}` {}", problem.path, problem.message))
        .collect();
    problems.join("; ")
}

impl WebhookError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } | Self::PrivateHosts { .. } => {
                "ask an administrator for that grant; `portreeve whoami` shows the roles you have"
            }
            Self::Invalid(_) => "correct what is listed; docs/webhooks.md explains every field",
            Self::NotFound { .. } => "list what there is and take a name or an id from there",
            Self::Conflict { .. } => "read again what there is, then decide anew",
            Self::Refused(error) => error.hint(),
            Self::Secret(_) => "set it with `portreeve secret set NAME`, then try again",
            Self::NoKey { .. } => {
                "a key is `whsec_` and the base64 of 24 to 64 random bytes, such as `openssl rand -base64 32` prints"
            }
            Self::Store(_) => "try again; `portreeve doctor` tells what is wrong with the store",
        }
    }
}

impl From<StoreError> for WebhookError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { what } => Self::Conflict { what },
            StoreError::NotFound { what } => Self::NotFound { what },
            error => Self::Store(error),
        }
    }
}
