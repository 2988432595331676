//! The distribution's packages.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::process::{Log, find, output_of};
use crate::test::seconds;

/// Installs packages, after a refresh of the package lists: without one a new machine finds nothing.
pub(crate) fn install(context: &mut Context, log: &mut Log, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find("apt-get").is_none() || !is_root() {
        bail!("`{names}` is missing; hint: install it, or run as root on a Debian machine");
    }
    let started = Instant::now();
    let limit = super::LIMIT;
    log.run(apt_get().args(["update", "-qq"]), limit)?;
    let mut install = apt_get();
    install
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages);
    log.run(&mut install, limit)
        .with_context(|| format!("cannot install `{names}`"))?;
    context.note(format!("installed {names} in {}", seconds(started.elapsed())));
    Ok(())
}

/// Installs a package unless one of the programs is there already, and says which one is.
pub(crate) fn need(
    context: &mut Context,
    log: &mut Log,
    programs: &[&'static str],
    packages: &[&str],
) -> Result<&'static str> {
    let first = || programs.iter().copied().find(|program| find(program).is_some());
    if let Some(program) = first() {
        return Ok(program);
    }
    install(context, log, packages)?;
    first().with_context(|| {
        format!(
            "`{}` was installed, but brought no `{}`",
            packages.join(" "),
            programs.join("`, `")
        )
    })
}

/// Whether this is root.
pub(crate) fn is_root() -> bool {
    output_of(Command::new("id").arg("-u")).as_deref() == Some("0")
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
