//! The schedule, with time as a parameter.

use std::time::{Duration, Instant};

use portreeve_core::id::RouteId;
use portreeve_core::ports::News;

use super::Schedule;
use crate::pins::PinTimes;
use crate::pins::refresh::{Ended, Occasion};

const SECOND: Duration = Duration::from_secs(1);

const ONE: RouteId = RouteId::from_u128(1);

fn one(now: Instant) -> Schedule {
    let mut schedule = Schedule::new(PinTimes::default());
    schedule.take_over((1, News::All(vec![ONE])), now, || 0.0);
    schedule
}

#[test]
fn a_route_comes_again_within_the_interval() {
    let now = Instant::now();
    for jitter in [0.0, 0.5, 1.0] {
        let mut schedule = one(now);
        let (taken, occasion) = schedule.take_due(now).unwrap();
        assert_eq!(occasion, Occasion::Turn);
        assert!(
            schedule.take_due(now + 600 * SECOND).is_none(),
            "a busy route waits"
        );
        assert_eq!(schedule.next_due(), None);
        schedule.ended(taken, Ended::Done, now, jitter);
        let due = schedule.next_due().unwrap() - now;
        assert!(due >= 45 * SECOND && due <= 58 * SECOND, "{due:?}");
    }
}

#[test]
fn failures_back_off_up_to_a_limit_and_are_forgotten() {
    let mut now = Instant::now();
    let mut schedule = one(now);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let (taken, _) = schedule.take_due(now).unwrap();
        schedule.ended(taken, Ended::Failed, now, 1.0);
        let due = schedule.next_due().unwrap();
        waits.push((due - now).as_secs());
        now = due;
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken, Ended::Done, now, 0.0);
    now = schedule.next_due().unwrap();
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken, Ended::Failed, now, 1.0);
    assert_eq!((schedule.next_due().unwrap() - now).as_secs(), 5);
}

#[test]
fn notices_become_one_refresh() {
    let now = Instant::now();
    let mut schedule = one(now);
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken, Ended::Done, now, 0.0);
    for millis in [0, 100, 200] {
        schedule.hurry(taken, now + Duration::from_millis(millis));
    }
    assert_eq!(schedule.next_due().unwrap() - now, Duration::from_millis(250));
    let later = now + Duration::from_millis(250);
    assert_eq!(schedule.take_due(later).unwrap().1, Occasion::Notice);
    // What comes while it is being asked is asked once more.
    schedule.hurry(taken, later);
    schedule.hurry(taken, later);
    schedule.ended(taken, Ended::Done, later, 0.0);
    assert_eq!(schedule.next_due().unwrap() - later, Duration::from_millis(250));
    let (taken, _) = schedule.take_due(later + SECOND).unwrap();
    schedule.ended(taken, Ended::Done, later, 0.0);
    assert!(schedule.next_due().unwrap() - later > 40 * SECOND);
}

#[test]
fn routes_come_and_go() {
    let now = Instant::now();
    let mut schedule = one(now);
    let [two, three, four] = [2, 3, 4].map(RouteId::from_u128);
    schedule.take_over((1, News::All(vec![two, three])), now, || 1.0);
    assert!(!schedule.knows(ONE));
    assert_eq!(schedule.next_due().unwrap() - now, 5 * SECOND);
    schedule.hurry(ONE, now);
    schedule.ended(ONE, Ended::Done, now, 0.0);
    assert!(schedule.take_due(now).is_none());

    let news = News::Since {
        changed: vec![three, four],
        gone: vec![two, ONE],
    };
    schedule.take_over((2, news), now + SECOND, || 1.0);
    assert_eq!(schedule.generation(), Some(2));
    let later = now + 60 * SECOND;
    assert_eq!(
        schedule.take_due(later),
        Some((three, Occasion::Turn)),
        "it keeps its place"
    );
    assert_eq!(schedule.take_due(later), Some((four, Occasion::Turn)));
    assert_eq!(schedule.take_due(later), None);
}

#[test]
fn the_next_one_is_always_the_one_that_is_due_first() {
    let now = Instant::now();
    let mut schedule = Schedule::new(PinTimes::default());
    let ids: Vec<RouteId> = (0..200).map(RouteId::from_u128).collect();
    let number = std::cell::Cell::new(0.0);
    schedule.take_over((1, News::All(ids.clone())), now, || {
        number.set((number.get() + 0.37) % 1.0);
        number.get()
    });
    let mut at = now;
    for step in 0..2_000_u32 {
        let due = schedule.next_due().unwrap();
        assert!(due >= at || step == 0, "nothing that was due is overtaken");
        at = due;
        let (id, _) = schedule.take_due(at).unwrap();
        if step % 3 == 0 {
            schedule.hurry(ids[step as usize % 200], at);
        }
        schedule.ended(id, Ended::Done, at, f64::from(step % 100) / 100.0);
    }
    let mut waiting = 0;
    while schedule.take_due(at + 3_600 * SECOND).is_some() {
        waiting += 1;
    }
    assert_eq!(waiting, 200);
}

#[test]
fn what_another_node_did_is_looked_at_sooner() {
    let now = Instant::now();
    let mut schedule = one(now);
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken, Ended::Elsewhere, now, 1.0);
    let due = schedule.next_due().unwrap() - now;
    assert!(due <= 21 * SECOND, "{due:?}");
}
