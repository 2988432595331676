//! Calls from a host of one era to a server of the other one, beside calls within an era.

use anyhow::Result;

use super::{Cell, words};
use crate::bench::Request;
use crate::bench::contestants::{Contestant, Contestants};
use crate::bench::results::Results;
use crate::process::Log;

/// The bridges with the same call that crosses none, and their cell.
const CELLS: [(&str, &[Contestant]); 2] = [
    (
        TO_LEGACY,
        &[Contestant::Full, Contestant::ToLegacy, Contestant::ToLegacyShared],
    ),
    (TO_MODERN, &[Contestant::Session, Contestant::ToModern]),
];

/// The cell of a modern host before a legacy server.
pub(crate) const TO_LEGACY: &str = "modern host, legacy server, echo of 64 B, 16 connections";
/// The cell of a legacy host before a modern server.
pub(crate) const TO_MODERN: &str = "legacy host, modern server, echo of 64 B, 16 connections";

pub(super) fn run(
    contestants: &mut Contestants,
    request: &Request,
    results: &mut Results,
    _log: &mut Log,
) -> Result<()> {
    for (name, contenders) in CELLS {
        let silent = contenders.iter().find_map(|contestant| {
            let problem = contestants.answers(*contestant).err()?;
            Some(format!("{} does not answer: {problem}", contestant.name()))
        });
        if let Some(problem) = silent {
            results.notes.push(problem);
            continue;
        }
        for round in 0..request.rounds {
            let cell = Cell {
                name: name.to_owned(),
                contestants: contenders,
                load: words(&[&"calls", &"--connections", &16, &"--seconds", &request.seconds]),
                counts: 1.0,
            };
            cell.round(contestants, results, round)?;
        }
    }
    Ok(())
}
