//! The ports: what one room needs of another that it may not depend on. Adapters are chosen in `wire.rs`.

mod access_policies;
mod access_requests;
mod approvals;
mod assessments;
mod audit;
mod authorizer;
mod catalogue;
mod deployments;
mod entries;
mod environments;
mod feed;
mod governance;
mod host_sessions;
mod icons;
mod identity;
mod imports;
mod local;
mod logins;
mod members;
mod oauth;
mod partners;
mod pins;
mod properties;
mod publication;
mod resources;
mod routes;
mod served;
mod shared;
mod tokens;
mod toolsets;
mod usage;
mod vault;
mod views;
mod waiting;
mod webhooks;

pub use access_policies::AccessPolicyStore;
pub use access_requests::{AccessRequestStore, SeenServers};
pub use approvals::ApprovalStore;
pub use assessments::{AssessmentStore, Imported, Sought, StoredAssessment, Unassessed};
pub use audit::{AuditLog, AuditQuery, CheckpointSigner, Journal, JournalError};
pub use authorizer::Authorizer;
pub use catalogue::{Catalogue, News, Owned, Refresh, RouteSnapshot, Snapshot};
pub use deployments::{DeployedServer, DeploymentPlace, DeploymentQuery, DeploymentStore};
pub use entries::{Entry, EntryChange, EntryStore, ListedVersion, VersionFilter, VersionQuery};
pub use environments::EnvironmentStore;
pub use feed::{EntryFeed, FeedPosition, Searchable};
pub use governance::GovernanceStore;
pub use host_sessions::HostSessionStore;
pub use icons::{IconDue, IconLook, IconStore, IconsDue};
pub use identity::{
    CredentialStore, Credentials, Ended, IdentityStore, LinkPurpose, SessionStore, SignInAttempt,
};
pub use imports::{ImportBatch, ImportStore};
pub use local::{Door, Listing, LocalOutcome, LocalRegistries, LocalServer, LocalTool, LocalTools};
pub use logins::LoginStore;
pub use members::GivenNames;
pub use oauth::{Approval, AuthorizationStore, AuthorizationSweep, ClientStore};
pub use partners::{PartnerState, PartnerStore};
pub use pins::PinWatch;
pub use properties::{PropertyStore, ServerValues, VersionValues};
pub use publication::{Publication, Published};
pub use resources::Resources;
pub use routes::{RouteChange, RouteStore, ToolDecision, ToolsApproved, ToolsSeen};
pub use served::{
    ServedCut, ServedEntry, ServedItems, ServedOrder, ServedQuery, ServedRoute, ServedStore, ServedVersion,
};
pub use shared::{Cache, Counters, Lease, Locks, RateDecision, RateLimit, Signals, StateError, Subscription};
pub use tokens::TokenStore;
pub use toolsets::{Toolset, ToolsetStore};
pub use usage::{UsageSink, UsageStore};
pub use vault::{Outgoing, Purpose, Removal, SecretChange, SecretStore, SecretUnavailable};
pub use views::{ViewStore, Views};
pub use waiting::{Waiting, WaitingCounts, WaitingKind, WaitingPlace, WaitingQuery, WaitingStore};
pub use webhooks::{Attempt, Due, Outbox, OutboxCounts, WebhookStore};

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the thing first, or it exists already.
    #[error("{what} was changed or exists already")]
    Conflict {
        /// The thing, as words: "server `com.acme/billing`".
        what: String,
    },
    /// There is no such thing.
    #[error("{what} does not exist")]
    NotFound {
        /// The thing, as words.
        what: String,
    },
    /// The database cannot be reached or refuses to work; trying again may help.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database holds something that this version cannot read.
    #[error("the store holds {what} that cannot be read")]
    Corrupt {
        /// What, as words.
        what: String,
    },
}

/// What the durable store says about itself, for `doctor` and readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// `sqlite` or `postgres`.
    pub engine: &'static str,
    /// Migrations known to this binary that the database lacks.
    pub pending_migrations: Vec<String>,
    /// Migrations in the database that this binary does not know: a newer Portreeve wrote it.
    pub unknown_migrations: Vec<String>,
}

/// A look at the durable store.
#[async_trait::async_trait]
pub trait StoreHealth: Send + Sync {
    /// Reads and writes once, and compares the migrations.
    async fn check(&self) -> Result<StoreStatus, StoreError>;
}
