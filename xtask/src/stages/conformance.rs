//! The official conformance suite against servers of ours, directly and through Portreeve: nothing may be worse there, and
//! a server of one era is asked in the other one too.

use std::time::Duration;

use anyhow::Result;

use crate::context::Context;
use crate::fixture;
use crate::house::House;
use crate::install::node::Node;
use crate::process::Log;

const LIMIT: Duration = Duration::from_secs(20 * 60);
const AUTHORIZATION_LIMIT: Duration = Duration::from_secs(180);
/// What the suite calls each server behind Portreeve, the last part of its name (which becomes the route), and how the
/// server is started.
const SERVERS: [(&str, &str, &[&str]); 4] = [
    ("through", "fixture", &[]),
    ("legacy", "fixture-legacy", &["--era", "legacy"]),
    ("modern", "fixture-modern", &["--era", "modern"]),
    ("plain", "fixture-plain", &["--without-result-type"]),
];

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let node = Node::ready(context, log)?;
    let mut house = House::start(context, log)?;
    let mut suite = node.command("peers/conformance.mjs");
    let mut running = Vec::new();
    for (word, slug, flags) in SERVERS {
        let (service, direct) = fixture::start(context, log, flags)?;
        running.push(service);
        let name = format!("com.example/{slug}");
        house.run(log, &["server", "add", &name, "--url", &direct, "--approve"])?;
        // The suite has no way to send a credential.
        house.run(log, &["route", "set", slug, "--anonymous", "on"])?;
        suite.arg(format!("--{word}")).arg(house.endpoint(slug));
        match word {
            "through" => suite.args(["--direct", &direct]),
            "plain" => suite.args(["--plain-direct", &direct]),
            _ => &mut suite,
        };
    }
    let authorization = authorization(context, log, &node, &mut house)?;
    suite.arg("--out").arg(context.fresh_folder("conformance")?);
    let outcome = log.run(&mut suite, LIMIT);
    let sum = sum_of(&log.text()?);
    match outcome {
        Ok(()) => Ok(format!("{sum}, {authorization}")),
        Err(error) => Err(error.context(sum)),
    }
}

/// The scenarios about authorization servers, which the suite has apart from its requirements.
fn authorization(context: &Context, log: &mut Log, node: &Node, house: &mut House) -> Result<&'static str> {
    // The admin manages, which is not to use.
    house.run(log, &["grant", "add", "--user", "admin", "--all-servers"])?;
    let link = house.sign_in_link(log)?;
    let mut suite = node.command("peers/authorization.mjs");
    suite.args([
        "--url",
        &house.url,
        "--resource",
        &house.endpoint("fixture"),
        "--link",
        &link,
    ]);
    suite.arg("--out").arg(context.fresh_folder("authorization")?);
    log.run(&mut suite, AUTHORIZATION_LIMIT)?;
    Ok("authorization server 2/2")
}

/// The line with which the script sums up. The services write to the same log, so it need not be the last one.
fn sum_of(text: &str) -> String {
    let mut lines = text.lines().rev();
    let sum = lines.find(|line| line.starts_with("direct "));
    sum.unwrap_or("the suite did not run to its end").to_owned()
}
