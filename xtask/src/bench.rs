//! `cargo xtask bench`: measures the gateway against nginx in one run, and says which goals hold.
//!
//! The server and the load generator share core 0, the gateway has core 1. In each round every contestant is measured
//! in each cell, one after the other, so that what the machine does meanwhile hits all of them.

mod goals;
mod machine;
mod report;
mod results;

mod contestants;
mod descriptors;
mod load;
mod nginx;
mod node;
mod usage;

mod suites;

mod registry;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::contestants::{Binaries, Contestants};
use self::machine::Machine;
use self::results::Results;
use self::suites::{SUITES, Suite};
use crate::context::{Context, Profile};
use crate::process::{Log, output_of};
use crate::test::seconds;
use crate::{say, wrong_usage};

/// A release build takes minutes on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The benchmark of single steps.
const MICRO: [&str; 4] = ["--package", "portreeve-bench", "--bench", "micro"];

/// What the command line asks for.
#[derive(Debug)]
struct Request {
    rounds: usize,
    seconds: f64,
    suites: Vec<&'static Suite>,
    json: Option<PathBuf>,
    /// A binary to measure instead of a build of this tree.
    binary: Option<PathBuf>,
    write_docs: bool,
    what: What,
    /// Versions in the registry when it is measured.
    sizes: Option<Vec<usize>>,
    /// What it is stored in.
    engines: Vec<registry::Engine>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The gateway, against nginx.
    Gateway,
    /// Single steps.
    Micro,
    /// The registry at size.
    Registry,
    /// Search alone, over more servers than anybody has.
    Search,
}

/// Runs the command. A missed goal is a finding and no failure.
pub(crate) fn command(words: Vec<String>) -> ExitCode {
    let request = match read(words) {
        Ok(request) => request,
        Err(reason) => return wrong_usage(&reason),
    };
    match run(&request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("cannot measure: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn read(words: Vec<String>) -> Result<Request, String> {
    let mut request = Request {
        rounds: 3,
        seconds: 2.5,
        suites: SUITES.iter().collect(),
        json: None,
        binary: None,
        write_docs: false,
        what: What::Gateway,
        sizes: None,
        engines: vec![registry::Engine::Sqlite, registry::Engine::Postgres],
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "micro" => request.what = What::Micro,
            "registry" => request.what = What::Registry,
            "search" => request.what = What::Search,
            "--write-docs" => request.write_docs = true,
            "--rounds" => request.rounds = number(&value()?)?.max(1.0) as usize,
            "--seconds" => request.seconds = number(&value()?)?.max(0.1),
            "--only" => request.suites = chosen(&value()?)?,
            "--on" => request.engines = engines(&value()?)?,
            "--sizes" => request.sizes = Some(sizes(&value()?)?),
            "--json" => request.json = Some(value()?.into()),
            "--binary" => request.binary = Some(program(&value()?)?),
            _ => return Err(format!("`{word}` is unknown")),
        }
    }
    Ok(request)
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

fn sizes(text: &str) -> Result<Vec<usize>, String> {
    let read = |one: &str| {
        one.parse()
            .map_err(|_| format!("`{one}` is not a number of versions"))
    };
    let mut sizes = text.split(',').map(read).collect::<Result<Vec<usize>, _>>()?;
    sizes.sort_unstable();
    Ok(sizes)
}

fn engines(text: &str) -> Result<Vec<registry::Engine>, String> {
    let read = |word: &str| {
        registry::Engine::named(word).ok_or_else(|| format!("`{word}` is neither `sqlite` nor `postgres`"))
    };
    text.split(',').map(read).collect()
}

fn program(path: &str) -> Result<PathBuf, String> {
    fs::canonicalize(path).map_err(|error| format!("`{path}`: {error}"))
}

fn chosen(names: &str) -> Result<Vec<&'static Suite>, String> {
    let find = |name: &str| SUITES.iter().find(|suite| suite.name == name);
    names
        .split(',')
        .map(|name| {
            let all: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
            find(name).ok_or_else(|| format!("there is no suite `{name}`; there are {}", all.join(", ")))
        })
        .collect()
}

fn run(request: &Request) -> Result<()> {
    let mut context = Context::new(Profile::default(), false)?;
    let path = context.log_path("bench");
    let mut log = Log::create(&path)?;
    let outcome = match request.what {
        What::Micro => micro(&context, &mut log),
        What::Registry | What::Search => of_the_registry(request, &mut context, &mut log),
        What::Gateway => measure(request, &mut context, &mut log),
    };
    outcome.with_context(|| format!("see `{}`", context.shown(&path)))
}

fn measure(request: &Request, context: &mut Context, log: &mut Log) -> Result<()> {
    let machine = Machine::look(context, request.binary.as_deref())?;
    if machine.cores < 2 {
        bail!("the gateway needs a core for itself, and this machine has only one");
    }
    let binaries = build(request, context, log)?;
    let begun = Instant::now();
    let mut results = Results::default();
    let mut contestants = Contestants::start(context, log, binaries)?;
    for suite in &request.suites {
        say(&format!("{:<8} ", suite.name));
        let begun = Instant::now();
        (suite.run)(&mut contestants, request, &mut results, log)
            .with_context(|| format!("suite `{}`", suite.name))?;
        say(&format!("{}\n", seconds(begun.elapsed())));
    }
    drop(contestants);
    let goals = goals::judge(&results);
    let text = report::markdown(&machine, request, &results, &goals);
    say(&format!("\n{text}\nmeasured in {}\n", seconds(begun.elapsed())));
    let json = report::json(&machine, request, &results, &goals).to_string();
    let file = request
        .json
        .clone()
        .unwrap_or_else(|| context.log_path("bench").with_extension("json"));
    fs::write(&file, json).with_context(|| format!("cannot write `{}`", file.display()))?;
    if request.write_docs {
        report::write_docs(context, &text)?;
    }
    Ok(())
}

/// The registry, as people run it.
fn of_the_registry(request: &Request, context: &mut Context, log: &mut Log) -> Result<()> {
    let binary = match &request.binary {
        Some(binary) => binary.clone(),
        None => {
            let mut build = context.cargo();
            build.args([
                "build",
                "--release",
                "--package",
                "portreeve",
                "--bin",
                "portreeve",
            ]);
            log.run(&mut build, BUILD_LIMIT)?;
            context.released("portreeve")
        }
    };
    if request.what == What::Search {
        let sizes = request.sizes.as_deref().unwrap_or(&registry::servers::SERVERS);
        return registry::servers::measure(context, log, (&binary, sizes));
    }
    let subject = registry::Subject {
        binary: &binary,
        sizes: request.sizes.as_deref().unwrap_or(&registry::SIZES),
        engines: &request.engines,
    };
    registry::measure(context, log, &subject)
}

/// The release profile of the product, since that is what people run.
fn build(request: &Request, context: &Context, log: &mut Log) -> Result<Binaries> {
    let mut build = context.cargo();
    build.args(["build", "--release", "--package", "portreeve-bench"]);
    if request.binary.is_none() {
        build.args(["--package", "portreeve"]);
    }
    build.args(["--bin", "bench-upstream", "--bin", "bench-load"]);
    if request.binary.is_none() {
        build.args(["--bin", "portreeve"]);
    }
    say("build    ");
    let begun = Instant::now();
    log.run(&mut build, BUILD_LIMIT)?;
    say(&format!("{}\n", seconds(begun.elapsed())));
    let given = request.binary.clone();
    Ok(Binaries {
        portreeve: given.unwrap_or_else(|| context.released("portreeve")),
        upstream: context.released("bench-upstream"),
        load: context.released("bench-load"),
    })
}

/// What single steps cost, without a network.
fn micro(context: &Context, log: &mut Log) -> Result<()> {
    let mut build = context.cargo();
    build.args(["bench", "--no-run"]).args(MICRO);
    log.run(&mut build, BUILD_LIMIT)?;
    let mut bench = context.cargo();
    bench.arg("bench").args(MICRO);
    let figures = output_of(&mut bench).context("the micro-benchmarks failed")?;
    say(&format!("{figures}\n"));
    Ok(())
}
