//! Every crate's own tests, with both engines of each port at hand.

use anyhow::Result;

use super::runner::{Selection, Tests};
use crate::context::{Context, Corpus};
use crate::process::Log;
use crate::services::Engines;

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let tests = Tests::ready(context, log)?;
    let engines = Engines::start(context, log)?;
    let note = tests.run(context, log, Selection::Crates, |command| engines.tell(command))?;
    Ok(match context.corpus {
        Corpus::At(_) => note,
        Corpus::Absent => format!("{note}; tests over the large corpus not run: no corpus"),
    })
}
