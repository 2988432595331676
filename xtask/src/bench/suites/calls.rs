//! Calls and lists: many connections and few, small bodies and large ones.

use anyhow::Result;

use super::{Cell, words};
use crate::bench::Request;
use crate::bench::contestants::{Contestant, Contestants, GATEWAY_CORE, LOAD_CORE};
use crate::bench::results::Results;
use crate::process::Log;

/// Everybody, with nginx as it comes.
pub(crate) const ALL: &[Contestant] = &[
    Contestant::Direct,
    Contestant::Nginx,
    Contestant::PassThrough,
    Contestant::Full,
];
/// For answers that do not fit into nginx's own buffers.
const ALL_AND_LARGE: &[Contestant] = &[
    Contestant::Direct,
    Contestant::Nginx,
    Contestant::NginxLarge,
    Contestant::PassThrough,
    Contestant::Full,
];
/// An MCP server and a REST API that do the same.
const BOTH_KINDS: &[Contestant] = &[Contestant::Full, Contestant::Rest];
const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];
const SIZES: [(usize, &str, &[Contestant]); 3] = [
    (64, "64 B", ALL),
    (16 * 1024, "16 KiB", ALL),
    (256 * 1024, "256 KiB", ALL_AND_LARGE),
];

/// The cell in which everything is on one core.
pub(crate) const ONE_CORE: &str = "1 connection, all on one core";
/// The list.
pub(crate) const LIST: &str = "tools/list of 100 tools, 16 connections";

/// Tools of a REST API.
pub(crate) const REST: &str = "tool of a REST API, echo of 64 B, 16 connections";

/// The cell of so many connections.
pub(crate) fn connections_cell(connections: usize) -> String {
    match connections {
        1 => "1 connection".to_owned(),
        _ => format!("{connections} connections"),
    }
}

/// The cell of an echo of this size.
pub(crate) fn size_cell(size: &str) -> String {
    format!("echo of {size}, 16 connections")
}

/// Calls with 64 bytes of argument.
pub(super) fn connections(
    contestants: &mut Contestants,
    request: &Request,
    results: &mut Results,
    log: &mut Log,
) -> Result<()> {
    let cell = |name: String, connections: usize| Cell {
        name,
        contestants: ALL,
        load: words(&[
            &"calls",
            &"--connections",
            &connections,
            &"--seconds",
            &request.seconds,
        ]),
        counts: 1.0,
    };
    for round in 0..request.rounds {
        for count in CONNECTIONS {
            cell(connections_cell(count), count).round(contestants, results, round)?;
        }
        // With one connection and two cores every hop wakes a sleeping core, which hides what the software adds.
        contestants.move_gateways(log, LOAD_CORE)?;
        let outcome = cell(ONE_CORE.to_owned(), 1).round(contestants, results, round);
        contestants.move_gateways(log, GATEWAY_CORE)?;
        outcome?;
    }
    Ok(())
}

/// Calls with larger arguments, which come back in the answer.
pub(super) fn sizes(
    contestants: &mut Contestants,
    request: &Request,
    results: &mut Results,
    _log: &mut Log,
) -> Result<()> {
    for round in 0..request.rounds {
        for (size, name, who) in SIZES {
            let cell = Cell {
                name: size_cell(name),
                contestants: who,
                load: words(&[
                    &"calls",
                    &"--connections",
                    &16,
                    &"--seconds",
                    &request.seconds,
                    &"--size",
                    &size,
                ]),
                counts: 1.0,
            };
            cell.round(contestants, results, round)?;
        }
    }
    Ok(())
}

/// Tools of a REST API, beside the same of an MCP server.
pub(super) fn rest(
    contestants: &mut Contestants,
    request: &Request,
    results: &mut Results,
    _log: &mut Log,
) -> Result<()> {
    for round in 0..request.rounds {
        let cell = Cell {
            name: REST.to_owned(),
            contestants: BOTH_KINDS,
            load: words(&[&"calls", &"--connections", &16, &"--seconds", &request.seconds]),
            counts: 1.0,
        };
        cell.round(contestants, results, round)?;
    }
    Ok(())
}

/// The tool list, from which Portreeve leaves a hidden tool out.
pub(super) fn list(
    contestants: &mut Contestants,
    request: &Request,
    results: &mut Results,
    _log: &mut Log,
) -> Result<()> {
    for round in 0..request.rounds {
        let cell = Cell {
            name: LIST.to_owned(),
            contestants: ALL,
            load: words(&[
                &"calls",
                &"--connections",
                &16,
                &"--seconds",
                &request.seconds,
                &"--method",
                &"tools/list",
            ]),
            counts: 1.0,
        };
        cell.round(contestants, results, round)?;
    }
    Ok(())
}
