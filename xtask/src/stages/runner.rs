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
        log.run(&mut command, LIMIT)?;
        let text = log.text()?;
        let passed = passed(text.get(before..).unwrap_or_default());
        match passed {
            0 => bail!("no test ran"),
            count => Ok(format!("{count} tests")),
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
    use super::passed;

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
