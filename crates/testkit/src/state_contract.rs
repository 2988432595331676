//! The contract of shared state: what every engine must answer. Generic over the four ports; run by `state` on each.
//!
//! Each function is one test. Keys carry a random part, so that a server that remembers former runs does not matter.
#![expect(clippy::unwrap_used, reason = "a contract that is broken stops the test")]

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use portreeve_core::ports::{Cache, Counters, Locks, RateDecision, RateLimit, Signals};
use tokio::time::{sleep, timeout};

/// Longer than any test: what comes back after it does not come back.
const NEVER: Duration = Duration::from_secs(3600);
/// Long enough for a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// A key that nobody else uses.
pub fn key(name: &str) -> String {
    format!("contract/{name}/{:016x}", RandomState::new().hash_one(name))
}

fn limit(interval: Duration, burst: u32) -> RateLimit {
    RateLimit { interval, burst }
}

// === Counters ===

/// A burst passes, then nothing; a refused taking takes nothing, and looking takes nothing.
pub async fn a_burst_passes_and_no_more(state: &impl Counters) {
    let (key, five) = (key("burst"), limit(NEVER, 5));
    for left in [4, 3, 2] {
        let looked = state.peek(&key, five, 1).await.unwrap();
        let taken = state.take(&key, five, 1).await.unwrap();
        assert_eq!(looked, taken);
        assert_eq!(
            taken,
            RateDecision {
                allowed: true,
                remaining: left,
                retry_after: Duration::ZERO
            }
        );
    }
    for _ in 0..2 {
        let refused = state.take(&key, five, 3).await.unwrap();
        assert!(!refused.allowed && refused.remaining == 2, "{refused:?}");
        assert!(
            refused.retry_after <= NEVER && refused.retry_after > NEVER - SOON,
            "{refused:?}"
        );
    }
    assert!(state.take(&key, five, 2).await.unwrap().allowed);
    assert!(!state.take(&key, five, 1).await.unwrap().allowed);
    assert!(!state.peek(&key, five, 1).await.unwrap().allowed);
    assert!(
        state.take(&key, five, 0).await.unwrap().allowed,
        "nothing can always be taken"
    );
}

/// Counters do not see each other, however alike their keys are.
pub async fn counters_are_apart(state: &impl Counters) {
    let (first, one) = (key("apart"), limit(NEVER, 1));
    for key in [
        first.clone(),
        format!("{first}/"),
        format!("{first}}}x"),
        format!("{first} ü {{y}}"),
    ] {
        assert!(state.take(&key, one, 1).await.unwrap().allowed, "{key}");
        assert!(!state.take(&key, one, 1).await.unwrap().allowed, "{key}");
    }
}

/// What was taken comes back, one unit per interval, and no more than the burst.
pub async fn units_come_back(state: &impl Counters) {
    let (key, three) = (key("back"), limit(Duration::from_millis(200), 3));
    assert!(state.take(&key, three, 3).await.unwrap().allowed);
    let refused = state.take(&key, three, 1).await.unwrap();
    assert!(
        !refused.allowed && refused.retry_after <= Duration::from_millis(200),
        "{refused:?}"
    );
    sleep(refused.retry_after + Duration::from_millis(5)).await;
    assert!(state.take(&key, three, 1).await.unwrap().allowed);
    sleep(Duration::from_millis(1500)).await;
    assert!(
        !state.take(&key, three, 4).await.unwrap().allowed,
        "more than the burst"
    );
    assert!(state.take(&key, three, 3).await.unwrap().allowed);
}

/// Limits at the edges of what can be said.
pub async fn odd_limits(state: &impl Counters) {
    let closed = state.take(&key("closed"), limit(NEVER, 0), 1).await.unwrap();
    assert!(!closed.allowed && closed.remaining == 0, "{closed:?}");
    let (open, none) = (key("open"), limit(Duration::ZERO, 3));
    for _ in 0..5 {
        let passed = state.take(&open, none, 3).await.unwrap();
        assert_eq!(
            passed,
            RateDecision {
                allowed: true,
                remaining: 3,
                retry_after: Duration::ZERO
            }
        );
    }
    let (wide, widest) = (key("wide"), limit(Duration::MAX, u32::MAX));
    let taken = state.take(&wide, widest, u32::MAX - 7).await.unwrap();
    assert!(taken.allowed && taken.remaining == 7, "{taken:?}");
    assert!(!state.take(&wide, widest, 8).await.unwrap().allowed);
    let fast = limit(Duration::from_nanos(1), 10);
    assert!(state.take(&key("fast"), fast, 10).await.unwrap().allowed);
}

/// Two nodes that ask at once are allowed one limit together, to the unit.
pub async fn two_nodes_share_one_limit(one: &impl Counters, other: &impl Counters) {
    let (key, fifty) = (key("shared"), limit(NEVER, 50));
    let asks = async |state: &dyn Counters| {
        let mut allowed = 0;
        for _ in 0..100 {
            allowed += u32::from(state.take(&key, fifty, 1).await.unwrap().allowed);
            tokio::task::yield_now().await;
        }
        allowed
    };
    let (first, second) = tokio::join!(asks(one), asks(other));
    assert_eq!(first + second, 50, "{first} and {second}");
}

/// Two engines give the same answers to the same questions: a long sequence of takings and lookings with many limits,
/// drawn from `seed`. Units come back so slowly that the engines' clocks play no part.
pub async fn the_same_answers(one: &impl Counters, other: &impl Counters, seed: u64) {
    let keys = [key("same/a"), key("same/b"), key("same/c")];
    let mut state = seed;
    let mut draw = |below: u64| {
        // Knuth's generator: a failure must be repeatable.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for step in 0..400 {
        let key = &keys[usize::try_from(draw(3)).unwrap()];
        let interval = Duration::from_secs(3600 * (1 + draw(3)));
        let limit = limit(interval, u32::try_from(draw(30)).unwrap());
        let units = u32::try_from(draw(6)).unwrap();
        let (left, right) = if draw(3) == 0 {
            (
                one.peek(key, limit, units).await.unwrap(),
                other.peek(key, limit, units).await.unwrap(),
            )
        } else {
            (
                one.take(key, limit, units).await.unwrap(),
                other.take(key, limit, units).await.unwrap(),
            )
        };
        let told = format!("seed {seed}, step {step}: {limit:?}, {units} units: {left:?} and {right:?}");
        assert_eq!(
            (left.allowed, left.remaining),
            (right.allowed, right.remaining),
            "{told}"
        );
        assert!(left.retry_after.abs_diff(right.retry_after) < SOON, "{told}");
    }
}

// === Cache ===

/// Values are kept byte by byte, replaced, and removed.
pub async fn values_are_kept(state: &impl Cache) {
    let (first, second) = (key("cache"), key("cache"));
    assert_eq!(state.get(&first).await.unwrap(), None);
    state.put(&first, b"\x00\xff\r\n", NEVER).await.unwrap();
    state.put(&second, b"", NEVER).await.unwrap();
    assert_eq!(state.get(&first).await.unwrap(), Some(b"\x00\xff\r\n".to_vec()));
    assert_eq!(
        state.get(&second).await.unwrap(),
        Some(Vec::new()),
        "empty is a value"
    );
    state.put(&first, b"new", Duration::MAX).await.unwrap();
    assert_eq!(state.get(&first).await.unwrap(), Some(b"new".to_vec()));
    state.remove(&first).await.unwrap();
    state.remove(&first).await.unwrap();
    assert_eq!(state.get(&first).await.unwrap(), None);
    assert_eq!(state.get(&second).await.unwrap(), Some(Vec::new()));
}

/// A value ends with its time, and a new one has a new time.
pub async fn values_end(state: &impl Cache) {
    let (short, renewed) = (key("short"), key("renewed"));
    state.put(&short, b"x", Duration::from_millis(100)).await.unwrap();
    state
        .put(&renewed, b"x", Duration::from_millis(100))
        .await
        .unwrap();
    state.put(&renewed, b"y", NEVER).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    assert_eq!(state.get(&short).await.unwrap(), None);
    assert_eq!(state.get(&renewed).await.unwrap(), Some(b"y".to_vec()));
}

// === Locks ===

/// One holder at a time, and a fence that grows with every taking.
pub async fn a_lock_has_one_holder(state: &impl Locks) {
    let (key, other) = (key("lock"), key("lock"));
    let first = state.acquire(&key, "a", NEVER).await.unwrap().unwrap();
    assert_eq!((first.key.as_str(), first.holder.as_str()), (key.as_str(), "a"));
    for holder in ["a", "b"] {
        assert_eq!(
            state.acquire(&key, holder, NEVER).await.unwrap(),
            None,
            "{holder}"
        );
    }
    assert!(state.acquire(&other, "b", NEVER).await.unwrap().is_some());
    let mut last = first;
    for _ in 0..20 {
        state.release(&last).await.unwrap();
        let next = state.acquire(&key, "b", NEVER).await.unwrap().unwrap();
        assert!(next.fence > last.fence, "{next:?} after {last:?}");
        last = next;
    }
}

/// A lock ends with its time, and its late holder cannot give back what is somebody else's by then.
pub async fn a_late_holder_is_told_apart(state: &impl Locks) {
    let key = key("late");
    let late = state
        .acquire(&key, "a", Duration::from_millis(100))
        .await
        .unwrap()
        .unwrap();
    sleep(Duration::from_millis(300)).await;
    let present = state.acquire(&key, "a", NEVER).await.unwrap().unwrap();
    assert!(present.fence > late.fence);
    state.release(&late).await.unwrap();
    assert_eq!(state.acquire(&key, "b", NEVER).await.unwrap(), None);
    state.release(&present).await.unwrap();
    state.release(&present).await.unwrap();
    assert!(state.acquire(&key, "b", NEVER).await.unwrap().is_some());
}

// === Signals ===

/// Every listener of the topic hears every message in order, the sender's own node included; no other topic does.
pub async fn listeners_hear_their_topic(one: &impl Signals, other: &impl Signals) {
    let (topic, quiet) = (key("topic"), key("quiet"));
    one.publish(&topic, b"before anybody listens").await.unwrap();
    let mut listeners = [
        one.subscribe(&topic).await.unwrap(),
        one.subscribe(&topic).await.unwrap(),
        other.subscribe(&topic).await.unwrap(),
    ];
    let mut elsewhere = other.subscribe(&quiet).await.unwrap();
    for number in 0..5u8 {
        one.publish(&topic, &[number, 0, 255]).await.unwrap();
    }
    for listener in &mut listeners {
        for number in 0..5u8 {
            assert_eq!(timeout(SOON, listener.next()).await.unwrap(), [number, 0, 255]);
        }
    }
    other.publish(&quiet, b"for you").await.unwrap();
    assert_eq!(timeout(SOON, elsewhere.next()).await.unwrap(), b"for you");
    let more = timeout(Duration::from_millis(100), listeners[0].next()).await;
    assert!(more.is_err(), "{more:?}");
}

/// Waiting may be given up and taken up again without losing a message.
pub async fn waiting_can_be_given_up(state: &impl Signals) {
    let topic = key("given up");
    let mut listener = state.subscribe(&topic).await.unwrap();
    for number in 0..10u8 {
        assert!(timeout(Duration::from_millis(5), listener.next()).await.is_err());
        state.publish(&topic, &[number]).await.unwrap();
        assert_eq!(timeout(SOON, listener.next()).await.unwrap(), [number]);
    }
}
