//! What the figures were measured on. Without it they mean nothing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::context::Context;
use crate::process::output_of;

/// The machine, the day and the software.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) date: String,
    /// The commit, or what a given binary says of itself.
    pub(crate) software: String,
    /// Processes that wanted to run while nothing was measured yet: above 0.5 the figures are not to be trusted.
    pub(crate) load: String,
}

impl Machine {
    pub(crate) fn look(context: &Context, binary: Option<&Path>) -> Result<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let processor = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown processor", |(_, name)| name);
        let mut version = match binary {
            Some(binary) => Command::new(binary),
            None => Command::new("git"),
        };
        version.current_dir(&context.root).args(if binary.is_some() {
            &["--version"][..]
        } else {
            &["describe", "--always", "--dirty"]
        });
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            processor: processor.to_owned(),
            cores: thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
            date: output_of(Command::new("date").arg("+%Y-%m-%d")).unwrap_or_default(),
            software: output_of(&mut version).unwrap_or_default(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        })
    }
}
