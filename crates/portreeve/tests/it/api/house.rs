//! The rooms joined as the roof joins them, with a clock, randomness, tools and a doctor that the tests decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use http::{Method, Request, header};
use portreeve_access::{Access, AccessParts, ProofSettings, Publishing, PublishingParts, Vault, VaultParts};
use portreeve_api::{ApiParts, router};
use portreeve_core::caller::Caller;
use portreeve_core::doctor::{self, CheckStatus, Doctor};
use portreeve_core::id::UserId;
use portreeve_core::limits::Limits;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Journal, Refresh};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_gateway::accept::head::Origins;
use portreeve_gateway::metrics::Metrics;
use portreeve_gateway::policy::{Check, Tools};
use portreeve_gateway::record::Sinks;
use portreeve_gateway::snapshot::Loader;
use portreeve_gateway::{Gateway, GatewayParts};
use portreeve_insight::{UsageRing, WebhookParts, Webhooks};
use portreeve_inspect::{Mac, Sealer};
use portreeve_net::{Egress, EgressConfig, NetError, Reach, TxtLookup};
use portreeve_registry::{
    AssessmentPolicy, PinKeeper, Probe, Registry, RegistryParts, RestSource, ToolSource,
};
use portreeve_state::{InProcess, Start};
use portreeve_store::Store;
use serde_json::{Value, json};
use tower::ServiceExt;
use url::Url;

pub(crate) use super::answer::Answer;
use super::ground::{insight, opened};
use crate::any_login::any_login;
use crate::held_calls;
use crate::no_resources;
use crate::official::{Heard, Official};

/// Advances a millisecond with every look, so that nothing happens at the same time twice.
#[derive(Debug)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let millis = self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_millis(i64::try_from(millis).unwrap())
    }
}

#[derive(Debug)]
struct TestRng(AtomicU64);

impl Rng for TestRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self
                .0
                .fetch_add(1, Ordering::SeqCst)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&number.to_be_bytes()[..chunk.len()]);
        }
    }
}

/// Counts how often the catalogue is brought into force.
struct CountingRefresh {
    loader: Arc<Loader>,
    times: AtomicUsize,
}

#[async_trait]
impl Refresh for CountingRefresh {
    async fn refresh(&self) {
        self.times.fetch_add(1, Ordering::SeqCst);
        self.loader.refresh().await;
    }
}

struct TestDoctor;

#[async_trait]
impl Doctor for TestDoctor {
    async fn examine(&self) -> Vec<doctor::Check> {
        vec![doctor::Check {
            name: "store".to_owned(),
            status: CheckStatus::Ok,
            detail: "sqlite answers".to_owned(),
            hint: None,
        }]
    }
}

/// Two tools, whoever is asked.
struct TestTools;

#[async_trait]
impl ToolSource for TestTools {
    async fn tools(&self, _server: &ServerName, _url: &Url, _reach: &Reach) -> Result<Probe, String> {
        let tool = |name: &str, read_only: bool| {
            json!({
                "name": name, "description": format!("The tool {name}"), "inputSchema": {"type": "object"},
                "annotations": {"readOnlyHint": read_only}
            })
            .to_string()
        };
        Ok(Probe {
            uncertain: Vec::new(),
            eras: vec![Era::Modern],
            tools: vec![(
                Era::Modern,
                vec![tool("list_invoices", true), tool("refund", false)],
            )],
            server_info: None,
        })
    }
}

/// The seed of the key that `publisher.example` shows in its TXT record.
pub(crate) const DOMAIN_SEED: [u8; 32] = [42; 32];

/// A DNS in which one domain shows a key.
struct OneDomain;

#[async_trait]
impl TxtLookup for OneDomain {
    async fn texts(&self, name: &str) -> Result<Vec<String>, NetError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&DOMAIN_SEED).unwrap();
        let point = base64::engine::general_purpose::STANDARD.encode(pair.public_key().as_ref());
        let record = format!("v=MCPv1; k=ed25519; p={point}");
        let others = ["v=spf1 -all".to_owned(), record];
        Ok(if name == "publisher.example" {
            others.into()
        } else {
            Vec::new()
        })
    }
}

/// The rooms, and the keys of those who call.
pub(crate) struct House {
    router: Router,
    clock: Arc<dyn Clock>,
    store: Store,
    refresh: Arc<CountingRefresh>,
    /// The key of the local admin.
    pub(crate) admin: String,
    /// A key without a grant.
    pub(crate) stranger: String,
    _data: tempfile::TempDir,
}

// === impl House ===

impl House {
    /// An installation after its first start, with a stranger.
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(TestClock(AtomicU64::new(1_795_435_200_000)));
        let rng: Arc<dyn Rng> = Arc::new(TestRng(AtomicU64::new(1)));
        let (store, audit) = opened(data.path(), (&clock, &rng)).await;
        let access = Arc::new(Access::new(AccessParts {
            identity: Arc::new(store.clone()),
            policies: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            journal: audit.journal.clone(),
            tokens: crate::minted::token_parts(&store),
            clock: Arc::clone(&clock),
            rng: Arc::clone(&rng),
        }));
        access.first_start().await.unwrap();
        let tools = Tools {
            counters: Arc::new(InProcess::new(Start::Fresh)),
            approvals: held_calls::over(&access, &store),
        };
        let (ports, signals) = (Arc::new(store.clone()), Arc::new(InProcess::new(Start::Fresh)));
        let loader = Arc::new(Loader::new(ports, signals, Arc::clone(&access), tools.clone()));
        let refresh = Arc::new(CountingRefresh {
            loader: Arc::clone(&loader),
            times: AtomicUsize::new(0),
        });
        refresh.refresh().await;
        let admin = key_of_the_admin(&access).await;
        refresh.refresh().await;
        let insight = insight(&access, &store, audit.writer);
        let limits = Arc::new(limits);
        let world = World {
            clock: Arc::clone(&clock),
            rng,
            limits,
            access,
            tools,
        };
        let oauth = no_resources::server(
            (&world.access, &store),
            audit.journal.clone(),
            (Arc::clone(&world.clock), Arc::clone(&world.rng)),
            "http://127.0.0.1:8808",
        );
        let registry = Arc::new(world.registry(&store, &refresh));
        let router = router(ApiParts {
            oauth,
            access_requests: held_calls::requests(&world.access, &store, &registry),
            partners: crate::carried::partners(&registry, &store),
            registry,
            publishing: Arc::new(world.publishing(audit.journal.clone())),
            gateway: Arc::new(world.gateway(&store, loader, audit.journal)),
            webhooks: Arc::new(world.webhooks(&store)),
            vault: Arc::new(world.vault(&store)),
            approvals: world.tools.approvals.clone(),
            login: any_login(
                &world.access,
                (&store, Arc::new(world.vault(&store))),
                (refresh.clone(), public_url()),
            ),
            access: world.access,
            insight: Arc::new(insight),
            refresh: refresh.clone(),
            doctor: Arc::new(TestDoctor),
            clock: world.clock,
            limits: world.limits,
            public_url: public_url(),
            version: "0.0.0-test",
        });
        let mut house = Self {
            router,
            clock,
            store,
            refresh,
            admin,
            stranger: String::new(),
            _data: data,
        };
        house.stranger = house.key("stranger").await;
        house
    }

    /// A key that was granted nothing.
    async fn key(&self, name: &str) -> String {
        let made = self.admin_post("/api/v1/keys", json!({"name": name})).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["secret"].as_str().unwrap().to_owned()
    }

    /// The time there.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How often the catalogue was brought into force.
    pub(crate) fn refreshed(&self) -> usize {
        self.refresh.times.load(Ordering::SeqCst)
    }

    /// Takes the database away.
    pub(crate) async fn close_store(&self) {
        self.store.close().await;
    }

    /// Answers of the registry API are compared with its specification, whatever a test looks at.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let answer = Answer {
            status: head.status,
            headers: head.headers,
            bytes,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        if let Some(official) =
            Official::shared().filter(|_| path.starts_with("/v0") && method != Method::OPTIONS)
        {
            official.check(&Heard {
                method: method.as_str(),
                path,
                status: answer.status.as_u16(),
                content_type: answer.header("content-type"),
                body: &answer.bytes,
            });
        }
        answer
    }

    /// A request with a key, unless that is empty, and with JSON content, unless that is null.
    pub(crate) async fn call(&self, key: &str, method: Method, path: &str, content: Value) -> Answer {
        self.call_with(key, (method, path), content, &[]).await
    }

    pub(crate) async fn call_with(
        &self,
        key: &str,
        (method, path): (Method, &str),
        content: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if content.is_null() {
            Body::empty()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(content.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    /// Anonymous `GET`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("", Method::GET, path, Value::Null).await
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Answer {
        self.call(&self.admin, Method::GET, path, Value::Null).await
    }

    pub(crate) async fn admin_post(&self, path: &str, content: Value) -> Answer {
        self.call(&self.admin, Method::POST, path, content).await
    }

    /// Registers a version, approved or not, and returns what came of it.
    pub(crate) async fn add(&self, name: &str, version: &str, approve: bool) -> Value {
        let content = json!({"document": document(name, version), "approve": approve});
        let answer = self.admin_post("/api/v1/servers", content).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }
}

/// A document whose remote is a public address, so that nobody asks the DNS.
pub(crate) fn document(name: &str, version: &str) -> Value {
    let short = name.rsplit('/').next().unwrap();
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": name, "description": format!("The server {short}"), "version": version,
        "remotes": [{"type": "streamable-http", "url": format!("https://93.184.216.34/{short}/mcp")}]
    })
}

fn public_url() -> Url {
    "https://gw.acme.example".parse().unwrap()
}

/// What the two stories share.
struct World {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    limits: Arc<Limits>,
    access: Arc<Access>,
    tools: Tools,
}

impl World {
    fn registry(&self, store: &Store, refresh: &Arc<CountingRefresh>) -> Registry {
        Registry::new(RegistryParts {
            entries: Arc::new(store.clone()),
            feed: Arc::new(store.clone()),
            served: Arc::new(store.clone()),
            imports: Arc::new(store.clone()),
            routes: Arc::new(store.clone()),
            governance: Arc::new(store.clone()),
            toolsets: Arc::new(store.clone()),
            views: refresh.loader.clone(),
            authorizer: self.access.clone(),
            names: Arc::new(store.clone()),
            policies: Arc::new(Check(self.tools.clone())),
            refresh: refresh.clone(),
            source: Arc::new(RestSource {
                toolsets: Arc::new(store.clone()),
                others: Arc::new(TestTools),
            }),
            egress: Egress::new(&EgressConfig::default()).unwrap(),
            clock: self.clock.clone(),
            logins: Arc::new(store.clone()),
            outgoing: Arc::new(self.vault(store)),
            rng: self.rng.clone(),
            limits: self.limits.clone(),
            public_url: public_url(),
            assessments: Arc::new(store.clone()),
            icons: Arc::new(store.clone()),
            waiting: Arc::new(store.clone()),
            assessment: AssessmentPolicy::default(),
            cursor_key: SecretKey::new([9; 32]),
            auto_approve: vec!["com.trusted/*".parse().unwrap()],
            counters: self.tools.counters.clone(),
            issuers: Vec::new(),
        })
    }

    fn webhooks(&self, store: &Store) -> Webhooks {
        Webhooks::new(WebhookParts {
            webhooks: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            outgoing: Arc::new(self.vault(store)),
            authorizer: self.access.clone(),
            egress: Egress::new(&EgressConfig::default()).unwrap(),
            clock: Arc::clone(&self.clock),
            rng: self.rng.clone(),
            limits: Arc::clone(&self.limits),
        })
    }

    fn vault(&self, store: &Store) -> Vault {
        let parts = VaultParts {
            access: Arc::clone(&self.access),
            store: Arc::new(store.clone()),
            limits: Arc::clone(&self.limits),
            installation: "an installation".to_owned(),
        };
        Vault::new(parts, &SecretKey::new([9; 32])).unwrap()
    }

    /// Two kinds of proof need nobody else: `none`, and `dns` with a DNS that knows one domain.
    fn publishing(&self, journal: Arc<dyn Journal>) -> Publishing {
        Publishing::new(PublishingParts {
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            locks: Arc::new(InProcess::new(Start::Fresh)),
            counters: Arc::new(InProcess::new(Start::Fresh)),
            journal,
            egress: Egress::new(&EgressConfig::default()).unwrap(),
            texts: Arc::new(OneDomain),
            limits: self.limits.clone(),
            signing_key: SecretKey::new([5; 32]),
            issuer: "https://gw.acme.example".to_owned(),
            settings: ProofSettings {
                none: true,
                dns: true,
                ..ProofSettings::default()
            },
        })
    }

    fn gateway(&self, store: &Store, loader: Arc<Loader>, journal: Arc<dyn Journal>) -> Gateway {
        let (clock, rng, limits) = (self.clock.clone(), self.rng.clone(), self.limits.clone());
        let sessions = crate::kept_sessions::of_one_node(store, clock, rng, limits);
        let parts = GatewayParts {
            loader,
            access: self.access.clone(),
            vault: Arc::new(self.vault(store)),
            sealer: Arc::new(Sealer::new(&SecretKey::new([9; 32])).unwrap()),
            egress: Egress::new(&EgressConfig::default()).unwrap(),
            sessions,
            sinks: Sinks {
                journal,
                usage: UsageRing::new(16),
                digest: Mac::new(&SecretKey::new([8; 32])),
                metrics: Metrics::new(&mut prometheus_client::registry::Registry::default()),
                clock: self.clock.clone(),
                rng: self.rng.clone(),
            },
            limits: self.limits.clone(),
            origins: Origins::new(&public_url(), &[], None),
            public_url: public_url(),
            stopping: tokio::sync::watch::channel(false).1,
        };
        Gateway::new(parts, Arc::new(PinKeeper::queue(&Limits::default()).0))
    }
}

async fn key_of_the_admin(access: &Access) -> String {
    let new = portreeve_access::NewKey {
        groups: Vec::new(),
        name: "admin".to_owned(),
        owner: Some(UserId::LOCAL_ADMIN),
        expires_at: None,
    };
    let (_, secret) = access.create_key(&Caller::system(), new).await.unwrap();
    secret.expose().to_owned()
}
