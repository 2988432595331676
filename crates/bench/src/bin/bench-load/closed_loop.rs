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

/// What a run is made of.
struct Run<'a> {
    target: &'a Target,
    poll: Poll,
    lanes: Vec<Lane>,
    /// The end of the warm-up.
    begin: Instant,
    figures: Figures,
}

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
    let poll = Poll::new()?;
    let lanes = (0..count)
        .map(|number| Lane::open(target, number, &poll))
        .collect::<io::Result<_>>()?;
    let mut run = Run {
        target,
        poll,
        lanes,
        begin: Instant::now() + Duration::from_secs_f64(warm_up),
        figures: Figures::default(),
    };
    let end = run.begin + Duration::from_secs_f64(seconds);
    run.until(end)?;
    Ok(run.figures.line(seconds))
}

// === impl Run ===

impl Run<'_> {
    fn until(&mut self, end: Instant) -> Result<()> {
        for number in 0..self.lanes.len() {
            self.with(number, |lane, _| lane.begin())?;
        }
        let mut events = Events::with_capacity(1024);
        while Instant::now() < end {
            self.poll.poll(&mut events, Some(SILENCE))?;
            if events.is_empty() {
                self.figures
                    .wrong(|| format!("no answer for {} s", SILENCE.as_secs()));
                break;
            }
            let (target, begin) = (self.target, self.begin);
            for event in &events {
                self.with(event.token().0, |lane, figures| lane.step(target, begin, figures))?;
            }
        }
        if self.figures.all == 0 {
            self.figures.wrong(|| "no answer came in time".to_owned());
        }
        Ok(())
    }

    /// Works on a lane, and gives it a new connection when its own breaks.
    fn with(
        &mut self,
        number: usize,
        work: impl FnOnce(&mut Lane, &mut Figures) -> io::Result<()>,
    ) -> Result<()> {
        let Some(lane) = self.lanes.get_mut(number) else {
            return Ok(());
        };
        if let Err(error) = work(lane, &mut self.figures) {
            self.figures.wrong(|| format!("a connection broke: {error}"));
            *lane = Lane::open(self.target, number, &self.poll)?;
            lane.begin()?;
        }
        Ok(())
    }
}

// === impl Lane ===

impl Lane {
    fn open(target: &Target, number: usize, poll: &Poll) -> io::Result<Self> {
        Ok(Self {
            connection: Connection::open(target, number, poll.registry())?,
            sent: Instant::now(),
        })
    }

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
        let Some(verdict) = verdict else {
            return Ok(());
        };
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
}

fn judge(answer: &Answer<'_>, right: bool) -> Verdict {
    Verdict {
        wrong: (!right).then(|| answer.shown()),
        first_event: answer.first_event,
    }
}
