//! The project's own commands. `cargo xtask test` runs everything that continuous integration runs, `cargo xtask bench`
//! measures.
//!
//! It starts programs and never links one: the only thing it knows of the workspace is its file names.

mod bench;
mod fuzz;
mod soak;
mod test;

mod context;
mod stages;

mod house;
mod install;
mod services;

mod files;
mod fixture;
mod process;

use std::io::{self, Write};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask test [STAGE...] [--require-corpus] [--profile ci|dev]
       cargo xtask test --list
       cargo xtask fuzz [TARGET...] [--seconds N]
       cargo xtask soak [--minutes N] [--profile ci|release]
       cargo xtask bench [--rounds N] [--seconds S] [--only SUITE,...] [--json FILE] [--binary PATH] [--write-docs]
       cargo xtask bench micro
       cargo xtask bench registry [--binary PATH] [--sizes N,...]
       cargo xtask bench search [--binary PATH] [--sizes N,...]

Without a STAGE it runs all of them, in order. --require-corpus makes it a failure when the large public test data is
not there. --profile chooses the cargo profile (default: ci).

fuzz looks for bytes that break a law, a minute for each target, where a nightly toolchain and cargo-fuzz are installed.
soak loads a node for N minutes (default: 10) and looks whether what it holds is flat at the end.
bench measures calls, sizes, list, sse, start and memory against nginx, 3 rounds of 2.5 s unless told otherwise. --binary
measures another build; --write-docs puts the tables into docs/benchmarks.md. micro measures single steps;
registry measures lists, search and imports from 1,000 to 66,000 versions, and how well real questions are answered;
search measures searches alone, over 100,000 servers unless told otherwise.
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("test") => test::command(words.collect()),
        Some("fuzz") => fuzz::command(words.collect()),
        Some("soak") => soak::command(words.collect()),
        Some("bench") => bench::command(words.collect()),
        Some("help" | "--help" | "-h") => {
            say(USAGE);
            ExitCode::SUCCESS
        }
        _ => wrong_usage("a command is missing"),
    }
}

/// Says what is wrong with the command line, and how it should look.
fn wrong_usage(reason: &str) -> ExitCode {
    say(&format!("{reason}\n\n{USAGE}"));
    ExitCode::from(2)
}

/// Prints at once. A reader that went away is no reason to stop the tests.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
