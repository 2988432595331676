//! Who signs in: one-time links, passwords with codes, identity providers; and the sessions that come of it.
//!
//! Before: the portal read a form, or a browser came back from a provider. After: the portal keeps the session's secret in
//! a cookie. Links and sessions are 256-bit secrets of which only SHA-256 is stored.

mod codes;
mod error;
mod next;
mod passwords;
mod providers;
pub(crate) mod sessions;
pub(crate) mod sign_in;
mod throttle;

use std::fmt;
use std::sync::Arc;

use portreeve_core::audit::AuditOutcome;
use portreeve_core::caller::Caller;
use portreeve_core::limits::Limits;
use portreeve_core::ports::{Counters, CredentialStore, Outgoing, Refresh};
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_inspect::{SealError, Sealer};
use portreeve_net::Egress;
use serde_json::json;
use tokio::sync::Semaphore;
use url::Url;

use self::sessions::NewSession;
use crate::Access;
use crate::provider::{IdentityProvider, ProviderParts, ProviderSettings, providers};

pub use codes::{CodeSetup, RECOVERY_CODES};
pub use error::LoginError;
pub use next::Next;
pub use passwords::{LEAST_PASSWORD, PasswordOutcome, Typed};
pub use providers::{LeftBehind, ProviderFacts, Returned};
pub use throttle::network;

/// Passwords that one node hashes at once: each takes 19 MiB and a core.
const HASHED_AT_ONCE: usize = 2;

/// How people sign in, as the configuration file says it.
#[derive(Debug, Clone, Default)]
pub struct LoginSettings {
    /// Identity providers.
    pub providers: Vec<ProviderSettings>,
    /// Whether local users sign in with a password.
    pub passwords: Passwords,
}

/// Whether local users sign in with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passwords {
    /// They do, once they have set one.
    #[default]
    Taken,
    /// Nobody does.
    Refused,
}

/// What the room works with.
pub struct LoginParts {
    /// Users and sessions, the journal, the time, and where secrets come from.
    pub access: Arc<Access>,
    /// Passwords and codes.
    pub credentials: Arc<dyn CredentialStore>,
    /// How often somebody may try.
    pub counters: Arc<dyn Counters>,
    /// Brings a user who was just made into force.
    pub refresh: Arc<dyn Refresh>,
    /// The way to providers.
    pub egress: Egress,
    /// Limits on what they answer.
    pub limits: Arc<Limits>,
    /// Where the vault's secrets are.
    pub outgoing: Arc<dyn Outgoing>,
    /// Seals the secrets of codes.
    pub sealing_key: SecretKey,
    /// Where browsers come back to.
    pub public_url: Url,
    /// What the configuration file says.
    pub settings: LoginSettings,
}

/// The room. One per process, shared.
pub struct Login {
    access: Arc<Access>,
    credentials: Arc<dyn CredentialStore>,
    counters: Arc<dyn Counters>,
    refresh: Arc<dyn Refresh>,
    sealer: Sealer,
    origin: String,
    host: String,
    passwords: Passwords,
    providers: Vec<Box<dyn IdentityProvider>>,
    hashing: Semaphore,
}

/// Somebody who is signed in now.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub caller: Caller,
    /// The session's secret, for the cookie.
    pub session: Secret,
    /// Where the way goes on.
    pub next: Next,
}

// === impl Login ===

impl Login {
    /// A room for what the configuration says.
    ///
    /// # Errors
    ///
    /// When the sealing key cannot be used.
    pub fn new(parts: LoginParts) -> Result<Self, SealError> {
        let made_of = ProviderParts {
            egress: parts.egress,
            limits: parts.limits,
            outgoing: parts.outgoing,
            clock: Arc::clone(&parts.access.parts.clock),
            rng: Arc::clone(&parts.access.parts.rng),
        };
        Ok(Self {
            sealer: Sealer::new(&parts.sealing_key)?,
            providers: providers(parts.settings.providers, &made_of),
            access: parts.access,
            credentials: parts.credentials,
            counters: parts.counters,
            refresh: parts.refresh,
            origin: parts.public_url.origin().ascii_serialization(),
            host: parts.public_url.host_str().unwrap_or("portreeve").to_owned(),
            passwords: parts.settings.passwords,
            hashing: Semaphore::new(HASHED_AT_ONCE),
        })
    }

    /// Whether local users sign in with a password.
    pub fn takes_passwords(&self) -> bool {
        self.passwords == Passwords::Taken
    }

    /// Opens the session of somebody who showed who they are.
    async fn enter(&self, session: NewSession, next: Next) -> Result<SignedIn, LoginError> {
        let opened = self.access.open_session(session).await?;
        let (caller, session) = opened.ok_or(LoginError::Disabled)?;
        Ok(SignedIn {
            caller,
            session,
            next,
        })
    }

    /// Writes down that somebody could not sign in. The attempt is refused already, so a log that fails changes nothing.
    fn note_refusal(&self, by: &str, reason: &str) {
        let mut event = self.access.event("sign-in", &Caller::anonymous());
        event.outcome = AuditOutcome::Refused;
        event.reason = Some(reason.to_owned());
        event.detail = Some(json!({ "by": by }));
        if let Err(error) = self.access.parts.journal.append(&event) {
            tracing::error!(%error, "A refused sign-in could not be written to the audit log");
        }
    }
}

impl fmt::Debug for LoginParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginParts")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}
