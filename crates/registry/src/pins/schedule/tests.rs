//! The schedule, with time as a parameter.

use std::time::{Duration, Instant};

use portreeve_core::id::RouteId;
use portreeve_core::name::Environment;
use portreeve_core::route::{Access, PinState, Route, RouteState};
use portreeve_core::time::Timestamp;

use super::Schedule;
use crate::pins::PinTimes;
use crate::pins::refresh::{Ended, Occasion};

const SECOND: Duration = Duration::from_secs(1);

fn route(number: u128) -> Route {
    Route {
        id: RouteId::from_u128(number),
        slug: format!("r{number}").parse().unwrap(),
        server: "com.acme/billing".parse().unwrap(),
        environment: Environment::production(),
        major: None,
        version: "1.0.0".parse().unwrap(),
        upstream_url: "https://a.example/mcp".to_owned(),
        upstream_eras: Vec::new(),
        private_hosts: Vec::new(),
        access: Access::Credential,
        state: RouteState::Active,
        pin_state: PinState::Pinned,
        policies: Vec::new(),
        upstream_timeout_ms: 1_000,
        revision: 1,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

fn one(now: Instant) -> Schedule {
    let mut schedule = Schedule::new(PinTimes::default());
    schedule.set_routes((1, vec![route(1)]), now, || 0.0);
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
        schedule.ended(taken.id, Ended::Done, now, jitter);
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
        schedule.ended(taken.id, Ended::Failed, now, 1.0);
        let due = schedule.next_due().unwrap();
        waits.push((due - now).as_secs());
        now = due;
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken.id, Ended::Done, now, 0.0);
    now = schedule.next_due().unwrap();
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken.id, Ended::Failed, now, 1.0);
    assert_eq!((schedule.next_due().unwrap() - now).as_secs(), 5);
}

#[test]
fn notices_become_one_refresh() {
    let now = Instant::now();
    let mut schedule = one(now);
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken.id, Ended::Done, now, 0.0);
    for millis in [0, 100, 200] {
        schedule.hurry(taken.id, now + Duration::from_millis(millis));
    }
    assert_eq!(schedule.next_due().unwrap() - now, Duration::from_millis(250));
    let later = now + Duration::from_millis(250);
    assert_eq!(schedule.take_due(later).unwrap().1, Occasion::Notice);
    // What comes while it is being asked is asked once more.
    schedule.hurry(taken.id, later);
    schedule.hurry(taken.id, later);
    schedule.ended(taken.id, Ended::Done, later, 0.0);
    assert_eq!(schedule.next_due().unwrap() - later, Duration::from_millis(250));
    let (taken, _) = schedule.take_due(later + SECOND).unwrap();
    schedule.ended(taken.id, Ended::Done, later, 0.0);
    assert!(schedule.next_due().unwrap() - later > 40 * SECOND);
}

#[test]
fn routes_come_and_go() {
    let now = Instant::now();
    let mut schedule = one(now);
    schedule.set_routes((1, vec![route(2), route(3)]), now, || 1.0);
    assert!(schedule.route(RouteId::from_u128(1)).is_none());
    assert_eq!(schedule.next_due().unwrap() - now, 5 * SECOND);
    schedule.hurry(RouteId::from_u128(1), now);
    schedule.ended(RouteId::from_u128(1), Ended::Done, now, 0.0);
    assert!(schedule.take_due(now).is_none());
}

#[test]
fn what_another_node_did_is_looked_at_sooner() {
    let now = Instant::now();
    let mut schedule = one(now);
    let (taken, _) = schedule.take_due(now).unwrap();
    schedule.ended(taken.id, Ended::Elsewhere, now, 1.0);
    let due = schedule.next_due().unwrap() - now;
    assert!(due <= 21 * SECOND, "{due:?}");
}
