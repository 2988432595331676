//! Counts the runs of scripts, and which of them failed: one run shows all there is to mend.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::house::House;
use crate::process::Log;

/// A script with its arguments, and what it is called in a summary.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) command: Command,
}

/// How many runs there were, and which failed.
#[derive(Default)]
pub(super) struct Tally {
    count: usize,
    failed: Vec<String>,
}

impl Tally {
    /// Runs one to its end, against this house.
    pub(super) fn check(&mut self, house: &House, log: &mut Log, case: Case, limit: Duration) {
        let Case { name, mut command } = case;
        house.tell(&mut command);
        self.count += 1;
        if log.run(&mut command, limit).is_err() {
            self.failed.push(name);
        }
    }

    /// The word for the stage's line.
    pub(super) fn told(self) -> Result<String> {
        let Self { count, failed } = self;
        match failed.len() {
            0 => Ok(format!("{count} runs")),
            _ => bail!("{} of {count} runs failed: {}", failed.len(), failed.join(", ")),
        }
    }
}
