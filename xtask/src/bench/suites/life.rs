//! From the start of the process to the first good call, with a database that is there already; and the binary's size.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::bench::Request;
use crate::bench::contestants::{Contestant, Contestants};
use crate::bench::results::{Results, Row};
use crate::process::Log;
use crate::say;

/// The cell of starts.
pub(crate) const START: &str = "start";
/// Starts in one round: they take next to nothing.
const STARTS: usize = 3;

pub(super) fn start(
    contestants: &mut Contestants,
    request: &Request,
    results: &mut Results,
    log: &mut Log,
) -> Result<()> {
    let binary = &contestants.binaries.portreeve;
    let size = fs::metadata(binary)
        .with_context(|| format!("`{}`", binary.display()))?
        .len();
    for round in 0..request.rounds * STARTS {
        let contestant = Contestant::Full;
        let node = contestants.node(contestant).context("nobody to start")?;
        node.end();
        let begun = Instant::now();
        node.begin(log)?;
        contestants.first_call(contestant)?;
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        results.rows.push(Row {
            cell: START.to_owned(),
            contestant,
            round,
            figures: BTreeMap::from([("first_call_ms", took), ("binary_mb", size as f64 / 1e6)]),
            failed: 0,
            why: String::new(),
        });
        say(".");
    }
    Ok(())
}
