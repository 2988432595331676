//! `cargo xtask soak`: loads the real binary for a long time, with errors and reconnects, and looks whether what it holds
//! is flat at the end. The load itself is a test that no other run takes, `e2e::soak`.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::context::{Context, Profile};
use crate::{say, wrong_usage};

const MINUTES: u64 = 10;
const TEST: &str = "e2e::soak::what_a_node_holds_is_flat_after_a_long_load";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    minutes: u64,
    profile: String,
}

/// Runs the command.
pub(crate) fn command(words: Vec<String>) -> ExitCode {
    let request = match read(words) {
        Ok(request) => request,
        Err(reason) => return wrong_usage(&reason),
    };
    match run(&request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn read(words: Vec<String>) -> Result<Request, String> {
    let mut request = Request {
        minutes: MINUTES,
        profile: "ci".to_owned(),
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => {
                let minutes = words.next().and_then(|text| text.parse().ok());
                request.minutes = minutes
                    .filter(|minutes| *minutes > 0)
                    .ok_or("`--minutes` takes a whole number above zero")?;
            }
            "--profile" => {
                let profile = words.next();
                request.profile = profile
                    .filter(|name| matches!(name.as_str(), "ci" | "dev" | "release"))
                    .ok_or("`--profile` is `ci`, `dev` or `release`")?;
            }
            other => return Err(format!("`{other}` is not known here")),
        }
    }
    Ok(request)
}

fn run(request: &Request) -> Result<()> {
    let status = Context::new(Profile::Ci, false)?
        .cargo()
        .args([
            "test",
            "--profile",
            &request.profile,
            // Naming one package would make cargo choose other features of the dependencies, and compile them anew.
            "--workspace",
            "--test",
            "it",
        ])
        .args(["--", "--ignored", "--exact", TEST, "--nocapture"])
        .env("PORTREEVE_SOAK_MINUTES", request.minutes.to_string())
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        bail!("the soak failed; the table above says what was not flat");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_command_line_names_a_time_and_a_profile() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let request = read(words("--minutes 3 --profile release")).unwrap();
        assert_eq!((request.minutes, request.profile.as_str()), (3, "release"));
        assert_eq!(read(words("")).unwrap().minutes, 10);
        for wrong in ["--minutes", "--minutes 0", "--profile fast", "10"] {
            assert!(read(words(wrong)).is_err(), "{wrong}");
        }
    }
}
