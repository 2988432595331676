//! Publishers: they prove that a namespace is theirs, and get a token that carries what they may.
//!
//! Before: a face read a claim. After: the token is the credential of everything that writes over the registry API,
//! for five minutes. Each kind of proof is a file and a [`Method`]; none is there unless the configuration file
//! switches it on.

mod challenge;
mod dns;
mod error;
mod github;
mod github_oidc;
mod http;
mod keys;
mod none;
mod oidc;
mod settings;
mod ticket;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::EventId;
use portreeve_core::limits::Limits;
use portreeve_core::ports::{Counters, Journal, Locks, RateLimit};
use portreeve_core::publishing::{Permission, Publisher};
use portreeve_core::random::Rng;
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::time::{Clock, Timestamp};
use portreeve_net::{Egress, TxtLookup};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

pub use error::ProofError;
pub use settings::{GithubOidcSettings, GithubSettings, OidcSettings, ProofSettings};
pub use ticket::BadToken;

use challenge::Challenges;
use ticket::Tickets;

/// How long a registry token lives.
pub const TOKEN_LIFE: Duration = Duration::from_secs(5 * 60);

/// What the room for publishers works with.
#[derive(Clone)]
pub struct PublishingParts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For the identities of audit events.
    pub rng: Arc<dyn Rng>,
    /// Remembers which signatures were used, on all nodes.
    pub locks: Arc<dyn Locks>,
    /// Counts proofs.
    pub counters: Arc<dyn Counters>,
    /// Where proofs are written down.
    pub journal: Arc<dyn Journal>,
    /// The way to well-known files, issuers and GitHub.
    pub egress: Egress,
    /// The way to the DNS.
    pub texts: Arc<dyn TxtLookup>,
    /// Limits on what comes from outside.
    pub limits: Arc<Limits>,
    /// Signs tokens.
    pub signing_key: SecretKey,
    /// Who issues the tokens: the public origin.
    pub issuer: String,
    /// Which proofs are taken.
    pub settings: ProofSettings,
}

/// What a publisher claims. Which fields there are depends on the method.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// The domain, for `dns` and `http`.
    pub domain: Option<String>,
    /// The moment of the claim, RFC 3339.
    pub timestamp: Option<String>,
    /// The signature over that text, hex.
    pub signed_timestamp: Option<String>,
    /// A GitHub access token, for `github-at`.
    pub github_token: Option<Secret>,
    /// An ID token, for `github-oidc` and `oidc`.
    pub oidc_token: Option<Secret>,
}

/// A token that was granted.
#[derive(Debug)]
pub struct Granted {
    /// The token: the credential of what follows.
    pub token: Secret,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A kind of proof.
#[async_trait]
trait Method: Send + Sync {
    /// The last part of its path: `dns`.
    fn name(&self) -> &'static str;

    /// Looks into a claim.
    async fn prove(&self, claim: &Claim) -> Result<Proven, ProofError>;
}

/// What a proof shows.
#[derive(Debug, PartialEq, Eq)]
struct Proven {
    /// Under which label the publisher is known: `dns:acme.example`.
    label: String,
    /// What he may do.
    permissions: Vec<Permission>,
}

/// The room for publishers. One per process, shared.
pub struct Publishing {
    parts: PublishingParts,
    tickets: Tickets,
    desks: Vec<Desk>,
}

/// A method, and how many claims it looks into at once: one that waits for slow hosts must not hold up the others.
struct Desk {
    method: Box<dyn Method>,
    places: Semaphore,
}

/// Every method that there is, whether it is switched on or not.
const NAMES: [&str; 6] = ["none", "dns", "http", "github-at", "github-oidc", "oidc"];

// === impl Publishing ===

impl Publishing {
    /// A room that takes the proofs of its settings.
    pub fn new(parts: PublishingParts) -> Self {
        let tickets = Tickets::new(&parts.signing_key, parts.issuer.clone());
        let desks = methods(&parts)
            .into_iter()
            .map(|method| Desk {
                method,
                places: Semaphore::new(parts.limits.proofs_at_once),
            })
            .collect();
        Self {
            parts,
            tickets,
            desks,
        }
    }

    /// The OAuth client with which publishers sign in to GitHub.
    pub fn github_client_id(&self) -> Option<&str> {
        self.parts.settings.github.as_ref()?.client_id.as_deref()
    }

    /// Looks into a claim, and grants a token for what it shows. Whatever cannot be looked into shows nothing.
    pub async fn prove(&self, method: &str, claim: &Claim) -> Result<Granted, ProofError> {
        let Some(name) = NAMES.into_iter().find(|name| *name == method) else {
            return Err(ProofError::unknown(method));
        };
        let Some(desk) = self.desks.iter().find(|desk| desk.method.name() == name) else {
            return Err(ProofError::SwitchedOff { method: name });
        };
        let _place = desk.places.try_acquire().map_err(|_| ProofError::Busy)?;
        let looked = tokio::time::timeout(self.parts.limits.proof, desk.method.prove(claim)).await;
        let proven = looked.map_err(|_| ProofError::Unreachable {
            what: format!("the proof by `{name}` did not arrive in time"),
        })??;
        self.count(name, &proven).await?;
        self.grant(name, proven)
    }

    /// Each proof is an event that nobody can take away, so there is a rate. Only who proved a label uses it up: nobody can
    /// keep somebody else from signing in.
    async fn count(&self, method: &'static str, proven: &Proven) -> Result<(), ProofError> {
        if method == none::NAME {
            return Ok(());
        }
        let rate = RateLimit {
            interval: self.parts.limits.sign_in_interval,
            burst: self.parts.limits.sign_ins_per_publisher,
        };
        let key = format!("registry_sign_in/{}", proven.label);
        let decision = self.parts.counters.take(&key, rate, 1).await?;
        if decision.allowed {
            return Ok(());
        }
        Err(ProofError::TooOften {
            publisher: proven.label.clone(),
            wait: decision.retry_after,
        })
    }

    fn grant(&self, method: &'static str, proven: Proven) -> Result<Granted, ProofError> {
        let now = self.parts.clock.now();
        let expires_at = now.plus(TOKEN_LIFE);
        let publisher = Publisher::proven(&proven.label, proven.permissions);
        // Where nobody proves anything, there is nothing to write down, and no end to it.
        if method != none::NAME {
            let id = EventId::new(&*self.parts.clock, &*self.parts.rng);
            let mut event = AuditEvent::new(id, now, "registry.sign-in", &publisher.caller);
            event.detail = Some(json!({ "method": method, "permissions": publisher.permissions }));
            self.parts.journal.append(&event)?;
        }
        let token = self.tickets.issue(&publisher, now, expires_at);
        Ok(Granted { token, expires_at })
    }

    /// Whose token this is. Reads only memory.
    pub fn authenticate(&self, token: &str) -> Result<Publisher, BadToken> {
        self.tickets.read(token, self.parts.clock.now())
    }
}

fn methods(parts: &PublishingParts) -> Vec<Box<dyn Method>> {
    let settings = &parts.settings;
    let challenges = Challenges {
        clock: Arc::clone(&parts.clock),
        locks: Arc::clone(&parts.locks),
    };
    let mut methods: Vec<Box<dyn Method>> = Vec::new();
    if settings.none {
        methods.push(Box::new(none::Nothing));
    }
    if settings.dns {
        methods.push(Box::new(dns::Dns {
            challenges: challenges.clone(),
            texts: Arc::clone(&parts.texts),
        }));
    }
    if settings.http {
        methods.push(Box::new(http::WellKnown {
            challenges,
            egress: parts.egress.clone(),
            limits: Arc::clone(&parts.limits),
        }));
    }
    if let Some(github) = &settings.github {
        methods.push(Box::new(github::Github::new(github.clone(), parts)));
    }
    if let Some(github) = &settings.github_oidc {
        methods.push(Box::new(github_oidc::Workflow::new(github, parts)));
    }
    if let Some(oidc) = &settings.oidc {
        methods.push(Box::new(oidc::Oidc::new(oidc.clone(), parts)));
    }
    methods
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.desks.iter().map(|desk| desk.method.name()).collect();
        write!(f, "Publishing({})", names.join(", "))
    }
}
