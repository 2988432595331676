//! Lints. The rules are in `Cargo.toml` and `clippy.toml`; here they become errors.

use std::time::Duration;

use anyhow::Result;

use crate::context::Context;
use crate::process::Log;

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let mut clippy = context.cargo();
    clippy.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--profile",
        context.profile.name(),
    ]);
    clippy.args(["--", "-D", "warnings"]);
    log.run(&mut clippy, Duration::from_secs(30 * 60))?;
    Ok(String::new())
}
