//! Virtual environments: one with the official Python client, one with a validator of OpenAPI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{LIMIT, apt, cached};
use crate::context::Context;
use crate::process::{self, Log, output_of};

/// The Python of the environment with the official client.
pub(crate) fn ready(context: &mut Context, log: &mut Log) -> Result<PathBuf> {
    with(context, log, ("python", "tests/peers/requirements.txt"))
}

/// The Python of the environment with a validator of OpenAPI.
pub(crate) fn with_validator(context: &mut Context, log: &mut Log) -> Result<PathBuf> {
    with(
        context,
        log,
        ("python-openapi", "tests/peers/rest/requirements.txt"),
    )
}

/// An environment's own Python, with the packages that a file pins.
fn with(context: &mut Context, log: &mut Log, (name, requirements): (&str, &str)) -> Result<PathBuf> {
    let python = apt::need(context, log, &["python3"], &["python3", "python3-venv"])?;
    // Debian packs the module apart; a Python from elsewhere has it.
    if output_of(Command::new(python).args(["-c", "import ensurepip, venv"])).is_none() {
        apt::install(context, log, &["python3-venv"])?;
    }
    let path = context.root.join(requirements);
    let pin = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let folder = cached(context, log, (name, &pin), |_, log, folder| {
        make(log, folder, python, &path)
    })?;
    Ok(folder.join("venv/bin/python"))
}

fn make(log: &mut Log, folder: &Path, python: &str, requirements: &Path) -> Result<()> {
    let venv = folder.join("venv");
    log.run(process::bound(python).args(["-m", "venv"]).arg(&venv), LIMIT)?;
    let mut install = process::bound(venv.join("bin/python"));
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(requirements);
    log.run(&mut install, LIMIT)
}
