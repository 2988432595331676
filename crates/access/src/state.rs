//! The state that decisions read: immutable, built from a snapshot, replaced as a whole.
//!
//! Before: the watcher of the catalogue reads a snapshot. After: `credential` and `authorize` read the state.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use arc_swap::Guard;
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::caller::{ApiKey, Caller, Principal, User};
use portreeve_core::decision::Decision;
use portreeve_core::grant::{Grant, Subject};
use portreeve_core::id::{KeyId, UserId};
use portreeve_core::name::{GroupName, ServerName};
use portreeve_core::oauth::TokenGrant;
use portreeve_core::ports::{Owned, Snapshot};
use portreeve_core::time::Timestamp;
use portreeve_core::view::RegistryRecord;
use quick_cache::sync::Cache;

use crate::Access;
use crate::authorize::{Inquiry, Kept, Question};
use crate::facts::Facts;
use crate::policies::{Engine, Rulebook, Slice};

/// Decisions kept at once: a few hundred callers times a few hundred tools.
const CACHED_DECISIONS: usize = 65_536;

/// Everything about callers and their rights.
pub(crate) struct State {
    /// Counts the states that differed from the one before.
    pub(crate) version: u64,
    keys: Arc<HashMap<KeyId, LiveKey>>,
    users: Arc<HashMap<UserId, Caller>>,
    /// Every user who is stored, whether let in or not.
    known: Arc<HashSet<UserId>>,
    rights: HashMap<Holder, Arc<Rights>>,
    /// What is known of servers and registries.
    pub(crate) facts: Arc<Facts>,
    /// Decisions made with this state. They end with it, so none can outlive the policies it was made of.
    pub(crate) decisions: Cache<Question, Arc<Decision>>,
    /// The access policies in force.
    pub(crate) rulebook: Rulebook,
    /// Answers in which access policies had their say, each about one caller.
    pub(crate) answers: Cache<Inquiry, Kept>,
    /// When it was built: grants that had ended by then are not part of it.
    built_at: Timestamp,
    /// When the first of its grants ends, and another state has to follow.
    ends_at: Option<Timestamp>,
    source: Arc<Source>,
}

/// A key that is not revoked.
pub(crate) struct LiveKey {
    pub(crate) secret_hash: [u8; 32],
    expires_at: Option<Timestamp>,
    /// Whom it stands for.
    pub(crate) caller: Caller,
}

/// Who holds grants: a principal, or everybody in a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// One of them alone.
    Principal(Principal),
    /// Whoever belongs to it.
    Group(GroupName),
}

/// One holder's grants and what they compiled to.
#[derive(Default)]
pub(crate) struct Rights {
    pub(crate) grants: Vec<Grant>,
    pub(crate) slice: Slice,
}

/// What the state was built from.
#[derive(Clone, PartialEq, Default)]
struct Source {
    keys: Vec<ApiKey>,
    users: Vec<User>,
    grants: Vec<Grant>,
    policies: Vec<AccessPolicy>,
    owned: Vec<Owned>,
    registries: Vec<RegistryRecord>,
}

// === impl Access ===

impl Access {
    /// Replaces keys, users and grants. A snapshot older than the one in force is left aside, and one that says the
    /// same changes nothing.
    pub fn load(&self, snapshot: &Snapshot) {
        let mut newest = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if snapshot.generation < *newest {
            return;
        }
        *newest = snapshot.generation;
        self.tokens.load(snapshot);
        let current = self.state.load();
        let source = Source {
            keys: snapshot.keys.clone(),
            users: snapshot.users.iter().map(deciding).collect(),
            grants: snapshot.grants.clone(),
            policies: snapshot.policies.clone(),
            owned: snapshot.owned.clone(),
            registries: snapshot.registries.clone(),
        };
        if source != *current.source {
            let next = State::build(&self.engine, source, (&**current, self.parts.clock.now()));
            self.state.store(Arc::new(next));
        }
    }

    /// The state that holds at `now`. Grants end on their own: whoever decides first after that builds the state without
    /// them, and nobody is let in for as long as a job takes to come round.
    pub(crate) fn current(&self, now: Timestamp) -> Guard<Arc<State>> {
        let state = self.state.load();
        if !state.is_over(now) {
            return state;
        }
        let _one_at_a_time = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state.load();
        if state.is_over(now) {
            let next = state.without_ended(&self.engine, now);
            self.state.store(Arc::new(next));
        }
        self.state.load()
    }

    /// Grants that have ended and are still stored.
    pub(crate) fn ended_grants(&self, now: Timestamp) -> Vec<Grant> {
        let state = self.state.load();
        let grants = state.source.grants.iter();
        grants.filter(|grant| !grant.is_live(now)).cloned().collect()
    }
}

// === impl State ===

impl State {
    /// Nobody but Portreeve itself.
    pub(crate) fn empty(engine: &Engine) -> Self {
        let system = Rights {
            grants: Vec::new(),
            slice: engine.compile_system(),
        };
        Self {
            version: 0,
            keys: Arc::default(),
            users: Arc::default(),
            known: Arc::default(),
            rights: HashMap::from([(Holder::Principal(Principal::System), Arc::new(system))]),
            facts: Arc::default(),
            decisions: Cache::new(CACHED_DECISIONS),
            rulebook: Rulebook::default(),
            answers: Cache::new(0),
            built_at: Timestamp::from_millis(0),
            ends_at: None,
            source: Arc::default(),
        }
    }

    fn build(engine: &Engine, source: Source, (former, now): (&Self, Timestamp)) -> Self {
        let users: HashMap<UserId, Caller> = source.users.iter().filter_map(user_caller).collect();
        let keys: HashMap<KeyId, LiveKey> = source
            .keys
            .iter()
            .filter(|key| key.revoked_at.is_none())
            .filter_map(|key| LiveKey::new(key, &users).map(|live| (key.id, live)))
            .collect();
        Self {
            version: former.version + 1,
            keys: Arc::new(keys),
            users: Arc::new(users),
            known: Arc::new(source.users.iter().map(|user| user.id).collect()),
            answers: Cache::new(source.answers_kept()),
            rulebook: Rulebook::new(engine, &source.policies, &former.rulebook),
            rights: rights(engine, (&source.grants, now), former),
            built_at: now,
            ends_at: source.first_end(now),
            facts: Arc::new(Facts::new(&source.owned, &source.registries)),
            decisions: Cache::new(CACHED_DECISIONS),
            source: Arc::new(source),
        }
    }

    /// The same without the grants that have ended by now. Everybody who decides waits for it, so only what they were a
    /// part of is made anew.
    fn without_ended(&self, engine: &Engine, now: Timestamp) -> Self {
        let remaining = |(holder, rights): (&Holder, &Arc<Rights>)| {
            if rights.grants.iter().all(|grant| grant.is_live(now)) {
                return Some((holder.clone(), Arc::clone(rights)));
            }
            let live = rights.grants.iter().filter(|grant| grant.is_live(now));
            let grants: Vec<Grant> = live.cloned().collect();
            let slice = (!grants.is_empty()).then(|| engine.compile(holder, &grants))?;
            Some((holder.clone(), Arc::new(Rights { grants, slice })))
        };
        Self {
            version: self.version + 1,
            keys: Arc::clone(&self.keys),
            users: Arc::clone(&self.users),
            known: Arc::clone(&self.known),
            rights: self.rights.iter().filter_map(remaining).collect(),
            facts: Arc::clone(&self.facts),
            decisions: Cache::new(CACHED_DECISIONS),
            rulebook: Rulebook::new(engine, &self.source.policies, &self.rulebook),
            answers: Cache::new(self.source.answers_kept()),
            built_at: now,
            ends_at: self.source.first_end(now),
            source: Arc::clone(&self.source),
        }
    }

    /// Whether a grant of it has ended.
    fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }

    /// A key that is not revoked; it may have expired.
    pub(crate) fn key(&self, id: KeyId) -> Option<&LiveKey> {
        self.keys.get(&id)
    }

    /// A user, as a caller without a key.
    pub(crate) fn user(&self, id: UserId) -> Option<&Caller> {
        self.users.get(&id)
    }

    /// Whether a user is stored.
    pub(crate) fn knows(&self, id: UserId) -> bool {
        self.known.contains(&id)
    }

    /// The rights of a holder who has any.
    pub(crate) fn rights(&self, holder: &Holder) -> Option<&Arc<Rights>> {
        self.rights.get(holder)
    }

    /// Who holds grants that are the caller's, too: the principal first, then each group.
    pub(crate) fn holders<'a>(
        &'a self,
        caller: &'a Caller,
    ) -> impl Iterator<Item = (Holder, &'a Arc<Rights>)> {
        let own = std::iter::once(Holder::Principal(caller.principal));
        let groups = caller.groups.iter().cloned().map(Holder::Group);
        own.chain(groups)
            .filter_map(|holder| self.rights.get(&holder).map(|rights| (holder, rights)))
    }

    /// The first of the caller's groups that owns the server.
    pub(crate) fn owning_group<'a>(&self, caller: &'a Caller, server: &ServerName) -> Option<&'a GroupName> {
        if caller.groups.is_empty() {
            return None;
        }
        let owners = self.facts.owners(server);
        caller.groups.iter().find(|group| owners.contains(group))
    }

    /// Whether the caller could still be authenticated. A caller may outlive its key in a stream or a session; its
    /// rights may not.
    pub(crate) fn is_live(&self, caller: &Caller, now: Timestamp) -> bool {
        let key_holds = |id| {
            self.key(id)
                .is_some_and(|key| key.is_live(now) && key.caller.principal == caller.principal)
        };
        match (caller.principal, caller.key) {
            (Principal::Anonymous | Principal::Publisher, _) => false,
            (Principal::System | Principal::Client(_), key) => key.is_none(),
            (Principal::Key(id), key) => key == Some(id) && key_holds(id),
            (Principal::User(id), None) => self.users.contains_key(&id) || self.is_vouched_for(caller, id),
            (Principal::User(id), Some(key)) => self.users.contains_key(&id) && key_holds(key),
        }
    }

    /// Whether another issuer vouches for somebody of whom nothing is stored here. No token of ours does.
    fn is_vouched_for(&self, caller: &Caller, id: UserId) -> bool {
        let is_of_another = |token: &Arc<TokenGrant>| token.authorization.is_none();
        caller.token.as_ref().is_some_and(is_of_another) && !self.knows(id)
    }

    /// The same as if these were the access policies.
    pub(crate) fn with_policies(&self, engine: &Engine, policies: Vec<AccessPolicy>) -> Self {
        let source = Source {
            policies,
            ..(*self.source).clone()
        };
        Self::build(engine, source, (self, self.built_at))
    }

    /// The same with memories of its own, for questions that nobody asks.
    pub(crate) fn scratch(&self, engine: &Engine) -> Self {
        self.with_policies(engine, self.source.policies.clone())
    }

    /// Every caller who is known here: users, then keys that stand for themselves, each by name.
    pub(crate) fn everybody(&self, now: Timestamp) -> Vec<Caller> {
        let mut users: Vec<Caller> = self.users.values().cloned().collect();
        users.sort_by(|a, b| a.label.cmp(&b.label));
        let mut keys: Vec<Caller> = self
            .keys
            .values()
            .filter(|key| key.is_live(now) && matches!(key.caller.principal, Principal::Key(_)))
            .map(|key| key.caller.clone())
            .collect();
        keys.sort_by(|a, b| a.label.cmp(&b.label));
        users.extend(keys);
        users
    }

    /// The caller that people know by a label; of several keys that had the name, the one that works.
    pub(crate) fn known_as(&self, label: &str, now: Timestamp) -> Option<Caller> {
        if let Some(name) = label.strip_prefix("key:") {
            let named = self.source.keys.iter().filter(|key| key.name == name);
            let key = named.max_by_key(|key| (key.is_live(now), key.created_at))?;
            return self.key(key.id).map(|key| key.caller.clone());
        }
        self.users.values().find(|user| *user.label == *label).cloned()
    }
}

/// What of a user decisions depend on: who only signs in changes nothing.
fn deciding(user: &User) -> User {
    User {
        signed_in_at: None,
        display_name: None,
        email: None,
        ..user.clone()
    }
}

/// A user who is disabled is nobody: neither sessions nor keys find such a user.
fn user_caller(user: &User) -> Option<(UserId, Caller)> {
    if !user.is_enabled() {
        return None;
    }
    let caller = Caller {
        principal: Principal::User(user.id),
        key: None,
        label: format!("user:{}", user.name).into(),
        groups: user.all_groups().into(),
        token: None,
    };
    Some((user.id, caller))
}

/// Groups the grants by holder and compiles them. What a holder had before and still has is not compiled again.
fn rights(
    engine: &Engine,
    (grants, now): (&[Grant], Timestamp),
    former: &State,
) -> HashMap<Holder, Arc<Rights>> {
    let mut grouped: HashMap<Holder, Vec<Grant>> = HashMap::new();
    for grant in grants.iter().filter(|grant| grant.is_live(now)) {
        grouped
            .entry(Holder::of(&grant.subject))
            .or_default()
            .push(grant.clone());
    }
    let mut rights: HashMap<_, _> = grouped
        .into_iter()
        .map(|(holder, grants)| {
            let had = former.rights(&holder).filter(|rights| rights.grants == grants);
            let rights = had.cloned().unwrap_or_else(|| {
                let slice = engine.compile(&holder, &grants);
                Arc::new(Rights { grants, slice })
            });
            (holder, rights)
        })
        .collect();
    let system = Holder::Principal(Principal::System);
    if let Some(had) = former.rights(&system) {
        rights.insert(system, Arc::clone(had));
    }
    rights
}

// === impl Source ===

impl Source {
    /// When the first of the grants ends that count at `now`.
    fn first_end(&self, now: Timestamp) -> Option<Timestamp> {
        let live = self.grants.iter().filter(|grant| grant.is_live(now));
        live.filter_map(|grant| grant.expires_at).min()
    }

    /// How many answers are kept in which access policies had their say.
    fn answers_kept(&self) -> usize {
        match self.policies.iter().any(|policy| policy.enabled) {
            true => CACHED_DECISIONS,
            false => 0,
        }
    }
}

// === impl Holder ===

impl Holder {
    fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Key(id) => Self::Principal(Principal::Key(*id)),
            Subject::User(id) => Self::Principal(Principal::User(*id)),
            Subject::Client(id) => Self::Principal(Principal::Client(*id)),
            Subject::Group(group) => Self::Group(group.clone()),
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Principal(principal) => principal.fmt(f),
            Self::Group(group) => write!(f, "group:{group}"),
        }
    }
}

// === impl LiveKey ===

impl LiveKey {
    /// A key of a user who does not exist stands for nobody.
    fn new(key: &ApiKey, users: &HashMap<UserId, Caller>) -> Option<Self> {
        let Some(secret_hash) = hash_from_hex(&key.secret_hash) else {
            tracing::error!(key.id = %key.id, "An API key is not in force: its stored hash cannot be read");
            return None;
        };
        let mut groups = key.groups.clone();
        let (principal, label) = match key.owner {
            Some(owner) => {
                let user = users.get(&owner)?;
                groups.extend(user.groups.iter().cloned());
                groups.sort();
                groups.dedup();
                (user.principal, Arc::clone(&user.label))
            }
            None => (Principal::Key(key.id), format!("key:{}", key.name).into()),
        };
        Some(Self {
            secret_hash,
            expires_at: key.expires_at,
            caller: Caller {
                principal,
                key: Some(key.id),
                label,
                groups: groups.into(),
                token: None,
            },
        })
    }

    /// Whether it works at `now`.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
