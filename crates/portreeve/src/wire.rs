//! The only place that picks adapters: joins the rooms into one node.

mod approvals;
mod callers;
mod faces;
mod first_start;
mod jobs;
mod login;
mod oauth;
mod partners;
mod sessions;
mod shared;

use std::sync::Arc;

use portreeve_access::{Access, OauthJob, Vault, VaultParts};
use portreeve_core::doctor::Doctor;
use portreeve_core::limits::Limits;
use portreeve_core::name::{IssuerName, RegistryName};
use portreeve_core::ports::{Authorizer, Outgoing, Refresh, Resources, SecretStore as _, UsageSink, Views};
use portreeve_core::publishing::NamePattern;
use portreeve_core::random::Rng;
use portreeve_core::time::{Clock, SystemClock};
use portreeve_gateway::accept::head::Origins;
use portreeve_gateway::metrics::Metrics;
use portreeve_gateway::policy::{Check, Tools};
use portreeve_gateway::record::Sinks;
use portreeve_gateway::snapshot::Loader;
use portreeve_gateway::upstream::members::Commons;
use portreeve_gateway::{Gateway, GatewayParts};
use portreeve_insight::{
    DeliveryJob, Insight, InsightParts, UsageFlush, UsageRing, UsageWriter, WebhookParts, Webhooks,
};
use portreeve_inspect::{Ed25519Signer, Keyring, Mac};
use portreeve_net::Egress;
use portreeve_registry::import::ImportJob;
use portreeve_registry::partners::PartnerJob;
use portreeve_registry::{
    AssessJob, AssessmentPolicy, ClientSource, IconJob, McpFace, PinJob, PinKeeper, PinParts, PurgeJob,
    Registry, RegistryParts, RestSource, SearchJob, ToolSource, VirtualSource,
};
use portreeve_store::{Audit, AuditOptions, AuditWriter, JournalSync, Store, StoreOptions, node_identity};
use prometheus_client::registry::Registry as MetricsRegistry;
use tokio::sync::watch;
use url::Url;

use crate::aside::{Aside, Faces};
use crate::cli::Failure;
use crate::config::{self, Config};
use crate::data::DataDirectory;
use crate::doctor::Examination;
use crate::figures;
use crate::health;
use crate::listener::forwarded::Proxies;
use crate::randomness::SystemRng;

use self::faces::Rooms;
use self::shared::{Shared, shared};
pub(crate) use first_start::first_start;

/// How many usage events may wait to be written.
const USAGE_RING: usize = 65_536;
const VERSION: &str = env!("CARGO_PKG_VERSION");

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
    /// Reads other registries.
    pub(crate) imports: ImportJob,
    /// Delivers events.
    pub(crate) webhooks: DeliveryJob,
    /// Pulls partner catalogues, and looks at partners again.
    pub(crate) partners: PartnerJob,
    /// Keeps the search index near the store.
    pub(crate) search: SearchJob,
    /// Removes tools of REST APIs that no version names.
    pub(crate) toolsets: PurgeJob,
    /// Judges versions; none where the configuration says so.
    pub(crate) assess: Option<AssessJob>,
    /// Fetches icons.
    pub(crate) icons: IconJob,
    /// Forgets authorizations that are over.
    pub(crate) oauth: OauthJob,
    /// The store, to be closed last.
    pub(crate) store: Store,
}

/// What the start knows that the configuration does not.
pub(crate) struct Surroundings<'a> {
    /// The data directory.
    pub(crate) data: &'a DataDirectory,
    /// The public origin.
    pub(crate) public_url: Url,
    /// Proxies in front.
    pub(crate) proxies: Arc<Proxies>,
    /// The listener's port, if it is a loopback listener.
    pub(crate) loopback_port: Option<u16>,
    /// Turns true when the node stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

async fn store(config: &Config, data: &DataDirectory, clock: &dyn Clock) -> Result<Store, Failure> {
    let node =
        node_identity(data.path(), clock, &SystemRng).map_err(|error| Failure::new(error.to_string()))?;
    let url = match config.store.url.as_ref().map(config::resolve).transpose()? {
        Some(url) => url.expose().to_owned(),
        None => format!("sqlite:{}", data.path().join("portreeve.db").display()),
    };
    let mut options = StoreOptions::new(node);
    if url.starts_with("sqlite:") {
        // One for each core, and two for what reads for long. More would only hold memory: each keeps pages of its own.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        options.readers = options.readers.min(u32::try_from(cores + 2).unwrap_or(u32::MAX));
    }
    Store::open(&url, &options).await.map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        Failure::new(format!("the store cannot be opened: {error}{cause}"))
            .hint("look at `store.url` and at the database")
    })
}

/// What every room stands on.
struct Ground {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    limits: Arc<Limits>,
    keys: Keyring,
    egress: Egress,
    store: Arc<Store>,
    shared: Shared,
    audit: Audit,
    public_url: Url,
    auto_approve: Vec<NamePattern>,
    assessment: AssessmentPolicy,
    issuers: Vec<IssuerName>,
}

impl Ground {
    async fn lay(config: &Config, around: &Surroundings<'_>) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let keys = Keyring::new(around.data.master_key(&SystemRng)?);
        let store = store(config, around.data, &*clock).await?;
        let signer = Arc::new(Ed25519Signer::from_seed(&keys.derive("audit-checkpoints")));
        let mut options = AuditOptions::new(around.data.path());
        options.sync = if config.audit.fsync {
            JournalSync::EachWrite
        } else {
            JournalSync::Os
        };
        let audit = Audit::open(&store, options, signer, Arc::clone(&clock)).await;
        Ok(Self {
            limits: Arc::new(config.limits()),
            egress: Egress::new(&config.egress()?).map_err(|error| Failure::new(error.to_string()))?,
            shared: shared(config, around.data).await?,
            audit: audit.map_err(|error| Failure::new(error.to_string()).hint(error.hint()))?,
            rng: Arc::new(SystemRng),
            store: Arc::new(store),
            public_url: around.public_url.clone(),
            auto_approve: config.registry.auto_approve.clone(),
            assessment: config.assessment.policy(),
            issuers: config.oauth.names(),
            clock,
            keys,
        })
    }

    fn loader(&self, access: &Arc<Access>, tools: &Tools) -> Arc<Loader> {
        let signals = Arc::clone(&self.shared.signals);
        Arc::new(Loader::new(
            self.store.clone(),
            signals,
            Arc::clone(access),
            tools.clone(),
        ))
    }

    fn source(&self, vault: &Arc<Vault>) -> Arc<dyn ToolSource> {
        let rest = RestSource {
            toolsets: self.store.clone(),
            others: Arc::new(ClientSource {
                egress: self.egress.clone(),
                limits: Arc::clone(&self.limits),
                rng: Arc::clone(&self.rng),
                logins: self.store.clone(),
                outgoing: Arc::clone(vault) as Arc<dyn Outgoing>,
            }),
        };
        Arc::new(VirtualSource {
            routes: self.store.clone(),
            names: self.store.clone(),
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
            others: Arc::new(rest),
        })
    }

    fn registry(
        &self,
        access: &Arc<Access>,
        vault: &Arc<Vault>,
        (loader, tools): (&Arc<Loader>, &Tools),
    ) -> Arc<Registry> {
        Arc::new(Registry::new(RegistryParts {
            entries: self.store.clone(),
            feed: self.store.clone(),
            served: self.store.clone(),
            imports: self.store.clone(),
            routes: self.store.clone(),
            governance: self.store.clone(),
            toolsets: self.store.clone(),
            views: Arc::clone(loader) as Arc<dyn Views>,
            authorizer: Arc::clone(access) as Arc<dyn Authorizer>,
            names: self.store.clone(),
            policies: Arc::new(Check(tools.clone())),
            refresh: Arc::clone(loader) as Arc<dyn Refresh>,
            source: self.source(vault),
            egress: self.egress.clone(),
            clock: Arc::clone(&self.clock),
            logins: self.store.clone(),
            outgoing: Arc::clone(vault) as Arc<dyn Outgoing>,
            rng: Arc::clone(&self.rng),
            limits: Arc::clone(&self.limits),
            public_url: self.public_url.clone(),
            assessments: self.store.clone(),
            icons: self.store.clone(),
            waiting: self.store.clone(),
            assessment: self.assessment.clone(),
            cursor_key: self.keys.derive("registry-cursor"),
            auto_approve: self.auto_approve.clone(),
            counters: Arc::clone(&self.shared.counters),
            issuers: self.issuers.clone(),
        }))
    }

    async fn vault(&self, access: &Arc<Access>) -> Result<Arc<Vault>, Failure> {
        let told =
            |error: &dyn std::error::Error| Failure::new(format!("the vault cannot be opened: {error}"));
        let installation = self.store.installation().await.map_err(|error| told(&error))?;
        let parts = VaultParts {
            access: Arc::clone(access),
            store: self.store.clone(),
            limits: Arc::clone(&self.limits),
            installation,
        };
        let vault = Vault::new(parts, &self.keys.derive("vault-secrets"));
        vault.map(Arc::new).map_err(|error| told(&error))
    }

    fn webhooks(
        &self,
        config: &Config,
        (access, vault): (&Arc<Access>, &Arc<Vault>),
        metrics: &mut MetricsRegistry,
    ) -> (Arc<Webhooks>, DeliveryJob) {
        let webhooks = Arc::new(Webhooks::new(WebhookParts {
            webhooks: self.store.clone(),
            outbox: self.store.clone(),
            outgoing: Arc::clone(vault) as Arc<dyn Outgoing>,
            authorizer: Arc::clone(access) as Arc<dyn Authorizer>,
            egress: self.egress.clone(),
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
            limits: Arc::clone(&self.limits),
        }));
        let deliveries = self.deliveries(config, &webhooks, metrics);
        (webhooks, deliveries)
    }

    /// Lets the gateway serve routes over several others.
    fn serve_members(&self, loader: &Loader, sinks: &Sinks) {
        let (names, metrics) = (self.store.clone(), sinks.metrics.clone());
        loader.serve_members(Commons::new(names, metrics, &self.limits));
    }

    /// Liveness and readiness.
    fn health(&self, loader: &Arc<Loader>) -> axum::Router {
        health::router(self.store.clone(), Arc::clone(loader))
    }

    /// Where calls are counted, and who writes the counts down.
    fn usage(&self) -> (Arc<UsageRing>, UsageWriter) {
        let ring = UsageRing::new(USAGE_RING);
        let writer = UsageWriter::new(Arc::clone(&ring), self.store.clone(), Arc::clone(&self.clock));
        (ring, writer)
    }

    fn pins(&self, vault: &Arc<Vault>, loader: &Arc<Loader>) -> (PinKeeper, PinJob) {
        PinKeeper::new(PinParts {
            routes: self.store.clone(),
            source: self.source(vault),
            locks: Arc::clone(&self.shared.locks),
            signals: Arc::clone(&self.shared.signals),
            refresh: Arc::clone(loader) as Arc<dyn Refresh>,
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
            limits: Arc::clone(&self.limits),
        })
    }

    fn sinks(&self, usage: Arc<dyn UsageSink>, metrics: &mut MetricsRegistry) -> Sinks {
        Sinks {
            journal: self.audit.journal.clone(),
            usage,
            digest: Mac::new(&self.keys.derive("audit-arguments")),
            metrics: Metrics::new(metrics),
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
        }
    }

    fn doctor(&self, around: &Surroundings<'_>, registry: &Arc<Registry>) -> Arc<dyn Doctor> {
        Arc::new(Examination {
            data: around.data.path().to_owned(),
            proxies: Arc::clone(&around.proxies),
            store: self.store.clone(),
            routes: self.store.clone(),
            registry: Arc::clone(registry),
            audit: Arc::new(self.audit.writer.clone()),
            counters: Arc::clone(&self.shared.counters),
            egress: self.egress.clone(),
            public_url: self.public_url.clone(),
            limits: Arc::clone(&self.limits),
        })
    }

    fn insight(&self, access: &Arc<Access>, flush: UsageFlush) -> Arc<Insight> {
        Arc::new(Insight::new(InsightParts {
            usage: self.store.clone(),
            audit: Arc::new(self.audit.writer.clone()),
            authorizer: Arc::clone(access) as Arc<dyn Authorizer>,
            flush: Some(flush),
        }))
    }
}

/// The registry as an MCP server, at a route of its own. Gateway threads ask it; the store is asked on this runtime.
fn serve_registry(registry: &Arc<Registry>, loader: &Loader) -> Result<(), Failure> {
    let face =
        McpFace::new(Arc::clone(registry), VERSION).map_err(|error| Failure::new(error.to_string()))?;
    let here = tokio::runtime::Handle::current();
    loader.serve_registries(Arc::new(Faces::new(face.of(&RegistryName::main()), here.clone())));
    let aside = Aside::new(Arc::new(face), here);
    loader
        .serve_own(Arc::new(aside))
        .map_err(|error| Failure::new(error.to_string()))
}

/// Pages of which origins may call MCP endpoints.
fn origins(config: &Config, around: &Surroundings<'_>) -> Origins {
    Origins::new(
        &around.public_url,
        &config.server.allowed_origins,
        around.loopback_port,
    )
}

/// What is measured of the process and of the registry.
fn figures_of(registry: &Arc<Registry>) -> MetricsRegistry {
    let mut metrics = MetricsRegistry::default();
    figures::register(&mut metrics, registry);
    metrics
}

/// Joins the rooms.
pub(crate) async fn join(config: &Config, around: Surroundings<'_>) -> Result<Node, Failure> {
    let ground = Ground::lay(config, &around).await?;
    let access = ground.access(config)?;
    let tools = ground.tools(&access)?;
    let (loader, vault) = (ground.loader(&access, &tools), ground.vault(&access).await?);
    let registry = ground.registry(&access, &vault, (&loader, &tools));
    serve_registry(&registry, &loader)?;
    let (keeper, pins) = ground.pins(&vault, &loader);
    let (ring, usage) = ground.usage();
    let mut metrics = figures_of(&registry);
    let sinks = ground.sinks(ring, &mut metrics);
    ground.serve_members(&loader, &sinks);
    let parts = GatewayParts {
        loader: Arc::clone(&loader),
        access: Arc::clone(&access),
        vault: Arc::clone(&vault) as Arc<dyn Outgoing>,
        sealer: ground.sealer()?,
        egress: ground.egress.clone(),
        sessions: ground.sessions(&sinks)?,
        sinks,
        limits: Arc::clone(&ground.limits),
        origins: origins(config, &around),
        public_url: around.public_url.clone(),
        stopping: around.stopping.clone(),
    };
    let gateway = Arc::new(Gateway::new(parts, Arc::new(keeper)));
    let insight = ground.insight(&access, usage.flusher());
    let login = ground.login(config, (&access, &vault, &loader))?;
    let (webhooks, deliveries) = ground.webhooks(config, (&access, &vault), &mut metrics);
    let oauth = ground.oauth(config, &access, Arc::clone(&gateway) as Arc<dyn Resources>)?;
    let partners = ground.partners(config, &registry)?;
    figures::register_partners(&mut metrics, &partners);
    let rooms = Rooms {
        registry: Arc::clone(&registry),
        partners: Arc::clone(&partners),
        access: Arc::clone(&access),
        oauth: Arc::clone(&oauth),
        login,
        publishing: ground.publishing(config)?,
        vault,
        access_requests: ground.access_requests(&access, &registry),
        approvals: tools.approvals,
        gateway: Arc::clone(&gateway),
        insight,
        webhooks,
        refresh: Arc::clone(&loader) as Arc<dyn Refresh>,
        doctor: ground.doctor(&around, &registry),
        brand: config.portal.brand(&ground.limits)?,
    };
    let router = ground.faces(rooms).merge(ground.health(&loader));
    let jobs = Jobs {
        assess: ground.assess(config, &registry),
        icons: ground.icons(&registry),
        oauth: ground.oauth_job(&oauth),
        audit: ground.audit.writer,
        usage,
        pins,
        partners: PartnerJob::new(partners),
        search: SearchJob::new(Arc::clone(&registry)),
        toolsets: PurgeJob::new(Arc::clone(&registry)),
        imports: ImportJob::new(Arc::clone(&registry), Arc::clone(&ground.shared.locks)),
        webhooks: deliveries,
        store: (*ground.store).clone(),
    };
    Ok(Node {
        gateway,
        router,
        loader,
        registry,
        access,
        metrics: Arc::new(metrics),
        limits: ground.limits,
        jobs,
    })
}
