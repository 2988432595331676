//! What an approval would do to the routes, shown before and held to afterwards.
//!
//! Before: `settle` ran on a copy of the entry. After: the review shows the plan; an approval that names its hash is
//! refused when the same step would do something else by now.

use portreeve_core::deployment::Place;
use portreeve_core::name::{Slug, VersionText};
use portreeve_core::route::{Route, RouteState};
use portreeve_inspect::content_hash;
use serde::Serialize;
use serde_json::json;

use crate::error::RegistryError;
use crate::work::Work;

/// What would become of an entry's routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The version that would be approved; without one, only deployments are.
    pub version: Option<VersionText>,
    /// Which version hosts get for `latest`, before and after.
    pub latest: (Option<VersionText>, Option<VersionText>),
    /// The routes that are made, moved, started or stopped. Empty: nothing moves.
    pub moves: Vec<Move>,
    /// Stands for all of it, and for the document that would be approved.
    pub hash: String,
}

/// What would become of one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// What happens.
    pub kind: MoveKind,
    /// The route.
    pub slug: Slug,
    /// Its place.
    pub place: Place,
    /// Where it leads now, if it is served.
    pub from: Option<Stop>,
    /// Where it leads then, if it is served.
    pub to: Option<Stop>,
}

/// What happens to a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MoveKind {
    /// It is made.
    Create,
    /// It leads somewhere else.
    Move,
    /// It is served again.
    Start,
    /// It is not served any more.
    Stop,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// The version that it serves.
    pub version: VersionText,
    /// The upstream's URL.
    pub url: String,
}

/// A step and the hash of the plan that somebody agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) version: Option<VersionText>,
    pub(crate) hash: String,
}

// === impl Plan ===

impl Plan {
    /// What a settled piece of work does.
    pub(crate) fn of(work: &Work, version: Option<&VersionText>) -> Self {
        let former = work.before.as_ref();
        let latest = |versions: &[portreeve_core::server::Version]| {
            let marked = versions.iter().find(|version| version.is_latest);
            marked.map(|version| version.version.clone())
        };
        let mut plan = Self {
            version: version.cloned(),
            latest: (
                former.and_then(|entry| latest(&entry.versions)),
                latest(&work.versions),
            ),
            moves: work
                .routes
                .iter()
                .filter_map(|after| {
                    let before = former.and_then(|entry| {
                        let mut routes = entry.routes.iter();
                        routes.find(|route| route.id == after.id)
                    });
                    Move::between(before, after)
                })
                .collect(),
            hash: String::new(),
        };
        plan.moves.sort_by(|a, b| a.place.cmp(&b.place));
        plan.hash = plan.digest(work);
        plan
    }

    fn digest(&self, work: &Work) -> String {
        let chosen = self.version.as_ref().and_then(|version| work.version(version));
        let moves: Vec<_> = self.moves.iter().map(Move::statement).collect();
        let statement = json!({
            "server": work.server.name,
            "version": self.version,
            "contentHash": chosen.map(|version| &version.content_hash),
            "latest": [self.latest.0, self.latest.1],
            "moves": moves,
        });
        // A statement of texts always has a canonical form.
        content_hash(&statement.to_string()).unwrap_or_default()
    }
}

impl Agreed {
    /// Refuses what is not what was agreed to.
    pub(crate) fn check(&self, work: &Work) -> Result<(), RegistryError> {
        if Plan::of(work, self.version.as_ref()).hash == self.hash {
            return Ok(());
        }
        Err(RegistryError::State {
            what: format!(
                "approving `{}` would do something else by now than the review showed",
                work.server.name
            ),
            hint: "look at the plan again: versions, deployments or routes have changed since",
        })
    }
}

// === impl Move ===

impl Move {
    fn between(before: Option<&Route>, after: &Route) -> Option<Self> {
        let from = before.and_then(Stop::of);
        let to = Stop::of(after);
        if from == to {
            return None;
        }
        let kind = match (before, &from, &to) {
            (None, ..) => MoveKind::Create,
            (_, Some(_), Some(_)) => MoveKind::Move,
            (_, None, _) => MoveKind::Start,
            (_, _, None) => MoveKind::Stop,
        };
        Some(Self {
            kind,
            slug: after.slug.clone(),
            place: after.place(),
            from,
            to,
        })
    }

    fn statement(&self) -> serde_json::Value {
        json!({
            "kind": self.kind,
            "slug": self.slug,
            "place": self.place.to_string(),
            "from": self.from,
            "to": self.to,
        })
    }
}

impl Stop {
    fn of(route: &Route) -> Option<Self> {
        (route.state == RouteState::Active).then(|| Self {
            version: route.version.clone(),
            url: route.upstream_url.clone(),
        })
    }
}
