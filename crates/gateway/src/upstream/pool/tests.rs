//! Who shares a session, and for how long it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::random::Rng;
use portreeve_core::time::{Clock, Timestamp};

use super::{Alike, Pool, ServerSession, Shared};

#[derive(Debug, Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Debug)]
struct Zeroes;

impl Rng for Zeroes {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn alike(principal: Principal, capabilities: &str) -> Alike {
    Alike {
        route: RouteId::new(&Hands::default(), &Zeroes),
        url: "http://127.0.0.1/mcp".to_owned(),
        principal,
        capabilities: capabilities.to_owned(),
    }
}

fn fill(place: &Shared, id: Option<&str>) {
    let session = ServerSession {
        id: id.map(str::to_owned),
        version: "2025-11-25".to_owned(),
        initialized: Bytes::new(),
        server: None,
    };
    place.set(Arc::new(session)).unwrap();
}

#[test]
fn p31_only_those_who_are_alike_share_a_session() {
    let pool = Pool::new(Arc::new(Hands::default()), Arc::new(Limits::default()));
    let first = pool.place(&alike(Principal::Anonymous, "{}"));
    assert!(Arc::ptr_eq(
        &first,
        &pool.place(&alike(Principal::Anonymous, "{}"))
    ));
    assert!(!Arc::ptr_eq(&first, &pool.place(&alike(Principal::System, "{}"))));
    let more = alike(Principal::Anonymous, r#"{"roots":{}}"#);
    assert!(!Arc::ptr_eq(&first, &pool.place(&more)));
}

#[test]
fn a_session_that_is_lost_is_forgotten_once() {
    let pool = Pool::new(Arc::new(Hands::default()), Arc::new(Limits::default()));
    let whose = alike(Principal::Anonymous, "{}");
    let lost = pool.place(&whose);
    pool.forget(&whose, &lost);
    let next = pool.place(&whose);
    assert!(!Arc::ptr_eq(&lost, &next));
    pool.forget(&whose, &lost);
    assert!(
        Arc::ptr_eq(&next, &pool.place(&whose)),
        "another one is there by now"
    );
}

#[test]
fn what_nobody_used_for_long_is_let_go_and_its_server_told() {
    let clock = Arc::new(Hands::default());
    let limits = Limits {
        pooled_sessions: 2,
        ..Limits::default()
    };
    let idle = i64::try_from(limits.pooled_idle.as_millis()).unwrap();
    let pool = Pool::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(limits));
    let whose = alike(Principal::Anonymous, "{}");
    fill(&pool.place(&whose), Some("kept"));
    fill(&pool.place(&alike(Principal::System, "{}")), None);
    clock.0.store(idle, Ordering::Relaxed);
    assert!(pool.sweep().is_empty(), "not yet");
    pool.place(&alike(Principal::Publisher, "{}"));
    clock.0.store(idle + 1, Ordering::Relaxed);
    let swept = pool.sweep();
    let ids: Vec<_> = swept.iter().map(|(_, session)| session.id.as_deref()).collect();
    assert!(ids.len() <= 1 && ids.iter().all(|id| *id == Some("kept")));
    assert!(pool.place(&whose).get().is_none(), "whoever comes next opens one");
}
