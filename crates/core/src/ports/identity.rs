//! Keys, users, grants, and how people sign in: links, sessions, attempts at a provider, passwords and codes.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::caller::{ApiKey, User};
use crate::grant::Grant;
use crate::id::{AuthorizationId, GrantId, KeyId, SessionId, UserId};
use crate::name::GroupName;
use crate::time::Timestamp;
use crate::user::{EndedSessions, Session, UserChange};

/// Identities and rights, durable.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// All keys, revoked ones included, oldest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Stores a key. [`StoreError::Conflict`] when a live key has its name.
    async fn add_key(&self, key: &ApiKey, event: AuditEvent) -> Result<(), StoreError>;

    /// Revokes a key at a moment. [`StoreError::NotFound`] when there is no live key with that identity.
    async fn revoke_key(&self, id: KeyId, at: Timestamp, event: AuditEvent) -> Result<(), StoreError>;

    /// All users, oldest first.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// Stores a user unless one with that identity exists; tells whether it was stored. [`StoreError::Conflict`] when
    /// another one has the name, whatever the case of its letters. Whom a provider vouches for gets neither the name of
    /// somebody who was removed nor one that a stored label names: it would come with what that name may. An administrator
    /// who makes a local user gives such a name on purpose.
    async fn ensure_user(&self, user: &User, event: AuditEvent) -> Result<bool, StoreError>;

    /// Changes a user. [`StoreError::NotFound`] when there is none; [`StoreError::Conflict`] when nobody would be left who
    /// manages everything, and there was somebody before.
    async fn change_user(&self, id: UserId, change: &UserChange, event: AuditEvent)
    -> Result<(), StoreError>;

    /// Notes that a user of a provider signed in: what the provider says of the user (name to read, mail, groups) replaces
    /// what it said before. Groups stay by which the user is the last who manages everything; they are told, where the
    /// provider names them no more. [`StoreError::NotFound`] when there is none.
    async fn user_signed_in(&self, user: &User) -> Result<Vec<GroupName>, StoreError>;

    /// Removes a user with the keys that act for it, its grants, sessions and credentials. [`StoreError::NotFound`] when
    /// there is none; [`StoreError::Conflict`] as for a change.
    async fn remove_user(&self, id: UserId, event: AuditEvent) -> Result<(), StoreError>;

    /// All grants, oldest first.
    async fn grants(&self) -> Result<Vec<Grant>, StoreError>;

    /// Stores a grant.
    async fn add_grant(&self, grant: &Grant, event: AuditEvent) -> Result<(), StoreError>;

    /// Removes a grant. [`StoreError::NotFound`] when there is none; [`StoreError::Conflict`] when nobody would be left who
    /// manages everything, and there was somebody before.
    async fn remove_grant(&self, id: GrantId, event: AuditEvent) -> Result<(), StoreError>;

    /// Removes those of the grants that ended at that moment or before, in one change; tells how many. What is recorded is
    /// the events of those alone.
    async fn remove_ended_grants(
        &self,
        ended: Vec<(GrantId, AuditEvent)>,
        by: Timestamp,
    ) -> Result<usize, StoreError>;
}

/// What a one-time link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// It opens a session.
    SignIn,
    /// It sets a password.
    Password,
}

crate::server::as_words!(LinkPurpose { SignIn = "sign-in", Password = "password" });

/// Somebody who was sent to an identity provider and has not come back. Of its secrets there are hashes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInAttempt {
    /// SHA-256 of the `state`, hex.
    pub state_hash: String,
    /// SHA-256 of what the browser keeps in its cookie, hex: whoever comes back must be that browser.
    pub browser_hash: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// Where on our own origin the way goes on.
    pub next: String,
    /// When it is too late to come back.
    pub expires_at: Timestamp,
}

/// What ended with some sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Authorizations of clients that were made in them.
    pub authorizations: Vec<AuthorizationId>,
}

/// Portal sign-in, durable. Every secret is stored as the SHA-256 of itself, hex.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a one-time link.
    async fn add_link(
        &self,
        hash: &str,
        user: UserId,
        purpose: LinkPurpose,
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes a link away and tells whose it was, if it is live and good for that.
    async fn take_link(
        &self,
        hash: &str,
        purpose: LinkPurpose,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;

    /// Stores a session under the hash of its secret.
    async fn add_session(&self, hash: &str, session: &Session) -> Result<(), StoreError>;

    /// The session of a secret, if it is live and was used after `idle_since`.
    async fn session(
        &self,
        hash: &str,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<Session>, StoreError>;

    /// Notes that a session is used.
    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError>;

    /// The live sessions of a user, the newest first.
    async fn sessions_of(
        &self,
        user: UserId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Vec<Session>, StoreError>;

    /// Ends sessions. The authorizations that were made in them are told once, those of sessions that are over included.
    async fn end_sessions(&self, which: &EndedSessions) -> Result<Ended, StoreError>;

    /// Notes that a client was authorized in a session, so that it can end with it.
    async fn note_authorization(
        &self,
        session: &Session,
        authorization: AuthorizationId,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes that a browser is sent to a provider.
    async fn add_attempt(&self, attempt: &SignInAttempt) -> Result<(), StoreError>;

    /// Takes an attempt away, whichever browser comes with it. One that is too old is none.
    async fn take_attempt(
        &self,
        state_hash: &str,
        now: Timestamp,
    ) -> Result<Option<SignInAttempt>, StoreError>;

    /// Deletes links, sessions and attempts that expired, and sessions that were not used after `idle_since`.
    async fn purge_expired(&self, now: Timestamp, idle_since: Timestamp) -> Result<(), StoreError>;
}

/// How a local user proves to be who it is. Passwords are stored as argon2id in PHC form, secrets of codes sealed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// The password, hashed.
    pub password: Option<String>,
    /// The secret of the codes, sealed.
    pub code_secret: Option<String>,
    /// Whether codes are asked for: the user has shown one.
    pub codes_confirmed: bool,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

/// Passwords and codes, durable.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// What a user has.
    async fn credentials(&self, user: UserId) -> Result<Credentials, StoreError>;

    /// Sets the password of a user.
    async fn set_password(&self, user: UserId, hash: &str, event: AuditEvent) -> Result<(), StoreError>;

    /// Takes the password and the codes of a user away.
    async fn remove_credentials(&self, user: UserId, event: AuditEvent) -> Result<(), StoreError>;

    /// Keeps the secret of codes that the user has not shown yet. One that is confirmed stays: then nothing is done, and
    /// the answer is no.
    async fn offer_codes(&self, user: UserId, sealed: &str) -> Result<bool, StoreError>;

    /// From now on codes are asked for. The recovery codes are hashes.
    async fn confirm_codes(
        &self,
        user: UserId,
        step: i64,
        recovery: &[String],
        event: AuditEvent,
    ) -> Result<(), StoreError>;

    /// Codes are not asked for any more.
    async fn remove_codes(&self, user: UserId, event: AuditEvent) -> Result<(), StoreError>;

    /// Uses the code of a step. A step is used once, and none before one that was used: the answer is whether it was free.
    async fn use_step(&self, user: UserId, step: i64) -> Result<bool, StoreError>;

    /// Uses a recovery code, by its hash; tells whether there was such a one.
    async fn use_recovery_code(&self, user: UserId, hash: &str) -> Result<bool, StoreError>;
}
