//! Any host, any server: five revisions of hosts, five of servers, and nine things that they do with each other, through
//! one node. What should happen in each of the 225 cells stands in `matrix/table.rs`.

mod abilities;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::Value;

use self::abilities::{ABILITIES, Ability};
use self::table::{Expected, expected};
use crate::any_host::{Place, REVISIONS, Revision};
use crate::fixture::Fixture;
use crate::node::Node;

/// Cells at once.
const TOGETHER: usize = 24;
/// Longer than any cell takes; what hangs is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// One node in front of a server of each revision.
struct World {
    place: Place,
    /// The routes, or why there is none.
    routes: BTreeMap<Revision, Result<String, String>>,
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    host: Revision,
    server: Revision,
    ability: Ability,
}

/// What happened in a cell.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// An error, or a result that says that the tool failed.
    Refused(Value),
    /// Something that no specification has.
    Wrong(String),
}

impl World {
    fn new(node: &Node, servers: &BTreeMap<Revision, Fixture>) -> Self {
        let registered = servers.iter().map(|(revision, server)| {
            let name = format!("com.example/of-{revision}");
            let added = node.cli(&[
                "--json",
                "server",
                "add",
                &name,
                "--url",
                &server.url,
                "--approve",
            ]);
            let answer: Value = serde_json::from_slice(&added.stdout).unwrap_or_default();
            let slug = answer.pointer("/route/slug").and_then(Value::as_str);
            let problem = || String::from_utf8_lossy(&added.stderr).into_owned();
            (*revision, slug.map(str::to_owned).ok_or_else(problem))
        });
        Self {
            place: Place::of(node),
            routes: registered.collect(),
        }
    }

    async fn outcome(self: Arc<Self>, cell: Cell) -> Outcome {
        // In a task of its own, so that what panics is one cell.
        let tried = tokio::spawn(async move {
            let slug = match &self.routes[&cell.server] {
                Ok(slug) => slug,
                Err(problem) => return Outcome::Wrong(format!("not registered: {problem}")),
            };
            let tried = tokio::time::timeout(PATIENCE, abilities::tried(&self.place, slug, cell));
            tried
                .await
                .unwrap_or_else(|_| Outcome::Wrong("no end".to_owned()))
        });
        tried
            .await
            .unwrap_or_else(|error| Outcome::Wrong(error.to_string()))
    }
}

/// Whether a cell is as the table says; and how it is shown.
fn judged(cell: Cell, outcome: &Outcome) -> Result<char, String> {
    let Expected { target, open } = expected(cell);
    let met = target.is_met(outcome);
    match (open, met) {
        (None, Ok(())) => Ok(target.shown()),
        (None, Err(problem)) => Err(format!("{cell:?}: {problem}")),
        (Some(_), Err(_)) => Ok('o'),
        (Some(reason), Ok(())) => Err(format!(
            "{cell:?} is as it should be, and listed as open ({reason}): strike it out of OPEN"
        )),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_meets_every_server_as_the_table_says() {
    let mut servers = BTreeMap::new();
    for revision in REVISIONS {
        let Some(server) = Fixture::of(revision) else {
            return;
        };
        servers.insert(revision, server);
    }
    let node = Node::start().await;
    let world = Arc::new(World::new(&node, &servers));
    let cells = REVISIONS.into_iter().flat_map(|host| {
        let pairs = REVISIONS.into_iter().map(move |server| (host, server));
        pairs.flat_map(|(host, server)| {
            ABILITIES.map(|ability| Cell {
                host,
                server,
                ability,
            })
        })
    });
    let outcomes: BTreeMap<Cell, Outcome> = futures_util::stream::iter(cells)
        .map(|cell| {
            let world = Arc::clone(&world);
            async move { (cell, world.outcome(cell).await) }
        })
        .buffer_unordered(TOGETHER)
        .collect()
        .await;

    println!("host       server     {ABILITIES:?}, . passes, r is refused as specified, o is open");
    let mut counts = BTreeMap::<char, usize>::new();
    let mut problems = Vec::new();
    for host in REVISIONS {
        for server in REVISIONS {
            let marks = ABILITIES.map(|ability| {
                let cell = Cell {
                    host,
                    server,
                    ability,
                };
                judged(cell, &outcomes[&cell]).unwrap_or_else(|problem| {
                    problems.push(problem);
                    '!'
                })
            });
            for mark in marks {
                *counts.entry(mark).or_default() += 1;
            }
            println!("{host} {server} {}", marks.iter().collect::<String>());
        }
    }
    println!("{} cells: {counts:?}", outcomes.len());
    let log = node.log_text();
    assert!(!log.contains("panicked"), "{log}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
