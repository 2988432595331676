//! What only time brings about: sessions that nobody uses end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::random::Rng;
use portreeve_core::time::{Clock, Timestamp};

use super::{NewSession, Sessions};

#[derive(Debug, Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Debug, Default)]
struct Counting(AtomicU8);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

#[test]
fn s4_a_session_that_rested_too_long_is_unknown_and_others_are_not() {
    let clock = Arc::new(Hands::default());
    let limits = Arc::new(Limits::default());
    let idle = i64::try_from(limits.session_idle.as_millis()).unwrap();
    let rng = Arc::new(Counting::default());
    let route = RouteId::new(&*clock, &*rng);
    let sessions = Sessions::new(Arc::clone(&clock) as Arc<dyn Clock>, rng, limits);
    let open = || {
        let new = NewSession {
            principal: Principal::Anonymous,
            route,
            upstream: None,
            stranger: false,
            hop: portreeve_core::protocol::Era::Legacy,
        };
        sessions.open(new).unwrap().id.clone()
    };
    let (rested, used) = (open(), open());
    let find = |id: &str| sessions.find(id, Principal::Anonymous, route).is_some();
    clock.0.store(idle, Ordering::Relaxed);
    assert!(sessions.sweep().is_empty(), "not yet");
    assert!(find(&used));
    clock.0.store(idle + 1, Ordering::Relaxed);
    let swept: Vec<_> = sessions
        .sweep()
        .iter()
        .map(|session| session.id.clone())
        .collect();
    assert_eq!(swept, [rested.as_str()]);
    assert!(!find(&rested) && find(&used));
    assert!(
        sessions.find(&used, Principal::System, route).is_none(),
        "and only its caller's"
    );
}
