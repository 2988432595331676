//! A room on a store in memory, with a clock and randomness that the tests decide.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portreeve_access::{Access, AccessParts, NewGrant, NewKey, TokenParts};
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::{ApiKey, Caller, User};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{AuthorizationId, GrantId, KeyId, SessionId, UserId};
use portreeve_core::name::GroupName;
use portreeve_core::ports::{
    Credentials, IdentityStore, Journal, JournalError, LinkPurpose, News, SignInAttempt, Snapshot,
    StoreError, TokenStore,
};
use portreeve_core::random::Rng;
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::time::{Clock, Timestamp};
use portreeve_core::token::{EndedAuthorization, SigningKey};
use portreeve_core::user::{Session, UserChange};

/// 2026-11-23T12:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_435_200_000);

/// Who issues tokens here.
pub(crate) const ISSUER: &str = "https://portreeve.example";

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn pass(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Never the same twice, and the same in every run.
#[derive(Debug, Default)]
pub(crate) struct TestRng(AtomicU64);

impl Rng for TestRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            let mixed = number
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .to_be_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
    }
}

/// What a user signs in with.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) shown: Credentials,
    pub(crate) step: i64,
    pub(crate) recovery: Vec<String>,
}

/// Identities, sessions and the journal.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) keys: Mutex<Vec<ApiKey>>,
    pub(crate) users: Mutex<Vec<User>>,
    pub(crate) grants: Mutex<Vec<Grant>>,
    pub(crate) policies: Mutex<Vec<AccessPolicy>>,
    pub(crate) events: Mutex<Vec<AuditEvent>>,
    pub(crate) links: Mutex<HashMap<String, (UserId, LinkPurpose, Timestamp)>>,
    pub(crate) sessions: Mutex<HashMap<String, Session>>,
    pub(crate) authorizations: Mutex<Vec<(SessionId, AuthorizationId)>>,
    pub(crate) attempts: Mutex<HashMap<String, SignInAttempt>>,
    pub(crate) credentials: Mutex<HashMap<UserId, Kept>>,
    pub(crate) signing_keys: Mutex<Vec<SigningKey>>,
    pub(crate) ended: Mutex<Vec<EndedAuthorization>>,
    pub(crate) fail_next_grant: AtomicBool,
    pub(crate) journal_is_full: AtomicBool,
}

impl Memory {
    pub(crate) fn note(&self, event: AuditEvent) {
        self.events.lock().unwrap().push(event);
    }
}

pub(crate) fn not_found(what: &str) -> StoreError {
    StoreError::NotFound {
        what: what.to_owned(),
    }
}

#[async_trait]
impl IdentityStore for Memory {
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.keys.lock().unwrap().clone())
    }

    async fn add_key(&self, key: &ApiKey, event: AuditEvent) -> Result<(), StoreError> {
        let mut keys = self.keys.lock().unwrap();
        if keys
            .iter()
            .any(|other| other.name == key.name && other.is_live(event.at))
        {
            return Err(StoreError::Conflict {
                what: format!("key `{}`", key.name),
            });
        }
        keys.push(key.clone());
        self.note(event);
        Ok(())
    }

    async fn revoke_key(&self, id: KeyId, at: Timestamp, event: AuditEvent) -> Result<(), StoreError> {
        let mut keys = self.keys.lock().unwrap();
        let key = keys
            .iter_mut()
            .find(|key| key.id == id && key.revoked_at.is_none());
        key.ok_or_else(|| not_found("key"))?.revoked_at = Some(at);
        self.note(event);
        Ok(())
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.users.lock().unwrap().clone())
    }

    async fn ensure_user(&self, user: &User, event: AuditEvent) -> Result<bool, StoreError> {
        let mut users = self.users.lock().unwrap();
        if users.iter().any(|other| other.id == user.id) {
            return Ok(false);
        }
        users.push(user.clone());
        self.note(event);
        Ok(true)
    }

    async fn change_user(
        &self,
        id: UserId,
        change: &UserChange,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut users = self.users.lock().unwrap();
        let user = users.iter_mut().find(|user| user.id == id);
        let user = user.ok_or_else(|| not_found("user"))?;
        match change {
            UserChange::Groups(groups) => user.groups = groups.clone(),
            UserChange::Disabled(at) => user.disabled_at = Some(*at),
            UserChange::Enabled => user.disabled_at = None,
        }
        self.note(event);
        Ok(())
    }

    async fn user_signed_in(&self, said: &User) -> Result<Vec<GroupName>, StoreError> {
        let mut users = self.users.lock().unwrap();
        let user = users.iter_mut().find(|user| user.id == said.id);
        let user = user.ok_or_else(|| not_found("user"))?;
        *user = User {
            name: user.name.clone(),
            groups: user.groups.clone(),
            created_at: user.created_at,
            disabled_at: user.disabled_at,
            ..said.clone()
        };
        Ok(Vec::new())
    }

    async fn remove_user(&self, id: UserId, event: AuditEvent) -> Result<(), StoreError> {
        let mut users = self.users.lock().unwrap();
        let place = users.iter().position(|user| user.id == id);
        users.remove(place.ok_or_else(|| not_found("user"))?);
        self.note(event);
        Ok(())
    }

    async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        Ok(self.grants.lock().unwrap().clone())
    }

    async fn add_grant(&self, grant: &Grant, event: AuditEvent) -> Result<(), StoreError> {
        if self.fail_next_grant.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable("a test said so".into()));
        }
        self.grants.lock().unwrap().push(grant.clone());
        self.note(event);
        Ok(())
    }

    async fn remove_grant(&self, id: GrantId, event: AuditEvent) -> Result<(), StoreError> {
        let mut grants = self.grants.lock().unwrap();
        let place = grants.iter().position(|grant| grant.id == id);
        grants.remove(place.ok_or_else(|| not_found("grant"))?);
        self.note(event);
        Ok(())
    }

    async fn remove_ended_grants(
        &self,
        ended: Vec<(GrantId, AuditEvent)>,
        by: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut grants = self.grants.lock().unwrap();
        let before = grants.len();
        for (id, event) in ended {
            let place = grants
                .iter()
                .position(|grant| grant.id == id && !grant.is_live(by));
            if let Some(place) = place {
                grants.remove(place);
                self.note(event);
            }
        }
        Ok(before - grants.len())
    }
}

#[async_trait]
impl TokenStore for Memory {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        Ok(self.signing_keys.lock().unwrap().clone())
    }

    async fn add_signing_key(
        &self,
        key: &SigningKey,
        keep_from: i64,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut keys = self.signing_keys.lock().unwrap();
        if keys.iter().any(|other| other.number == key.number) {
            return Ok(false);
        }
        keys.push(key.clone());
        keys.retain(|key| key.number >= keep_from);
        self.note(event);
        Ok(true)
    }

    async fn end_authorization(&self, ended: EndedAuthorization, now: Timestamp) -> Result<(), StoreError> {
        let mut all = self.ended.lock().unwrap();
        all.retain(|other| other.until > now && other.id != ended.id);
        all.push(ended);
        Ok(())
    }
}

impl Journal for Memory {
    fn append(&self, event: &AuditEvent) -> Result<(), JournalError> {
        if self.journal_is_full.load(Ordering::SeqCst) {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull).into());
        }
        self.note(event.clone());
        Ok(())
    }
}

/// The room and what it stands on.
pub(crate) struct House {
    pub(crate) access: Arc<Access>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) clock: Arc<TestClock>,
    generation: AtomicI64,
}

impl House {
    /// Without anything in it.
    pub(crate) fn empty() -> Self {
        let memory = Arc::new(Memory::default());
        let clock = Arc::new(TestClock(AtomicI64::new(START.as_millis())));
        let access = Self::node(&memory, &clock, 0);
        let generation = AtomicI64::new(0);
        Self {
            access: Arc::new(access),
            memory,
            clock,
            generation,
        }
    }

    /// Another node on the same store.
    pub(crate) fn another_node(&self) -> Access {
        Self::node(&self.memory, &self.clock, 1 << 32)
    }

    fn node(memory: &Arc<Memory>, clock: &Arc<TestClock>, seed: u64) -> Access {
        Access::new(AccessParts {
            identity: Arc::clone(memory) as _,
            policies: Arc::clone(memory) as _,
            sessions: Arc::clone(memory) as _,
            journal: Arc::clone(memory) as _,
            tokens: TokenParts {
                store: Arc::clone(memory) as _,
                sealing_key: SecretKey::new([3; 32]),
                issuer: ISSUER.to_owned(),
                issuers: portreeve_access::Issuers::default(),
                lifetime: portreeve_access::TOKEN_LIFETIME,
            },
            clock: Arc::clone(clock) as _,
            rng: Arc::new(TestRng(AtomicU64::new(seed))),
        })
    }

    /// After its first start, without the events of that.
    pub(crate) async fn started() -> Self {
        let house = Self::empty();
        house.access.first_start().await.unwrap();
        house.refresh();
        house.memory.events.lock().unwrap().clear();
        house
    }

    /// What the catalogue's watcher does after a change.
    pub(crate) fn refresh(&self) {
        let snapshot = self.snapshot();
        self.access.load(&snapshot);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut keys = self.memory.keys.lock().unwrap().clone();
        keys.retain(|key| key.revoked_at.is_none());
        Snapshot {
            generation: self.generation.fetch_add(1, Ordering::SeqCst),
            routes: News::All(Vec::new()),
            keys,
            users: self.memory.users.lock().unwrap().clone(),
            grants: self.memory.grants.lock().unwrap().clone(),
            policies: self.memory.policies.lock().unwrap().clone(),
            registries: Vec::new(),
            owned: Vec::new(),
            signing_keys: self.memory.signing_keys.lock().unwrap().clone(),
            ended: self.memory.ended.lock().unwrap().clone(),
            revoked: Vec::new(),
        }
    }

    /// The local administrator.
    pub(crate) fn admin(&self) -> Caller {
        self.access.known_as("user:admin").unwrap()
    }

    /// A key in force: for a user, or for itself.
    pub(crate) async fn key(&self, name: &str, owner: Option<UserId>) -> (ApiKey, Secret) {
        let new = NewKey {
            groups: Vec::new(),
            name: name.to_owned(),
            owner,
            expires_at: None,
        };
        let made = self.access.create_key(&self.admin(), new).await.unwrap();
        self.refresh();
        made
    }

    /// A grant of use in force.
    pub(crate) async fn may_use(&self, subject: Subject, servers: ServerScope, tools: ToolScope) -> Grant {
        let new = NewGrant {
            subject,
            rights: Rights::Use,
            servers,
            tools,
            expires_at: None,
        };
        let grant = self.access.add_grant(&self.admin(), new).await.unwrap();
        self.refresh();
        grant
    }

    /// Actor, action and target of every event since the last look.
    pub(crate) fn events(&self) -> Vec<String> {
        let events: Vec<_> = self.memory.events.lock().unwrap().drain(..).collect();
        events
            .iter()
            .map(|event| {
                let target = event.target.as_deref().unwrap_or("-");
                format!("{} {} {target}", event.actor, event.action)
            })
            .collect()
    }
}
