//! Who is calling, and what they may do: API keys, sign-in, and Cedar, which decides.
//!
//! Everything a request needs is in memory: [`Access::load`] builds an immutable state out of a snapshot, and
//! authenticating and deciding only read it. What changes identities or rights goes to the store together with its
//! audit event, and comes into force when the next snapshot is loaded.
//!
//! Before: the gateway and the faces cut a credential out of a request. After: they ask the [`Authorizer`] about every
//! server and tool.
//!
//! [`Authorizer`]: portreeve_core::ports::Authorizer

mod claims;
mod error;
mod others_keys;
mod signatures;
mod token;

mod credential;

mod authorize;
mod explain;
mod facts;
mod policies;
mod state;

mod access_policies;
mod access_requests;
mod approvals;
mod first_start;
mod grants;
mod keys;
mod login;
mod provider;
mod roles;
mod users;
mod vault;

mod oauth;
mod publishing;
mod tokens;

use std::fmt;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::ports::{AccessPolicyStore, Authorizer, IdentityStore, Journal, SessionStore};
use portreeve_core::random::Rng;
use portreeve_core::time::Clock;
use tokio::sync::Semaphore;

pub use access_policies::{
    Change, Checked, DryRun, DryRunOf, KnownTool, MOST_CHANGES, MOST_POLICIES, MOST_TESTS, NewPolicy,
    PolicyError, Standing, Switch, TestOutcome,
};
pub use access_requests::{
    AccessRequestPage, AccessRequests, AccessTerms, LONGEST_GRANT, MOST_OPEN_REQUESTS, NewAccessRequest,
    SHORTEST_GRANT, ShownAccessRequest,
};
pub use approvals::{Approvals, HeldCall, HowDecided, MOST_WAITING, ShownApproval};
pub use credential::Unauthenticated;
pub use error::AccessError;
pub use explain::{ConsideredGrant, Explanation};
pub use grants::{MAX_NAMED_TOOLS, NamedGrant, NewGrant, SubjectName};
pub use keys::NewKey;
pub use login::sessions::{SESSION_IDLE, SESSION_LIFE};
pub use login::sign_in::MAX_LINK_LIFE;
pub use login::{
    CodeSetup, LEAST_PASSWORD, LeftBehind, Login, LoginError, LoginParts, LoginSettings, Next,
    PasswordOutcome, Passwords, ProviderFacts, RECOVERY_CODES, Returned, SignedIn, Typed, network,
};
pub use oauth::{
    Allowed, Asked, AuthorizationServer, Begun, Choice, Credential, Destination, Fresh, NewClient, OauthCode,
    OauthError, OauthJob, OauthParts, OauthSettings, Registration, TokenAnswer, TokenRequest, Writing,
    assertion_law, metadata_law, redirect,
};
pub use policies::{MOST_POLICY_BYTES, TextProblem, law as policy_law};
pub use provider::{AdmitRule, ClaimNames, ClientCredential, ProviderError, ProviderSettings, SignOut};
pub use publishing::{
    BadToken, Claim, GithubOidcSettings, GithubSettings, Granted, OidcSettings, ProofError, ProofSettings,
    Publishing, PublishingParts, TOKEN_LIFE,
};
pub use roles::HeldRole;
pub use tokens::{
    GroupRule, IssuedToken, IssuerSettings, Issuers, NewToken, NoSignature, Place, SignatureAlgorithm,
    TOKEN_LIFETIME, TokenParts, TokenTypes,
};
pub use users::{NewUser, PASSWORD_LINK_LIFE};
pub use vault::{Replace, Vault, VaultParts};

use policies::Engine;
use state::State;
use tokens::Tokens;

/// What the room works with.
#[derive(Clone)]
pub struct AccessParts {
    /// Keys, users and grants.
    pub identity: Arc<dyn IdentityStore>,
    /// Access policies.
    pub policies: Arc<dyn AccessPolicyStore>,
    /// Sign-in links and sessions of the portal.
    pub sessions: Arc<dyn SessionStore>,
    /// Where sign-ins are written down; changes carry their audit event into the store themselves.
    pub journal: Arc<dyn Journal>,
    /// What access tokens are made of.
    pub tokens: TokenParts,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where secrets come from.
    pub rng: Arc<dyn Rng>,
}

/// The room. One per process, shared.
pub struct Access {
    parts: AccessParts,
    engine: Engine,
    state: ArcSwap<State>,
    tokens: Tokens,
    /// The newest generation that was loaded; held while loading, so that an older snapshot cannot win.
    loaded: Mutex<i64>,
    /// Whose turn it is to try access policies.
    trials: Arc<Semaphore>,
}

// === impl Access ===

impl Access {
    /// A room in which nobody but Portreeve itself may do anything until a snapshot is loaded.
    pub fn new(parts: AccessParts) -> Self {
        let engine = Engine::new();
        let state = ArcSwap::from_pointee(State::empty(&engine));
        Self {
            tokens: Tokens::new(&parts.tokens),
            parts,
            engine,
            state,
            loaded: Mutex::new(i64::MIN),
            trials: Arc::new(Semaphore::new(1)),
        }
    }

    /// An audit event of this moment.
    fn event(&self, action: &str, caller: &Caller) -> AuditEvent {
        let id = EventId::new(&*self.parts.clock, &*self.parts.rng);
        AuditEvent::new(id, self.parts.clock.now(), action, caller)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access(version {})", self.policy_version())
    }
}
