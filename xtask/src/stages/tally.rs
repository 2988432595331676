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
    failed: Vec<(String, String)>,
}

/// How many lines, of how many characters, a summary gets of what a script that failed said last.
const TOLD: (usize, usize) = (8, 200);

impl Tally {
    /// Runs one to its end, against this house.
    pub(super) fn check(&mut self, house: &House, log: &mut Log, case: Case, limit: Duration) {
        let Case { name, mut command } = case;
        house.tell(&mut command);
        self.count += 1;
        let before = log.text().map_or(0, |text| text.len());
        if let Err(error) = log.run(&mut command, limit) {
            let said = log.text().unwrap_or_default();
            let said = last_lines(said.get(before..).unwrap_or_default());
            self.failed.push((name, format!("{error:#}{said}")));
        }
    }

    /// The word for the stage's line.
    pub(super) fn told(self) -> Result<String> {
        let Self { count, failed } = self;
        if failed.is_empty() {
            return Ok(format!("{count} runs"));
        }
        let (names, reasons): (Vec<_>, Vec<_>) = failed.into_iter().unzip();
        bail!(
            "{} of {count} runs failed: {}\n  {}",
            names.len(),
            names.join(", "),
            reasons.join("\n  ")
        )
    }
}

/// What was said last, a line of the summary for each; without where in a script it was, and without what a server logs
/// meanwhile: the log has both.
fn last_lines(said: &str) -> String {
    let (lines, width) = TOLD;
    let of_use = said.lines().filter(|line| {
        let line = line.trim();
        !line.is_empty()
            && !["at ", "$ ", "{\"timestamp"]
                .iter()
                .any(|start| line.starts_with(start))
    });
    let mut told: Vec<String> = of_use
        .rev()
        .take(lines)
        .map(|line| line.chars().take(width).collect())
        .collect();
    told.reverse();
    told.iter().map(|line| format!("\n    {line}")).collect()
}
