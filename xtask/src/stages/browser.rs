//! The portal in Chromium: as a visitor, signed in, in both colour schemes, and without JavaScript; and the journeys of people
//! through it, each with a Portreeve of its own.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::tally::{Case, Tally};
use crate::context::Context;
use crate::house::House;
use crate::install::apt;
use crate::install::node::Node;
use crate::process::{Log, find};

/// The longest that one script may take: it gives up before, and says at what.
const LIMIT: Duration = Duration::from_secs(360);
/// What people do, a script for each.
const JOURNEYS: [&str; 6] = ["j1", "j3", "j4", "j5", "j6", "b5"];

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let chromium = apt::need(context, log, &["chromium", "chromium-browser"], &["chromium"])?;
    let chromium = find(chromium).context("chromium left PATH")?;
    // Makes the certificate of a vendor that only a journey knows.
    apt::need(context, log, &["openssl"], &["openssl"])?;
    let node = Node::ready(context, log)?;
    let mut house = House::start(context, log)?;
    // The usage page shall have something to show.
    house.run(log, &["call", "com.example/port", "list_ships"])?;
    let link = house.sign_in_link(log)?;
    let screenshots = context.fresh_folder("screenshots")?;
    let mut portal = node.command("browser/portal.mjs");
    portal
        .args(["--url", &house.url, "--link", &link, "--chromium"])
        .arg(&chromium);
    portal.arg("--screenshots").arg(&screenshots);
    let mut tally = Tally::default();
    tally.check(&house, log, case("portal", portal), LIMIT);
    for journey in JOURNEYS {
        let mut command = node.command(&format!("browser/journeys/{journey}.mjs"));
        command.arg("--binary").arg(context.binary());
        command.arg("--chromium").arg(&chromium);
        command.arg("--screenshots").arg(&screenshots);
        tally.check(&house, log, case(journey, command), LIMIT);
    }
    let told = tally.told()?;
    let count = fs::read_dir(&screenshots)?.count();
    Ok(format!(
        "{told}, {count} screenshots in {}",
        context.shown(&screenshots)
    ))
}

fn case(name: &str, command: Command) -> Case {
    Case {
        name: name.to_owned(),
        command,
    }
}
