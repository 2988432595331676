//! PostgreSQL from the distribution's packages, with a fresh cluster that nobody else sees.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::files::TemporaryFolder;
use crate::install::apt;
use crate::process::{self, Log, Service, output_of};

const START_LIMIT: Duration = Duration::from_secs(60);

/// A running cluster.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) url: String,
    // Before the folder: fields are dropped in order, and the server must be gone when its folder goes.
    _service: Service,
    _folder: TemporaryFolder,
}

/// What a power cut may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Everything: the cluster lives for one run of tests.
    None,
    /// What PostgreSQL comes with: nothing that was acknowledged.
    AsItComes,
}

/// Who runs it: PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunAs {
    Oneself,
    PostgresUser,
}

impl Postgres {
    pub(crate) fn start(context: &mut Context, log: &mut Log, durability: Durability) -> Result<Self> {
        let programs = programs(context, log)?;
        let run_as = if apt::is_root() {
            RunAs::PostgresUser
        } else {
            RunAs::Oneself
        };
        let folder = TemporaryFolder::new("postgres")?;
        if run_as == RunAs::PostgresUser {
            let mut chown = Command::new("chown");
            log.run(chown.arg("postgres:").arg(folder.path()), START_LIMIT)?;
        }
        let data = folder.path().join("data");
        let mut init = run_as.command(programs.join("initdb"), folder.path());
        init.arg("-D").arg(&data).args([
            "-U",
            "portreeve",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        log.run(&mut init, START_LIMIT)?;

        let port = process::free_port()?;
        let mut serve = run_as.command(programs.join("postgres"), folder.path());
        serve
            .arg("-D")
            .arg(&data)
            .arg("-c")
            .arg(setting("unix_socket_directories", folder.path()));
        for (name, value) in [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port.to_string()),
            ("max_connections", "300"),
        ] {
            serve.arg("-c").arg(setting(name, value));
        }
        if durability == Durability::None {
            for name in ["fsync", "synchronous_commit", "full_page_writes"] {
                serve.arg("-c").arg(setting(name, "off"));
            }
        }
        // INT is PostgreSQL's fast shutdown: connections are cut, files are closed.
        let mut service = log.serve("PostgreSQL", &mut serve, "INT")?;
        let ready = programs.join("pg_isready");
        service.until(START_LIMIT, || {
            let mut ask = Command::new(&ready);
            output_of(ask.args(["-h", "127.0.0.1", "-p", &port.to_string()])).is_some()
        })?;
        let url = format!("postgres://portreeve@127.0.0.1:{port}/postgres");
        Ok(Self {
            url,
            _service: service,
            _folder: folder,
        })
    }
}

impl RunAs {
    fn command(self, program: PathBuf, folder: &Path) -> Command {
        let words: &[&str] = match self {
            Self::Oneself => &[],
            Self::PostgresUser => &["--reuid=postgres", "--regid=postgres", "--init-groups"],
        };
        let mut command = process::bound_with("INT", words, program);
        command.current_dir(folder);
        command
    }
}

fn setting(name: &str, value: impl AsRef<OsStr>) -> std::ffi::OsString {
    let mut setting = std::ffi::OsString::from(format!("{name}="));
    setting.push(value);
    setting
}

/// The folder of the newest installed version. Debian keeps the server's programs out of `PATH`.
fn programs(context: &mut Context, log: &mut Log) -> Result<PathBuf> {
    if let Some(found) = newest_programs() {
        return Ok(found);
    }
    apt::install(context, log, &["postgresql"])?;
    newest_programs().context("postgresql was installed, but its `initdb` is nowhere to be found")
}

fn newest_programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .map(|version| version.path().join("bin"))
        .filter(|programs| programs.join("initdb").is_file() && programs.join("postgres").is_file())
        .max_by_key(|programs| major(programs));
    newest.or_else(|| process::find("initdb")?.parent().map(Path::to_path_buf))
}

fn major(programs: &Path) -> u32 {
    let name = programs
        .parent()
        .and_then(Path::file_name)
        .map(OsStr::to_string_lossy);
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}
