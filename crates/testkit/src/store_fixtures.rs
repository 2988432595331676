//! A clock and a source of randomness for tests of the store, and nouns with every field filled.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::{ApiKey, Caller, User};
use portreeve_core::deployment::Deployments;
use portreeve_core::id::{EventId, KeyId, RouteId, UserId};
use portreeve_core::name::{Environment, Slug};
use portreeve_core::ports::EntryChange;
use portreeve_core::profile::Profile;
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::route::{Access, PinState, PolicyDocument, Route, RouteState};
use portreeve_core::server::{Approval, Lifecycle, PrivateHost, Server, Version};
use portreeve_core::time::{Clock, Timestamp};
use portreeve_core::tool::{ToolAnnotations, ToolDefinition};

/// The moment at which fixtures begin.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A clock that goes one millisecond on whenever it is asked.
#[derive(Debug)]
pub struct SteppingClock(AtomicI64);

impl Default for SteppingClock {
    fn default() -> Self {
        Self(AtomicI64::new(BEGIN.as_millis()))
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

static DRAWN: AtomicU64 = AtomicU64::new(0);

/// Bytes that never repeat within a process. Not random at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingRng;

impl Rng for CountingRng {
    fn fill(&self, bytes: &mut [u8]) {
        let drawn = DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, value) in bytes
            .iter_mut()
            .rev()
            .zip(drawn.iter().rev().chain(std::iter::repeat(&0)))
        {
            *byte = *value;
        }
    }
}

/// Reads a name or an identifier that the test knows to be one.
///
/// # Panics
/// When it is none.
pub fn parse<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a name"))
}

/// Some milliseconds after [`BEGIN`].
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN.as_millis() + millis)
}

/// An audit event of a change.
pub fn event(action: &str) -> AuditEvent {
    event_at(action, BEGIN)
}

/// An audit event of a moment.
pub fn event_at(action: &str, moment: Timestamp) -> AuditEvent {
    let id = EventId::new(&SteppingClock::default(), &CountingRng);
    AuditEvent::new(id, moment, action, &Caller::system())
}

/// A server.
pub fn server(name: &str) -> Server {
    Server {
        name: parse(name),
        registered_by: "user:admin".to_owned(),
        private_hosts: vec![PrivateHost {
            host: "billing.internal".to_owned(),
            port: 8443,
        }],
        profile: Profile::default(),
        deployments: Deployments::default(),
        created_at: at(1),
        updated_at: at(2),
    }
}

/// An approved version.
pub fn version(name: &str, version: &str) -> Version {
    Version {
        name: parse(name),
        version: parse(version),
        document: serde_json::json!({ "name": name, "version": version }).to_string(),
        content_hash: "ab".repeat(32),
        approval: Approval::Approved,
        lifecycle: Lifecycle::Production,
        former_lifecycle: None,
        ended_by: None,
        status_message: Some("as it should be".to_owned()),
        submitted_by: "key:deploy".to_owned(),
        decided_by: Some("user:admin".to_owned()),
        is_latest: false,
        metadata: Default::default(),
        published_at: at(3),
        status_changed_at: at(4),
        updated_at: at(5),
    }
}

/// An active route for production.
pub fn route(name: &str, version: &str, slug: &str) -> Route {
    let policy: PolicyDocument = PolicyDocument {
        kind: "rate_limit".to_owned(),
        config: serde_json::Map::from_iter([("burst".to_owned(), serde_json::json!(5))]),
    };
    Route {
        id: RouteId::new(&SteppingClock::default(), &CountingRng),
        slug: parse::<Slug>(slug),
        server: parse(name),
        environment: Environment::production(),
        major: None,
        version: parse(version),
        upstream_url: "https://billing.example/mcp".to_owned(),
        upstream_eras: vec![Era::Legacy],
        private_hosts: server(name).private_hosts,
        access: Access::Credential,
        state: RouteState::Active,
        pin_state: PinState::ToolsNotSeen,
        policies: vec![policy],
        upstream_timeout_ms: 300_000,
        protocol: Default::default(),
        session_affinity: Default::default(),
        server_requests: Default::default(),
        list_cache_ms: 0,
        credentials: Default::default(),
        revision: 1,
        created_at: at(6),
        updated_at: at(7),
    }
}

/// A new entry with these versions and no route.
pub fn new_entry(name: &str, versions: Vec<Version>) -> EntryChange {
    EntryChange {
        expected: None,
        server: server(name),
        versions,
        routes: Vec::new(),
        events: vec![event("server.add")],
    }
}

/// A tool definition; `meaning` makes the difference between two of one name.
pub fn tool(name: &str, meaning: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        hash: format!("hash of {meaning}"),
        definition: serde_json::json!({ "name": name, "description": meaning }).to_string(),
        annotations: ToolAnnotations {
            read_only_hint: true,
            ..ToolAnnotations::default()
        },
    }
}

/// A user.
pub fn user(name: &str) -> User {
    let id = UserId::new(&SteppingClock::default(), &CountingRng);
    User::local(id, name, at(1))
}

/// A live key.
pub fn key(name: &str) -> ApiKey {
    ApiKey {
        id: KeyId::new(&SteppingClock::default(), &CountingRng),
        name: name.to_owned(),
        secret_hash: "cd".repeat(32),
        owner: None,
        groups: vec![parse("finance"), parse("ops@acme.example")],
        expires_at: None,
        revoked_at: None,
        created_by: "user:admin".to_owned(),
        created_at: at(1),
    }
}
