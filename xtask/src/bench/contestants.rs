//! Who is measured: the server alone, nginx, and Portreeve with and without its checks. All of them run all the time;
//! those that are not asked cost nothing.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::descriptors::Descriptors;
use super::load::{self, Held};
use super::nginx::Nginx;
use super::node::{Checks, Node};
use super::usage;
use crate::context::Context;
use crate::process::{self, Log, Service, output_of};

/// Where the server and the load generator run.
pub(crate) const LOAD_CORE: u32 = 0;
/// Where the gateway runs.
pub(crate) const GATEWAY_CORE: u32 = 1;
/// Tools of the server: as many as a list shall have, and one that is hidden.
const TOOLS: usize = 101;

/// The programs.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) portreeve: PathBuf,
    pub(crate) upstream: PathBuf,
    pub(crate) load: PathBuf,
}

/// One of those who are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contestant {
    Direct,
    Nginx,
    /// With buffers that need no temporary file.
    NginxLarge,
    PassThrough,
    Full,
    /// The same Portreeve as `Full`, with its checks, in front of a REST API.
    Rest,
    /// The same, asked within a session of the legacy era.
    Session,
    /// The same, asked in the modern era, in front of a server of the legacy one.
    ToLegacy,
    /// The same, with one session at the server for all calls of a caller.
    ToLegacyShared,
    /// The same, asked within a session, in front of a server of the modern era.
    ToModern,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Contestants {
    pub(crate) binaries: Binaries,
    pub(crate) descriptors: Descriptors,
    nginx: Nginx,
    pass_through: Node,
    full: Node,
    // Last, so that nobody loses it while running.
    upstream: (Service, u16),
}

/// A program on one core, with enough descriptors.
pub(crate) fn pinned(core: u32, descriptors: Descriptors, program: impl AsRef<OsStr>) -> Command {
    let mut command = process::bound("taskset");
    command
        .args(["-c", &core.to_string()])
        .args(descriptors.raising())
        .arg(program);
    command
}

/// Keeps this program on the core of the load, with the threads and programs that it starts meanwhile.
#[derive(Debug)]
pub(crate) struct OnLoadCore {
    /// The cores that it may use otherwise, as a mask.
    before: String,
}

impl OnLoadCore {
    pub(crate) fn take() -> Result<Self> {
        let said = output_of(Command::new("taskset").args(["-p", &own_process()]));
        let said = said.context("`taskset` does not say where this program runs")?;
        let before = said.rsplit(' ').next().unwrap_or_default().trim().to_owned();
        let moved =
            output_of(Command::new("taskset").args(["-p", "-c", &LOAD_CORE.to_string(), &own_process()]));
        moved.context("`taskset` does not move this program")?;
        Ok(Self { before })
    }
}

impl Drop for OnLoadCore {
    fn drop(&mut self) {
        // What comes after is only slower without.
        let _ = output_of(Command::new("taskset").args(["-p", &self.before, &own_process()]));
    }
}

fn own_process() -> String {
    std::process::id().to_string()
}

// === impl Contestant ===

impl Contestant {
    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::NginxLarge => "nginx, large buffers",
            Self::PassThrough => "Portreeve pass-through",
            Self::Full => "Portreeve full",
            Self::Rest => "Portreeve full, REST API",
            Self::Session => "Portreeve full, session",
            Self::ToLegacy => "Portreeve full, to a legacy server",
            Self::ToLegacyShared => "Portreeve full, to a legacy server, one session",
            Self::ToModern => "Portreeve full, session to a modern server",
        }
    }
}

// === impl Contestants ===

impl Contestants {
    pub(crate) fn start(context: &mut Context, log: &mut Log, binaries: Binaries) -> Result<Self> {
        let descriptors = Descriptors::look()?;
        let port = process::free_port()?;
        let mut serve = pinned(LOAD_CORE, descriptors, &binaries.upstream);
        serve.args(["--port", &port.to_string(), "--tools", &TOOLS.to_string()]);
        let mut upstream = log.serve("bench-upstream", &mut serve, "TERM")?;
        upstream.until(Duration::from_secs(10), || process::accepts(port))?;
        let nginx = Nginx::start(context, log, port, descriptors)?;
        let mut node = |checks| Node::start(log, &binaries.portreeve, port, checks, descriptors);
        let (pass_through, full) = (node(Checks::None)?, node(Checks::All)?);
        let contestants = Self {
            binaries,
            descriptors,
            nginx,
            pass_through,
            full,
            upstream: (upstream, port),
        };
        for contestant in [
            Contestant::Direct,
            Contestant::Nginx,
            Contestant::NginxLarge,
            Contestant::PassThrough,
            Contestant::Full,
            Contestant::Rest,
        ] {
            contestants.first_call(contestant)?;
        }
        Ok(contestants)
    }

    /// Waits until one answers a call as it should.
    pub(crate) fn first_call(&self, contestant: Contestant) -> Result<()> {
        let said = self.load(contestant, &["first"])?;
        match said.get("failed").and_then(Value::as_u64) {
            Some(0) => Ok(()),
            _ => bail!("{} does not answer: {said}", contestant.name()),
        }
    }

    /// Whether one answers a call as it should, and what it says where it does not.
    pub(crate) fn answers(&self, contestant: Contestant) -> Result<(), String> {
        // A handshake that is refused ends the load generator.
        let said = self.load(contestant, &["first", "--seconds", "3"]);
        let said = said.map_err(|error| format!("{error:#}"))?;
        match said.get("failed").and_then(Value::as_u64) {
            Some(0) => Ok(()),
            _ => Err(said.to_string()),
        }
    }

    /// Runs the load generator against one.
    pub(crate) fn load(&self, contestant: Contestant, words: &[&str]) -> Result<Value> {
        load::run(self.load_command(contestant, words)).with_context(|| contestant.name())
    }

    /// Opens streams to one.
    pub(crate) fn hold(&self, contestant: Contestant, streams: usize) -> Result<Held> {
        let streams = streams.to_string();
        load::hold(self.load_command(contestant, &["hold", "--connections", &streams]))
            .with_context(|| contestant.name())
    }

    fn load_command(&self, contestant: Contestant, words: &[&str]) -> Command {
        let mut command = pinned(LOAD_CORE, self.descriptors, &self.binaries.load);
        let node = match contestant {
            Contestant::Direct | Contestant::Nginx | Contestant::NginxLarge => None,
            Contestant::PassThrough => Some(&self.pass_through),
            _ => Some(&self.full),
        };
        let port = match (contestant, node) {
            (_, Some(node)) => node.port,
            (Contestant::Nginx, None) => self.nginx.port,
            (Contestant::NginxLarge, None) => self.nginx.large,
            _ => self.upstream.1,
        };
        command.args(words).args(["--port", &port.to_string()]);
        if node.is_some() {
            let path = match contestant {
                Contestant::Rest => Node::rest_path(),
                Contestant::ToLegacy => Node::legacy_path(),
                Contestant::ToLegacyShared => Node::legacy_shared_path(),
                Contestant::ToModern => Node::modern_path(),
                _ => Node::path(),
            };
            command.args(["--path", path]);
        }
        if matches!(contestant, Contestant::Session | Contestant::ToModern) {
            command.args(["--era", "legacy"]);
        }
        if let Some(key) = node.and_then(|node| node.key.as_ref()) {
            command.args(["--key", key]);
        }
        command
    }

    /// The process of a gateway; the server alone has none.
    pub(crate) fn process(&self, contestant: Contestant) -> Result<Option<u32>> {
        Ok(match contestant {
            Contestant::Direct => None,
            Contestant::Nginx | Contestant::NginxLarge => Some(self.nginx.service.process()),
            Contestant::PassThrough => Some(self.pass_through.process()?),
            _ => Some(self.full.process()?),
        })
    }

    /// The Portreeve of a contestant.
    pub(crate) fn node(&mut self, contestant: Contestant) -> Option<&mut Node> {
        match contestant {
            Contestant::PassThrough => Some(&mut self.pass_through),
            Contestant::Direct | Contestant::Nginx | Contestant::NginxLarge => None,
            _ => Some(&mut self.full),
        }
    }

    /// Moves all gateways to a core, every thread of them.
    pub(crate) fn move_gateways(&self, log: &mut Log, core: u32) -> Result<()> {
        for contestant in [Contestant::Nginx, Contestant::PassThrough, Contestant::Full] {
            let Some(process) = self.process(contestant)? else {
                continue;
            };
            for member in usage::family(process) {
                let mut command = Command::new("taskset");
                command.args(["-a", "-c", "-p", &core.to_string(), &member.to_string()]);
                log.run(&mut command, Duration::from_secs(10))?;
            }
        }
        Ok(())
    }
}
