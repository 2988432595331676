//! The server of the conformance suite for the stages that ask it something, of any revision.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::process::{self, Log, Service};

/// One with these flags, on a port of its own, and its endpoint. The tests must have been built.
pub(crate) fn start(context: &Context, log: &mut Log, flags: &[&str]) -> Result<(Service, String)> {
    let port = process::free_port()?;
    let mut serve = process::bound(context.built("portreeve-fixture"));
    serve.args(["--listen", &format!("127.0.0.1:{port}")]).args(flags);
    let mut service = log.serve("portreeve-fixture", &mut serve, "TERM")?;
    service
        .until(Duration::from_secs(30), || process::accepts(port))
        .context("the test server did not start")?;
    Ok((service, format!("http://127.0.0.1:{port}/mcp")))
}
