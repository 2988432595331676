//! Documentation: a broken link in it is an error.

use std::time::Duration;

use anyhow::Result;

use crate::context::Context;
use crate::process::Log;

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let mut doc = context.cargo();
    doc.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--keep-going",
        "--profile",
        context.profile.name(),
    ]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    log.run(&mut doc, Duration::from_secs(20 * 60))?;
    Ok(String::new())
}
