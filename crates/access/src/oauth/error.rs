//! Refusals in the words of RFC 6749 and its relatives. The description says what to do next.

use std::time::Duration;

use portreeve_core::ports::{JournalError, StateError, StoreError};

use crate::AccessError;

/// The word of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OauthCode {
    /// The request is not one that can be understood.
    InvalidRequest,
    /// The client is unknown, or did not show that it is itself.
    InvalidClient,
    /// What was handed in does not work, or not any more, or not for this client.
    InvalidGrant,
    /// The client may not hand that in.
    UnauthorizedClient,
    /// It is not taken here.
    UnsupportedGrantType,
    /// It is not given here.
    UnsupportedResponseType,
    /// It reaches further than what was allowed.
    InvalidScope,
    /// The resource is none of ours, or not that of the grant (RFC 8707).
    InvalidTarget,
    /// Somebody, or a policy, said no.
    AccessDenied,
    /// A page would have to be shown.
    InteractionRequired,
    /// Nobody is signed in.
    LoginRequired,
    /// An address that codes cannot be sent to (RFC 7591).
    InvalidRedirectUri,
    /// Something else in a client's metadata.
    InvalidClientMetadata,
    /// Too often.
    SlowDown,
    /// Trying again may help.
    TemporarilyUnavailable,
}

/// A refusal. Both texts are public.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct OauthError {
    /// The word.
    pub code: OauthCode,
    /// What happened, and what to do next: ASCII without quotation marks, as RFC 6749 wants it.
    pub description: String,
    /// When trying again makes sense.
    pub wait: Option<Duration>,
}

// === impl OauthCode ===

impl OauthCode {
    /// The word as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::InteractionRequired => "interaction_required",
            Self::LoginRequired => "login_required",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::SlowDown => "slow_down",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

// === impl OauthError ===

impl OauthError {
    pub(super) fn new(code: OauthCode, description: impl Into<String>) -> Self {
        let description: String = description.into();
        let plain = |c: char| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        };
        Self {
            code,
            description: description.chars().take(500).map(plain).collect(),
            wait: None,
        }
    }

    pub(super) fn request(description: impl Into<String>) -> Self {
        Self::new(OauthCode::InvalidRequest, description)
    }

    pub(super) fn client(description: impl Into<String>) -> Self {
        Self::new(OauthCode::InvalidClient, description)
    }

    pub(super) fn grant(description: impl Into<String>) -> Self {
        Self::new(OauthCode::InvalidGrant, description)
    }

    pub(super) fn target(description: impl Into<String>) -> Self {
        Self::new(OauthCode::InvalidTarget, description)
    }

    pub(super) fn too_often(wait: Duration) -> Self {
        Self {
            wait: Some(wait),
            ..Self::new(
                OauthCode::SlowDown,
                format!("too many requests: try again in {} s", wait.as_secs().max(1)),
            )
        }
    }

    fn unavailable(what: &str) -> Self {
        Self {
            wait: Some(Duration::from_secs(5)),
            ..Self::new(
                OauthCode::TemporarilyUnavailable,
                format!("{what} is not available: try again in a moment"),
            )
        }
    }
}

impl From<StoreError> for OauthError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, cause = ?std::error::Error::source(&error), "The authorization server cannot use the store.");
        Self::unavailable("the store")
    }
}

impl From<StateError> for OauthError {
    fn from(error: StateError) -> Self {
        tracing::error!(%error, "The authorization server cannot use the shared state.");
        Self::unavailable("the shared state")
    }
}

impl From<JournalError> for OauthError {
    fn from(error: JournalError) -> Self {
        tracing::error!(%error, "The authorization server cannot write the audit log.");
        Self::unavailable("the audit log")
    }
}

impl From<AccessError> for OauthError {
    fn from(error: AccessError) -> Self {
        tracing::error!(%error, "The authorization server cannot issue or end tokens.");
        Self::unavailable("the token service")
    }
}
