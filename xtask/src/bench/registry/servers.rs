//! `cargo xtask bench search`: searches over as many servers as are wanted, each of one version.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use super::corpus::Corpus;
use super::{Figures, Node, QUESTIONS, ask, millis, part, table};
use crate::bench::contestants::OnLoadCore;
use crate::bench::usage;
use crate::context::Context;
use crate::process::Log;
use crate::say;

/// Servers unless told otherwise.
pub(in crate::bench) const SERVERS: [usize; 1] = [100_000];
/// What is held against the goals, in milliseconds.
const GOALS: [(&str, f64); 2] = [("search, p99 ms", 10.0), ("slip, p99 ms", 50.0)];
/// How long the index may take to know all servers.
const INDEX_LIMIT: Duration = Duration::from_secs(60);
/// What is asked for while the index is built: nothing has it.
const WARM: &str = "/api/v1/search?q=zzzzzzzz";

/// Measures a binary, and prints a table.
pub(in crate::bench) fn measure(
    context: &Context,
    log: &mut Log,
    (binary, sizes): (&Path, &[usize]),
) -> Result<()> {
    let corpus = Corpus::of_servers(&context.root);
    say(&format!("records  {}\n", corpus.said()));
    let node = Node::start(log, binary, None)?;
    let _beside_the_node = OnLoadCore::take()?;
    let mut columns = Vec::new();
    let mut before = 0;
    for &size in sizes {
        say(&format!("{size:<8} "));
        let records: Vec<Value> = (before..size).map(|index| corpus.record(index)).collect();
        let mut figures = Figures::new();
        figures.insert("import, records/s", node.take(&records)?);
        measure_one(&node, &corpus, &mut figures)?;
        columns.push((size, figures));
        before = size;
        say("\n");
    }
    say(&format!("\n{}\n", table(&columns, &GOALS)));
    Ok(())
}

fn measure_one(node: &Node, corpus: &Corpus, figures: &mut Figures) -> Result<()> {
    let mut client = node.client()?;
    let begun = Instant::now();
    while client.get(WARM).is_err() {
        if begun.elapsed() > INDEX_LIMIT {
            bail!(
                "the index does not know all servers after {} s",
                INDEX_LIMIT.as_secs()
            );
        }
        client = node.client()?;
    }
    figures.insert("first search, ms", millis(begun.elapsed()));
    let questions: Vec<String> = (0..QUESTIONS).map(|index| corpus.question(index)).collect();
    let slips: Vec<String> = (0..QUESTIONS / 4).map(|index| corpus.slip(index)).collect();
    for (texts, p50, p99) in [
        (questions, "search, p50 ms", "search, p99 ms"),
        (slips, "slip, p50 ms", "slip, p99 ms"),
    ] {
        let mut times = ask(&mut client, "/api/v1/search?q=", &texts)?;
        times.sort_unstable();
        figures.insert(p50, millis(part(&times, 0.50)));
        figures.insert(p99, millis(part(&times, 0.99)));
    }
    figures.insert(
        "resident MiB",
        usage::resident_kib(node.service.process())? / 1024.0,
    );
    Ok(())
}
