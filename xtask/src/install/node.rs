//! Node.js of the version that the MCP packages need, and those packages.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{LIMIT, apt, cached};
use crate::context::Context;
use crate::files::copy_files;
use crate::process::{self, Log, find, output_of};

/// The oldest major version that the packages run on.
const OLDEST: u32 = 22;
/// The package that brings it where the machine's own is older.
const PACKAGE: &str = "node@22.23.3";

/// Node.js and a folder with the test scripts and all that they import.
#[derive(Debug)]
pub(crate) struct Node {
    program: PathBuf,
    /// Holds `peers/`, `browser/`, `oauth/` and `node_modules/`.
    pub(crate) scripts: PathBuf,
}

impl Node {
    /// Installs what is missing and lays the scripts out.
    pub(crate) fn ready(context: &mut Context, log: &mut Log) -> Result<Self> {
        let npm = npm(context, log)?;
        let program = program(context, log, npm)?;
        let modules = modules(context, log, npm)?;
        // The scripts are copied beside their modules: an import is looked up from the script's own folder, and the
        // repository stays free of installed files.
        let scripts = context.fresh_folder("scripts")?;
        for folder in ["peers", "browser", "browser/journeys", "oauth"] {
            copy_files(&context.root.join("tests").join(folder), &scripts.join(folder))?;
        }
        symlink(modules, scripts.join("node_modules"))?;
        Ok(Self { program, scripts })
    }

    /// Node.js itself, for scripts that start others.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Node.js on a script or package file, named from the scripts folder.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = process::bound(&self.program);
        command.current_dir(&self.scripts).arg(script);
        command
    }
}

fn npm(context: &mut Context, log: &mut Log) -> Result<&'static str> {
    apt::need(context, log, &["npm"], &["nodejs", "npm"])
}

/// The machine's Node.js when it is new enough, else the packaged one.
fn program(context: &mut Context, log: &mut Log, npm: &str) -> Result<PathBuf> {
    if let Some(own) = find("node")
        && major(&own).is_some_and(|major| major >= OLDEST)
    {
        return Ok(own);
    }
    let folder = cached(context, log, ("node", PACKAGE), |_, log, folder| {
        let mut install = npm_command(npm, folder);
        // The package fetches the binary for this machine from the same registry in its install script.
        install
            .args(["install", "--no-save", "--prefix", "."])
            .arg(PACKAGE);
        log.run(&mut install, LIMIT)
    })?;
    let program = folder.join("node_modules/.bin/node");
    match major(&program) {
        Some(major) if major >= OLDEST => Ok(program),
        _ => bail!("`{PACKAGE}` brought no Node.js that runs; hint: install Node.js {OLDEST} or newer"),
    }
}

fn major(program: &Path) -> Option<u32> {
    let version = output_of(Command::new(program).arg("--version"))?;
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The packages of `tests/peers/package-lock.json`.
fn modules(context: &mut Context, log: &mut Log, npm: &str) -> Result<PathBuf> {
    let peers = context.root.join("tests/peers");
    let lock = fs::read_to_string(peers.join("package-lock.json"))
        .context("cannot read tests/peers/package-lock.json")?;
    let folder = cached(context, log, ("peers", &lock), |_, log, folder| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(peers.join(file), folder.join(file))?;
        }
        let mut install = npm_command(npm, folder);
        install.args(["ci", "--ignore-scripts"]);
        log.run(&mut install, LIMIT)
    })?;
    Ok(folder.join("node_modules"))
}

fn npm_command(npm: &str, folder: &Path) -> Command {
    let mut command = process::bound(npm);
    command
        .current_dir(folder)
        .env("npm_config_fund", "false")
        .env("npm_config_audit", "false");
    command
}
