//! The end-to-end tests, twice: on what is inside the binary, and on the engines that several nodes share.

use anyhow::Result;

use super::runner::{Selection, Tests};
use crate::context::Context;
use crate::process::Log;
use crate::services::Engines;

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let tests = Tests::ready(context, log)?;
    let alone = tests.run(context, log, Selection::EndToEnd, |_| {})?;
    let engines = Engines::start(context, log)?;
    let shared = tests.run(context, log, Selection::EndToEnd, |command| {
        engines.tell_binary(command)
    })?;
    Ok(format!(
        "SQLite and memory: {alone}; PostgreSQL and Redis: {shared}"
    ))
}
