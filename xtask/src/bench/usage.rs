//! What a program and its children used, from `/proc`.

use std::fs;

use anyhow::{Context as _, Result};

/// Ticks of the processor clock in a second, as Linux tells them to programs on every architecture.
const TICKS: f64 = 100.0;

/// A process and all below it: nginx works in a child.
pub(crate) fn family(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    let mut next = 0;
    while let Some(member) = all.get(next).copied() {
        next += 1;
        let Ok(threads) = fs::read_dir(format!("/proc/{member}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
    }
    all
}

/// Seconds of processor time, user and system, of all threads.
pub(crate) fn processor_seconds(process: u32) -> Result<f64> {
    let mut ticks = 0;
    for member in family(process) {
        let path = format!("/proc/{member}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
        // The name, in parentheses, may hold anything; after it come the state, and then numbers.
        let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let times = fields.split(' ').skip(11).take(2);
        ticks += times.filter_map(|time| time.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(ticks as f64 / TICKS)
}

/// What the host of a virtual machine kept from a core, and all that passed there, in ticks since the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Withheld {
    core: u32,
    stolen: u64,
    all: u64,
}

impl Withheld {
    pub(crate) fn look(core: u32) -> Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("cannot read `/proc/stat`")?;
        let name = format!("cpu{core} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        let line = line.with_context(|| format!("`/proc/stat` does not know core {core}"))?;
        // User, nice, system, idle, iowait, irq, softirq, steal; guests are counted among users.
        let ticks = line
            .split_whitespace()
            .map(|ticks| ticks.parse().unwrap_or_default());
        let ticks: Vec<u64> = ticks.take(8).collect();
        Ok(Self {
            core,
            stolen: ticks.get(7).copied().unwrap_or_default(),
            all: ticks.iter().sum(),
        })
    }

    /// The share since then, in percent.
    pub(crate) fn percent(self) -> Result<f64> {
        let now = Self::look(self.core)?;
        let all = now.all.saturating_sub(self.all).max(1);
        Ok(now.stolen.saturating_sub(self.stolen) as f64 * 100.0 / all as f64)
    }
}

/// Resident memory in KiB.
pub(crate) fn resident_kib(process: u32) -> Result<f64> {
    let mut sum = 0.0;
    for member in family(process) {
        let path = format!("/proc/{member}/status");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let size = line.and_then(|line| line.split_whitespace().next());
        sum += size.and_then(|size| size.parse::<f64>().ok()).unwrap_or_default();
    }
    Ok(sum)
}
