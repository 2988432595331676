//! What sessions cost at most, and what comes of many things at once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use portreeve_core::host_session::HostSessionChange;
use portreeve_core::id::HostSessionId;
use portreeve_core::limits::Limits;
use portreeve_core::ports::HostSessionStore as _;
use portreeve_core::protocol::Era;
use portreeve_gateway::session::{NewSession, Session};
use portreeve_mcp::method::Method;

use super::{ADA, Harbour, ROUTE, find, open, soon};

/// The key of a session's row.
fn key(session: &Session) -> HostSessionId {
    let ticket = URL_SAFE_NO_PAD.decode(&session.id).unwrap();
    HostSessionId::from_u128(u128::from_be_bytes(*ticket.first_chunk().unwrap()))
}

#[tokio::test]
async fn many_changes_of_one_session_at_once_are_all_kept() {
    let harbour = Harbour::new(Limits::default()).await;
    let node = harbour.node();
    let opened = open(&node, ADA).await;
    let uris: Vec<_> = (0..20).map(|number| format!("test://{number}")).collect();
    let subscribed = uris.iter().map(|uri| opened.subscribe(uri));
    for subscribed in futures_util::future::join_all(subscribed).await {
        subscribed.unwrap();
    }
    let found = find(&harbour.node(), &opened.id, ADA).await.unwrap();
    let kept = found.subscriptions();
    assert!(uris.iter().all(|uri| kept.contains(uri)), "{kept:?}");
}

#[tokio::test]
async fn an_end_that_nobody_waits_for_any_more_is_an_end() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    assert!(find(&two, &opened.id, ADA).await.is_some());
    tokio::select! {
        biased;
        _ = one.close(&opened) => unreachable!("it takes time"),
        () = std::future::ready(()) => {}
    }
    soon(async || find(&one, &opened.id, ADA).await.is_none()).await;
    soon(async || find(&two, &opened.id, ADA).await.is_none()).await;
}

#[tokio::test]
async fn a_full_node_gives_up_the_memory_of_what_rests_and_refuses_only_where_all_work() {
    let limits = Limits {
        sessions_per_node: 2,
        ..Limits::default()
    };
    let harbour = Harbour::new(limits).await;
    let (node, other) = (harbour.node(), harbour.node());
    let mut all = Vec::new();
    for place in [&node, &node, &node, &other] {
        harbour.pass(Duration::from_secs(1));
        all.push(open(place, ADA).await);
    }
    for session in &all {
        harbour.pass(Duration::from_secs(1));
        assert!(find(&node, &session.id, ADA).await.is_some());
        assert!(node.len() <= 2);
    }
    let [.., third, fourth] = &all[..] else {
        unreachable!("there are four")
    };
    let (third, fourth) = (
        find(&node, &third.id, ADA).await.unwrap(),
        find(&node, &fourth.id, ADA).await.unwrap(),
    );
    let streams = (third.take_stream(), fourth.take_stream());
    let refused = node.bring(&all[0].id, ADA, ROUTE).await;
    assert!(refused.is_err(), "{refused:?}");
    drop(streams);
    assert!(find(&node, &all[0].id, ADA).await.is_some());
}

#[tokio::test]
async fn a_session_whose_call_broke_off_rests() {
    let harbour = Harbour::new(Limits::default()).await;
    let node = harbour.node();
    let opened = open(&node, ADA).await;
    let id = serde_json::value::to_raw_value(&1).unwrap();
    drop(opened.begin(&id, Method::CallTool).unwrap());
    harbour.pass(harbour.limits.session_rest + Duration::from_secs(1));
    node.tend().await;
    assert_eq!(node.len(), 0);
    assert!(find(&node, &opened.id, ADA).await.is_some());
}

#[tokio::test]
async fn nothing_brings_back_what_ended() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let opened = open(&one, ADA).await;
    assert!(find(&two, &opened.id, ADA).await.is_some());
    let row = harbour.store.host_session(key(&opened)).await.unwrap().unwrap();
    one.close(&opened).await.unwrap();
    soon(async || find(&two, &opened.id, ADA).await.is_none()).await;
    // As whoever reads it sees it who began before.
    let back = [HostSessionChange::Open(row)];
    let saved = harbour.store.save_host_sessions(&back).await;
    assert_eq!(saved.unwrap(), [true]);
    for node in [&one, &two] {
        assert!(find(node, &opened.id, ADA).await.is_none());
    }
    assert!(
        find(&harbour.node(), &opened.id, ADA).await.is_some(),
        "the row is there"
    );
}

#[tokio::test]
async fn a_stream_to_a_server_belongs_to_the_node_that_opened_it() {
    let harbour = Harbour::new(Limits::default()).await;
    let (one, two) = (harbour.node(), harbour.node());
    let new = NewSession {
        principal: ADA,
        route: ROUTE,
        upstream: Some(" line 0a".to_owned()),
        stranger: false,
        hop: Era::Legacy,
        server: None,
        hello: Bytes::new(),
    };
    let opened = one.open(new).unwrap();
    opened.keep().await.unwrap();
    let found = find(&two, &opened.id, ADA).await.unwrap();
    found.set_log_level("debug").await.unwrap();
    soon(async || opened.log_level().is_some()).await;
    assert_eq!(opened.upstream().as_deref(), Some(" line 0a"));
    assert_eq!(
        found.upstream().as_deref(),
        Some(" line "),
        "there is one, and not here"
    );
}
