//! The end-to-end tests, twice: on what is inside the binary, and on the engines that several nodes share.

use anyhow::{Context as _, Result};

use super::runner::{Selection, Tests};
use crate::context::Context;
use crate::install::apt;
use crate::process::Log;
use crate::services::Engines;

/// Requests by which the APIs are compared with their documents, on each pair of engines.
const RANDOM_REQUESTS: &str = "10000";

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    // Tests stop the binary with the one, and lock its database from outside with the other.
    apt::need(context, log, &["kill"], &["procps"])?;
    apt::need(context, log, &["python3"], &["python3"])?;
    let tests = Tests::ready(context, log)?;
    let alone = tests.run(context, log, Selection::EndToEnd, |command| {
        command.env("PORTREEVE_TEST_RANDOM_REQUESTS", RANDOM_REQUESTS);
    });
    let engines = Engines::start(context, log)?;
    let shared = tests.run(context, log, Selection::EndToEnd, |command| {
        command.env("PORTREEVE_TEST_RANDOM_REQUESTS", RANDOM_REQUESTS);
        engines.tell_binary(command);
    });
    // Both have run before either is judged: one run shows all there is to mend.
    let alone = alone.context("on SQLite and memory")?;
    let shared = shared.context("on PostgreSQL and Redis")?;
    Ok(format!(
        "SQLite and memory: {alone}; PostgreSQL and Redis: {shared}"
    ))
}
