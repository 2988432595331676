//! The engine for one node. Its clock is paused where time matters.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::ports::{Cache, Counters, RateLimit, Signals};
use portreeve_state::{Bounds, InProcess, Start};
use portreeve_testkit::state_contract as contract;
use tokio::time::{advance, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn fresh() -> InProcess {
    InProcess::new(Start::Fresh)
}

#[tokio::test(start_paused = true)]
async fn counters() {
    let state = fresh();
    contract::a_burst_passes_and_no_more(&state).await;
    contract::counters_are_apart(&state).await;
    contract::units_come_back(&state).await;
    contract::odd_limits(&state).await;
    contract::two_nodes_share_one_limit(&state, &state).await;
    contract::the_same_answers(&state, &fresh(), 1).await;
}

#[tokio::test(start_paused = true)]
async fn cache_and_locks() {
    let state = fresh();
    contract::values_are_kept(&state).await;
    contract::values_end(&state).await;
    contract::a_lock_has_one_holder(&state).await;
    contract::a_late_holder_is_told_apart(&state).await;
}

#[tokio::test]
async fn signals() {
    let state = fresh();
    contract::listeners_hear_their_topic(&state, &state).await;
    contract::waiting_can_be_given_up(&state).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_take_one_limit_together() {
    let state = Arc::new(fresh());
    let limit = RateLimit {
        interval: Duration::from_secs(3600),
        burst: 1000,
    };
    let takings = (0..8).map(|_| {
        let state = state.clone();
        tokio::spawn(async move {
            let mut allowed = 0;
            for _ in 0..500 {
                allowed += u32::from(state.take("k", limit, 1).await.unwrap().allowed);
            }
            allowed
        })
    });
    let mut allowed = 0;
    for taking in takings.collect::<Vec<_>>() {
        allowed += taking.await.unwrap();
    }
    assert_eq!(allowed, 1000);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_a_burst_is_spent_and_comes_back() {
    let state = InProcess::new(Start::AfterCrash);
    let limit = RateLimit {
        interval: SECOND,
        burst: 5,
    };
    let refused = state.take("early", limit, 1).await.unwrap();
    assert!(!refused.allowed && refused.retry_after == SECOND, "{refused:?}");
    advance(SECOND * 2).await;
    assert!(state.take("early", limit, 2).await.unwrap().allowed);
    assert!(!state.take("early", limit, 1).await.unwrap().allowed);
    assert_eq!(state.peek("seen late", limit, 0).await.unwrap().remaining, 2);
    advance(SECOND * 3).await;
    assert_eq!(
        state.peek("seen late", limit, 0).await.unwrap().remaining,
        5,
        "as if it had never crashed"
    );
    assert!(state.take("seen late", limit, 5).await.unwrap().allowed);
}

#[tokio::test(start_paused = true)]
async fn counters_that_are_full_again_are_swept() {
    let state = fresh();
    let limit = RateLimit {
        interval: SECOND,
        burst: 2,
    };
    for round in 0..20 {
        for number in 0..10_000 {
            state.take(&format!("{round}/{number}"), limit, 1).await.unwrap();
        }
        advance(SECOND * 2).await;
    }
    assert!(
        state.counter_keys() <= 40_000,
        "{} keys of 200000",
        state.counter_keys()
    );
}

#[tokio::test(start_paused = true)]
async fn counters_have_a_bound_and_the_least_spent_go_first() {
    let state = InProcess::with_bounds(
        Start::Fresh,
        Bounds {
            counter_keys: 10_000,
            ..Bounds::default()
        },
    );
    let limit = RateLimit {
        interval: SECOND * 3600,
        burst: 10,
    };
    state.take("spender", limit, 10).await.unwrap();
    for number in 0..100_000 {
        state
            .take(&format!("passer-by {number}"), limit, 1)
            .await
            .unwrap();
    }
    assert!(state.counter_keys() <= 10_000, "{} keys", state.counter_keys());
    assert!(!state.take("spender", limit, 1).await.unwrap().allowed);
}

#[tokio::test]
async fn the_cache_has_a_bound() {
    let bytes = 1024 * 1024;
    let state = InProcess::with_bounds(
        Start::Fresh,
        Bounds {
            cache_bytes: bytes,
            ..Bounds::default()
        },
    );
    for number in 0..2_000 {
        state
            .put(&format!("{number}"), &[7; 4096], SECOND * 60)
            .await
            .unwrap();
        assert!(state.cache_bytes() <= bytes);
    }
    assert!(state.cache_bytes() > bytes / 2, "{}", state.cache_bytes());
    assert!(state.get("1999").await.unwrap().is_some());
    state
        .put("larger than everything", &vec![7; 2 * 1024 * 1024], SECOND * 60)
        .await
        .unwrap();
    assert_eq!(state.get("larger than everything").await.unwrap(), None);
}

#[tokio::test]
async fn a_listener_that_is_too_slow_is_told_to_look() {
    let state = fresh();
    let mut listener = state.subscribe("topic").await.unwrap();
    for number in 0..1000u32 {
        state.publish("topic", &number.to_be_bytes()).await.unwrap();
    }
    assert_eq!(listener.next().await, b"", "messages were lost");
    let next = timeout(SECOND, listener.next()).await.unwrap();
    assert!(u32::from_be_bytes(next.try_into().unwrap()) > 0);
}
