//! The gateway's policy room on random policies: what is listed, what is called and what is explained agree, with the
//! arguments of the call, on routes that are open and on those that are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use portreeve_access::{Access, AccessParts};
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::caller::{Caller, User};
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{GrantId, RouteId, UserId};
use portreeve_core::ports::{Authorizer as _, News, Snapshot};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::route::{
    Access as RouteAccess, Credentials, PinState, Protocol, Route, RouteState, ServerRequests,
    SessionAffinity,
};
use portreeve_core::secret::SecretKey;
use portreeve_core::time::{Clock, SystemClock, Timestamp};
use portreeve_core::tool::{Tool, ToolAnnotations, ToolDefinition};
use portreeve_core::user::UserOrigin;
use portreeve_gateway::metrics::Metrics;
use portreeve_gateway::policy::{Passage, Policies, Question};
use portreeve_gateway::record::{Record, Sinks};
use portreeve_gateway::respond::Refusal;
use portreeve_gateway::route::ServedRoute;
use portreeve_insight::UsageRing;
use portreeve_inspect::Mac;
use portreeve_mcp::method::Method;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::ground::opened;

const SERVER: &str = "com.acme/mail";
const START: Timestamp = Timestamp::from_millis(1_795_435_200_000);
/// A tool that reads, and one that writes.
const TOOLS: [(&str, bool); 2] = [("list", true), ("send", false)];
const USERS: [&str; 2] = ["ada", "bob"];

/// Calls that the conditions below tell apart, and one whose arguments cannot be read in one way only.
const CALLS: [&str; 6] = [
    "{}",
    r#"{"to": "bob@acme.example"}"#,
    r#"{"to": "eve@evil.example", "amount": 20}"#,
    r#"{"to": ["bob@acme.example"], "bcc": "x"}"#,
    r#"{"amount": 250}"#,
    r#"{"to": "bob@acme.example", "to": "eve@evil.example"}"#,
];

const WHO: [&str; 4] = [
    "principal",
    r#"principal == User::"ada""#,
    r#"principal in Group::"interns""#,
    "principal is Anonymous",
];

const ACTIONS: [&str; 3] = [
    r#"action == Action::"call""#,
    r#"action == Action::"discover""#,
    r#"action in Action::"use""#,
];

/// Of calls alone.
const CONDITIONS: [&str; 7] = [
    "",
    "when { resource.read_only }",
    r#"unless { resource.name == "list" }"#,
    r#"unless { context.text.hasTag("to") && context.text.getTag("to") like "*@acme.example" }"#,
    r#"when { context.number.hasTag("amount") && context.number.getTag("amount") > 100 }"#,
    r#"when { context.given.contains("bcc") }"#,
    r#"when { context has environment && context.environment == "test" }"#,
];

fn any_rule() -> impl Strategy<Value = String> {
    (any::<bool>(), 0..WHO.len(), 0..ACTIONS.len(), 0..CONDITIONS.len()).prop_map(
        |(forbids, who, action, condition)| {
            let effect = if forbids { "forbid" } else { "permit" };
            // No policy opens anything to strangers, and the check says so.
            let who = WHO[if forbids { who } else { who % 3 }];
            let condition = if action == 0 { CONDITIONS[condition] } else { "" };
            format!("{effect} ({who}, {}, resource) {condition};", ACTIONS[action])
        },
    )
}

#[derive(Debug)]
struct Counting(AtomicU64);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

/// The room, and who decides in it.
struct Room {
    access: Arc<Access>,
    policies: Policies,
    sinks: Arc<Sinks>,
    generation: AtomicI64,
    _data: tempfile::TempDir,
}

impl Room {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let rng: Arc<dyn Rng> = Arc::new(Counting(AtomicU64::new(1)));
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
        let sinks = Sinks {
            journal: audit.journal.clone(),
            usage: UsageRing::new(16),
            digest: Mac::new(&SecretKey::new([8; 32])),
            metrics: Metrics::new(&mut prometheus_client::registry::Registry::default()),
            clock,
            rng,
        };
        Self {
            policies: Policies::new(access.clone()),
            access,
            sinks: Arc::new(sinks),
            generation: AtomicI64::new(1),
            _data: data,
        }
    }

    fn load(&self, rules: &[String], grants: &[(usize, bool)]) {
        let policy = |(place, text): (usize, &String)| AccessPolicy {
            name: format!("rule-{place}").parse().unwrap(),
            description: String::new(),
            text: text.clone(),
            tests: Vec::new(),
            enabled: true,
            revision: 1,
            updated_by: "system".to_owned(),
            created_at: START,
            updated_at: START,
        };
        let grant = |(place, (user, reads_only)): (usize, &(usize, bool))| Grant {
            id: GrantId::from_u128(place as u128 + 1),
            subject: Subject::User(UserId::from_u128(*user as u128 + 1)),
            rights: Rights::Use,
            servers: ServerScope::All,
            tools: if *reads_only {
                ToolScope::ReadOnly
            } else {
                ToolScope::All
            },
            created_by: "system".to_owned(),
            created_at: START,
            expires_at: None,
            request: None,
        };
        self.access.load(&Snapshot {
            generation: self.generation.fetch_add(1, Ordering::SeqCst),
            routes: News::All(Vec::new()),
            keys: Vec::new(),
            users: (0..USERS.len()).map(user).collect(),
            grants: grants.iter().enumerate().map(grant).collect(),
            policies: rules.iter().enumerate().map(policy).collect(),
            registries: Vec::new(),
            owned: Vec::new(),
            signing_keys: Vec::new(),
            ended: Vec::new(),
            revoked: Vec::new(),
        });
    }
}

/// Ada is an intern, and Bob is not.
fn user(place: usize) -> User {
    User {
        id: UserId::from_u128(place as u128 + 1),
        name: USERS[place].to_owned(),
        display_name: None,
        email: None,
        origin: UserOrigin::Local,
        external: None,
        groups: if place == 0 {
            vec!["interns".parse().unwrap()]
        } else {
            Vec::new()
        },
        provider_groups: Vec::new(),
        created_at: START,
        disabled_at: None,
        signed_in_at: None,
    }
}

fn tool((name, read_only): (&str, bool)) -> Tool {
    let definition = ToolDefinition {
        name: name.to_owned(),
        hash: format!("hash of {name}"),
        definition: format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#),
        annotations: ToolAnnotations {
            read_only_hint: read_only,
            ..ToolAnnotations::default()
        },
    };
    Tool {
        name: name.to_owned(),
        era: Era::Modern,
        approved: Some(definition.clone()),
        live: Some(definition),
        hidden: false,
        approved_by: None,
        approved_at: None,
        seen_at: None,
    }
}

fn served(access: RouteAccess, environment: &str) -> ServedRoute {
    let route = Route {
        id: RouteId::from_u128(1),
        slug: "mail".parse().unwrap(),
        server: SERVER.parse().unwrap(),
        environment: environment.parse().unwrap(),
        major: None,
        version: "1.0.0".parse().unwrap(),
        upstream_url: "https://mail.acme.example/mcp".to_owned(),
        upstream_eras: vec![Era::Modern],
        private_hosts: Vec::new(),
        access,
        state: RouteState::Active,
        pin_state: PinState::Pinned,
        policies: Vec::new(),
        upstream_timeout_ms: 1_000,
        protocol: Protocol::default(),
        session_affinity: SessionAffinity::default(),
        server_requests: ServerRequests::default(),
        list_cache_ms: 0,
        credentials: Credentials::default(),
        revision: 1,
        created_at: START,
        updated_at: START,
    };
    let tools = TOOLS.map(tool).to_vec();
    ServedRoute::new(None, route, tools, Vec::new()).unwrap()
}

/// The law: what is called is listed, explained as it is decided, and refused in the words that fit what is listed.
async fn law(room: &Room, (caller, route): (&Caller, &ServedRoute), name: &str) -> Result<(), TestCaseError> {
    let policies = &room.policies;
    let tool = route.callable(Era::Modern, name).unwrap();
    let listed = policies.see(caller, route, tool);
    let about = Question {
        target: Some(name),
        ..Question::of(caller, route, Era::Modern, Method::CallTool)
    };
    let explained = policies.explain(&about).await;
    prop_assert_eq!(
        explained.iter().all(|one| one.allowed),
        listed,
        "a list and its explanation: {:?}",
        explained
    );
    prop_assert!(
        !listed || policies.admit(caller, route),
        "who lists tools knows of the server"
    );
    for arguments in CALLS {
        let question = Question {
            arguments: Some(arguments.as_bytes()),
            ..about
        };
        let mut record = Record::open(&room.sinks);
        let answer = policies.before(&question, (), &mut record).await;
        let explained = policies.explain(&question).await;
        let called = match &answer {
            Ok(Passage::Permitted(_)) => true,
            Ok(Passage::Stranger(())) => false,
            Err(Refusal::UnknownTool { .. }) => {
                prop_assert!(!listed, "`{}` is listed, and unknown with {}", name, arguments);
                false
            }
            Err(Refusal::ForbiddenArguments { .. }) => {
                prop_assert!(
                    listed,
                    "`{}` is not listed, and is told of with {}",
                    name,
                    arguments
                );
                false
            }
            Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert_eq!(
            explained.iter().all(|one| one.allowed),
            called,
            "a call with {} and its explanation: {:?}",
            arguments,
            explained
        );
        prop_assert!(!called || listed, "what is called with {} is listed", arguments);
        if !room.access.reads_arguments() {
            prop_assert_eq!(called, listed, "nothing reads {}", arguments);
        }
    }
    Ok(())
}

#[test]
fn list_call_and_explanation_agree_in_the_gateways_policy_room() {
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    let room = runtime.block_on(Room::new());
    let routes = [
        served(RouteAccess::Credential, "production"),
        served(RouteAccess::Credential, "test"),
        served(RouteAccess::Anonymous, "test"),
    ];
    let rules = prop::collection::vec(any_rule(), 0..5);
    let grants = prop::collection::vec((0..USERS.len(), any::<bool>()), 0..3);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(96)
    });
    let outcome = runner.run(&(rules, grants), |(rules, grants)| {
        room.load(&rules, &grants);
        let server = SERVER.parse().unwrap();
        let mut callers: Vec<Caller> = USERS
            .iter()
            .map(|name| room.access.known_as(&format!("user:{name}")).unwrap())
            .collect();
        callers.push(Caller::anonymous());
        for caller in &callers {
            let target = Target::Server(&server);
            let reasons = room.access.reasons(caller, Action::Discover, &target, None);
            let all_read = !reasons.iter().any(|one| one.contains("cannot be read"));
            prop_assert!(all_read, "{:?}", reasons);
            for route in &routes {
                for (name, _) in TOOLS {
                    runtime.block_on(law(&room, (caller, route), name))?;
                }
            }
        }
        Ok(())
    });
    if let Err(broken) = outcome {
        panic!("{broken}");
    }
}
