//! Every connection sends its next request when the answer to the last one is there.

use std::io;
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::{Events, Poll};
use portreeve_bench::options::Options;
use serde_json::Value;

use crate::answer::Answer;
use crate::connection::Connection;
use crate::figures::Figures;
use crate::request::Target;

/// After this long without any answer the run is over, and what was not answered has failed.
const SILENCE: Duration = Duration::from_secs(20);

/// A connection and when its request was sent.
struct Lane {
    connection: Connection,
    sent: Instant,
}

/// What is known of an answer.
struct Verdict {
    wrong: Option<String>,
    first_event: Option<Instant>,
}

/// Runs for the time that was asked for, after a warm-up.
pub(crate) fn run(target: &Target, options: &Options) -> Result<Value> {
    let seconds: f64 = options.get("seconds", 2.0)?;
    let warm_up: f64 = options.get("warm-up", 0.3)?;
    let count: usize = options.get("connections", 1)?;
    let mut poll = Poll::new()?;
    let mut lanes = Vec::with_capacity(count);
    for number in 0..count {
        let connection = Connection::open(target, number, poll.registry())?;
        let sent = Instant::now();
        lanes.push(Lane { connection, sent });
    }
    let begin = Instant::now() + Duration::from_secs_f64(warm_up);
    let end = begin + Duration::from_secs_f64(seconds);
    let mut figures = Figures::default();
    for (number, lane) in lanes.iter_mut().enumerate() {
        if let Err(error) = lane.begin() {
            lane.again(target, number, &poll, &mut figures, &error)?;
        }
    }
    let mut events = Events::with_capacity(1024);
    let mut last = Instant::now();
    while last < end {
        poll.poll(&mut events, Some(SILENCE))?;
        if events.is_empty() {
            figures.wrong(|| format!("no answer for {} s", SILENCE.as_secs()));
            break;
        }
        for event in &events {
            let number = event.token().0;
            let Some(lane) = lanes.get_mut(number) else {
                continue;
            };
            if let Err(error) = lane.step(target, begin, &mut figures) {
                lane.again(target, number, &poll, &mut figures, &error)?;
            }
        }
        last = Instant::now();
    }
    Ok(figures.line(seconds))
}

impl Lane {
    fn begin(&mut self) -> io::Result<()> {
        self.sent = Instant::now();
        self.connection.send()
    }

    /// Goes on as far as it can without waiting.
    fn step(&mut self, target: &Target, begin: Instant, figures: &mut Figures) -> io::Result<()> {
        self.connection.write()?;
        let verdict = self
            .connection
            .read(|answer, request| judge(answer, answer.is_right(target, request)))?;
        let Some(verdict) = verdict else { return Ok(()) };
        let now = Instant::now();
        match verdict.wrong {
            Some(why) => figures.wrong(|| why),
            None => {
                figures.all += 1;
                if now >= begin {
                    let first_event = verdict.first_event.map(|at| at - self.sent);
                    figures.right(now - self.sent, first_event);
                }
            }
        }
        self.sent = now;
        self.connection.send()
    }

    /// Takes a new connection for one that broke.
    fn again(
        &mut self,
        target: &Target,
        number: usize,
        poll: &Poll,
        figures: &mut Figures,
        error: &io::Error,
    ) -> Result<()> {
        figures.wrong(|| format!("a connection broke: {error}"));
        self.connection = Connection::open(target, number, poll.registry())?;
        self.begin()?;
        Ok(())
    }
}

fn judge(answer: &Answer<'_>, right: bool) -> Verdict {
    Verdict {
        wrong: (!right).then(|| answer.shown()),
        first_event: answer.first_event,
    }
}
