//! The portal in Chromium: as a visitor, signed in, in both colour schemes, and without JavaScript.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::house::House;
use crate::install::apt;
use crate::install::node::Node;
use crate::process::{Log, find};

const LIMIT: Duration = Duration::from_secs(180);

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let chromium = apt::need(context, log, &["chromium", "chromium-browser"], &["chromium"])?;
    let chromium = find(chromium).context("chromium left PATH")?;
    let node = Node::ready(context, log)?;
    let mut house = House::start(context, log)?;
    // The usage page shall have something to show.
    house.run(log, &["call", "com.example/port", "list_ships"])?;
    let link = house.sign_in_link(log)?;
    let screenshots = context.fresh_folder("screenshots")?;
    let mut portal = node.command("browser/portal.mjs");
    portal
        .args(["--url", &house.url, "--link", &link, "--chromium"])
        .arg(chromium);
    portal.arg("--screenshots").arg(&screenshots);
    log.run(&mut portal, LIMIT)?;
    let count = fs::read_dir(&screenshots)?.count();
    Ok(format!("{count} screenshots in {}", context.shown(&screenshots)))
}
