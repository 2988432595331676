//! `cargo xtask fuzz`: runs the fuzz targets of `fuzz/`, each for a while. What they ask is asked by the property tests,
//! too; this goes on longer, and looks for the bytes by itself.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::process::output_of;
use crate::{say, wrong_usage};

/// How long one target runs, unless the command line says otherwise.
const SECONDS: u64 = 60;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    targets: Vec<String>,
    seconds: u64,
}

/// Runs the command. Where the tools are not there, it says so and succeeds: there is nothing that could have failed.
pub(crate) fn command(words: Vec<String>) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let request = match targets(&root).map(|known| read(words, &known)) {
        Ok(Ok(request)) => request,
        Ok(Err(reason)) => return wrong_usage(&reason),
        Err(error) => {
            say(&format!("cannot start: {error:#}\n"));
            return ExitCode::FAILURE;
        }
    };
    if let Some((missing, hint)) = missing() {
        say(&format!(
            "nothing was fuzzed: {missing} is not installed; hint: {hint}\n"
        ));
        return ExitCode::SUCCESS;
    }
    for target in &request.targets {
        if let Err(error) = run(&root, target, request.seconds) {
            say(&format!("{error:#}\n"));
            return ExitCode::FAILURE;
        }
    }
    say(&format!("{} targets held\n", request.targets.len()));
    ExitCode::SUCCESS
}

/// The targets that there are, by name.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).context("`fuzz/fuzz_targets` cannot be read")? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn read(words: Vec<String>, known: &[String]) -> Result<Request, String> {
    let mut request = Request {
        targets: Vec::new(),
        seconds: SECONDS,
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let seconds = words.next().and_then(|text| text.parse().ok());
            request.seconds = seconds
                .filter(|seconds| *seconds > 0)
                .ok_or("`--seconds` takes a whole number above zero")?;
        } else if known.contains(&word) {
            request.targets.push(word);
        } else {
            return Err(format!(
                "there is no target `{word}`; there are {}",
                known.join(", ")
            ));
        }
    }
    if request.targets.is_empty() {
        request.targets = known.to_vec();
    }
    Ok(request)
}

/// What is needed and not there, and how to get it.
fn missing() -> Option<(&'static str, &'static str)> {
    if output_of(nightly().arg("--version")).is_none() {
        return Some(("a nightly toolchain", "rustup toolchain install nightly"));
    }
    if output_of(nightly().args(["fuzz", "--version"])).is_none() {
        return Some(("cargo-fuzz", "cargo install cargo-fuzz --locked"));
    }
    None
}

/// The nightly cargo, by way of rustup and not of the toolchain that runs this.
fn nightly() -> Command {
    let mut command = Command::new("cargo");
    command
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .arg("+nightly");
    command
}

fn run(root: &Path, target: &str, seconds: u64) -> Result<()> {
    say(&format!("{target}: {seconds} s\n"));
    // What is found new goes into the first folder; the second is read only.
    let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
    fs::create_dir_all(root.join(&corpus))?;
    let status = nightly()
        .current_dir(root)
        .args(["fuzz", "run", target, &corpus, &seeds, "--"])
        .arg(format!("-max_total_time={seconds}"))
        .status()
        .context("cargo-fuzz cannot be started")?;
    if !status.success() {
        bail!("{target} found something; the bytes are in `fuzz/artifacts/{target}`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Request, SECONDS, read};

    #[test]
    fn the_command_line_names_targets_and_a_time() {
        let known = ["envelope".to_owned(), "sse".to_owned()];
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let all = Request {
            targets: known.to_vec(),
            seconds: SECONDS,
        };
        assert_eq!(read(words(""), &known), Ok(all));
        let one = Request {
            targets: vec!["sse".to_owned()],
            seconds: 5,
        };
        assert_eq!(read(words("sse --seconds 5"), &known), Ok(one));
        for wrong in ["other", "--seconds", "--seconds 0", "--seconds long"] {
            assert!(read(words(wrong), &known).is_err(), "{wrong}");
        }
    }
}
