//! What every adapter of the durable ports must do, whatever engine is below it. Each function takes an empty store
//! and fails by panicking; `crates/store/tests/it` runs all of them on SQLite and on PostgreSQL.

pub mod access_policies;
pub mod access_requests;
pub mod approvals;
pub mod assessments;
pub mod catalogue;
pub mod deployments;
pub mod entries;
pub mod environments;
pub mod feed;
pub mod host_sessions;
pub mod icons;
pub mod identity;
pub mod imports;
pub mod listing;
pub mod members;
pub mod moved;
pub mod oauth;
pub mod partners;
pub mod properties;
pub mod publications;
pub mod routes;
pub mod served;
pub mod sessions;
pub mod slugs;
pub mod tokens;
pub mod tools;
pub mod toolsets;
pub mod usage;
pub mod vault;
pub mod views;
pub mod waiting;
pub mod webhooks;

use portreeve_core::ports::{
    AccessPolicyStore, AccessRequestStore, ApprovalStore, AssessmentStore, AuthorizationStore,
    AuthorizationSweep, Catalogue, ClientStore, CredentialStore, DeploymentStore, EntryFeed, EntryStore,
    EnvironmentStore, GivenNames, HostSessionStore, IconStore, IdentityStore, ImportStore, LoginStore,
    Outbox, PartnerStore, PropertyStore, RouteStore, SecretStore, ServedStore, SessionStore, StoreError,
    StoreHealth, TokenStore, ToolsetStore, UsageStore, ViewStore, WaitingStore, WebhookStore,
};

/// A store as a whole.
pub trait Durable:
    EntryStore
    + ServedStore
    + PropertyStore
    + EnvironmentStore
    + DeploymentStore
    + ViewStore
    + WaitingStore
    + EntryFeed
    + ImportStore
    + RouteStore
    + IdentityStore
    + AccessPolicyStore
    + SessionStore
    + CredentialStore
    + TokenStore
    + HostSessionStore
    + Catalogue
    + UsageStore
    + SecretStore
    + AccessRequestStore
    + ApprovalStore
    + AssessmentStore
    + ToolsetStore
    + WebhookStore
    + Outbox
    + LoginStore
    + IconStore
    + GivenNames
    + PartnerStore
    + ClientStore
    + AuthorizationStore
    + AuthorizationSweep
    + StoreHealth
{
}

impl<T> Durable for T where
    T: EntryStore
        + ServedStore
        + PropertyStore
        + EnvironmentStore
        + DeploymentStore
        + ViewStore
        + WaitingStore
        + EntryFeed
        + ImportStore
        + RouteStore
        + IdentityStore
        + AccessPolicyStore
        + SessionStore
        + CredentialStore
        + CredentialStore
        + TokenStore
        + HostSessionStore
        + Catalogue
        + UsageStore
        + SecretStore
        + AccessRequestStore
        + ApprovalStore
        + AssessmentStore
        + ToolsetStore
        + WebhookStore
        + Outbox
        + LoginStore
        + IconStore
        + GivenNames
        + PartnerStore
        + ClientStore
        + AuthorizationStore
        + AuthorizationSweep
        + StoreHealth
{
}

/// What a contract ends with: an unexpected failure of the store is a failure of the test.
pub type Outcome = Result<(), StoreError>;

/// Asserts a conflict.
///
/// # Panics
/// When it is something else.
pub fn assert_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Conflict { .. })),
        "expected a conflict: {result:?}"
    );
}

/// Asserts that something is not there.
///
/// # Panics
/// When it is something else.
pub fn assert_not_found<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::NotFound { .. })),
        "expected that it does not exist: {result:?}"
    );
}
