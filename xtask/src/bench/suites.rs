//! The suites in their order, and how a cell is measured.

pub(crate) mod bridges;
pub(crate) mod calls;
pub(crate) mod life;
pub(crate) mod streams;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::Request;
use super::contestants::{Contestant, Contestants};
use super::results::{Results, Row};
use super::usage;
use crate::process::Log;
use crate::say;

/// A part of the benchmark that can be asked for alone.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(super) run: fn(&mut Contestants, &Request, &mut Results, &mut Log) -> Result<()>,
}

/// All of them.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "calls",
        run: calls::connections,
    },
    Suite {
        name: "sizes",
        run: calls::sizes,
    },
    Suite {
        name: "list",
        run: calls::list,
    },
    Suite {
        name: "rest",
        run: calls::rest,
    },
    Suite {
        name: "bridges",
        run: bridges::run,
    },
    Suite {
        name: "sse",
        run: streams::events,
    },
    Suite {
        name: "start",
        run: life::start,
    },
    Suite {
        name: "memory",
        run: streams::memory,
    },
];

/// Figures of the load generator that go into a row under the same name.
const FIGURES: [&str; 6] = [
    "calls_per_second",
    "p50_us",
    "p99_us",
    "p999_us",
    "mean_us",
    "first_event_p50_us",
];

/// A load that is put on several contestants in turn.
struct Cell<'a> {
    name: String,
    contestants: &'a [Contestant],
    /// What the load generator is told, besides where to go.
    load: Vec<String>,
    /// What one call counts as when processor time is shared out: its events, where there are any. Zero: the time is of
    /// no interest.
    counts: f64,
}

impl Cell<'_> {
    /// Measures everybody once. Another one begins in each round.
    fn round(&self, contestants: &Contestants, results: &mut Results, round: usize) -> Result<()> {
        let count = self.contestants.len();
        for turn in 0..count {
            let Some(contestant) = self.contestants.get((turn + round) % count) else {
                continue;
            };
            results.rows.push(self.measure(contestants, *contestant, round)?);
        }
        say(".");
        Ok(())
    }

    fn measure(&self, contestants: &Contestants, contestant: Contestant, round: usize) -> Result<Row> {
        let process = contestants.process(contestant)?;
        let used = || process.map(usage::processor_seconds).transpose();
        let words: Vec<&str> = self.load.iter().map(String::as_str).collect();
        let before = used()?;
        let said = contestants.load(contestant, &words)?;
        let after = used()?;
        let number = |name| said.get(name).and_then(Value::as_f64);
        let mut figures: BTreeMap<_, _> = FIGURES
            .into_iter()
            .filter_map(|name| Some((name, number(name)?)))
            .collect();
        // The calls of the warm-up used the processor as well.
        let all = number("all").unwrap_or_default() * self.counts;
        if let (Some(before), Some(after)) = (before, after)
            && all > 0.0
        {
            figures.insert("cpu_us", (after - before) * 1e6 / all);
        }
        Ok(Row {
            cell: self.name.clone(),
            contestant,
            round,
            figures,
            failed: said.get("failed").and_then(Value::as_u64).unwrap_or_default(),
            why: said
                .get("why")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        })
    }
}

/// Words for the load generator.
fn words(words: &[&dyn std::fmt::Display]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
