//! Formatting.

use std::time::Duration;

use anyhow::Result;

use crate::context::Context;
use crate::process::Log;

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let mut check = context.cargo();
    check.args(["fmt", "--all", "--check"]);
    log.run(&mut check, Duration::from_secs(120))?;
    Ok(String::new())
}
