//! Why something could not be had from outside, and whether it may be asked for again.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use crate::guard::Refusal;

/// The cause underneath, kept for the log. Shared, because an error may pass through the connection pool.
pub type Cause = Arc<dyn StdError + Send + Sync>;

/// What a deadline was set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Resolving the name and opening the connection.
    Connect,
    /// The TLS handshake, or the proxy's answer.
    Handshake,
    /// The response head, when no connection was there yet.
    WaitForConnection,
    /// The response head, after the request went out.
    Head,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "did not accept a connection",
            Self::Handshake => "did not finish the handshake",
            Self::WaitForConnection => "could not be connected to",
            Self::Head => "did not answer",
        })
    }
}

/// Why a request failed, or why the way out could not be set up.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NetError {
    /// The egress guard does not let this out.
    #[error("`{host}` is refused: {reason}")]
    Refused {
        /// `host:port`, or what there is of it.
        host: String,
        /// What the guard found.
        reason: Refusal,
    },
    /// The name has no address.
    #[error("the name of `{host}` could not be resolved")]
    Resolve {
        /// `host:port`.
        host: String,
        /// What the resolver said.
        #[source]
        cause: Cause,
    },
    /// No connection could be opened, or it closed before the request went out.
    #[error("`{host}` could not be connected to")]
    Connect {
        /// `host:port`.
        host: String,
        /// What the operating system said of the last address tried.
        #[source]
        cause: Cause,
    },
    /// The TLS handshake failed: most often the certificate.
    #[error("the TLS handshake with `{host}` failed: {cause}")]
    Tls {
        /// `host:port`.
        host: String,
        /// What was wrong.
        #[source]
        cause: Cause,
    },
    /// The configured proxy does not let the request through.
    #[error("the egress proxy refused `{host}` with status `{status}`")]
    Proxy {
        /// `host:port` of the destination.
        host: String,
        /// What the proxy answered to CONNECT.
        status: u16,
    },
    /// A deadline passed.
    #[error("`{host}` {phase} within {limit:?}")]
    Timeout {
        /// `host:port`.
        host: String,
        /// What was waited for.
        phase: Phase,
        /// For how long.
        limit: Duration,
    },
    /// The exchange broke after the request went out, in part or whole.
    #[error("the connection to `{host}` broke before the answer was there")]
    Exchange {
        /// `host:port`.
        host: String,
        /// What broke.
        #[source]
        cause: Cause,
    },
    /// The body is longer than the caller takes.
    #[error("the answer is longer than `{limit}` bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body was not there in time: it stopped, or only drips.
    #[error("the answer did not arrive within {limit:?}")]
    BodyLate {
        /// The time for the whole body.
        limit: Duration,
    },
    /// The body broke off.
    #[error("the answer broke off before its end")]
    BodyBroken(#[source] Cause),
    /// A certificate, a key, a proxy or a CA cannot be used as it is configured.
    #[error("{what} cannot be used: {cause}")]
    Setup {
        /// The thing, as words: "the certificate `/etc/portreeve/tls.pem`".
        what: String,
        /// What is wrong with it.
        #[source]
        cause: Cause,
    },
}

impl NetError {
    /// Whether nothing of the request reached the server: to try again does nothing twice.
    pub fn is_before_send(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Proxy { .. }
            | Self::Setup { .. } => true,
            Self::Timeout { phase, .. } => *phase != Phase::Head,
            Self::Exchange { .. }
            | Self::BodyTooLarge { .. }
            | Self::BodyLate { .. }
            | Self::BodyBroken(_) => false,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused { reason, .. } => reason.hint(),
            Self::Resolve { .. } => "check the host name, and that this machine's resolver knows it",
            Self::Connect { .. } => "check that the server runs and that no firewall stands between",
            Self::Tls { .. } => {
                "check the server's certificate; a private CA must be named in the configuration file"
            }
            Self::Proxy { .. } => "ask whoever runs the egress proxy to let this destination pass",
            Self::Timeout { .. } => "check that the server is up; a slow server needs a longer timeout",
            Self::Exchange { .. } | Self::BodyBroken(_) => {
                "look into the server's log; it closed the connection"
            }
            Self::BodyTooLarge { .. } => "the server must page its answer, or the limit be raised",
            Self::BodyLate { .. } => {
                "look into the server's log; it stopped in the middle of an answer, or is slow"
            }
            Self::Setup { .. } => "correct the file or the setting and start again",
        }
    }

    pub(crate) fn refused(host: impl Into<String>, reason: Refusal) -> Self {
        Self::Refused {
            host: host.into(),
            reason,
        }
    }

    pub(crate) fn setup<E: StdError + Send + Sync + 'static>(what: impl Into<String>, cause: E) -> Self {
        Self::Setup {
            what: what.into(),
            cause: Arc::new(cause),
        }
    }

    pub(crate) fn connect<E: StdError + Send + Sync + 'static>(host: impl Into<String>, cause: E) -> Self {
        Self::Connect {
            host: host.into(),
            cause: Arc::new(cause),
        }
    }
}
