//! Opens streams and keeps them open until it is told to stop: until its standard input ends.

use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::{Events, Poll};
use portreeve_bench::options::Options;
use serde_json::json;

use crate::connection::Connection;
use crate::request::Target;
use crate::say;

/// Streams that are being opened at once.
const WAVE: usize = 100;
/// How long a wave may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(target: &Target, options: &Options) -> Result<()> {
    let count: usize = options.get("connections", 100)?;
    let mut poll = Poll::new()?;
    let mut open = Vec::with_capacity(count);
    let mut why = String::new();
    let begun = Instant::now();
    while open.len() < count && why.is_empty() {
        let wave = WAVE.min(count - open.len());
        why = match open_wave(target, &mut poll, &mut open, wave) {
            Ok(why) => why,
            Err(error) => error.to_string(),
        };
    }
    let streams = open
        .iter()
        .filter(|stream: &&Connection| stream.has_event())
        .count();
    say(&json!({
        "open": streams,
        "failed": count - streams,
        "why": why,
        "milliseconds": begun.elapsed().as_secs_f64() * 1_000.0,
    }))?;
    // The gateway's comments wait in the sockets: nobody reads them, and they are few.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Opens some more, and waits until each has had its first event. Says what went wrong.
fn open_wave(
    target: &Target,
    poll: &mut Poll,
    open: &mut Vec<Connection>,
    wave: usize,
) -> io::Result<String> {
    let first = open.len();
    for number in first..first + wave {
        let mut connection = Connection::open(target, number, poll.registry())?;
        connection.send()?;
        open.push(connection);
    }
    let mut waiting = wave;
    let mut events = Events::with_capacity(1024);
    while waiting > 0 {
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            return Ok(format!(
                "{waiting} streams were silent for {} s",
                PATIENCE.as_secs()
            ));
        }
        for event in &events {
            let Some(connection) = open.get_mut(event.token().0) else {
                continue;
            };
            let before = connection.has_event();
            if let Some(answer) = connection.read(|answer, _| answer.shown())? {
                return Ok(format!("a stream ended: {answer}"));
            }
            if !before && connection.has_event() {
                waiting -= 1;
            }
        }
    }
    Ok(String::new())
}
