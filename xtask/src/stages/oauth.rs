//! OAuth as hosts and people meet it: SDKs that know nothing but an address, programs that act for themselves, what nobody
//! gets through with, a real identity provider, and two browsers, of which one is an attacker's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::tally::{Case, Tally};
use crate::context::Context;
use crate::files::TemporaryFolder;
use crate::fixture;
use crate::house::House;
use crate::install::node::Node;
use crate::install::{apt, python};
use crate::process::{self, Log, Service, find};

/// The longest that one script may take.
const LIMIT: Duration = Duration::from_secs(180);
const START: Duration = Duration::from_secs(30);
/// What proves to the identity provider that we are its client.
const SECRET: &str = "s3cret of the client";
/// Where the document of a host is, behind a proxy that only this test has.
const DOCUMENT: &str = "https://host.example/client.json";
/// What Ada's group may use. The first is what hosts are sent to, the last what people search for.
const SERVERS: [&str; 3] = ["com.example/fixture", "com.example/other", "com.example/tickets"];
const GROUP: &str = "harbour";

/// Everything that runs while scripts do.
struct World {
    house: House,
    node: Node,
    python: PathBuf,
    /// Where the identity provider is.
    issuer: String,
    // Before the folder, which they read.
    _services: Vec<Service>,
    _folder: TemporaryFolder,
}

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let chromium = apt::need(context, log, &["chromium", "chromium-browser"], &["chromium"])?;
    let chromium = find(chromium).context("chromium left PATH")?;
    let world = World::start(context, log)?;
    let robot = world
        .house
        .json(&["client", "create", "Python robot"])
        .context("cannot enter a client")?;
    let word = |name: &str| robot[name].as_str().unwrap_or_default().to_owned();
    let (id, secret) = (word("clientId"), word("clientSecret"));
    let granted = ["grant", "add", "--client", &id, "--server", SERVERS[0]];
    world.house.run(log, &granted)?;
    let screenshots = context.fresh_folder("screenshots-oauth")?;

    let mut cases = world.hosts();
    cases.push(world.python(
        "Python for itself",
        &["--known", "secret", "--client", &id, "--secret", &secret],
    ));
    cases.push(world.script(
        "TypeScript for themselves",
        "robot.mjs",
        &["--url", &world.at(0), "--server", SERVERS[0]],
    ));
    cases.push(world.script(
        "refusals",
        "refused.mjs",
        &["--url", &world.at(0), "--other", &world.at(1)],
    ));
    cases.push(world.script(
        "identity provider",
        "provider.mjs",
        &["--url", &world.house.url, "--idp", &world.issuer],
    ));
    let mut browsers = world.script(
        "two browsers",
        "browsers.mjs",
        &[
            "--url",
            &world.house.url,
            "--idp",
            &world.issuer,
            "--endpoint",
            &world.at(0),
        ],
    );
    browsers.command.arg("--chromium").arg(chromium);
    browsers.command.arg("--screenshots").arg(&screenshots);
    cases.push(browsers);

    let mut tally = Tally::default();
    for case in cases {
        tally.check(&world.house, log, case, LIMIT);
    }
    Ok(format!(
        "{}, screenshots in {}",
        tally.told()?,
        context.shown(&screenshots)
    ))
}

/// The configuration: short tokens, the identity provider, and a way to the document.
fn configuration(folder: &Path, issuer: &str, proxy: u16) -> Result<PathBuf> {
    let (secret, ca) = (folder.join("secret"), folder.join("ca.pem"));
    fs::write(&secret, SECRET)?;
    let file = folder.join("portreeve.toml");
    let text = format!(
        "[oauth]\naccess_seconds = 4\n\n\
         [egress]\nproxy = \"http://127.0.0.1:{proxy}\"\nno_proxy = [\"127.0.0.1\", \"localhost\"]\nca_file = \"{}\"\n\n\
         [[login.providers]]\nname = \"acme\"\ntitle = \"Acme\"\nissuer = \"{issuer}\"\nclient_id = \"portreeve\"\n\
         client_secret = \"file:{}\"\ngroups = [{{ value = \"*\" }}]\n",
        ca.display(),
        secret.display(),
    );
    fs::write(&file, text)?;
    Ok(file)
}

// === impl World ===

impl World {
    fn start(context: &mut Context, log: &mut Log) -> Result<Self> {
        let node = Node::ready(context, log)?;
        let python = python::ready(context, log)?;
        context.build_tests(log)?;
        let folder = TemporaryFolder::new("oauth")?;
        let ports = [
            process::free_port()?,
            process::free_port()?,
            process::free_port()?,
        ];
        let [provider, proxy, own] = ports;
        // Another name than that of Portreeve: browsers keep the cookies of both apart.
        let issuer = format!("http://localhost:{provider}");

        let mut serve = node.command("oauth/idp.mjs");
        serve.args(["--port", &provider.to_string(), "--secret", SECRET]);
        serve.args(["--portreeve", &format!("http://127.0.0.1:{own}")]);
        let mut provider_runs = log.serve("identity provider", &mut serve, "TERM")?;
        provider_runs.until(START, || process::accepts(provider))?;
        let mut serve = process::bound(&python);
        serve.arg("-B").arg(node.scripts.join("oauth/document.py"));
        serve.args(["--port", &proxy.to_string(), "--url", DOCUMENT, "--ca"]);
        serve.arg(folder.path().join("ca.pem"));
        let mut document = log.serve("document of a host", &mut serve, "TERM")?;
        document.until(START, || process::accepts(proxy))?;

        let file = configuration(folder.path(), &issuer, proxy)?;
        let file = file.to_str().context("a folder with a strange name")?;
        let house = House::start_with(context, log, own, &["--config", file])?;
        let (upstream, url) = fixture::start(context, log, &[])?;
        for name in SERVERS {
            let about = "Opens, answers and closes tickets of customers";
            let more = if name.ends_with("/tickets") {
                ["--description", about]
            } else {
                ["--tag", "harbour"]
            };
            let words = [
                &["server", "add", name, "--url", &url, "--approve"] as &[&str],
                &more,
            ]
            .concat();
            house.run(log, &words)?;
            house.run(log, &["grant", "add", "--group", GROUP, "--server", name])?;
        }
        // Who is no reader of it finds what was granted to them, and nothing else.
        house.run(
            log,
            &[
                "registry",
                "edit",
                "default",
                "--visibility",
                "only",
                "--reader",
                "user:admin",
            ],
        )?;
        Ok(Self {
            house,
            node,
            python,
            issuer,
            _services: vec![provider_runs, document, upstream],
            _folder: folder,
        })
    }

    /// The endpoint of a server.
    fn at(&self, number: usize) -> String {
        let name = SERVERS[number];
        self.house.endpoint(name.rsplit('/').next().unwrap_or(name))
    }

    fn script(&self, name: &str, script: &str, words: &[&str]) -> Case {
        let mut command = self.node.command(&format!("oauth/{script}"));
        command.args(words);
        Case {
            name: name.to_owned(),
            command,
        }
    }

    fn python(&self, name: &str, words: &[&str]) -> Case {
        let mut command = process::bound(&self.python);
        command.arg("-B").arg(self.node.scripts.join("oauth/host.py"));
        command
            .args(["--url", &self.at(0), "--node"])
            .arg(self.node.program());
        command.args(words);
        Case {
            name: name.to_owned(),
            command,
        }
    }

    /// Hosts that know the URL alone, with each SDK in each way to become known.
    fn hosts(&self) -> Vec<Case> {
        let url = self.at(0);
        let mut cases = Vec::new();
        for known in ["register", "document"] {
            for sdk in ["1", "2"] {
                let words = [
                    "--url",
                    &url,
                    "--sdk",
                    sdk,
                    "--known",
                    known,
                    "--document",
                    DOCUMENT,
                ];
                cases.push(self.script(&format!("TypeScript SDK {sdk}, {known}"), "host.mjs", &words));
            }
            let words = ["--known", known, "--document", DOCUMENT];
            cases.push(self.python(&format!("Python, {known}"), &words));
        }
        cases
    }
}
