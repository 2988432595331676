//! cargo-deny, built once.

use std::path::PathBuf;

use anyhow::Result;

use super::{LIMIT, cached};
use crate::context::Context;
use crate::process::Log;

const VERSION: &str = "0.20.2";

/// The program.
pub(crate) fn ready(context: &mut Context, log: &mut Log) -> Result<PathBuf> {
    let folder = cached(context, log, ("cargo-deny", VERSION), |context, log, folder| {
        let mut install = context.cargo();
        // Without optimisation: it runs for a second, and is built in half the time.
        install
            .args([
                "install",
                "--locked",
                "--debug",
                "--version",
                VERSION,
                "cargo-deny",
                "--root",
            ])
            .arg(folder);
        install.env_remove("CARGO_TARGET_DIR");
        log.run(&mut install, LIMIT)
    })?;
    Ok(folder.join("bin/cargo-deny"))
}
