//! What moved since a generation: who takes it over knows what a whole snapshot says.

use std::collections::BTreeMap;

use portreeve_core::id::RouteId;
use portreeve_core::ports::{
    EntryChange, News, RouteChange, RouteSnapshot, StoreError, ToolDecision, ToolsApproved, ToolsSeen,
};
use portreeve_core::protocol::Era;
use portreeve_core::route::{PinState, Route, RouteState};

use super::identity::grant;
use super::routes::stored_route;
use super::{Durable, Outcome};
use crate::store_fixtures::{at, event, key, new_entry, parse, route, tool, version};

/// Somebody who keeps the routes in memory, and reads what moved after every so many changes.
struct Reader {
    every: usize,
    known: Option<i64>,
    routes: BTreeMap<String, RouteSnapshot>,
    active_known: Option<i64>,
    active: Vec<RouteId>,
    /// Routes that it was told of.
    told: usize,
}

impl Reader {
    const fn new(every: usize) -> Self {
        Self {
            every,
            known: None,
            routes: BTreeMap::new(),
            active_known: None,
            active: Vec::new(),
            told: 0,
        }
    }

    async fn read(&mut self, store: &dyn Durable) -> Outcome {
        let snapshot = store.snapshot(self.known).await?;
        self.known = Some(snapshot.generation);
        let changed = match snapshot.routes {
            News::All(all) => {
                self.routes.clear();
                all
            }
            News::Since { changed, gone } => {
                for slug in gone {
                    self.routes.remove(slug.as_str());
                }
                changed
            }
        };
        self.told += changed.len();
        for entry in changed {
            self.routes.insert(entry.route.slug.to_string(), entry);
        }
        let (generation, news) = store.active_routes(self.active_known).await?;
        self.active_known = Some(generation);
        match news {
            News::All(all) => self.active = all,
            News::Since { changed, gone } => {
                self.active
                    .retain(|id| !gone.contains(id) && !changed.contains(id));
                self.active.extend(changed);
            }
        }
        self.active.sort();
        Ok(())
    }

    async fn knows_everything(&self, store: &dyn Durable, step: &str) -> Outcome {
        let News::All(all) = store.snapshot(None).await?.routes else {
            panic!("who knows nothing is told everything");
        };
        let mut ids: Vec<RouteId> = all.iter().map(|entry| entry.route.id).collect();
        ids.sort();
        let known: Vec<RouteSnapshot> = self.routes.values().cloned().collect();
        assert_eq!(known, all, "a reader of every {}, after {step}", self.every);
        assert_eq!(
            self.active, ids,
            "the ids of a reader of every {}, after {step}",
            self.every
        );
        Ok(())
    }
}

/// Who takes over what moved knows what a whole snapshot says, whatever happened in between and however much of it.
pub async fn what_moved_makes_the_whole(store: &dyn Durable) -> Outcome {
    let mut readers = [Reader::new(1), Reader::new(2), Reader::new(5), Reader::new(100)];
    let mut number = 0;
    for step in STEPS {
        take(store, step).await?;
        number += 1;
        for reader in &mut readers {
            if number % reader.every == 0 {
                reader.read(store).await?;
                reader.knows_everything(store, step).await?;
            }
        }
    }
    for reader in &mut readers {
        reader.read(store).await?;
        reader.knows_everything(store, "everything").await?;
    }
    let told = readers[0].told;
    assert!(
        told < STEPS.len() * 2,
        "{told} routes were told, which is more than moved"
    );

    // A generation that is still to come is not of this store's past.
    let ahead = readers[0].known.map(|known| known + 1_000);
    assert!(matches!(store.snapshot(ahead).await?.routes, News::All(_)));
    assert!(matches!(store.active_routes(ahead).await?.1, News::All(_)));
    // Nothing moved, so nothing is told.
    let none = store.snapshot(readers[0].known).await?.routes;
    let (changed, gone) = (Vec::new(), Vec::new());
    assert_eq!(none, News::Since { changed, gone });
    Ok(())
}

const STEPS: [&str; 18] = [
    "add a",
    "add b",
    "see a",
    "grant",
    "approve a",
    "hide a",
    "eras b",
    "close b",
    "grant",
    "see b",
    "open b",
    "move b",
    "remove a",
    "grant",
    "return a",
    "see a",
    "close b",
    "remove b",
];

async fn take(store: &dyn Durable, step: &str) -> Outcome {
    let (what, which) = step.split_once(' ').unwrap_or((step, ""));
    let name = format!("com.acme/{which}");
    let now = store
        .route(&parse(if which.is_empty() { "none" } else { which }))
        .await?;
    match (what, now) {
        ("grant", _) => {
            let granted = grant(portreeve_core::grant::Subject::Key(key("x").id));
            store.add_grant(&granted, event("grant.add")).await
        }
        ("add", _) => stored_route(store, &name, which).await.map(drop),
        ("return", _) => {
            let mut change = new_entry(&name, vec![version(&name, "1.0.0")]);
            let mut returned = route(&name, "1.0.0", which);
            returned.id = RouteId::from_u128(77);
            change.routes = vec![returned];
            store.save(change).await.map(drop)
        }
        ("remove", _) => {
            let revision = store
                .entry(&parse(&name))
                .await?
                .map_or(0, |entry| entry.revision);
            store
                .remove(&parse(&name), revision, event("server.remove"))
                .await
        }
        (what, Some(route)) => change(store, what, route).await,
        (what, None) => panic!("nothing to {what}"),
    }
}

async fn change(store: &dyn Durable, what: &str, mut route: Route) -> Result<(), StoreError> {
    let tools = vec![tool("add", "adds"), tool("sub", "subtracts")];
    match what {
        "see" => {
            let seen = ToolsSeen {
                route: route.id,
                era: Era::Modern,
                tools,
                complete: true,
                at: at(50),
                events: Vec::new(),
            };
            store.tools_seen(seen).await
        }
        "approve" | "hide" => {
            let decision = if what == "hide" {
                ToolDecision::Hide("add".to_owned())
            } else {
                ToolDecision::Approve(Era::Modern, tool("add", "adds"))
            };
            let approved = ToolsApproved {
                route: route.id,
                decisions: vec![decision],
                pin_state: PinState::Pinned,
                by: "user:ada".to_owned(),
                at: at(60),
                events: Vec::new(),
            };
            store.tools_approved(approved).await
        }
        "eras" => store.note_eras(route.id, &[Era::Legacy]).await,
        "move" => {
            route.upstream_url = "https://elsewhere.example/mcp".to_owned();
            let name = route.server.to_string();
            let revision = store.entry(&route.server).await?.map(|entry| entry.revision);
            let moved = EntryChange {
                expected: revision,
                routes: vec![route],
                ..new_entry(&name, Vec::new())
            };
            store.save(moved).await.map(drop)
        }
        _ => {
            route.state = if what == "open" {
                RouteState::Active
            } else {
                RouteState::Inactive
            };
            let events = Vec::new();
            store.save_route(RouteChange { route, events }).await.map(drop)
        }
    }
}
