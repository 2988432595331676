//! Legacy sessions as two nodes see them that have one store, and what only time brings about. Beneath them are a real
//! store and the real state of one process; the clock is the test's.

mod bounds;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use portreeve_core::caller::Principal;
use portreeve_core::id::{KeyId, NodeId, RouteId};
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_gateway::metrics::Metrics;
use portreeve_gateway::session::{NewSession, Session, SessionKeys, SessionParts, Sessions};
use portreeve_mcp::method::Method;
use portreeve_state::{InProcess, Start};
use portreeve_store::{Store, StoreOptions};
use tempfile::TempDir;

const ROUTE: RouteId = RouteId::from_u128(9);
const ADA: Principal = Principal::Key(KeyId::from_u128(1));

/// Legacy sessions of a node that is alone on its store.
pub(crate) fn of_one_node(
    store: &Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    limits: Arc<Limits>,
) -> Arc<Sessions> {
    let state = Arc::new(InProcess::new(Start::Fresh));
    of_node(store, &state, (clock, rng), (limits, 6))
}

fn of_node(
    store: &Store,
    state: &Arc<InProcess>,
    (clock, rng): (Arc<dyn Clock>, Arc<dyn Rng>),
    (limits, key): (Arc<Limits>, u8),
) -> Arc<Sessions> {
    let parts = SessionParts {
        store: Arc::new(store.clone()),
        cache: state.clone(),
        signals: state.clone(),
        keys: SessionKeys {
            ids: SecretKey::new([6; 32]),
            rows: SecretKey::new([key; 32]),
        },
        clock,
        rng,
        limits,
        metrics: Metrics::new(&mut prometheus_client::registry::Registry::default()),
        runtime: tokio::runtime::Handle::current(),
    };
    Sessions::new(parts).expect("keys of the right length")
}

#[derive(Debug, Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, counted) in bytes.iter_mut().zip(count.iter().cycle()) {
            *byte = *counted;
        }
    }
}

/// A store, and what its nodes share.
struct Harbour {
    store: Store,
    state: Arc<InProcess>,
    clock: Arc<Hands>,
    rng: Arc<Counting>,
    limits: Arc<Limits>,
    _folder: TempDir,
}

impl Harbour {
    async fn new(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("portreeve.db").display());
        let options = StoreOptions::new(NodeId::from_u128(1));
        Self {
            store: Store::open(&url, &options).await.unwrap(),
            state: Arc::new(InProcess::new(Start::Fresh)),
            clock: Arc::default(),
            rng: Arc::default(),
            limits: Arc::new(limits),
            _folder: folder,
        }
    }

    fn node(&self) -> Arc<Sessions> {
        self.node_with(7)
    }

    fn node_with(&self, key: u8) -> Arc<Sessions> {
        let hands = (
            self.clock.clone() as Arc<dyn Clock>,
            self.rng.clone() as Arc<dyn Rng>,
        );
        of_node(&self.store, &self.state, hands, (Arc::clone(&self.limits), key))
    }

    fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.clock.0.fetch_add(millis, Ordering::Relaxed);
    }
}

async fn open(node: &Sessions, principal: Principal) -> Arc<Session> {
    open_before(node, principal, Era::Legacy).await
}

async fn open_before(node: &Sessions, principal: Principal, hop: Era) -> Arc<Session> {
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{}},"clientInfo":{"name":"t"}}}"#;
    let new = NewSession {
        principal,
        route: ROUTE,
        upstream: Some("theirs".to_owned()),
        stranger: false,
        hop,
        server: None,
        hello: Bytes::from_static(hello.as_bytes()),
    };
    let session = node.open(new).unwrap();
    session.set_version("2025-11-25");
    session.keep().await.unwrap();
    session
}

async fn find(node: &Sessions, id: &str, principal: Principal) -> Option<Arc<Session>> {
    node.bring(id, principal, ROUTE).await.unwrap();
    node.find(id, principal, ROUTE)
}

/// Waits until it is so.
async fn soon(what: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("it comes about");
}

#[tokio::test]
async fn p15_a_session_is_the_same_on_every_node() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    let found = find(&two, &opened.id, ADA).await.expect("on the other node");
    assert!(!Arc::ptr_eq(&opened, &found));
    assert_eq!(found.upstream().as_deref(), Some("theirs"));
    assert_eq!(found.version().as_deref(), Some("2025-11-25"));
    assert_eq!(found.client_capabilities().unwrap().get(), r#"{"roots":{}}"#);
    assert_eq!(found.client_info().unwrap().get(), r#"{"name":"t"}"#);
    found.set_log_level("debug").await.unwrap();
    opened.subscribe("test://a").await.unwrap();
    opened.subscribe("test://b").await.unwrap();
    found.unsubscribe("test://a").await.unwrap();
    soon(async || opened.subscriptions().len() == 1).await;
    for session in [
        &opened,
        &found,
        &find(&harbour.node(), &opened.id, ADA).await.unwrap(),
    ] {
        assert_eq!(session.log_level().as_deref(), Some("debug"));
        assert_eq!(
            session.subscriptions().into_iter().collect::<Vec<_>>(),
            ["test://b"]
        );
    }
}

#[tokio::test]
async fn s4_p16_a_session_is_unknown_to_everybody_else() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    let other = Principal::Key(KeyId::from_u128(2));
    for node in [&one, &two] {
        for principal in [other, Principal::Anonymous, Principal::System] {
            assert!(find(node, &opened.id, principal).await.is_none(), "{principal}");
        }
        let elsewhere = RouteId::from_u128(10);
        node.bring(&opened.id, ADA, elsewhere).await.unwrap();
        assert!(node.find(&opened.id, ADA, elsewhere).is_none());
        let forged = format!(
            "{}{}",
            opened.id.split_at(74).0,
            if opened.id.ends_with('A') { 'E' } else { 'A' }
        );
        assert!(find(node, &forged, ADA).await.is_none());
        assert!(find(node, &opened.id, ADA).await.is_some());
    }
    let stranger = harbour.node_with(8);
    assert!(
        find(&stranger, &opened.id, ADA).await.is_none(),
        "another master key opens nothing"
    );
}

#[tokio::test]
async fn s5_what_one_node_ended_no_node_serves() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    let kept = open(&one, ADA).await;
    let found = find(&two, &opened.id, ADA).await.unwrap();
    let mut stream = found.take_stream();
    one.close(&opened).await.unwrap();
    assert!(find(&one, &opened.id, ADA).await.is_none());
    assert!(find(&harbour.node(), &opened.id, ADA).await.is_none());
    soon(async || find(&two, &opened.id, ADA).await.is_none()).await;
    assert!(stream.wait_for(|over| *over).await.is_ok(), "its stream ends");
    assert!(find(&two, &kept.id, ADA).await.is_some());
}

#[tokio::test]
async fn a_node_that_heard_nothing_learns_of_an_end_within_its_minute() {
    let harbour = Harbour::new(Limits::default()).await;
    let one = harbour.node();
    let opened = open(&one, ADA).await;
    let hands = (
        harbour.clock.clone() as Arc<dyn Clock>,
        harbour.rng.clone() as Arc<dyn Rng>,
    );
    let state = Arc::new(InProcess::new(Start::Fresh));
    let deaf = of_node(&harbour.store, &state, hands, (Arc::clone(&harbour.limits), 7));
    let found = find(&deaf, &opened.id, ADA).await.unwrap();
    opened.set_log_level("debug").await.unwrap();
    let ended = open(&one, ADA).await;
    assert!(find(&deaf, &ended.id, ADA).await.is_some());
    one.close(&ended).await.unwrap();
    assert!(find(&deaf, &ended.id, ADA).await.is_some(), "it knows no better");
    assert_eq!(found.log_level(), None);
    deaf.tend().await;
    assert!(find(&deaf, &ended.id, ADA).await.is_none());
    assert_eq!(found.log_level().as_deref(), Some("debug"));
}

#[tokio::test]
async fn s4_a_session_that_rested_too_long_is_over_and_others_are_not() {
    let harbour = Harbour::new(Limits::default()).await;
    let node = harbour.node();
    let (rested, used) = (open(&node, ADA).await, open(&node, ADA).await);
    // A use is noted up to two minutes late.
    let half = harbour.limits.session_idle / 2 + Duration::from_secs(61);
    harbour.pass(half);
    assert!(find(&node, &used.id, ADA).await.is_some());
    assert!(node.tend().await.is_empty(), "not yet");
    assert_eq!(node.len(), 1, "what rests is in the store alone");
    harbour.pass(half);
    let over = node.tend().await;
    let ids: Vec<_> = over.iter().map(|session| session.id.len()).collect();
    assert_eq!((ids, over[0].upstream().as_deref()), (vec![75], Some("theirs")));
    assert!(find(&node, &rested.id, ADA).await.is_none());
    assert!(find(&node, &used.id, ADA).await.is_some());
    harbour.pass(harbour.limits.session_lifetime);
    assert!(find(&node, &used.id, ADA).await.is_none(), "none lives for ever");
}

#[tokio::test]
async fn a_session_at_work_stays_in_memory() {
    let harbour = Harbour::new(Limits::default()).await;
    let node = harbour.node();
    let (listening, calling) = (open(&node, ADA).await, open(&node, ADA).await);
    let stream = listening.take_stream();
    let id = serde_json::value::to_raw_value(&1).unwrap();
    let call = calling.begin(&id, Method::Ping).unwrap();
    harbour.pass(harbour.limits.session_rest + Duration::from_secs(1));
    node.tend().await;
    assert_eq!(node.len(), 2);
    drop(stream);
    calling.finish(call.id);
    node.tend().await;
    assert_eq!(node.len(), 0);
}

#[tokio::test]
async fn a_caller_has_no_more_sessions_than_the_limit_on_all_nodes_together() {
    let limits = Limits {
        sessions_per_caller: 3,
        ..Limits::default()
    };
    let harbour = Harbour::new(limits).await;
    let (one, two) = (harbour.node(), harbour.node());
    let mut opened = Vec::new();
    for node in [&one, &two, &one, &two, &one] {
        harbour.pass(Duration::from_secs(1));
        opened.push(open(node, ADA).await);
    }
    let other = open(&one, Principal::Anonymous).await;
    let over = one.tend().await;
    assert_eq!(over.len(), 2, "each node had no more than three");
    for (number, session) in opened.iter().enumerate() {
        let is_there = find(&harbour.node(), &session.id, ADA).await.is_some();
        assert_eq!(is_there, number > 1, "{number}");
    }
    assert!(find(&two, &other.id, Principal::Anonymous).await.is_some());
}

#[tokio::test]
async fn many_sessions_that_come_at_once_are_all_kept() {
    let harbour = Harbour::new(Limits::default()).await;
    let node = harbour.node();
    let opened = futures_util::future::join_all((0..600).map(|_| open(&node, ADA))).await;
    let other = harbour.node();
    for session in opened {
        assert!(find(&other, &session.id, ADA).await.is_some());
    }
}

#[tokio::test]
async fn one_reading_serves_all_who_come_with_a_session() {
    let harbour = Harbour::new(Limits::default()).await;
    let opened = open(&harbour.node(), ADA).await;
    let node = harbour.node();
    let found = futures_util::future::join_all((0..20).map(|_| find(&node, &opened.id, ADA))).await;
    let first = found[0].clone().unwrap();
    assert!(found.iter().flatten().all(|session| Arc::ptr_eq(session, &first)));
    assert_eq!((found.len(), node.len()), (20, 1));
}

#[tokio::test]
async fn another_node_knows_the_era_of_the_server_and_what_it_is_told_of_its_host() {
    let limits = Limits {
        session_hello_bytes: 1,
        ..Limits::default()
    };
    let harbour = Harbour::new(limits).await;
    let (one, two) = (harbour.node(), harbour.node());
    for (hop, told) in [(Era::Legacy, None), (Era::Modern, Some(r#"{"roots":{}}"#))] {
        let opened = open_before(&one, ADA, hop).await;
        let found = find(&two, &opened.id, ADA).await.unwrap();
        assert_eq!(found.hop, hop);
        let declared = found.client_capabilities();
        assert_eq!(declared.as_ref().map(|raw| raw.get()), told, "{hop:?}");
    }
}

#[tokio::test]
async fn p15_the_answer_to_a_server_may_come_to_another_node_once() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    let found = find(&two, &opened.id, ADA).await.unwrap();
    opened.note_server_request("\"q-1\"");
    found.learn_server_request("\"q-1\"").await;
    assert!(found.take_server_request("\"q-1\""));
    found.learn_server_request("\"q-1\"").await;
    assert!(!found.take_server_request("\"q-1\""), "it counts once");
    found.learn_server_request("7").await;
    assert!(!found.take_server_request("7"), "nobody asked");
    let many = harbour.limits.requests_per_session + 10;
    for number in 0..many {
        opened.note_server_request(&number.to_string());
    }
    let last = (many - 1).to_string();
    found.learn_server_request(&last).await;
    assert!(
        found.take_server_request(&last),
        "whatever was answered elsewhere before"
    );
    assert!(opened.take_server_request(&last));
    assert!(!opened.take_server_request("0"), "the oldest gave way");
}

#[tokio::test]
async fn a_session_has_one_stream_on_all_nodes() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    let found = find(&two, &opened.id, ADA).await.unwrap();
    let mut first = opened.take_stream();
    harbour.pass(Duration::from_millis(1));
    let second = found.take_stream();
    let ended = tokio::time::timeout(Duration::from_secs(10), first.wait_for(|over| *over)).await;
    assert!(ended.is_ok_and(|over| over.is_ok_and(|over| *over)));
    assert!(!*second.borrow());
}

#[tokio::test]
async fn s9_a_call_that_broke_off_is_known_wherever_its_host_comes_back() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    let found = find(&two, &opened.id, ADA).await.unwrap();
    let mut left = Vec::new();
    for number in 0..3 {
        let host_id = serde_json::value::to_raw_value(&format!("call-{number}")).unwrap();
        let call = opened.begin(&host_id, Method::CallTool).unwrap();
        if number != 1 {
            call.may_return();
        }
        left.push(call.id);
        drop(call);
    }
    let is_known = |name: &str| {
        let id = serde_json::value::to_raw_value(name).unwrap();
        found.upstream_id(&id).is_some()
    };
    soon(async || {
        found.take_up().await;
        is_known("call-0") && is_known("call-2")
    })
    .await;
    let known = |id: u64| {
        found
            .finish(id)
            .map(|request| (request.host_id.get().to_owned(), request.method))
    };
    assert_eq!(known(left[0]), Some(("\"call-0\"".to_owned(), Method::CallTool)));
    assert_eq!(known(left[1]), None, "nobody can come back for it");
    assert_eq!(known(left[2]), Some(("\"call-2\"".to_owned(), Method::CallTool)));
    soon(async || {
        let fresh = find(&harbour.node(), &opened.id, ADA).await.unwrap();
        fresh.take_up().await;
        ["call-0", "call-2"].iter().all(|name| {
            let id = serde_json::value::to_raw_value(name).unwrap();
            fresh.upstream_id(&id).is_none()
        })
    })
    .await;
}
