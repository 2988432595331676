//! A whole portal over a real store in a temporary folder, with people and servers in it.
//!
//! Only the way out is missing: nothing here reaches a network.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use portreeve_access::{Access, AccessParts, Replace, Vault, VaultParts};
use portreeve_core::caller::{Caller, User};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{EventId, GrantId, NodeId, UserId};
use portreeve_core::limits::Limits;
use portreeve_core::name::ServerName;
use portreeve_core::policy::{PolicyCheck, PolicyProblem};
use portreeve_core::ports::{Catalogue, IdentityStore, Refresh, Views};
use portreeve_core::random::Rng;
use portreeve_core::route::PolicyDocument;
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::time::{Clock, Timestamp};
use portreeve_core::view::RegistryRecord;
use portreeve_gateway::accept::head::Origins;
use portreeve_gateway::metrics::Metrics;
use portreeve_gateway::policy::Tools;
use portreeve_gateway::record::Sinks;
use portreeve_gateway::{Gateway, GatewayParts, snapshot};
use portreeve_insight::{Insight, InsightParts, UsageRing, WebhookParts, Webhooks};
use portreeve_inspect::{Ed25519Signer, Mac, Sealer};
use portreeve_net::{Egress, EgressConfig, Reach};
use portreeve_portal::{Brand, PortalParts};
use portreeve_registry::{PinKeeper, Probe, Registry, RegistryParts, RestSource, ToolSource};
use portreeve_state::{InProcess, Start};
use portreeve_store::{Audit, AuditOptions, Store, StoreOptions};
use url::Url;

use crate::any_login::any_login;
use crate::held_calls;
use crate::kept_sessions;
use crate::minted::token_parts;
use crate::no_resources;
use crate::node::Engines;

/// What building a world comes to.
pub(super) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A user who may use `com.acme/billing` and nothing else.
pub(crate) const DEVELOPER: UserId = UserId::from_u128(0x0193_0000_0000_7000_8000_0000_0000_00de);

/// A portal and what is behind it.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) audit: Audit,
    pub(crate) access: Arc<Access>,
    pub(crate) webhooks: Arc<Webhooks>,
    vault: Arc<Vault>,
    pub(crate) refresh: Arc<dyn Refresh>,
    _folder: tempfile::TempDir,
}

/// The moment at which everything happens.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T12:39:05.123Z").unwrap_or_default()
}

#[derive(Debug)]
pub(crate) struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// Bytes that never repeat, and nothing more.
#[derive(Debug, Default)]
pub(crate) struct CountingRng(AtomicU64);

impl Rng for CountingRng {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = count.get(index % count.len()).copied().unwrap_or(0);
        }
    }
}

struct EveryPolicyHolds;

impl PolicyCheck for EveryPolicyHolds {
    fn check(&self, _documents: &[PolicyDocument]) -> Vec<PolicyProblem> {
        Vec::new()
    }
}

struct NoUpstreams;

#[async_trait]
impl ToolSource for NoUpstreams {
    async fn tools(
        &self,
        _server: &ServerName,
        _url: &Url,
        _reach: &Reach,
    ) -> std::result::Result<Probe, String> {
        Err("no server is reached here".to_owned())
    }
}

struct Loader {
    store: Store,
    access: Arc<Access>,
    registries: Mutex<Arc<[RegistryRecord]>>,
}

impl Loader {
    fn over(store: &Store, access: &Arc<Access>) -> Self {
        Self {
            store: store.clone(),
            access: Arc::clone(access),
            registries: Mutex::new(Arc::from([])),
        }
    }
}

impl Views for Loader {
    fn registries(&self) -> Arc<[RegistryRecord]> {
        let registries = self.registries.lock();
        registries
            .map(|all| Arc::clone(&all))
            .unwrap_or_else(|_| Arc::from([]))
    }
}

#[async_trait]
impl Refresh for Loader {
    async fn refresh(&self) {
        if let Ok(snapshot) = self.store.snapshot(None).await {
            self.access.load(&snapshot);
            if let Ok(mut registries) = self.registries.lock() {
                *registries = snapshot.registries.into();
            }
        }
    }
}

fn vault(access: &Arc<Access>, store: &Store) -> Result<Vault> {
    let parts = VaultParts {
        access: Arc::clone(access),
        store: Arc::new(store.clone()),
        limits: Arc::new(Limits::for_tests()),
        installation: "a test".to_owned(),
    };
    Ok(Vault::new(parts, &SecretKey::new([4; 32]))?)
}

fn webhooks(access: &Arc<Access>, store: &Store, vault: &Arc<Vault>) -> Result<Webhooks> {
    Ok(Webhooks::new(WebhookParts {
        webhooks: Arc::new(store.clone()),
        outbox: Arc::new(store.clone()),
        outgoing: vault.clone(),
        authorizer: access.clone(),
        egress: Egress::new(&EgressConfig::default())?,
        clock: Arc::new(StandingClock),
        // Identities of events must not be those that the other rooms draw.
        rng: Arc::new(CountingRng(AtomicU64::new(1 << 40))),
        limits: Arc::new(Limits::for_tests()),
    }))
}

async fn audit(store: &Store, folder: &Path) -> Result<Audit> {
    let signer = Arc::new(Ed25519Signer::from_seed(&SecretKey::new([3; 32])));
    Ok(Audit::open(store, AuditOptions::new(folder), signer, Arc::new(StandingClock)).await?)
}

/// A gateway that no route was loaded into: whoever tries a tool here finds none.
/// Tools of REST APIs that were imported; no server is reached.
fn source(store: &Store) -> Arc<dyn ToolSource> {
    Arc::new(RestSource {
        toolsets: Arc::new(store.clone()),
        others: Arc::new(NoUpstreams),
    })
}

fn gateway(access: &Arc<Access>, store: &Store, vault: &Arc<Vault>, audit: &Audit) -> Result<Gateway> {
    let (clock, rng): (Arc<dyn Clock>, Arc<dyn Rng>) =
        (Arc::new(StandingClock), Arc::new(CountingRng::default()));
    let tools = Tools {
        counters: Arc::new(InProcess::new(Start::Fresh)),
        approvals: held_calls::over(access, store),
    };
    let signals = Arc::new(InProcess::new(Start::Fresh));
    let public_url = Url::parse("https://mcp.acme.example")?;
    let parts = GatewayParts {
        loader: Arc::new(snapshot::Loader::new(
            Arc::new(store.clone()),
            signals,
            Arc::clone(access),
            tools,
        )),
        access: Arc::clone(access),
        vault: vault.clone(),
        sealer: Arc::new(Sealer::new(&SecretKey::new([9; 32]))?),
        egress: Egress::new(&EgressConfig::default())?,
        sessions: kept_sessions::of_one_node(store, clock.clone(), rng.clone(), Arc::default()),
        sinks: Sinks {
            journal: audit.journal.clone(),
            usage: UsageRing::new(16),
            digest: Mac::new(&SecretKey::new([8; 32])),
            metrics: Metrics::new(&mut prometheus_client::registry::Registry::default()),
            clock,
            rng,
        },
        limits: Arc::new(Limits::for_tests()),
        origins: Origins::new(&public_url, &[], None),
        public_url,
        stopping: tokio::sync::watch::channel(false).1,
    };
    Ok(Gateway::new(
        parts,
        Arc::new(PinKeeper::queue(&Limits::default()).0),
    ))
}

fn insight(access: &Arc<Access>, store: &Store, audit: &Audit) -> Arc<Insight> {
    Arc::new(Insight::new(InsightParts {
        usage: Arc::new(store.clone()),
        audit: Arc::new(audit.writer.clone()),
        authorizer: access.clone(),
        flush: None,
    }))
}

fn registry(
    store: &Store,
    access: &Arc<Access>,
    (vault, loader): (&Arc<Vault>, &Arc<Loader>),
    (clock, rng, public_url): (&Arc<dyn Clock>, Arc<dyn Rng>, &Url),
) -> Result<Arc<Registry>> {
    Ok(Arc::new(Registry::new(RegistryParts {
        entries: Arc::new(store.clone()),
        feed: Arc::new(store.clone()),
        served: Arc::new(store.clone()),
        imports: Arc::new(store.clone()),
        routes: Arc::new(store.clone()),
        governance: Arc::new(store.clone()),
        toolsets: Arc::new(store.clone()),
        views: loader.clone(),
        authorizer: access.clone(),
        names: Arc::new(store.clone()),
        policies: Arc::new(EveryPolicyHolds),
        refresh: Arc::clone(loader) as Arc<dyn Refresh>,
        source: source(store),
        egress: Egress::new(&EgressConfig::default())?,
        clock: Arc::clone(clock),
        logins: Arc::new(store.clone()),
        outgoing: vault.clone(),
        rng,
        limits: Arc::new(Limits::for_tests()),
        public_url: public_url.clone(),
        assessments: Arc::new(store.clone()),
        icons: Arc::new(store.clone()),
        waiting: Arc::new(store.clone()),
        assessment: portreeve_registry::AssessmentPolicy::default(),
        cursor_key: SecretKey::new([1; 32]),
        auto_approve: Vec::new(),
        counters: Arc::new(portreeve_state::InProcess::new(portreeve_state::Start::Fresh)),
        issuers: Vec::new(),
    })))
}

impl World {
    /// A portal with its people and without servers.
    pub(crate) async fn empty(public_url: &str) -> Result<Self> {
        Self::branded(public_url, Brand::default()).await
    }

    /// The same with a look of its own.
    pub(crate) async fn branded(public_url: &str, brand: Brand) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let clock: Arc<dyn Clock> = Arc::new(StandingClock);
        let rng: Arc<dyn Rng> = Arc::new(CountingRng::default());
        let node = NodeId::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
        let url = match Engines::chosen() {
            Engines::Alone => format!("sqlite:{}", folder.path().join("portreeve.db").display()),
            Engines::Servers { store, .. } => store,
        };
        let store = Store::open(&url, &StoreOptions::new(node)).await?;
        let audit = audit(&store, folder.path()).await?;
        let access = Arc::new(Access::new(AccessParts {
            identity: Arc::new(store.clone()),
            policies: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            journal: audit.journal.clone(),
            tokens: token_parts(&store),
            clock: Arc::clone(&clock),
            rng: Arc::clone(&rng),
        }));
        let loader = Arc::new(Loader::over(&store, &access));
        let refresh: Arc<dyn Refresh> = loader.clone();
        let public_url = Url::parse(public_url)?;
        let vault = Arc::new(vault(&access, &store)?);
        let webhooks = Arc::new(webhooks(&access, &store, &vault)?);
        let registry = registry(&store, &access, (&vault, &loader), (&clock, rng, &public_url))?;
        let insight = insight(&access, &store, &audit);
        let oauth = no_resources::server(
            (&access, &store),
            audit.journal.clone(),
            (Arc::clone(&clock), Arc::new(CountingRng::default())),
            "https://mcp.acme.example",
        );
        let router = portreeve_portal::router(PortalParts {
            access_requests: held_calls::requests(&access, &store, &registry),
            partners: crate::carried::partners(&registry, &store),
            registry,
            oauth,
            gateway: Arc::new(gateway(&access, &store, &vault, &audit)?),
            vault: Arc::clone(&vault),
            approvals: held_calls::over(&access, &store),
            login: any_login(
                &access,
                (&store, vault.clone()),
                (Arc::clone(&refresh), public_url.clone()),
            ),
            access: Arc::clone(&access),
            insight,
            webhooks: Arc::clone(&webhooks),
            refresh: Arc::clone(&refresh),
            csrf_key: SecretKey::new([2; 32]),
            public_url,
            clock,
            limits: Arc::new(Limits::for_tests()),
            brand,
            version: "0.1.0",
        });
        let world = Self {
            router,
            store,
            audit,
            access,
            webhooks,
            vault,
            refresh,
            _folder: folder,
        };
        world.people().await?;
        Ok(world)
    }

    async fn people(&self) -> Result<()> {
        self.access.first_start().await?;
        let user = User::local(DEVELOPER, "dana", now());
        self.store.ensure_user(&user, self.event("user.create")).await?;
        let grant = Grant {
            id: GrantId::from_u128(0x0193_0000_0000_7000_8000_0000_0000_00aa),
            subject: Subject::User(DEVELOPER),
            rights: Rights::Use,
            servers: ServerScope::Server("com.acme/billing".parse()?),
            tools: ToolScope::All,
            created_by: "user:admin".to_owned(),
            created_at: now(),
            expires_at: None,
            request: None,
        };
        self.store.add_grant(&grant, self.event("grant.create")).await?;
        self.refresh.refresh().await;
        Ok(())
    }

    /// Puts a key that signs into the vault.
    pub(crate) async fn sign_with(&self, name: &str) -> Result<()> {
        let key = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (system, name) = (Caller::system(), name.parse()?);
        self.vault.set(&system, &name, &key, Replace::Nothing).await?;
        Ok(())
    }

    /// A one-time link for somebody.
    pub(crate) async fn link(&self, user: UserId) -> Result<String> {
        let link = self.access.sign_in_link(user, Duration::from_secs(600)).await?;
        Ok(link.expose().to_owned())
    }

    pub(crate) fn event(&self, action: &str) -> portreeve_core::audit::AuditEvent {
        let id = EventId::new(&StandingClock, &CountingRng(AtomicU64::new(rand_seed())));
        portreeve_core::audit::AuditEvent::new(id, now(), action, &Caller::system())
    }
}

/// A seed per event, so that their identities differ.
fn rand_seed() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
