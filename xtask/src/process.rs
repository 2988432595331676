//! Programs that xtask starts: their output goes to a log, their time is limited, and none outlives xtask.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a service may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(8);

/// The log file of a stage.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

/// A program that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    name: &'static str,
    child: Child,
    signal: &'static str,
}

/// A program that the kernel ends when xtask ends, however that happens.
pub(crate) fn bound(program: impl AsRef<OsStr>) -> Command {
    bound_with("TERM", &[], program)
}

/// The same with another signal and further words for `setpriv`, which must come before the program.
pub(crate) fn bound_with(signal: &str, words: &[&str], program: impl AsRef<OsStr>) -> Command {
    if !has_setpriv() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", signal])
        .args(words)
        .arg("--")
        .arg(program);
    command
}

fn has_setpriv() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| find("setpriv").is_some())
}

/// Where a program is, looking through `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// What a program prints, without the white space at the end; `None` when it fails or is not there.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    output.status.success().then_some(text)
}

/// A port that nobody uses at this moment.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether somebody accepts connections there.
pub(crate) fn accepts(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}

// === impl Log ===

impl Log {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let _ = fs::remove_file(path);
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Runs a program to its end, with its output in the log.
    pub(crate) fn run(&mut self, command: &mut Command, limit: Duration) -> Result<()> {
        let shown = shown(command);
        writeln!(self.file, "\n$ {shown}")?;
        command
            .stdin(Stdio::null())
            .stdout(self.file.try_clone()?)
            .stderr(self.file.try_clone()?);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let status = match wait(&mut child, limit)? {
            Some(status) => status,
            None => {
                stop(&mut child, "TERM");
                bail!("`{shown}` did not end within {} s", limit.as_secs());
            }
        };
        if !status.success() {
            bail!("`{shown}` ended with {}", ending(status));
        }
        Ok(())
    }

    /// Starts a program that goes on in the background, with its output in the log.
    pub(crate) fn serve(
        &mut self,
        name: &'static str,
        command: &mut Command,
        signal: &'static str,
    ) -> Result<Service> {
        writeln!(self.file, "\n$ {} &", shown(command))?;
        command
            .stdin(Stdio::null())
            .stdout(self.file.try_clone()?)
            .stderr(self.file.try_clone()?);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Service { name, child, signal })
    }

    /// Everything that was written so far.
    pub(crate) fn text(&self) -> Result<String> {
        let mut text = Vec::new();
        File::open(&self.path)?.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// A command line as a person would type it: without the wrapper, and without the folder that the program is in.
fn shown(command: &Command) -> String {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let wrapped = words.first().is_some_and(|word| word == "setpriv");
    let from = if wrapped {
        words.iter().position(|word| word == "--").map_or(0, |at| at + 1)
    } else {
        0
    };
    let mut words = words.into_iter().skip(from);
    let program = words.next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}

fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("code {code}"),
        None => status.to_string(),
    }
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(None)
}

/// Asks a program to end, waits a moment, and then ends it.
fn stop(child: &mut Child, signal: &str) {
    // The standard library only knows how to kill.
    let _ = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", signal, &child.id().to_string()])
        .stderr(Stdio::null())
        .status();
    if !matches!(wait(child, PATIENCE), Ok(Some(_))) {
        let _ = child.kill();
        let _ = child.wait();
    }
}

// === impl Service ===

impl Service {
    /// Its process: the wrappers around a program become the program.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is ready; fails when it ends before, or takes too long.
    pub(crate) fn until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let started = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at its start with {}", self.name, ending(status));
            }
            if started.elapsed() > limit {
                bail!("{} was not ready within {} s", self.name, limit.as_secs());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        stop(&mut self.child, self.signal);
    }
}
