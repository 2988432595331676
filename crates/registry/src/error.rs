//! What can go wrong on an entry's way: each text says what happened, each hint what to do next.

use std::time::Duration;

use portreeve_core::ports::StoreError;
use portreeve_core::server::PrivateHost;
use portreeve_mcp::server_json::Problem;
use portreeve_net::NetError;

/// Why the registry refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no such thing, or it does not exist for this caller.
    #[error("{what} does not exist")]
    NotFound {
        /// The thing, as words: "server `com.acme/billing`".
        what: String,
    },
    /// This is for callers with a credential, whether there is such a thing or not.
    #[error("this registry needs an API key")]
    Unauthenticated,
    /// The caller is known, and may not.
    #[error("`{caller}` may not {action}")]
    Forbidden {
        /// The caller's label.
        caller: String,
        /// What was asked, as words: "manage server `com.acme/billing`".
        action: String,
    },
    /// The publisher may not do this under that name.
    #[error("`{publisher}` may not {action} `{name}`: it was granted {}", patterns(.granted))]
    Namespace {
        /// The publisher's label.
        publisher: String,
        /// `publish` or `edit`.
        action: &'static str,
        /// The name.
        name: String,
        /// What it may do, as `publish com.acme/*`.
        granted: Vec<String>,
    },
    /// The publisher writes faster than anybody needs to.
    #[error("`{publisher}` writes too fast")]
    TooFast {
        /// The publisher's label.
        publisher: String,
        /// When the next one is taken.
        wait: Duration,
    },
    /// The content of the request is wrong. Every problem is named, not only the first.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// Somebody else changed the thing first.
    #[error("{what} was changed by somebody else, or exists already")]
    Conflict {
        /// The thing, as words.
        what: String,
    },
    /// The thing is in a state from which this step does not lead.
    #[error("{what}")]
    State {
        /// What stands in the way, as a sentence.
        what: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// The egress guard does not let the server's URL out, whoever approves it.
    #[error("the server's URL cannot be used: {0}")]
    Refused(#[source] NetError),
    /// The server's URL leads to private hosts that are not granted to the entry.
    #[error("the server's URL leads to {}, outside the public internet", listed(.hosts))]
    Private {
        /// What would have to be granted.
        hosts: Vec<PrivateHost>,
    },
    /// The upstream could not be asked for its tools.
    #[error("the tools of `{server}` could not be read: {reason}")]
    Unseen {
        /// The server.
        server: String,
        /// What its side said, or did not.
        reason: String,
    },
    /// A cursor that was not made here, or for another question.
    #[error("the cursor does not belong to this list")]
    BadCursor,
    /// The node started a moment ago, and does not know all entries yet.
    #[error("the search index is being built: {known} servers were read so far")]
    Warming {
        /// How many it knows.
        known: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

// === impl RegistryError ===

impl RegistryError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "check the spelling; `portreeve server list` shows what there is",
            Self::Unauthenticated => "send an API key as `Authorization: Bearer prv_...`",
            Self::Forbidden { .. } => {
                "ask an administrator for that grant; `portreeve whoami` shows the roles you have"
            }
            Self::Namespace { .. } => {
                "prove that the namespace is yours, or use a key of somebody with the right `manage`"
            }
            Self::TooFast { .. } => "wait as long as `Retry-After` says, and try again",
            Self::Invalid(_) => "mend every problem that is named and send it again",
            Self::Conflict { .. } => "read it again, and repeat the change if it still makes sense",
            Self::State { hint, .. } => hint,
            Self::Refused(error) => error.hint(),
            Self::Private { .. } => {
                "an administrator may grant exactly these hosts to the entry: `--internal`, or `internal` in the API"
            }
            Self::Unseen { .. } => "check that the server is up, and ask again",
            Self::BadCursor => "start the list from its beginning, without a cursor",
            Self::Warming { .. } => "try again in a moment; `GET /v0.1/servers?search=` answers meanwhile",
            Self::Store(_) => "try again; `portreeve doctor` says what is wrong",
        }
    }

    /// A single problem.
    pub(crate) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem {
            path: path.into(),
            message: message.into(),
        }])
    }

    pub(crate) fn no_server(name: &impl std::fmt::Display) -> Self {
        Self::NotFound {
            what: format!("server `{name}`"),
        }
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { what } => Self::Conflict { what },
            StoreError::NotFound { what } => Self::NotFound { what },
            other => Self::Store(other),
        }
    }
}

fn summary(problems: &[Problem]) -> String {
    match problems {
        [] => "the request is not valid".to_owned(),
        [one] => format!("`{}`: {}", one.path, one.message),
        [first, rest @ ..] => format!("`{}`: {} (and {} more)", first.path, first.message, rest.len()),
    }
}

fn patterns(granted: &[String]) -> String {
    match granted {
        [] => "nothing".to_owned(),
        some => {
            let shown: Vec<String> = some.iter().map(|pattern| format!("`{pattern}`")).collect();
            shown.join(", ")
        }
    }
}

fn listed(hosts: &[PrivateHost]) -> String {
    let names: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
    names.join(", ")
}
