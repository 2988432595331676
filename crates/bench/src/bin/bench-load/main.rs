//! Calls an MCP endpoint as fast as it answers, looks at every answer, and prints what it saw as one line of JSON.
//!
//! One thread, without a runtime: what the generator costs is taken from the server beside it. Revision 2026-07-28, or with
//! `--era legacy` one session of 2025-11-25 that all share; HTTP/1.1, connections that stay open. `bench-load MODE --port P [--path /mcp] [--key KEY] ...`, where the mode is
//!
//! - `calls`: `--connections`, `--seconds`, `--size` of the echoed text; or with `--method tools/list`
//! - `events`: the same, of a tool that streams `--count` events, `--interval` milliseconds apart
//! - `hold`: opens `--connections` streams, says so, and keeps them until its standard input ends
//! - `first`: calls until an answer is right

mod answer;
mod closed_loop;
mod connection;
mod figures;
mod first;
mod hold;
mod request;
mod session;

use std::io::{self, Write as _};

use anyhow::{Result, bail};
use portreeve_bench::options::Options;
use serde_json::Value;

use crate::request::Target;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mode = words.next().unwrap_or_default();
    let options = Options::read(words)?;
    let target = Target::read(&options, &mode)?;
    match mode.as_str() {
        "calls" | "events" => say(&closed_loop::run(&target, &options)?),
        "hold" => hold::run(&target, &options),
        "first" => say(&first::run(&target, &options)?),
        _ => bail!("`{mode}` is no mode; hint: calls, events, hold or first"),
    }
}

/// One line, at once.
fn say(line: &Value) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
