//! Why a request gets no answer of a server. What each refusal looks like on the wire stands in the table of `respond`.

use std::sync::Arc;
use std::time::Duration;

use portreeve_client::ClientError;
use portreeve_core::oauth::Scopes;
use portreeve_core::protocol::Era;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::envelope::InvalidMessage;
use serde_json::value::RawValue;

use super::waits::Held;

/// Why a request gets no answer of an upstream.
#[derive(Debug)]
pub enum Refusal {
    /// The head is too large.
    HeadTooLarge {
        /// The limit in bytes.
        bytes: usize,
        /// The limit in header fields.
        fields: usize,
    },
    /// `Host` is not one of ours.
    Host,
    /// `Origin` is not allowed.
    Origin,
    /// A CORS preflight; answered here.
    Preflight {
        /// Whether its origin is allowed.
        allowed: bool,
    },
    /// An HTTP method that the endpoint does not have.
    MethodNotAllowed,
    /// An HTTP method that an endpoint of the transport of 2024-11-05 does not have.
    OnlyMethod {
        /// Those that it has.
        allowed: &'static str,
    },
    /// No active route has this slug.
    NoSuchRoute,
    /// The server was revoked: nobody may call it.
    Revoked {
        /// Why, in the words of who revoked it.
        reason: Arc<str>,
    },
    /// A credential is needed.
    NoCredential,
    /// The credential is unknown, expired, revoked or malformed.
    InvalidCredential,
    /// The access token does not reach so far (RFC 6750, section 3.1).
    InsufficientScope {
        /// Every scope that the operation needs.
        needed: Scopes,
    },
    /// More than one `Authorization` header, or `X-Api-Key`.
    TwoCredentials,
    /// The body is not declared as JSON.
    MediaType,
    /// The body is too large.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body did not arrive in time.
    SlowBody,
    /// The body broke off.
    BrokenBody,
    /// The body is not one message.
    Message(InvalidMessage),
    /// A response where none can be expected (modern).
    ResponseNotExpected,
    /// The legacy version header names nothing we know.
    BadVersion {
        /// What it says.
        requested: String,
    },
    /// Headers and body disagree (modern).
    HeaderMismatch {
        /// The request; `None` for what has no id.
        id: Option<Box<RawValue>>,
        /// How.
        reason: String,
    },
    /// The parameters do not fit.
    InvalidParams {
        /// The request.
        id: Option<Box<RawValue>>,
        /// What is wrong.
        reason: String,
    },
    /// The version is not served (modern).
    UnsupportedVersion {
        /// The request; `None` for a notification.
        id: Option<Box<RawValue>>,
        /// What it asked for.
        requested: String,
    },
    /// A request about a task, of a client that does not declare the extension (modern).
    TasksNotDeclared {
        /// The request.
        id: Option<Box<RawValue>>,
    },
    /// The method is not served.
    MethodNotFound {
        /// The request.
        id: Option<Box<RawValue>>,
        /// Its era.
        era: Era,
        /// Its method.
        method: String,
    },
    /// A legacy request without a session.
    SessionMissing,
    /// A message of an HTTP+SSE host that names no stream.
    StreamMissing,
    /// A session that is unknown, ended, or somebody else's.
    SessionUnknown,
    /// No such tool, or none for this caller: one and the same answer.
    UnknownTool {
        /// The name asked for.
        name: String,
    },
    /// A policy forbids to call the tool with these arguments.
    ForbiddenArguments {
        /// The tool.
        name: String,
        /// The policies, joined.
        by: String,
    },
    /// A rate limit.
    Limited {
        /// When to try again.
        retry_after: Duration,
        /// What is used up.
        reason: String,
    },
    /// A person must allow the call first, or did not.
    Held(Box<Held>),
    /// The counters are away, so no limit can be kept.
    StateAway,
    /// Sessions can be neither read nor written.
    SessionsAway,
    /// Too many requests of one session at once.
    TooManyRequests,
    /// Too many sessions.
    TooManySessions,
    /// Too many open streams.
    TooManyStreams,
    /// The upstream could not be asked, or answered nothing that is MCP.
    Upstream(ClientError),
    /// The audit journal cannot be written: nothing may be answered.
    JournalAway,
    /// A refusal of a request whose id is known by now.
    About(Box<RawValue>, Box<Refusal>),
}

impl Refusal {
    /// The same refusal, echoing the request's id.
    #[must_use]
    pub fn about(self, id: &RawValue) -> Self {
        Self::About(id.to_owned(), Box::new(self))
    }

    /// The same refusal as the answer to a request, if there is one and it does not say so already.
    #[must_use]
    pub fn answering(self, id: Option<&RawValue>) -> Self {
        match id {
            Some(id) if self.id().is_none() => self.about(id),
            _ => self,
        }
    }

    /// The word by which the audit log knows it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::HeadTooLarge { .. } => "head-too-large",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Preflight { .. } => "preflight",
            Self::MethodNotAllowed | Self::OnlyMethod { .. } => "http-method",
            Self::NoSuchRoute => "no-such-route",
            Self::Revoked { .. } => "revoked",
            Self::NoCredential => "unauthenticated",
            Self::InvalidCredential | Self::TwoCredentials => "invalid-credential",
            Self::InsufficientScope { .. } => "insufficient-scope",
            Self::MediaType => "media-type",
            Self::TooLarge { .. } => "too-large",
            Self::SlowBody | Self::BrokenBody => "broken-body",
            Self::Message(_) | Self::ResponseNotExpected => "invalid-message",
            Self::BadVersion { .. } | Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::HeaderMismatch { .. } => "header-mismatch",
            Self::InvalidParams { .. } => "invalid-params",
            Self::MethodNotFound { .. } => "unknown-method",
            Self::TasksNotDeclared { .. } => "missing-capability",
            Self::SessionMissing | Self::StreamMissing | Self::SessionUnknown => "no-session",
            Self::UnknownTool { .. } => "unknown-tool",
            Self::ForbiddenArguments { .. } => "forbidden-arguments",
            Self::Limited { .. } => "rate-limited",
            Self::Held(_) => "not-approved",
            Self::StateAway | Self::SessionsAway => "state-away",
            Self::TooManyRequests | Self::TooManySessions | Self::TooManyStreams => "too-many",
            Self::Upstream(_) => "upstream",
            Self::JournalAway => "journal-away",
            Self::About(_, refusal) => refusal.word(),
        }
    }

    /// How usage counts it.
    pub fn outcome(&self) -> UsageOutcome {
        match self {
            Self::Limited { .. } => UsageOutcome::Limited,
            Self::Upstream(_) => UsageOutcome::UpstreamError,
            Self::About(_, refusal) => refusal.outcome(),
            _ => UsageOutcome::Refused,
        }
    }

    /// The request that it answers, as far as it is known.
    pub fn id(&self) -> Option<&RawValue> {
        match self {
            Self::About(id, _) => Some(id),
            Self::HeaderMismatch { id, .. }
            | Self::UnsupportedVersion { id, .. }
            | Self::InvalidParams { id, .. }
            | Self::TasksNotDeclared { id }
            | Self::MethodNotFound { id, .. } => id.as_deref(),
            _ => None,
        }
    }
}
