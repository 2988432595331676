//! Real descriptions of REST APIs: generated valid arguments go through the gateway to a server made of the same
//! description, and a validator of OpenAPI by somebody else's hand judges what arrives. What it cannot read is listed, and
//! judged by assertions of our own.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::context::{Context, Corpus};
use crate::house::House;
use crate::install::python;
use crate::process::{self, Log};

const LIMIT: Duration = Duration::from_secs(15 * 60);
/// Descriptions of our own, which are always there.
const OURS: [&str; 2] = [
    "crates/portreeve/src/demo/chandler/openapi.yaml",
    "crates/registry/tests/it/openapi/harbour-3.2.yaml",
];
/// Calls of one description at most, if it has so many operations.
const MOST: &str = "150";

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let python = python::with_validator(context, log)?;
    let house = House::start(context, log)?;
    let mut check = process::bound(&python);
    check
        .arg("-B")
        .arg(context.root.join("tests/peers/rest/run.py"))
        .arg("--portreeve")
        .arg(context.binary())
        .args(["--most", MOST])
        .env("PORTREEVE_URL", &house.url);
    for file in OURS {
        check.arg("--file").arg(context.root.join(file));
    }
    if let Corpus::At(folder) = &context.corpus {
        check.arg("--folder").arg(folder.join("openapi"));
    }
    house.tell(&mut check);
    let before = log.text()?.len();
    let ended = log.run(&mut check, LIMIT);
    let text = log.text()?;
    let counts = text
        .get(before..)
        .unwrap_or_default()
        .lines()
        .rfind(|line| line.contains(" documents, "))
        .map(str::to_owned);
    match (ended, counts) {
        (Ok(()), Some(counts)) => Ok(counts),
        (Ok(()), None) => bail!("nothing was counted"),
        (Err(error), Some(counts)) => Err(error.context(counts)),
        (Err(error), None) => Err(error),
    }
}
