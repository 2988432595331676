//! A registry with everything around it: a store in memory, callers with simple rights, upstreams that say what the test
//! wants, and a clock that stands still until it is moved.

mod assessments;
mod governed;
mod icons;
mod imports;
mod logins;
mod names;
mod pages;
mod served;
mod shared;
mod store;
mod toolsets;
mod waiting;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Decision, Effect, Target};
use portreeve_core::id::KeyId;
use portreeve_core::limits::Limits;
use portreeve_core::name::ServerName;
use portreeve_core::policy::{PolicyCheck, PolicyProblem};
use portreeve_core::ports::{Authorizer, Refresh};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::route::PolicyDocument;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_core::visibility::Visibility;
use portreeve_net::{Egress, EgressConfig, Reach, Resolve};
use portreeve_registry::{
    Approve, AssessmentPolicy, Internal, Outcome, Probe, Registry, RegistryError, RegistryParts, RestSource,
    Submission, ToolSource, View, VirtualSource,
};
use url::Url;

pub(crate) use governed::Governed;
use logins::Shelf;
pub(crate) use pages::{Pages, page};
use shared::Counted;
pub(crate) use shared::{Locked, Told};
pub(crate) use store::Memory;

/// The name of every server that needs only one.
pub(crate) const NAME: &str = "com.acme/billing";

pub(crate) struct World {
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Arc<Memory>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) clock: Arc<Ticking>,
    pub(crate) rng: Arc<Counting>,
    pub(crate) refreshed: Arc<Refreshed>,
    pub(crate) limits: Arc<Limits>,
}

// === callers ===

/// `admin` and the system itself manage everything, `operator` operates everything and `reviewer` approves there as well,
/// `steward` manages one server, `publisher` may publish it, `user` may use it, everyone else may nothing. A policy hides
/// its inside from `watcher`, who sees that of all others, and from `silenced`, who may publish it.
pub(crate) fn caller(label: &str) -> Caller {
    Caller {
        groups: std::sync::Arc::from([]),
        token: None,
        principal: Principal::Key(KeyId::from_u128(7)),
        key: Some(KeyId::from_u128(7)),
        label: label.into(),
    }
}

pub(crate) fn admin() -> Caller {
    caller("admin")
}

struct Rights;

impl Authorizer for Rights {
    fn may(&self, caller: &Caller, action: Action, target: &Target<'_>) -> Arc<Decision> {
        let server = match target {
            Target::Installation | Target::Registry(_) => None,
            Target::Server(name) => Some(*name),
            Target::Tool { server, .. } => Some(*server),
        };
        let is_ours = server.is_some_and(|name| name.as_str().eq_ignore_ascii_case(NAME));
        if action == Action::View && is_ours && matches!(&*caller.label, "watcher" | "silenced") {
            return Arc::new(Decision {
                effect: Effect::Deny,
                policies: Arc::from([Arc::from("policy:hidden")]),
            });
        }
        let permit = match (&*caller.label, action) {
            ("admin" | "system", _)
            | ("operator", Action::View | Action::Operate)
            | ("reviewer", Action::View | Action::Operate | Action::Approve) => true,
            (
                "steward",
                Action::View
                | Action::Publish
                | Action::Approve
                | Action::Operate
                | Action::Audit
                | Action::Manage,
            ) => is_ours,
            ("publisher" | "silenced", Action::Publish) => is_ours,
            ("watcher", Action::View) => true,
            ("user", Action::Discover | Action::CallTool | Action::Read) => match target {
                Target::Tool { tool, .. } => is_ours && *tool != "secret",
                _ => is_ours,
            },
            _ => false,
        };
        Arc::new(Decision {
            effect: if permit { Effect::Permit } else { Effect::Deny },
            policies: Arc::from([]),
        })
    }

    fn visibility(&self, caller: &Caller) -> Visibility {
        if &*caller.label == "admin" {
            Visibility::All
        } else {
            Visibility::Listed
        }
    }

    fn views_some(&self, caller: &Caller) -> bool {
        matches!(
            &*caller.label,
            "admin" | "system" | "operator" | "reviewer" | "steward" | "watcher"
        )
    }

    fn hides_some(&self, caller: &Caller) -> bool {
        &*caller.label == "watcher"
    }

    fn policy_version(&self) -> u64 {
        1
    }
}

/// Knows two kinds of policies.
struct Kinds;

impl PolicyCheck for Kinds {
    fn check(&self, documents: &[PolicyDocument]) -> Vec<PolicyProblem> {
        let unknown = |(index, document): (usize, &PolicyDocument)| {
            (!matches!(document.kind.as_str(), "rate_limit" | "approval")).then(|| PolicyProblem {
                index,
                problem: format!("`{}` is not a policy", document.kind),
            })
        };
        documents.iter().enumerate().filter_map(unknown).collect()
    }
}

// === time, chance, network ===

#[derive(Debug)]
pub(crate) struct Ticking(AtomicI64);

impl Ticking {
    pub(crate) fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU64);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (byte, value) in bytes.iter_mut().rev().zip(count.iter().rev().cycle()) {
            *byte = *value;
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Refreshed(AtomicU64);

impl Refreshed {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Refresh for Refreshed {
    async fn refresh(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// `*.internal` is private, `nowhere.example` has no address, everything else is public.
struct Names;

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match name {
            "nowhere.example" => Err(std::io::Error::other("no such name")),
            "hidden.example" => Ok(vec!["10.0.0.7".parse().unwrap()]),
            _ => Ok(vec!["93.184.215.14".parse().unwrap()]),
        }
    }
}

/// What each upstream answers, by URL.
#[derive(Default)]
pub(crate) struct Upstreams {
    answers: Mutex<HashMap<String, Result<Probe, String>>>,
    /// What they answer once they were asked.
    later: Mutex<HashMap<String, Result<Probe, String>>>,
    asked: Mutex<Vec<(String, Vec<String>)>>,
    pub(crate) delay: Mutex<Option<Duration>>,
    /// Where nobody answers for as long as anybody waits, by a part of the URL.
    pub(crate) away: Mutex<Option<&'static str>>,
}

impl Upstreams {
    /// The upstream speaks both eras and has these tools: (name, description).
    pub(crate) fn answer(&self, url: &str, tools: &[(&str, &str)]) {
        self.answer_with(url, Ok(probe(tools)));
    }

    /// It has these tools once somebody asked it.
    pub(crate) fn turns(&self, url: &str, tools: &[(&str, &str)]) {
        let mut later = self.later.lock().unwrap();
        later.insert(url.to_owned(), Ok(probe(tools)));
    }

    pub(crate) fn answer_with(&self, url: &str, answer: Result<Probe, String>) {
        self.answers.lock().unwrap().insert(url.to_owned(), answer);
    }

    /// Who was asked, with the private hosts that the request might reach.
    pub(crate) fn asked(&self) -> Vec<(String, Vec<String>)> {
        self.asked.lock().unwrap().clone()
    }
}

fn probe(tools: &[(&str, &str)]) -> Probe {
    let texts: Vec<String> = tools.iter().map(|(name, text)| definition(name, text)).collect();
    Probe {
        uncertain: Vec::new(),
        eras: vec![Era::Legacy, Era::Modern],
        tools: vec![(Era::Legacy, texts.clone()), (Era::Modern, texts)],
        server_info: None,
    }
}

pub(crate) fn definition(name: &str, description: &str) -> String {
    format!(r#"{{"name":"{name}","description":"{description}","inputSchema":{{"type":"object"}}}}"#)
}

#[async_trait]
impl ToolSource for Upstreams {
    async fn tools(&self, _: &ServerName, url: &Url, reach: &Reach) -> Result<Probe, String> {
        let hosts = match reach {
            Reach::Private(hosts) => hosts.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        self.asked.lock().unwrap().push((url.to_string(), hosts));
        let delay = *self.delay.lock().unwrap();
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        let away = *self.away.lock().unwrap();
        if away.is_some_and(|part| url.as_str().contains(part)) {
            std::future::pending::<()>().await;
        }
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get(url.as_str()).cloned();
        if let Some(next) = self.later.lock().unwrap().remove(url.as_str()) {
            answers.insert(url.to_string(), next);
        }
        answer.unwrap_or_else(|| Err("nobody is there".to_owned()))
    }
}

// === the world ===

impl World {
    /// The default registry, read by anybody.
    pub(crate) fn everybody(&self) -> View {
        self.registry.view(None, None).unwrap()
    }

    pub(crate) fn new() -> Self {
        Self::assessing(AssessmentPolicy::default())
    }

    /// One in which this stops an approval.
    pub(crate) fn assessing(assessment: AssessmentPolicy) -> Self {
        Self::of(assessment, |_| {})
    }

    /// One with other limits.
    pub(crate) fn limited(limit: impl FnOnce(&mut Limits)) -> Self {
        Self::of(AssessmentPolicy::default(), limit)
    }

    fn of(assessment: AssessmentPolicy, limit: impl FnOnce(&mut Limits)) -> Self {
        let store = Arc::new(Memory::default());
        let governed = Arc::new(Governed::over(store.clone()));
        let upstreams = Arc::new(Upstreams::default());
        // 2026-01-01T00:00:00Z
        let clock = Arc::new(Ticking(AtomicI64::new(1_767_225_600_000)));
        let rng = Arc::new(Counting::default());
        let refreshed = Arc::new(Refreshed::default());
        let mut limits = Limits {
            probe: Duration::from_millis(200),
            ..Limits::for_tests()
        };
        limit(&mut limits);
        let limits = Arc::new(limits);
        let toolsets = Arc::new(toolsets::Kept::new(store.clone()));
        let names = Arc::new(names::Names::over(store.clone()));
        let parts = RegistryParts {
            entries: store.clone(),
            feed: store.clone(),
            served: store.clone(),
            imports: store.clone(),
            routes: store.clone(),
            governance: governed.clone(),
            toolsets: toolsets.clone(),
            views: governed.clone(),
            authorizer: Arc::new(Rights),
            names: names.clone(),
            policies: Arc::new(Kinds),
            refresh: refreshed.clone(),
            source: Arc::new(VirtualSource {
                routes: store.clone(),
                names: names.clone(),
                clock: clock.clone(),
                rng: rng.clone(),
                others: Arc::new(RestSource {
                    toolsets: toolsets.clone(),
                    others: upstreams.clone(),
                }),
            }),
            egress: Egress::with_resolver(&EgressConfig::default(), Arc::new(Names)).unwrap(),
            clock: clock.clone(),
            logins: store.clone(),
            outgoing: Arc::new(Shelf),
            rng: rng.clone(),
            limits: limits.clone(),
            public_url: "https://gw.example/".parse().unwrap(),
            assessments: store.clone(),
            icons: Arc::new(icons::Pictures::over(store.clone())),
            waiting: store.clone(),
            assessment,
            cursor_key: SecretKey::new([7; 32]),
            auto_approve: vec!["com.trusted/*".parse().unwrap()],
            counters: Arc::new(Counted::default()),
            issuers: Vec::new(),
        };
        Self {
            registry: Arc::new(Registry::new(parts)),
            store,
            upstreams,
            clock,
            rng,
            refreshed,
            limits,
        }
    }

    /// Adds a document as admin, a second later than the last one.
    pub(crate) async fn add(&self, document: &str, approve: Approve) -> Result<Outcome, RegistryError> {
        self.clock.pass(Duration::from_secs(1));
        let submission = Submission {
            document: document.to_owned(),
            internal: Internal::No,
            approve,
        };
        self.registry.add(&admin(), submission).await
    }

    /// Adds and approves, and expects that to work.
    pub(crate) async fn approved(&self, document: &str) -> Outcome {
        self.add(document, Approve::Now).await.unwrap()
    }

    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        self.store.events()
    }

    /// The actions in the audit log, and it is emptied.
    pub(crate) fn actions(&self) -> Vec<String> {
        let events = self.store.take_events();
        events.into_iter().map(|event| event.action).collect()
    }
}

/// A document with a Streamable HTTP remote.
pub(crate) fn remote(name: &str, version: &str, url: &str) -> String {
    format!(
        r#"{{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name":"{name}","title":"Billing","description":"Invoices and refunds","version":"{version}",
        "remotes":[{{"type":"streamable-http","url":"{url}"}}]}}"#
    )
}

/// A document with a package only.
pub(crate) fn package(name: &str, version: &str) -> String {
    format!(
        r#"{{"name":"{name}","description":"Runs here","version":"{version}","packages":[{{"registryType":"npm",
        "identifier":"@acme/billing","version":"{version}","transport":{{"type":"stdio"}}}}]}}"#
    )
}

/// The upstream of most documents.
pub(crate) const URL: &str = "https://mcp.acme.example/mcp";
