//! The official conformance suite against a server of ours, directly and through Portreeve: nothing may be worse there.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::house::House;
use crate::install::node::Node;
use crate::process::{self, Log, Service};

const LIMIT: Duration = Duration::from_secs(10 * 60);
/// The name under which the test server is registered; its last part becomes the route.
const NAME: &str = "com.example/fixture";
const SLUG: &str = "fixture";

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let node = Node::ready(context, log)?;
    let house = House::start(context, log)?;
    let (_fixture, direct) = fixture(context, log)?;
    house.run(log, &["server", "add", NAME, "--url", &direct, "--approve"])?;
    // The suite has no way to send a credential.
    house.run(log, &["route", "set", SLUG, "--anonymous", "on"])?;
    let mut suite = node.command("peers/conformance.mjs");
    suite
        .args(["--direct", &direct, "--through", &house.endpoint(SLUG), "--out"])
        .arg(context.fresh_folder("conformance")?);
    let outcome = log.run(&mut suite, LIMIT);
    let sum = sum_of(&log.text()?);
    match outcome {
        Ok(()) => Ok(sum),
        Err(error) => Err(error.context(sum)),
    }
}

/// The line with which the script sums up. The services write to the same log, so it need not be the last one.
fn sum_of(text: &str) -> String {
    let mut lines = text.lines().rev();
    let sum = lines.find(|line| line.starts_with("direct "));
    sum.unwrap_or("the suite did not run to its end").to_owned()
}

/// The test server, on a port of its own.
fn fixture(context: &Context, log: &mut Log) -> Result<(Service, String)> {
    let port = process::free_port()?;
    let mut serve = process::bound(context.built("portreeve-fixture"));
    serve.args(["--listen", &format!("127.0.0.1:{port}")]);
    let mut service = log.serve("portreeve-fixture", &mut serve, "TERM")?;
    service
        .until(Duration::from_secs(30), || process::accepts(port))
        .context("the test server did not start")?;
    Ok((service, format!("http://127.0.0.1:{port}/mcp")))
}
