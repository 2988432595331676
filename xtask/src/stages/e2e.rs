//! The end-to-end tests, twice: on what is inside the binary, and on the engines that several nodes share.

use anyhow::Result;

use super::runner::{Selection, Tests};
use crate::context::Context;
use crate::process::Log;
use crate::services::Engines;

/// Tells the tests which engines the binary shall run on: `embedded` or `shared`.
const ENGINES: &str = "PORTREEVE_TEST_E2E";

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let tests = Tests::ready(context, log)?;
    let embedded = tests.run(context, log, Selection::EndToEnd, |command| {
        command.env(ENGINES, "embedded");
    })?;
    let engines = Engines::start(context, log)?;
    let shared = tests.run(context, log, Selection::EndToEnd, |command| {
        command.env(ENGINES, "shared");
        engines.tell(command);
    })?;
    Ok(format!(
        "SQLite and memory: {embedded}; PostgreSQL and Redis: {shared}"
    ))
}
