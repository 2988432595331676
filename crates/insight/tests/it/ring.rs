//! The ring keeps what fits, counts what does not, and is quick.

use std::time::Instant;

use portreeve_core::ports::UsageSink;
use portreeve_insight::UsageRing;

use crate::doubles::event;

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let ring = UsageRing::new(3);
    (0..5).for_each(|number| ring.push(event(number)));
    assert_eq!((ring.len(), ring.dropped()), (3, 2));
}

#[test]
fn a_push_costs_less_than_a_microsecond() {
    let ring = UsageRing::new(100_000);
    let best = (0..50)
        .map(|_| {
            let events: Vec<_> = (0..1_000).map(event).collect();
            let start = Instant::now();
            events.into_iter().for_each(|event| ring.push(event));
            start.elapsed() / 1_000
        })
        .min()
        .unwrap();
    assert!(best.as_nanos() < 1_000, "the best round took {best:?} per push");
}

#[test]
fn many_threads_lose_nothing_that_fits() {
    let ring = UsageRing::new(8_000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..2_000).for_each(|number| ring.push(event(number))));
        }
    });
    assert_eq!((ring.len(), ring.dropped()), (8_000, 0));
}
