//! Open files: thousands of streams need more of them than a shell usually allows.

use std::ffi::OsString;
use std::fs;

use anyhow::{Context as _, Result};

/// Streams that the memory suite opens.
pub(crate) const STREAMS: usize = 5_000;
/// Each stream is two connections in a gateway.
const NEEDED: usize = 12_000;

/// What is allowed, and what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptors {
    soft: usize,
    hard: usize,
}

impl Descriptors {
    pub(crate) fn look() -> Result<Self> {
        let limits = fs::read_to_string("/proc/self/limits")?;
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))
            .context("`/proc/self/limits` says nothing of open files")?;
        let mut numbers = line
            .split_whitespace()
            .map(|word| word.parse().unwrap_or(usize::MAX));
        Ok(Self {
            soft: numbers.next().unwrap_or_default(),
            hard: numbers.next().unwrap_or_default(),
        })
    }

    /// Words before a program that raise its limit.
    pub(crate) fn raising(self) -> Vec<OsString> {
        if self.soft >= NEEDED {
            return Vec::new();
        }
        vec!["prlimit".into(), format!("--nofile={0}:{0}", self.hard).into()]
    }

    /// How many streams can be opened.
    pub(crate) fn streams(self) -> usize {
        let most = self.soft.max(self.hard).saturating_sub(500) / 2;
        STREAMS.min(most)
    }

    /// What a reader of the figures must know.
    pub(crate) fn note(self) -> Option<String> {
        (self.streams() < STREAMS).then(|| {
            format!(
                "Only {} streams instead of {STREAMS}: this machine allows {} open files, and {NEEDED} are needed; \
                 hint: `ulimit -n {NEEDED}` as root.",
                self.streams(),
                self.hard
            )
        })
    }
}
