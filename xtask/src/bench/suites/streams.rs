//! Event streams: what an event costs, how soon the first one comes, and what an open stream holds.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::calls::ALL;
use super::{Cell, words};
use crate::bench::Request;
use crate::bench::contestants::{Contestant, Contestants};
use crate::bench::results::{Results, Row};
use crate::bench::usage;
use crate::process::Log;
use crate::say;

/// Events of one call in the cell that counts processor time.
const EVENTS: usize = 200;
/// How long memory settles before it is read.
const SETTLE: Duration = Duration::from_secs(3);
/// How long after the streams closed their memory must be back.
const AFTERWARDS: Duration = Duration::from_secs(30);

/// The cell of events.
pub(crate) const STREAMED: &str = "events, 200 for each call, 4 connections";
/// The cell of the first event.
pub(crate) const FIRST: &str = "the first event, 1 connection";
/// The cell of open streams.
pub(crate) const OPEN: &str = "open streams";

pub(super) fn events(
    contestants: &mut Contestants,
    request: &Request,
    results: &mut Results,
    _log: &mut Log,
) -> Result<()> {
    for round in 0..request.rounds {
        let streamed = words(&[
            &"events",
            &"--connections",
            &4,
            &"--seconds",
            &request.seconds,
            &"--count",
            &EVENTS,
        ]);
        let first = words(&[
            &"events",
            &"--connections",
            &1,
            &"--seconds",
            &request.seconds,
            &"--count",
            &3,
            &"--interval",
            &20,
        ]);
        for (name, load, counts) in [(STREAMED, streamed, EVENTS as f64), (FIRST, first, 0.0)] {
            let cell = Cell {
                name: name.to_owned(),
                contestants: ALL,
                load,
                counts,
            };
            cell.round(contestants, results, round)?;
        }
    }
    Ok(())
}

/// Memory at rest, with thousands of streams open, and when they have long been closed.
pub(super) fn memory(
    contestants: &mut Contestants,
    _request: &Request,
    results: &mut Results,
    log: &mut Log,
) -> Result<()> {
    results.notes.extend(contestants.descriptors.note());
    for contestant in [Contestant::Nginx, Contestant::PassThrough, Contestant::Full] {
        if let Some(node) = contestants.node(contestant) {
            // Nothing of the other suites shall be in its memory.
            node.end();
            node.begin(log)?;
            contestants.first_call(contestant)?;
            thread::sleep(SETTLE);
        }
        results.rows.push(open(contestants, contestant)?);
        say(".");
    }
    Ok(())
}

fn open(contestants: &Contestants, contestant: Contestant) -> Result<Row> {
    let process = contestants.process(contestant)?.context("nobody to measure")?;
    let idle = usage::resident_kib(process)?;
    let held = contestants.hold(contestant, contestants.descriptors.streams())?;
    let number = |name| held.line.get(name).and_then(Value::as_f64).unwrap_or_default();
    let (streams, took) = (number("open"), number("milliseconds"));
    let failed = number("failed") as u64;
    let why = held
        .line
        .get("why")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    thread::sleep(SETTLE);
    let full = usage::resident_kib(process)?;
    let (before, began) = (usage::processor_seconds(process)?, Instant::now());
    thread::sleep(SETTLE);
    let idling = (usage::processor_seconds(process)? - before) / began.elapsed().as_secs_f64();
    drop(held);
    thread::sleep(AFTERWARDS);
    let after = usage::resident_kib(process)?;
    let figures = BTreeMap::from([
        ("idle_mib", idle / 1024.0),
        ("streams", streams),
        ("open_ms", took),
        ("open_mib", full / 1024.0),
        ("stream_kib", (full - idle) / streams.max(1.0)),
        ("after_mib", after / 1024.0),
        ("after_to_idle", after / idle),
        ("open_cpu_percent", idling * 100.0),
    ]);
    Ok(Row {
        cell: OPEN.to_owned(),
        contestant,
        round: 0,
        figures,
        failed,
        why,
    })
}
