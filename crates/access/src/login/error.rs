//! Why somebody is not signed in.

use std::time::Duration;

use portreeve_core::ports::{JournalError, StateError, StoreError};

use crate::AccessError;
use crate::provider::ProviderError;

/// Why somebody is not signed in. The text is public; none of it tells whether an account exists.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The configuration names no such provider.
    #[error("nobody signs in by `{0}` here")]
    UnknownProvider(String),
    /// A browser came back that was not sent, not from here, or too late. Which of them is nobody's business.
    #[error("this answer belongs to no sign-in that was begun in this browser")]
    NotBegunHere,
    /// The provider vouched for nobody.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Somebody may not sign in any more.
    #[error("this account is disabled")]
    Disabled,
    /// A name and a password that do not belong together, or a code that does not fit.
    #[error("that is not right")]
    Wrong,
    /// Somebody tried too often.
    #[error("that was tried too often: wait {} s", .wait.as_secs().max(1))]
    TooFast {
        /// How long to wait.
        wait: Duration,
    },
    /// A new password that cannot be taken.
    #[error("that password cannot be taken: {0}")]
    Password(&'static str),
    /// A thing that is not as it must be for that.
    #[error("{0}")]
    State(&'static str),
    /// The shared state does not answer, so nobody can be counted.
    #[error("the shared state is not available")]
    Shared(#[from] StateError),
    /// The rest.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl From<StoreError> for LoginError {
    fn from(error: StoreError) -> Self {
        Self::Access(error.into())
    }
}

impl From<JournalError> for LoginError {
    fn from(error: JournalError) -> Self {
        Self::Access(error.into())
    }
}

impl LoginError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownProvider(_) => "open the page to sign in: it shows how people sign in here",
            Self::NotBegunHere => {
                "sign in again from this browser; if somebody sent you this address, do not use it"
            }
            Self::Provider(ProviderError::Unreachable { .. }) => "try again in a minute",
            Self::Provider(ProviderError::Said { .. }) => "try again, or ask who runs the identity provider",
            Self::Provider(ProviderError::Untrusted { .. }) => {
                "sign in again; if it stays so, whoever runs this Portreeve compares `login.providers` with the provider"
            }
            Self::Provider(ProviderError::NotAdmitted { .. }) => {
                "ask an administrator: the rules stand under `login.providers.admit`"
            }
            Self::Provider(ProviderError::TooManyGroups { .. }) => {
                "ask an administrator to have the provider send only groups of this application, or roles"
            }
            Self::Provider(ProviderError::Misconfigured { .. }) => {
                "ask whoever runs this Portreeve to compare `login.providers` with the provider"
            }
            Self::Disabled => "ask an administrator",
            Self::Wrong => "check what you typed, and try again",
            Self::TooFast { .. } => "wait, and try again",
            Self::Password(_) => "choose another one",
            Self::State(_) => "load the page again",
            Self::Shared(_) => "try again in a minute",
            Self::Access(error) => error.hint(),
        }
    }

    /// Whether somebody only came too often. That is counted, and not written down each time.
    pub(crate) const fn is_too_fast(&self) -> bool {
        matches!(self, Self::TooFast { .. })
    }

    /// The word for it in the audit log.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::UnknownProvider(_) => "unknown-provider",
            Self::NotBegunHere => "not-begun-here",
            Self::Provider(ProviderError::Unreachable { .. }) => "provider-unreachable",
            Self::Provider(ProviderError::Said { .. }) => "provider-refused",
            Self::Provider(ProviderError::Untrusted { .. }) => "provider-untrusted",
            Self::Provider(ProviderError::NotAdmitted { .. }) => "not-admitted",
            Self::Provider(ProviderError::TooManyGroups { .. }) => "too-many-groups",
            Self::Provider(ProviderError::Misconfigured { .. }) => "provider-misconfigured",
            Self::Disabled => "disabled",
            Self::Wrong => "wrong-credential",
            Self::TooFast { .. } => "rate-limited",
            Self::Password(_) | Self::State(_) => "invalid",
            Self::Shared(_) | Self::Access(_) => "failed",
        }
    }
}
