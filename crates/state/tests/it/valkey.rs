//! The engine for several nodes, on a real server.

use std::time::{Duration, Instant};

use portreeve_core::ports::{Cache, Counters, Locks, RateLimit, Signals};
use portreeve_state::{InProcess, Start, Valkey, ValkeyOptions};
use portreeve_testkit::state_contract as contract;
use redis::Client;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::wire::{State, Wire};

const SOON: Duration = Duration::from_secs(15);
/// The deadline of an operation, and what a busy machine adds.
const DEADLINE: Duration = Duration::from_millis(2500);

/// The server's URL. Without one, the test says so and passes, unless engines are required.
#[expect(clippy::disallowed_methods, reason = "this is the configuration of the tests")]
fn server() -> Option<String> {
    if let Ok(url) = std::env::var("PORTREEVE_TEST_REDIS") {
        return Some(url);
    }
    let required = std::env::var("PORTREEVE_TEST_REQUIRE_ENGINES").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "PORTREEVE_TEST_REQUIRE_ENGINES=1, but PORTREEVE_TEST_REDIS is not set"
    );
    eprintln!("not run: no Redis");
    None
}

async fn connect(url: &str) -> Valkey {
    Valkey::connect(url).await.unwrap()
}

/// The engine behind a wire that the test can freeze and cut. The wire does not speak TLS.
async fn wired(url: &str) -> Option<(Valkey, Wire)> {
    let Some(rest) = url.strip_prefix("redis://") else {
        eprintln!("not run: the wire to Redis is plain TCP");
        return None;
    };
    let (rest, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, address) = rest.rsplit_once('@').unwrap_or(("", rest));
    let wire = Wire::to(address.to_owned()).await;
    let state = connect(&format!("redis://{credentials}@{}/{database}", wire.address)).await;
    Some((state, wire))
}

#[tokio::test]
async fn counters() {
    let Some(url) = server() else { return };
    let (one, other) = (connect(&url).await, connect(&url).await);
    contract::a_burst_passes_and_no_more(&one).await;
    contract::counters_are_apart(&one).await;
    contract::units_come_back(&one).await;
    contract::odd_limits(&one).await;
    contract::two_nodes_share_one_limit(&one, &other).await;
}

#[tokio::test]
async fn cache_and_locks() {
    let Some(url) = server() else { return };
    let state = connect(&url).await;
    contract::values_are_kept(&state).await;
    contract::values_end(&state).await;
    contract::a_lock_has_one_holder(&state).await;
    contract::a_late_holder_is_told_apart(&state).await;
}

/// Installations on one server do not keep each other from their jobs.
#[tokio::test]
async fn prefixes_are_apart() {
    let Some(url) = server() else { return };
    let with = async |prefix: &str| {
        let options = ValkeyOptions {
            prefix: Some(prefix.to_owned()),
            ..ValkeyOptions::default()
        };
        Valkey::connect_with(&url, options).await.unwrap()
    };
    let (one, other, again) = (with("one").await, with("other").await, with("one").await);
    let key = format!("prefixes-{}", std::process::id());
    let long = Duration::from_secs(30);
    let lease = one.acquire(&key, "node", long).await.unwrap().unwrap();
    assert!(again.acquire(&key, "node", long).await.unwrap().is_none());
    let lease_there = other.acquire(&key, "node", long).await.unwrap().unwrap();
    one.put(&key, b"1", long).await.unwrap();
    assert_eq!(other.get(&key).await.unwrap(), None);
    assert!(again.get(&key).await.unwrap().is_some());
    one.release(&lease).await.unwrap();
    other.release(&lease_there).await.unwrap();
}

#[tokio::test]
async fn signals() {
    let Some(url) = server() else { return };
    let (one, other) = (connect(&url).await, connect(&url).await);
    contract::listeners_hear_their_topic(&one, &other).await;
    contract::waiting_can_be_given_up(&one).await;
}

#[tokio::test]
async fn both_engines_give_the_same_answers() {
    let Some(url) = server() else { return };
    let there = connect(&url).await;
    for seed in 0..10 {
        contract::the_same_answers(&there, &InProcess::new(Start::Fresh), seed).await;
    }
}

#[tokio::test]
async fn every_key_ends_and_is_ours() {
    let Some(url) = server() else { return };
    let state = connect(&url).await;
    let mark = contract::key("marked");
    let limit = RateLimit {
        interval: Duration::from_secs(2),
        burst: 3,
    };
    state.take(&mark, limit, 1).await.unwrap();
    state.peek(&format!("{mark}/peeked"), limit, 1).await.unwrap();
    state.put(&mark, b"x", Duration::from_secs(60)).await.unwrap();
    state.acquire(&mark, "a", Duration::from_secs(60)).await.unwrap();

    let mut plain = Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let mut keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("*{mark}*"))
        .query_async(&mut plain)
        .await
        .unwrap();
    keys.sort();
    let ours = ["cache", "fence", "lock", "rate"].map(|kind| format!("portreeve:{kind}:{{{mark}}}"));
    assert_eq!(keys, ours);
    for key in keys {
        let left: i64 = redis::cmd("PTTL")
            .arg(&key)
            .query_async(&mut plain)
            .await
            .unwrap();
        assert!(left > 0 && left <= 25 * 60 * 60 * 1000, "{key}: {left}");
    }
}

#[tokio::test]
async fn scripts_come_back_after_the_server_forgot_them() {
    let Some(url) = server() else { return };
    let state = connect(&url).await;
    let mut plain = Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::cmd("SCRIPT")
        .arg("FLUSH")
        .exec_async(&mut plain)
        .await
        .unwrap();
    let limit = RateLimit {
        interval: Duration::from_secs(60),
        burst: 1,
    };
    assert!(
        state
            .take(&contract::key("flushed"), limit, 1)
            .await
            .unwrap()
            .allowed
    );
}

#[tokio::test]
async fn a_server_that_hangs_costs_a_second() {
    let Some(url) = server() else { return };
    let Some((state, wire)) = wired(&url).await else {
        return;
    };
    let limit = RateLimit {
        interval: Duration::from_secs(60),
        burst: 9,
    };
    wire.set(State::Frozen);
    let started = Instant::now();
    let (taken, read, locked, told, heard) = tokio::join!(
        state.take("k", limit, 1),
        state.get("k"),
        state.acquire("k", "a", SOON),
        state.publish("t", b""),
        state.subscribe("t"),
    );
    assert!(started.elapsed() < DEADLINE, "{:?}", started.elapsed());
    assert!(taken.is_err() && read.is_err() && locked.is_err() && told.is_err() && heard.is_err());
    let text = taken.unwrap_err().to_string();
    assert!(text.starts_with("the shared state is not available: "), "{text}");

    wire.set(State::Whole);
    state.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_fails_at_once_and_is_found_again() {
    let Some(url) = server() else { return };
    let Some((state, wire)) = wired(&url).await else {
        return;
    };
    wire.set(State::Cut);
    let limit = RateLimit {
        interval: Duration::from_secs(60),
        burst: 9,
    };
    for _ in 0..5 {
        let started = Instant::now();
        assert!(state.take("k", limit, 1).await.is_err());
        assert!(started.elapsed() < DEADLINE, "{:?}", started.elapsed());
    }
    wire.set(State::Whole);
    let found = async {
        while state.ping().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, found).await.unwrap();
}

#[tokio::test]
async fn a_listener_hears_of_a_break_once_and_listens_on() {
    let Some(url) = server() else { return };
    let Some((near, wire)) = wired(&url).await else {
        return;
    };
    let far = connect(&url).await;
    let topic = contract::key("broken");
    let mut listener = near.subscribe(&topic).await.unwrap();
    far.publish(&topic, b"one").await.unwrap();
    assert_eq!(timeout(SOON, listener.next()).await.unwrap(), b"one");

    wire.set(State::Cut);
    far.publish(&topic, b"lost").await.unwrap();
    assert!(
        timeout(Duration::from_millis(500), listener.next())
            .await
            .is_err()
    );
    wire.set(State::Whole);
    assert_eq!(
        timeout(SOON, listener.next()).await.unwrap(),
        b"",
        "there was a break"
    );
    far.publish(&topic, b"two").await.unwrap();
    assert_eq!(timeout(SOON, listener.next()).await.unwrap(), b"two");
}

#[tokio::test]
async fn a_server_that_never_answers_does_not_hold_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let started = Instant::now();
    let error = Valkey::connect(&format!("redis://:secret@{address}"))
        .await
        .unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_url_that_is_none_is_an_error_without_the_password() {
    for url in [
        "redis//:secret@host",
        "http://:secret@host",
        "redis://:secret@host:port",
    ] {
        let error = Valkey::connect(url).await.unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
