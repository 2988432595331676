//! Runs a part of the workspace's tests, with nextest where it is installed and `cargo test` elsewhere.
//!
//! Nextest always gets the whole workspace and chooses by name: naming one package would make cargo choose other
//! features and compile again. `cargo test` cannot choose like that, and pays.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::context::{Context, Corpus};
use crate::process::{Log, output_of};

const LIMIT: Duration = Duration::from_secs(25 * 60);

/// Which tests. The roof's test binary `it` holds the house's own tests in two modules, and the end-to-end tests in the
/// others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// `architecture` and `tidy`.
    House,
    /// Everything outside that binary.
    Crates,
    /// The rest of that binary.
    EndToEnd,
}

/// The runner at hand.
#[derive(Debug)]
pub(crate) enum Tests {
    Nextest,
    CargoTest,
}

/// How often an end-to-end test that failed tries again.
const RETRIES: &str = "1";

/// How many lines a summary gets of what failed.
const TOLD: usize = 12;

const ROOF: &str = "package(portreeve) & binary(it)";
const OF_THE_HOUSE: &str = "test(/^(architecture|tidy)::/)";

impl Tests {
    /// Builds the tests and chooses the runner.
    pub(crate) fn ready(context: &mut Context, log: &mut Log) -> Result<Self> {
        context.build_tests(log)?;
        let nextest = output_of(context.cargo().args(["nextest", "--version"])).is_some();
        Ok(if nextest { Self::Nextest } else { Self::CargoTest })
    }

    /// Runs them and says how many passed. None at all is a failure: a filter that matches nothing proves nothing.
    pub(crate) fn run(
        &self,
        context: &Context,
        log: &mut Log,
        selection: Selection,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<String> {
        let mut command = context.cargo();
        match self {
            Self::Nextest => nextest(&mut command, context, selection),
            Self::CargoTest => cargo_test(&mut command, context, selection),
        };
        if let Corpus::At(folder) = &context.corpus {
            command.env("PORTREEVE_TEST_DATA", folder);
        }
        prepare(&mut command);
        let before = log.text()?.len();
        let outcome = log.run(&mut command, LIMIT);
        let text = log.text()?;
        let said = text.get(before..).unwrap_or_default();
        outcome.with_context(|| failures(said))?;
        let passed = passed(said);
        let flaky = named(said, "FLAKY");
        match (passed, flaky.as_slice()) {
            (0, _) => bail!("no test ran"),
            (count, []) => Ok(format!("{count} tests")),
            (count, flaky) => Ok(format!(
                "{count} tests, not at the first try: {}",
                flaky.join(", ")
            )),
        }
    }
}

fn nextest(command: &mut Command, context: &Context, selection: Selection) {
    let filter = match selection {
        Selection::House => format!("{ROOF} & {OF_THE_HOUSE}"),
        Selection::EndToEnd => format!("{ROOF} & not {OF_THE_HOUSE}"),
        Selection::Crates => format!("not ({ROOF})"),
    };
    command.args([
        "nextest",
        "run",
        "--workspace",
        "--cargo-profile",
        context.profile.name(),
    ]);
    command
        .args(["--no-fail-fast", "--no-tests", "fail", "--color", "never", "-E"])
        .arg(filter);
    if matches!(selection, Selection::EndToEnd) {
        // Hundreds of processes share two cores: one that was starved tries again, and the stage names it.
        command.args(["--retries", RETRIES]);
    }
}

fn cargo_test(command: &mut Command, context: &Context, selection: Selection) {
    command.args(["test", "--no-fail-fast", "--profile", context.profile.name()]);
    command.args(match selection {
        Selection::House => &[
            "--package",
            "portreeve",
            "--test",
            "it",
            "--",
            "architecture::",
            "tidy::",
        ] as &[&str],
        Selection::EndToEnd => &[
            "--package",
            "portreeve",
            "--test",
            "it",
            "--",
            "--skip",
            "architecture::",
            "--skip",
            "tidy::",
        ],
        Selection::Crates => &["--workspace", "--exclude", "portreeve"],
    });
}

/// What failed and the words of the panics, short enough for a summary: on another machine the log is gone.
fn failures(text: &str) -> String {
    let mut told = named(text, "FAIL");
    told.extend(named(text, "TIMEOUT"));
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.contains("panicked at") && told.len() < TOLD {
            let words = lines.next().unwrap_or_default();
            told.push(
                format!("{}: {}", line.trim(), words.trim())
                    .chars()
                    .take(300)
                    .collect(),
            );
        }
    }
    told.join("\n    ")
}

/// The tests that nextest's closing lines give a word to: `  TRY 2 FAIL [ 1.2s] (1/9) portreeve::it a::b`.
fn named(text: &str, word: &str) -> Vec<String> {
    let Some(at) = text.rfind("Summary [") else {
        return Vec::new();
    };
    let closing = text.get(at..).unwrap_or_default().lines().skip(1);
    closing
        .filter(|line| {
            line.split_once('[')
                .is_some_and(|(words, _)| words.contains(word))
        })
        .filter_map(|line| line.rsplit(' ').next().map(str::to_owned))
        .collect()
}

/// Sums what the runner said: nextest's summary, or one line per binary.
fn passed(text: &str) -> usize {
    text.lines()
        .filter(|line| line.trim_start().starts_with("Summary [") || line.starts_with("test result:"))
        .filter_map(|line| before_word(line, "passed"))
        .sum()
}

/// The number before a word.
fn before_word(line: &str, word: &str) -> Option<usize> {
    let mut words = line
        .split(|character: char| !character.is_alphanumeric())
        .filter(|part| !part.is_empty());
    let mut last = words.next()?;
    for next in words {
        if next == word {
            return last.parse().context("not a number").ok();
        }
        last = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{failures, named, passed};

    #[test]
    fn what_failed_is_told() {
        let text = "  TRY 1 FAIL [ 0.1s] portreeve::it e2e::slow\nthread 'e2e::bad' panicked at tests/it/e2e.rs:4:5:\n\
                    left is not right\n  Summary [ 9.1s] 3 tests run: 2 passed (1 flaky), 1 failed, 0 skipped\n\
                    \x20 FLAKY 2/2 [ 0.2s] (1/3) portreeve::it e2e::slow\n\
                    \x20  TRY 2 FAIL [ 0.1s] (3/3) portreeve::it e2e::bad\n";
        assert_eq!(named(text, "FLAKY"), ["e2e::slow"]);
        let told = failures(text);
        assert!(told.starts_with("e2e::bad\n"), "{told}");
        assert!(told.contains("tests/it/e2e.rs:4:5:: left is not right"), "{told}");
    }

    #[test]
    fn both_runners_are_understood() {
        let nextest = "   Summary [   1.204s] 412 tests run: 410 passed (2 slow), 2 failed, 8 skipped\n";
        assert_eq!(passed(nextest), 410);
        let cargo = "test result: ok. 14 passed; 0 failed; 0 ignored\ntest a::passed ... ok\n\
                     test result: ok. 3 passed; 0 failed\n";
        assert_eq!(passed(cargo), 17);
        assert_eq!(passed("nothing"), 0);
    }
}
