//! The stages in their order, the cheap ones first.

mod architecture;
mod browser;
mod clients;
mod clippy;
mod conformance;
mod deny;
mod doc;
mod e2e;
mod fmt;
mod oauth;
mod rest;
mod unit;

mod runner;
mod tally;

use anyhow::Result;

use crate::context::Context;
use crate::process::Log;

/// One step of the whole test.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Runs it; the answer is a word for its line.
    pub(crate) run: fn(&mut Context, &mut Log) -> Result<String>,
}

/// All of them.
pub(crate) const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "the sources are formatted",
        run: fmt::run,
    },
    Stage {
        name: "clippy",
        about: "no lint speaks up",
        run: clippy::run,
    },
    Stage {
        name: "architecture",
        about: "crate borders, file sizes, texts",
        run: architecture::run,
    },
    Stage {
        name: "unit",
        about: "every crate's tests, on SQLite and PostgreSQL, in process and Redis",
        run: unit::run,
    },
    Stage {
        name: "doc",
        about: "the documentation builds without a warning",
        run: doc::run,
    },
    Stage {
        name: "e2e",
        about: "the real binary, on the embedded and on the shared engines",
        run: e2e::run,
    },
    Stage {
        name: "clients",
        about: "the official MCP clients and a real server",
        run: clients::run,
    },
    Stage {
        name: "rest",
        about: "generated calls of real APIs' tools, judged by a validator of OpenAPI",
        run: rest::run,
    },
    Stage {
        name: "conformance",
        about: "the official suite, directly and through Portreeve",
        run: conformance::run,
    },
    Stage {
        name: "browser",
        about: "the portal in Chromium, and the journeys through it",
        run: browser::run,
    },
    Stage {
        name: "oauth",
        about: "OAuth clients of the SDKs, a real identity provider, two browsers",
        run: oauth::run,
    },
    Stage {
        name: "deny",
        about: "licences, banned crates, sources of crates",
        run: deny::run,
    },
];
