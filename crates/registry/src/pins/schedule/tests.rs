//! The schedule, with time as a parameter.

use std::time::{Duration, Instant};

use portreeve_core::id::RouteId;
use portreeve_core::ports::News;

use super::{Lane, Schedule};
use crate::pins::PinTimes;
use crate::pins::refresh::{Ended, Occasion};

const SECOND: Duration = Duration::from_secs(1);

const ONE: RouteId = RouteId::from_u128(1);

fn one(now: Instant) -> Schedule {
    let mut schedule = Schedule::new(PinTimes::default());
    schedule.take_over((1, News::All(vec![ONE])), now, || 0.0);
    schedule
}

/// What is due, of whichever lane.
fn take(schedule: &mut Schedule, now: Instant) -> Option<(RouteId, Occasion)> {
    Lane::ALL.iter().find_map(|lane| schedule.take_due(now, *lane))
}

/// When the next route is due, of whichever lane.
fn due(schedule: &Schedule) -> Option<Instant> {
    Lane::ALL.iter().filter_map(|lane| schedule.next_due(*lane)).min()
}

#[test]
fn a_route_comes_again_within_the_interval() {
    let now = Instant::now();
    for jitter in [0.0, 0.5, 1.0] {
        let mut schedule = one(now);
        let (taken, occasion) = take(&mut schedule, now).unwrap();
        assert_eq!(occasion, Occasion::Turn);
        assert!(
            take(&mut schedule, now + 600 * SECOND).is_none(),
            "a busy route waits"
        );
        assert_eq!(due(&schedule), None);
        schedule.ended(taken, Ended::Done, now, jitter);
        let wait = due(&schedule).unwrap() - now;
        assert!(wait >= 45 * SECOND && wait <= 58 * SECOND, "{wait:?}");
    }
}

#[test]
fn failures_here_back_off_up_to_minutes_and_are_forgotten() {
    let mut now = Instant::now();
    let mut schedule = one(now);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let (taken, _) = take(&mut schedule, now).unwrap();
        schedule.ended(taken, Ended::Failed, now, 1.0);
        let next = due(&schedule).unwrap();
        waits.push((next - now).as_secs());
        now = next;
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    let (taken, _) = take(&mut schedule, now).unwrap();
    schedule.ended(taken, Ended::Done, now, 0.0);
    now = due(&schedule).unwrap();
    let (taken, _) = take(&mut schedule, now).unwrap();
    schedule.ended(taken, Ended::Failed, now, 1.0);
    assert_eq!((due(&schedule).unwrap() - now).as_secs(), 5);
}

/// A route that did not answer so many times, and when that was.
fn silent(times: usize) -> (Schedule, Instant, Vec<u64>) {
    let mut now = Instant::now();
    let mut schedule = one(now);
    let mut waits = Vec::new();
    for _ in 0..times {
        let (taken, _) = take(&mut schedule, now).unwrap();
        schedule.ended(taken, Ended::Unanswered, now, 1.0);
        let next = due(&schedule).unwrap();
        waits.push((next - now).as_secs());
        now = next;
    }
    (schedule, now, waits)
}

#[test]
fn silence_backs_off_up_to_a_day_and_is_forgotten_at_the_first_answer() {
    let (mut schedule, now, waits) = silent(17);
    assert_eq!(waits[..8], [5, 10, 20, 40, 80, 160, 320, 640]);
    assert_eq!(waits[14..], [81_920, 86_400, 86_400]);
    let (taken, _) = schedule.take_due(now, Lane::Doubtful).unwrap();
    schedule.ended(taken, Ended::Done, now, 0.0);
    let now = due(&schedule).unwrap();
    let (taken, _) = schedule.take_due(now, Lane::Answering).unwrap();
    schedule.ended(taken, Ended::Unanswered, now, 1.0);
    assert_eq!(due(&schedule).unwrap() - now, 5 * SECOND);
}

#[test]
fn silence_is_forgotten_when_the_route_changes() {
    let news = || News::Since {
        changed: vec![ONE],
        gone: Vec::new(),
    };
    let (mut schedule, now, _) = silent(12);
    let (taken, _) = take(&mut schedule, now).unwrap();
    schedule.ended(taken, Ended::Unanswered, now, 1.0);
    assert!(due(&schedule).unwrap() - now > 3_600 * SECOND);
    schedule.take_over((2, news()), now, || 1.0);
    let now = now + 5 * SECOND;
    assert_eq!(due(&schedule), Some(now));
    // It is asked at its old address while that changes.
    let (taken, _) = take(&mut schedule, now).unwrap();
    schedule.take_over((3, news()), now, || 1.0);
    assert_eq!(take(&mut schedule, now + 600 * SECOND), None, "it is busy");
    schedule.ended(taken, Ended::Unanswered, now, 1.0);
    assert_eq!(due(&schedule).unwrap() - now, 5 * SECOND);
}

#[test]
fn who_still_answers_hosts_is_asked_within_minutes() {
    let (mut schedule, now, _) = silent(12);
    let (taken, _) = take(&mut schedule, now).unwrap();
    schedule.ended(taken, Ended::Unanswered, now, 1.0);
    schedule.heard(taken, now);
    schedule.heard(taken, now + SECOND);
    assert_eq!(due(&schedule).unwrap() - now, 300 * SECOND);
    // A notice of the server itself is as good as an answer.
    schedule.hurry(taken, now);
    assert_eq!(
        schedule.take_due(now + SECOND, Lane::Answering),
        Some((taken, Occasion::Notice))
    );
}

#[test]
fn who_answers_never_waits_for_who_does_not() {
    let now = Instant::now();
    let mut schedule = Schedule::new(PinTimes::default());
    let ids: Vec<RouteId> = (0..1_000).map(RouteId::from_u128).collect();
    schedule.take_over((1, News::All(ids.clone())), now, || 0.0);
    assert_eq!(schedule.next_due(Lane::Answering), None, "nobody was asked yet");
    while let Some((id, _)) = schedule.take_due(now, Lane::Doubtful) {
        let ended = if id == ids[7] {
            Ended::Done
        } else {
            Ended::Unanswered
        };
        schedule.ended(id, ended, now, 0.0);
    }
    let later = now + 60 * SECOND;
    assert_eq!(
        schedule.take_due(later, Lane::Answering),
        Some((ids[7], Occasion::Turn))
    );
    assert_eq!(schedule.take_due(later, Lane::Answering), None);
    let mut doubtful = 0;
    while schedule.take_due(later, Lane::Doubtful).is_some() {
        doubtful += 1;
    }
    assert_eq!(doubtful, 999);
}

#[test]
fn notices_become_one_refresh() {
    let now = Instant::now();
    let mut schedule = one(now);
    let (taken, _) = take(&mut schedule, now).unwrap();
    schedule.ended(taken, Ended::Done, now, 0.0);
    for millis in [0, 100, 200] {
        schedule.hurry(taken, now + Duration::from_millis(millis));
    }
    assert_eq!(due(&schedule).unwrap() - now, Duration::from_millis(250));
    let later = now + Duration::from_millis(250);
    assert_eq!(take(&mut schedule, later).unwrap().1, Occasion::Notice);
    // What comes while it is being asked is asked once more.
    schedule.hurry(taken, later);
    schedule.hurry(taken, later);
    schedule.ended(taken, Ended::Done, later, 0.0);
    assert_eq!(due(&schedule).unwrap() - later, Duration::from_millis(250));
    let (taken, _) = take(&mut schedule, later + SECOND).unwrap();
    schedule.ended(taken, Ended::Done, later, 0.0);
    assert!(due(&schedule).unwrap() - later > 40 * SECOND);
}

#[test]
fn routes_come_and_go() {
    let now = Instant::now();
    let mut schedule = one(now);
    let [two, three, four] = [2, 3, 4].map(RouteId::from_u128);
    schedule.take_over((1, News::All(vec![two, three])), now, || 1.0);
    assert!(!schedule.knows(ONE));
    assert_eq!(due(&schedule).unwrap() - now, 5 * SECOND);
    schedule.hurry(ONE, now);
    schedule.ended(ONE, Ended::Done, now, 0.0);
    assert!(take(&mut schedule, now).is_none());

    let news = News::Since {
        changed: vec![three, four],
        gone: vec![two, ONE],
    };
    schedule.take_over((2, news), now + SECOND, || 1.0);
    assert_eq!(schedule.generation(), Some(2));
    let later = now + 60 * SECOND;
    assert_eq!(
        take(&mut schedule, later),
        Some((three, Occasion::Turn)),
        "it keeps its place"
    );
    assert_eq!(take(&mut schedule, later), Some((four, Occasion::Turn)));
    assert_eq!(take(&mut schedule, later), None);
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
        let next = due(&schedule).unwrap();
        assert!(next >= at || step == 0, "nothing that was due is overtaken");
        at = next;
        let (id, _) = take(&mut schedule, at).unwrap();
        if step % 3 == 0 {
            schedule.hurry(ids[step as usize % 200], at);
        }
        schedule.ended(id, Ended::Done, at, f64::from(step % 100) / 100.0);
    }
    let mut waiting = 0;
    while take(&mut schedule, at + 3_600 * SECOND).is_some() {
        waiting += 1;
    }
    assert_eq!(waiting, 200);
}

#[test]
fn what_another_node_did_is_looked_at_sooner() {
    let now = Instant::now();
    let mut schedule = one(now);
    let (taken, _) = take(&mut schedule, now).unwrap();
    schedule.ended(taken, Ended::Elsewhere, now, 1.0);
    let wait = due(&schedule).unwrap() - now;
    assert!(wait <= 21 * SECOND, "{wait:?}");
}
