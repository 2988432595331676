//! The authorization server: clients become known, people allow them something, codes and tokens follow.
//!
//! A request's way, in file order: a client registers (`register`), is described by a document of its own (`document`) or
//! is entered by an administrator (`manage`), with what `metadata` lets through; `authorize` judges what it asks for, and
//! a person decides; `token` trades the code, after `credential` found out who asks. `assertion` reads what other
//! issuers and clients sign. `redirect` says where codes may go.
//!
//! The codes and refresh tokens are 256-bit secrets of which only SHA-256 is stored; access tokens are made by `tokens`.

mod error;
mod settings;

pub mod redirect;

mod document;
mod fetching;
mod metadata;
mod register;

mod parameters;

mod authorize;
mod decide;

mod assertion;
mod credential;
mod enterprise;
mod refresh;
mod revoke;
mod token;

mod manage;
mod mine;
mod sweep;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::audit::{AuditEvent, AuditOutcome};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::id::EventId;
use portreeve_core::limits::Limits;
use portreeve_core::oauth::{ClientId, ProtectedResource};
use portreeve_core::ports::{
    AuthorizationStore, AuthorizationSweep, Authorizer as _, ClientStore, Counters, Journal, Locks, Resources,
};
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::Clock;
use portreeve_inspect::{SealError, Sealer};
use portreeve_net::Egress;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

pub use assertion::law as assertion_law;
pub use authorize::{Asked, Begun, Destination, Fresh};
pub use credential::Credential;
pub use decide::{Choice, Writing};
pub use error::{OauthCode, OauthError};
pub use manage::NewClient;
pub use metadata::law as metadata_law;
pub use mine::Allowed;
pub use settings::{OauthSettings, Registration};
pub use sweep::OauthJob;
pub use token::{TokenAnswer, TokenRequest};

use crate::Access;

/// How long a request waits for somebody's decision.
const PENDING_LIFE: Duration = Duration::from_secs(10 * 60);
/// How long a code works.
const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long the answer to a refresh can be had again.
const RETRY_WINDOW: Duration = Duration::from_secs(30);
/// Characters of a client's identity in the audit log.
const TARGET: usize = 256;

/// What the authorization server works with.
pub struct OauthParts {
    /// Who somebody is, what they may do, and access tokens.
    pub access: Arc<Access>,
    /// Clients.
    pub clients: Arc<dyn ClientStore>,
    /// Authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// What of them is over.
    pub sweep: Arc<dyn AuthorizationSweep>,
    /// The MCP endpoints.
    pub resources: Arc<dyn Resources>,
    /// Where refusals are written down; changes carry their audit event into the store themselves.
    pub journal: Arc<dyn Journal>,
    /// Counts registrations and fetches.
    pub counters: Arc<dyn Counters>,
    /// Lets one node sweep at a time.
    pub locks: Arc<dyn Locks>,
    /// The way to documents and keys of clients.
    pub egress: Egress,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where secrets come from.
    pub rng: Arc<dyn Rng>,
    /// Limits on what comes from outside.
    pub limits: Arc<Limits>,
    /// Who issues the tokens: the public origin.
    pub issuer: String,
    /// The configuration.
    pub settings: OauthSettings,
}

/// The authorization server. One per process, shared.
pub struct AuthorizationServer {
    parts: OauthParts,
    sealer: Sealer,
    keys: document::KeptKeys,
    /// Turns of fetches for whoever asks.
    strangers: Semaphore,
}

// === impl AuthorizationServer ===

impl AuthorizationServer {
    /// A server that seals repeated answers with this key.
    ///
    /// # Errors
    ///
    /// When the key cannot be used.
    pub fn new(parts: OauthParts, key: &SecretKey) -> Result<Self, SealError> {
        let keys = document::KeptKeys::new(&parts);
        Ok(Self {
            sealer: Sealer::new(key)?,
            keys,
            strangers: Semaphore::new(fetching::STRANGERS_AT_ONCE),
            parts,
        })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.parts.issuer
    }

    /// The metadata of this server (RFC 8414).
    pub fn metadata(&self) -> Value {
        let issuer = &self.parts.issuer;
        let mut grants = vec!["authorization_code", "refresh_token", "client_credentials"];
        if !self.parts.settings.issuers.is_empty() {
            grants.push("urn:ietf:params:oauth:grant-type:jwt-bearer");
        }
        let ways = [
            "none",
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ];
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "revocation_endpoint": format!("{issuer}/revoke"),
            "jwks_uri": format!("{issuer}/jwks.json"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": grants,
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ways,
            "token_endpoint_auth_signing_alg_values_supported": assertion::ALGORITHM_NAMES,
            "revocation_endpoint_auth_methods_supported": ways,
            "revocation_endpoint_auth_signing_alg_values_supported": assertion::ALGORITHM_NAMES,
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": true,
        });
        if self.parts.settings.registration == Registration::Open
            && let Some(fields) = document.as_object_mut()
        {
            let place = format!("{issuer}/register");
            fields.insert("registration_endpoint".to_owned(), place.into());
        }
        document
    }

    /// Whether a caller may know of a resource's server, and so be asked about it.
    fn may_discover(&self, caller: &Caller, resource: &ProtectedResource) -> bool {
        let target = Target::Server(&resource.server);
        let decision = self.parts.access.may(caller, Action::Discover, &target);
        decision.is_permit()
    }

    /// An audit event about a client.
    fn event(&self, action: &str, caller: &Caller, client: &ClientId) -> AuditEvent {
        let id = EventId::new(&*self.parts.clock, &*self.parts.rng);
        let mut event = AuditEvent::new(id, self.parts.clock.now(), action, caller);
        event.target = Some(client.as_str().chars().take(TARGET).collect());
        event.client = Some(client.to_string());
        event
    }

    /// Writes down that a client was refused, as often as one address and one client may be refused. It is refused already,
    /// so a log that fails changes nothing.
    async fn noted(
        &self,
        action: &str,
        (client, from): (&ClientId, Option<IpAddr>),
        error: OauthError,
    ) -> OauthError {
        if error.code == OauthCode::TemporarilyUnavailable || !self.may_note(client, from).await {
            return error;
        }
        let mut event = self.event(action, &Caller::anonymous(), client);
        event.outcome = AuditOutcome::Refused;
        event.reason = Some(error.code.as_str().to_owned());
        event.detail = Some(json!({ "description": error.description }));
        if let Err(failure) = self.parts.journal.append(&event) {
            tracing::error!(error = %failure, "A refused client could not be written to the audit log");
        }
        error
    }

    /// The refusal of a redirect that a client was not registered with: it may be somebody else's.
    async fn unregistered(&self, client: &ClientId, from: Option<IpAddr>, redirect: &str) -> OauthError {
        let shown: String = redirect.chars().take(200).collect();
        let error = OauthError::request(format!(
            "`{shown}` is no redirect of this client: it must be one that was registered"
        ));
        self.noted("oauth.authorize", (client, from), error).await
    }

    /// The caller behind an authorization, if it still exists.
    fn caller(&self, principal: &Principal) -> Option<Caller> {
        self.parts.access.acting(principal)
    }
}

impl Access {
    /// Who acts in an authorization, if they still exist.
    pub(crate) fn acting(&self, principal: &Principal) -> Option<Caller> {
        match principal {
            Principal::User(id) => self.state.load().user(*id).cloned(),
            Principal::Client(_) => Some(Caller::acting_for(*principal, &principal.to_string())),
            _ => None,
        }
    }
}

impl fmt::Debug for OauthParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OauthParts")
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationServer({})", self.parts.issuer)
    }
}
