//! Who waits for keys, who does not, and how often they are asked for.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::sync::Semaphore;

use super::*;

const TERMS: Terms = Terms {
    fresh: Duration::from_secs(60),
    longest: Duration::from_secs(600),
    pause: Duration::from_secs(30),
    retry: Duration::from_secs(5),
};

/// A clock and an issuer that does what the test says.
#[derive(Default)]
struct World {
    seconds: AtomicI64,
    asked: AtomicU64,
    is_down: std::sync::atomic::AtomicBool,
    hangs: std::sync::atomic::AtomicBool,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.seconds.load(Ordering::SeqCst) * 1_000)
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

struct Issuer(Arc<World>);

#[async_trait]
impl Source for Issuer {
    type Keys = Vec<u64>;
    type Problem = &'static str;

    async fn fetch(&self) -> Result<Vec<u64>, &'static str> {
        // Which keys there are tells how often it was asked.
        let asked = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if self.0.hangs.load(Ordering::SeqCst) {
            let never = Semaphore::new(0);
            let _ = never.acquire().await;
        }
        tokio::task::yield_now().await;
        if self.0.is_down.load(Ordering::SeqCst) {
            return Err("it is down");
        }
        Ok((1..=asked).collect())
    }

    fn name(&self) -> &str {
        "https://issuer.example"
    }
}

fn house() -> (Arc<World>, OthersKeys<Issuer>) {
    let world = Arc::new(World::default());
    let clock: Arc<dyn Clock> = Arc::clone(&world) as _;
    let keys = OthersKeys::new(Issuer(Arc::clone(&world)), TERMS, clock);
    (world, keys)
}

fn later(world: &World, seconds: i64) {
    world.seconds.fetch_add(seconds, Ordering::SeqCst);
}

fn asked(world: &World) -> u64 {
    world.asked.load(Ordering::SeqCst)
}

async fn got(keys: &OthersKeys<Issuer>, key: u64) -> Result<bool, Missing<&'static str>> {
    keys.get(|keys| keys.contains(&key))
        .await
        .map(|keys| keys.contains(&key))
}

async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn many_who_wait_are_one_request() {
    let (world, keys) = house();
    let keys = Arc::new(keys);
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move { got(&keys, 1).await })
        })
        .collect();
    for one in waiting {
        assert_eq!(one.await.unwrap(), Ok(true));
    }
    assert_eq!(asked(&world), 1);
    later(&world, 59);
    assert_eq!(got(&keys, 1).await, Ok(true));
    assert_eq!(asked(&world), 1, "fresh");
}

#[tokio::test]
async fn an_issuer_that_hangs_holds_up_nobody_whose_key_is_known() {
    let (world, keys) = house();
    assert_eq!(got(&keys, 1).await, Ok(true));
    world.hangs.store(true, Ordering::SeqCst);
    later(&world, 61);
    for _ in 0..3 {
        let waited = tokio::time::timeout(Duration::from_secs(5), got(&keys, 1)).await;
        assert_eq!(waited.expect("nobody waits"), Ok(true));
        settle().await;
    }
    assert_eq!(asked(&world), 2, "it is asked anew once, beside");
    // A key that is not known may wait, and still nobody else does.
    let other = tokio::time::timeout(Duration::from_millis(20), got(&keys, 7)).await;
    assert!(other.is_err());
    let waited = tokio::time::timeout(Duration::from_secs(5), got(&keys, 1)).await;
    assert_eq!(waited.expect("nobody waits"), Ok(true));
}

#[tokio::test]
async fn old_keys_are_used_up_to_a_bound_while_they_cannot_be_had_anew() {
    let (world, keys) = house();
    assert_eq!(got(&keys, 1).await, Ok(true));
    world.is_down.store(true, Ordering::SeqCst);
    later(&world, 599);
    assert_eq!(got(&keys, 1).await, Ok(true));
    settle().await;
    assert_eq!(asked(&world), 2);
    assert_eq!(got(&keys, 1).await, Ok(true));
    settle().await;
    assert_eq!(asked(&world), 2, "not again at once");
    later(&world, 1);
    assert_eq!(got(&keys, 1).await, Err(Missing::JustTried));
    later(&world, 5);
    assert!(keys.must_ask(|keys| keys.contains(&1)));
    assert_eq!(got(&keys, 1).await, Err(Missing::Problem("it is down")));
    world.is_down.store(false, Ordering::SeqCst);
    later(&world, 5);
    assert_eq!(got(&keys, 1).await, Ok(true));
    assert!(!keys.must_ask(|keys| keys.contains(&1)));
}

#[tokio::test]
async fn a_key_that_is_missing_has_them_asked_for_once_in_a_while() {
    let (world, keys) = house();
    assert_eq!(got(&keys, 2).await, Ok(false), "the first answer lacks it");
    later(&world, 29);
    assert_eq!(got(&keys, 2).await, Ok(false));
    assert_eq!(asked(&world), 1);
    later(&world, 1);
    assert_eq!(got(&keys, 2).await, Ok(true), "it was added meanwhile");
    assert_eq!(asked(&world), 2);
    // One that is down is no reason to lose those that there are.
    world.is_down.store(true, Ordering::SeqCst);
    later(&world, 30);
    assert_eq!(got(&keys, 9).await, Ok(false));
    assert_eq!(got(&keys, 1).await, Ok(true));
    assert_eq!(asked(&world), 3);
}
