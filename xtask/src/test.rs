//! `cargo xtask test`: reads the command line, runs the stages, prints a line for each and a summary.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::context::{Context, Profile};
use crate::process::Log;
use crate::stages::{STAGES, Stage};
use crate::{say, wrong_usage};

/// What the command line asks for.
#[derive(Debug, Default)]
struct Request {
    stages: Vec<&'static Stage>,
    list: bool,
    require_corpus: bool,
    profile: Profile,
}

/// How one stage went.
struct Verdict {
    stage: &'static Stage,
    failure: Option<anyhow::Error>,
    log: String,
    took: Duration,
}

/// Runs the command.
pub(crate) fn command(words: Vec<String>) -> ExitCode {
    let request = match read(words) {
        Ok(request) => request,
        Err(reason) => return wrong_usage(&reason),
    };
    if request.list {
        for stage in STAGES {
            say(&format!("{:<13} {}\n", stage.name, stage.about));
        }
        return ExitCode::SUCCESS;
    }
    match run(request) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("cannot start: {error:#}\n0 passed, 1 failed\n"));
            ExitCode::FAILURE
        }
    }
}

fn read(words: Vec<String>) -> Result<Request, String> {
    let mut request = Request::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--list" => request.list = true,
            "--require-corpus" => request.require_corpus = true,
            "--profile" => match words.next().as_deref() {
                Some("ci") => request.profile = Profile::Ci,
                Some("dev") => request.profile = Profile::Dev,
                _ => return Err("`--profile` is `ci` or `dev`".to_owned()),
            },
            name => match STAGES.iter().find(|stage| stage.name == name) {
                Some(stage) => request.stages.push(stage),
                None => return Err(format!("there is no stage `{name}`; `--list` shows them")),
            },
        }
    }
    if request.stages.is_empty() {
        request.stages = STAGES.iter().collect();
    }
    Ok(request)
}

/// Runs every stage, also after a failure: one run shows all there is to mend.
fn run(request: Request) -> Result<bool> {
    let mut context = Context::new(request.profile, request.require_corpus)?;
    let started = Instant::now();
    let mut verdicts = Vec::new();
    for stage in request.stages {
        say(&format!("{:<13} ", stage.name));
        let verdict = run_stage(&mut context, stage);
        verdicts.push(verdict);
    }
    let failed: Vec<&Verdict> = verdicts
        .iter()
        .filter(|verdict| verdict.failure.is_some())
        .collect();
    say(&format!("\ntook {}:", seconds(started.elapsed())));
    for verdict in &verdicts {
        say(&format!(" {} {}", verdict.stage.name, seconds(verdict.took)));
    }
    say("\n");
    for verdict in &failed {
        if let Some(error) = &verdict.failure {
            say(&format!(
                "\n{} failed: {error:#}\n  log: {}\n",
                verdict.stage.name, verdict.log
            ));
        }
    }
    say(&format!(
        "\n{} passed, {} failed\n",
        verdicts.len() - failed.len(),
        failed.len()
    ));
    Ok(failed.is_empty())
}

fn run_stage(context: &mut Context, stage: &'static Stage) -> Verdict {
    let started = Instant::now();
    let path = context.log_path(stage.name);
    let outcome = Log::create(&path).and_then(|mut log| (stage.run)(context, &mut log));
    let took = started.elapsed();
    let mut notes = context.take_notes();
    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
    let log = context.shown(&path);
    let failure = match outcome {
        Ok(note) => {
            notes.insert(0, note);
            None
        }
        Err(error) => {
            notes.insert(0, format!("see {log}"));
            Some(error)
        }
    };
    notes.retain(|note| !note.is_empty());
    say(&format!("{word:<6} {:>8}  {}\n", seconds(took), notes.join("; ")));
    Verdict {
        stage,
        failure,
        log,
        took,
    }
}

/// A duration for a person.
pub(crate) fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
