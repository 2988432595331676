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
