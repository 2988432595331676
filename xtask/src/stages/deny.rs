//! Licences, banned crates and sources. Advisories are left out: their database is a repository, and a test that reads
//! the network's state of today cannot be repeated tomorrow.

use std::time::Duration;

use anyhow::Result;

use crate::context::Context;
use crate::install::deny;
use crate::process::{self, Log};

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let program = deny::ready(context, log)?;
    let mut check = process::bound(program);
    check.current_dir(&context.root).args([
        "--color",
        "never",
        "--workspace",
        "check",
        "bans",
        "licenses",
        "sources",
    ]);
    log.run(&mut check, Duration::from_secs(180))?;
    Ok(String::new())
}
