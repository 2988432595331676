//! The only place that picks adapters: joins the rooms into one node.

use std::sync::Arc;

use portreeve_access::{Access, AccessParts, NewKey};
use portreeve_api::ApiParts;
use portreeve_core::caller::Caller;
use portreeve_core::doctor::Doctor;
use portreeve_core::id::UserId;
use portreeve_core::limits::Limits;
use portreeve_core::policy::PolicyCheck;
use portreeve_core::ports::{
    Authorizer, Cache, Counters, EntryStore, Locks, Refresh, RouteStore, Signals, StoreHealth, UsageSink,
    UsageStore,
};
use portreeve_core::random::Rng;
use portreeve_core::time::{Clock, SystemClock};
use portreeve_gateway::accept::head::Origins;
use portreeve_gateway::metrics::Metrics;
use portreeve_gateway::policy::{Check, Tools};
use portreeve_gateway::record::Sinks;
use portreeve_gateway::snapshot::Loader;
use portreeve_gateway::{Gateway, GatewayParts};
use portreeve_insight::{Insight, InsightParts, UsageRing, UsageWriter};
use portreeve_inspect::{Ed25519Signer, Keyring, Mac};
use portreeve_net::Egress;
use portreeve_portal::PortalParts;
use portreeve_registry::{ClientSource, PinJob, PinKeeper, PinParts, Registry, RegistryParts, ToolSource};
use portreeve_state::{InProcess, Valkey};
use portreeve_store::{Audit, AuditOptions, AuditWriter, JournalSync, Store, StoreOptions, node_identity};
use prometheus_client::registry::Registry as MetricsRegistry;
use tokio::sync::watch;
use url::Url;

use crate::cli::Failure;
use crate::config::{self, Config};
use crate::data::DataDirectory;
use crate::doctor::Examination;
use crate::health;

/// How many usage events may wait to be written.
const USAGE_RING: usize = 65_536;

/// A node, joined but not listening yet.
pub(crate) struct Node {
    /// Serves MCP.
    pub(crate) gateway: Arc<Gateway>,
    /// Serves everything else.
    pub(crate) router: axum::Router,
    /// The catalogue in force.
    pub(crate) loader: Arc<Loader>,
    /// An entry's way.
    pub(crate) registry: Arc<Registry>,
    /// Identities.
    pub(crate) access: Arc<Access>,
    /// Figures.
    pub(crate) metrics: Arc<MetricsRegistry>,
    /// The limits.
    pub(crate) limits: Arc<Limits>,
    /// What runs beside.
    pub(crate) jobs: Jobs,
}

/// What runs beside the listeners until the node stops.
pub(crate) struct Jobs {
    /// Moves the journal.
    pub(crate) audit: AuditWriter,
    /// Writes usage.
    pub(crate) usage: UsageWriter,
    /// Keeps the pins.
    pub(crate) pins: PinJob,
    /// The store, to be closed last.
    pub(crate) store: Store,
}

/// What the start knows that the configuration does not.
pub(crate) struct Surroundings<'a> {
    /// The data directory.
    pub(crate) data: &'a DataDirectory,
    /// The public origin.
    pub(crate) public_url: Url,
    /// The listener's port, if it is a loopback listener.
    pub(crate) loopback_port: Option<u16>,
    /// Turns true when the node stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The machine's randomness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // Nothing that needs randomness may go on without it.
            std::process::abort();
        }
    }
}

/// The shared state, as its four ports.
struct Shared {
    counters: Arc<dyn Counters>,
    locks: Arc<dyn Locks>,
    signals: Arc<dyn Signals>,
    _cache: Arc<dyn Cache>,
}

async fn shared(config: &Config, data: &DataDirectory) -> Result<Shared, Failure> {
    let url = config.state.url.as_ref().map(config::resolve).transpose()?;
    match url.as_ref().map(|url| url.expose()) {
        None | Some("memory:") => {
            let state = Arc::new(InProcess::new(data.start));
            Ok(Shared {
                counters: state.clone(),
                locks: state.clone(),
                signals: state.clone(),
                _cache: state,
            })
        }
        Some(url) => {
            let state = Valkey::connect(url).await.map_err(|error| {
                Failure::new(format!("the shared state cannot be reached: {error}"))
                    .hint("look at `state.url` and at Valkey or Redis")
            })?;
            let state = Arc::new(state);
            Ok(Shared {
                counters: state.clone(),
                locks: state.clone(),
                signals: state.clone(),
                _cache: state,
            })
        }
    }
}

async fn store(config: &Config, data: &DataDirectory, clock: &dyn Clock) -> Result<Store, Failure> {
    let node =
        node_identity(data.path(), clock, &SystemRng).map_err(|error| Failure::new(error.to_string()))?;
    let url = match config.store.url.as_ref().map(config::resolve).transpose()? {
        Some(url) => url.expose().to_owned(),
        None => format!("sqlite:{}", data.path().join("portreeve.db").display()),
    };
    Store::open(&url, &StoreOptions::new(node))
        .await
        .map_err(|error| {
            let cause = std::error::Error::source(&error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            Failure::new(format!("the store cannot be opened: {error}{cause}"))
                .hint("look at `store.url` and at the database")
        })
}

/// Joins the rooms.
pub(crate) async fn join(config: &Config, around: Surroundings<'_>) -> Result<Node, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let limits = Arc::new(config.limits());
    let keys = Keyring::new(around.data.master_key(&SystemRng)?);
    let egress = Egress::new(&config.egress()?).map_err(|error| Failure::new(error.to_string()))?;

    let store = store(config, around.data, &*clock).await?;
    let shared = shared(config, around.data).await?;
    let signer = Arc::new(Ed25519Signer::from_seed(&keys.derive("audit-checkpoints")));
    let mut options = AuditOptions::new(around.data.path());
    options.sync = if config.audit.fsync {
        JournalSync::EachWrite
    } else {
        JournalSync::Os
    };
    let audit = Audit::open(&store, options, signer, Arc::clone(&clock)).await;
    let audit = audit.map_err(|error| Failure::new(error.to_string()).hint(error.hint()))?;

    let ports = Arc::new(store.clone());
    let access = Arc::new(Access::new(AccessParts {
        identity: ports.clone(),
        sessions: ports.clone(),
        journal: audit.journal.clone(),
        clock: Arc::clone(&clock),
        rng: Arc::clone(&rng),
    }));
    let tools = Tools {
        counters: Arc::clone(&shared.counters),
    };
    let loader = Arc::new(Loader::new(
        ports.clone(),
        Arc::clone(&shared.signals),
        Arc::clone(&access),
        tools.clone(),
    ));
    let ring = UsageRing::new(USAGE_RING);
    let usage = UsageWriter::new(
        Arc::clone(&ring),
        ports.clone() as Arc<dyn UsageStore>,
        Arc::clone(&clock),
    );
    let source: Arc<dyn ToolSource> = Arc::new(ClientSource {
        egress: egress.clone(),
        limits: Arc::clone(&limits),
    });
    let registry = Arc::new(Registry::new(RegistryParts {
        entries: ports.clone() as Arc<dyn EntryStore>,
        routes: ports.clone() as Arc<dyn RouteStore>,
        authorizer: Arc::clone(&access) as Arc<dyn Authorizer>,
        policies: Arc::new(Check(tools)) as Arc<dyn PolicyCheck>,
        refresh: Arc::clone(&loader) as Arc<dyn Refresh>,
        source: Arc::clone(&source),
        egress: egress.clone(),
        clock: Arc::clone(&clock),
        rng: Arc::clone(&rng),
        limits: Arc::clone(&limits),
        public_url: around.public_url.clone(),
        cursor_key: keys.derive("registry-cursor"),
    }));
    let (keeper, pins) = PinKeeper::new(PinParts {
        routes: ports.clone() as Arc<dyn RouteStore>,
        source,
        locks: shared.locks,
        refresh: Arc::clone(&loader) as Arc<dyn Refresh>,
        signals: Arc::clone(&shared.signals),
        clock: Arc::clone(&clock),
        rng: Arc::clone(&rng),
        limits: Arc::clone(&limits),
    });

    let mut metrics = MetricsRegistry::default();
    let sinks = Sinks {
        journal: audit.journal,
        usage: Arc::clone(&ring) as Arc<dyn UsageSink>,
        digest: Mac::new(&keys.derive("audit-arguments")),
        metrics: Metrics::new(&mut metrics),
        clock: Arc::clone(&clock),
        rng,
    };
    let gateway = Arc::new(Gateway::new(
        GatewayParts {
            loader: Arc::clone(&loader),
            access: Arc::clone(&access),
            egress: egress.clone(),
            sinks,
            limits: Arc::clone(&limits),
            origins: Origins::new(
                &around.public_url,
                &config.server.allowed_origins,
                around.loopback_port,
            ),
            public_url: around.public_url.clone(),
            stopping: around.stopping,
        },
        Arc::new(keeper),
    ));

    let doctor: Arc<dyn Doctor> = Arc::new(Examination {
        data: around.data.path().to_owned(),
        store: ports.clone(),
        routes: ports.clone(),
        audit: Arc::new(audit.writer.clone()),
        counters: shared.counters,
        egress,
        public_url: around.public_url.clone(),
        limits: Arc::clone(&limits),
    });
    let health_store: Arc<dyn StoreHealth> = ports.clone();
    let insight = Arc::new(Insight::new(InsightParts {
        usage: ports as Arc<dyn UsageStore>,
        audit: Arc::new(audit.writer.clone()),
        authorizer: Arc::clone(&access) as Arc<dyn Authorizer>,
    }));
    let api = portreeve_api::router(ApiParts {
        registry: Arc::clone(&registry),
        access: Arc::clone(&access),
        gateway: Arc::clone(&gateway),
        insight: Arc::clone(&insight),
        refresh: Arc::clone(&loader) as Arc<dyn Refresh>,
        doctor,
        clock: Arc::clone(&clock),
        limits: Arc::clone(&limits),
        public_url: around.public_url.clone(),
        version: env!("CARGO_PKG_VERSION"),
    });
    let portal = portreeve_portal::router(PortalParts {
        registry: Arc::clone(&registry),
        access: Arc::clone(&access),
        insight,
        refresh: Arc::clone(&loader) as Arc<dyn Refresh>,
        csrf_key: keys.derive("portal-csrf"),
        public_url: around.public_url,
        clock,
        version: env!("CARGO_PKG_VERSION"),
        usage_flush: Some(usage.flusher()),
    });
    let router = portal
        .merge(api)
        .merge(health::router(health_store, Arc::clone(&loader)));
    let jobs = Jobs {
        audit: audit.writer,
        usage,
        pins,
        store,
    };
    Ok(Node {
        gateway,
        router,
        loader,
        registry,
        access,
        metrics: Arc::new(metrics),
        limits,
        jobs,
    })
}

/// Makes the local admin and, where it is missing, the admin key of this data directory.
pub(crate) async fn first_start(node: &Node, data: &DataDirectory) -> Result<(), Failure> {
    let told = |error: portreeve_access::AccessError| Failure::new(error.to_string());
    node.access.first_start().await.map_err(told)?;
    load(node).await?;
    if data.has("admin.key") {
        return Ok(());
    }
    let system = Caller::system();
    // Each node of an installation has a data directory of its own, and so an admin key of its own.
    let name = format!(
        "admin-{}",
        node.jobs
            .store
            .node()
            .to_string()
            .chars()
            .take(8)
            .collect::<String>()
    );
    if node
        .access
        .keys(&system)
        .await
        .map_err(told)?
        .iter()
        .any(|key| key.name == name && key.revoked_at.is_none())
    {
        node.access.revoke_key(&system, &name).await.map_err(told)?;
    }
    let new = NewKey {
        name,
        owner: Some(UserId::LOCAL_ADMIN),
        expires_at: None,
    };
    let (_, secret) = node.access.create_key(&system, new).await.map_err(told)?;
    data.write("admin.key", secret.expose())?;
    load(node).await
}

async fn load(node: &Node) -> Result<(), Failure> {
    node.loader
        .load()
        .await
        .map_err(|error| Failure::new(format!("the catalogue cannot be read: {error}")))
}
