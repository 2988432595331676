//! What is seen of a version before it is judged: everywhere a route would lead to it, its server is asked for its tools,
//! and its challenge for a credential is followed.
//!
//! Before: `run` has the entry as it would be. After: the assessors read the places.

use std::collections::{BTreeMap, HashSet};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use portreeve_core::deployment::{Deployment, DeploymentState, Place};
use portreeve_core::members::VirtualServer;
use portreeve_core::ports::Entry;
use portreeve_core::rest::RestMark;
use portreeve_core::server::{Approval, Server, Version};
use portreeve_net::Reach;
use serde_json::Value;
use url::Url;

use super::authorization::Trail;
use super::authorization::follow::Follow;
use super::tls::Shown;
use crate::destination::runs;
use crate::registry::Registry;
use crate::source::Probe;
use crate::validate::upstream_of;
use crate::virtual_server::{gather, probe};

/// Bytes of definitions that are read, all tools of all places together.
const TOOLS_BYTES: usize = 4 * 1024 * 1024;
/// Places that are asked at once.
const AT_ONCE: usize = 8;
/// Where the document itself says that the server is.
const OWN: &str = "remotes";

/// A place where a version is served, or would be once it is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// How findings name it: `remotes`, `deployments.test`.
    pub(super) path: String,
    pub(super) url: Url,
    /// Whether it is what hosts get unless they ask for another place.
    is_main: bool,
}

/// A place, and what was seen there.
pub(super) struct Seen {
    pub(super) spot: Spot,
    pub(super) sight: Sight,
    /// What was found at a server that asks for a credential; `None` when it asks for none.
    pub(super) trail: Option<Trail>,
    /// What it showed of itself before anything was said.
    pub(super) shown: Shown,
}

/// What was seen of the server itself.
pub(super) enum Sight {
    /// It did not answer as an MCP server.
    Unseen { reason: String },
    /// Its tools.
    Tools(Tools),
}

/// The tools of a server.
#[derive(Default)]
pub(super) struct Tools {
    /// Those that no place before it has, by name. One name may have two definitions, one for each era.
    by_name: BTreeMap<String, Vec<Value>>,
    /// How many it has, known ones included.
    pub(super) shown: usize,
    /// How many were too large to be read.
    pub(super) unread: usize,
}

/// What was read so far of a version, all places together.
struct Reader {
    room: usize,
    longest: usize,
    known: HashSet<String>,
}

/// A tool as an assessor reads it.
pub(super) struct Tool<'a> {
    /// Where: `tools.echo`, `deployments.test.tools.echo`.
    pub(super) path: String,
    pub(super) name: &'a str,
    pub(super) definition: &'a Value,
}

// === impl Spot ===

impl Spot {
    /// Where the routes of an entry lead, or would lead, to a version: to the document's own remote unless production is
    /// declared, and to every deployment that is served and runs it. What waits for an approval counts as it will be.
    pub(super) fn all(server: &Server, version: &Version) -> Vec<Self> {
        let current = server.deployments.current.as_slice();
        let proposed = server.deployments.proposed.as_ref();
        let proposed = proposed.map(|proposed| proposed.deployments.as_slice());
        let lists = match (version.approval, proposed) {
            (_, None) => vec![current],
            (Approval::Approved, Some(proposed)) => vec![current, proposed],
            // They come into force with the approval, in the place of the others.
            (_, Some(proposed)) => vec![proposed],
        };
        let mut spots: Vec<Self> = Vec::new();
        for list in lists {
            for spot in Self::own(list, version)
                .into_iter()
                .chain(Self::declared(list, version))
            {
                if !spots.iter().any(|known| known.url == spot.url) {
                    spots.push(spot);
                }
            }
        }
        spots.sort_by_key(|spot| !spot.is_main);
        spots
    }

    fn own(deployments: &[Deployment], version: &Version) -> Option<Self> {
        let production = Place::production();
        if deployments.iter().any(|declared| declared.place() == production) {
            return None;
        }
        Some(Self {
            path: OWN.to_owned(),
            url: upstream_of(&version.document)?,
            is_main: true,
        })
    }

    fn declared(deployments: &[Deployment], version: &Version) -> impl Iterator<Item = Self> {
        let meant = deployments
            .iter()
            .filter(|deployment| deployment.state == DeploymentState::Active && runs(deployment, version));
        meant.filter_map(|deployment| {
            let place = deployment.place();
            let major = place.major.map(|major| format!(".{major}")).unwrap_or_default();
            Some(Self {
                path: format!("deployments.{}{major}", place.environment),
                url: Url::parse(&deployment.url).ok()?,
                is_main: place == Place::production(),
            })
        })
    }

    /// Whether the document says so.
    pub(super) fn is_own(&self) -> bool {
        self.path == OWN
    }

    /// What stands before the paths of what was found there.
    pub(super) fn root(&self) -> String {
        if self.is_main {
            String::new()
        } else {
            format!("{}.", self.path)
        }
    }
}

// === impl Seen ===

impl Seen {
    /// A place that showed these tools.
    pub(super) fn of(url: Url, probe: &Probe, longest: usize) -> Self {
        Self {
            spot: Spot {
                path: OWN.to_owned(),
                url,
                is_main: true,
            },
            sight: Sight::Tools(Reader::new(longest).read(probe)),
            trail: None,
            shown: Shown::Nothing,
        }
    }

    /// Its tools; none while it was not seen.
    pub(super) fn tools(&self) -> impl Iterator<Item = Tool<'_>> {
        let tools = match &self.sight {
            Sight::Tools(tools) => Some(&tools.by_name),
            Sight::Unseen { .. } => None,
        };
        let root = self.spot.root();
        tools.into_iter().flatten().flat_map(move |(name, definitions)| {
            let path = format!("{root}tools.{}", name.chars().take(60).collect::<String>());
            definitions.iter().map(move |definition| Tool {
                path: path.clone(),
                name,
                definition,
            })
        })
    }
}

// === impl Reader ===

impl Reader {
    fn new(longest: usize) -> Self {
        Self {
            room: TOOLS_BYTES,
            longest,
            known: HashSet::new(),
        }
    }

    fn read(&mut self, probe: &Probe) -> Tools {
        let mut tools = Tools::default();
        for definition in probe.tools.iter().flat_map(|(_, list)| list) {
            // Most servers say the same in both eras, and in every environment.
            if self.known.contains(definition) {
                tools.shown += 1;
                continue;
            }
            let room = self.room.checked_sub(definition.len());
            let Some(left) = room.filter(|_| definition.len() <= self.longest) else {
                tools.unread += 1;
                continue;
            };
            // What is no JSON is no tool either: no list shows it, and nothing calls it.
            let Ok(value) = serde_json::from_str::<Value>(definition) else {
                continue;
            };
            self.room = left;
            self.known.insert(definition.clone());
            tools.shown += 1;
            let name = value["name"].as_str().unwrap_or_default().to_owned();
            let same = tools.by_name.entry(name).or_default();
            if !same.contains(&value) {
                same.push(value);
            }
        }
        tools
    }
}

// === impl Registry ===

impl Registry {
    /// Looks at every place of a version, as the approval would.
    pub(super) async fn look_around(&self, entry: &Entry, version: &Version) -> Vec<Seen> {
        let spots = Spot::all(&entry.server, version);
        let mut reader = Reader::new(self.parts.limits.tool_definition_bytes);
        if let Some(mark) = RestMark::of(&version.document) {
            // Wherever the API runs, its tools are those that were made of its description.
            let kept = self.parts.source.kept(&mark.toolset).await;
            let mut kept = Some(kept);
            let seen = spots.into_iter().map(|spot| Seen {
                sight: match kept.take() {
                    Some(Ok(probe)) => Sight::Tools(reader.read(&probe)),
                    Some(Err(reason)) => Sight::Unseen { reason },
                    None => Sight::Tools(Tools {
                        shown: 1,
                        ..Tools::default()
                    }),
                },
                spot,
                trail: None,
                shown: Shown::Nothing,
            });
            let mut seen: Vec<Seen> = seen.collect();
            let shown = seen.iter().map(|place| self.greet(entry, &place.spot.url));
            let shown = join_all(shown).await;
            for (place, shown) in seen.iter_mut().zip(shown) {
                place.shown = shown;
            }
            return seen;
        }
        if let Some(server) = VirtualServer::of(&version.document) {
            return self.look_at_members(entry, &server, spots, reader).await;
        }
        let asked = futures_util::stream::iter(spots).map(async |spot| {
            let (sight, trail, shown) = tokio::join!(
                self.ask_for_tools(entry, &spot.url),
                self.trail(entry, &spot.url),
                self.greet(entry, &spot.url)
            );
            (spot, sight, trail, shown)
        });
        let mut asked = asked.buffered(AT_ONCE);
        let mut seen = Vec::new();
        while let Some((spot, answer, trail, shown)) = asked.next().await {
            let sight = match answer {
                Ok(probe) => Sight::Tools(reader.read(&probe)),
                Err(reason) => Sight::Unseen { reason },
            };
            seen.push(Seen {
                spot,
                sight,
                trail,
                shown,
            });
        }
        seen
    }

    /// A virtual server is reached nowhere else: its tools are those of its members.
    async fn look_at_members(
        &self,
        entry: &Entry,
        server: &VirtualServer,
        spots: Vec<Spot>,
        mut reader: Reader,
    ) -> Vec<Seen> {
        let stores = (self.parts.routes.as_ref(), self.parts.names.as_ref());
        let gathered = gather(stores, &entry.server.name, server).await;
        let gathered = gathered.map(|gathered| probe(gathered.tools));
        let spots = spots.into_iter().map(|spot| Seen {
            sight: match &gathered {
                Ok(probe) => Sight::Tools(reader.read(probe)),
                Err(error) => Sight::Unseen {
                    reason: error.to_string(),
                },
            },
            spot,
            trail: None,
            shown: Shown::Nothing,
        });
        spots.collect()
    }

    async fn ask_for_tools(&self, entry: &Entry, url: &Url) -> Result<Probe, String> {
        let reach = Reach::granted(&entry.server.private_hosts);
        let asked = self.parts.source.tools(&entry.server.name, url, &reach);
        match tokio::time::timeout(self.parts.limits.probe, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("it did not answer within {:?}", self.parts.limits.probe)),
        }
    }

    /// What a server shows of itself over TLS.
    async fn greet(&self, entry: &Entry, url: &Url) -> Shown {
        if !self.parts.assessment.judge_tls {
            return Shown::Nothing;
        }
        let reach = Reach::granted(&entry.server.private_hosts);
        let greeted = self.parts.egress.greet(url, &reach);
        match tokio::time::timeout(self.parts.limits.probe, greeted).await {
            Ok(greeted) => Shown::of(greeted),
            Err(_) => Shown::Nothing,
        }
    }

    /// Follows what a server says to a host without a credential.
    async fn trail(&self, entry: &Entry, url: &Url) -> Option<Trail> {
        let follow = Follow {
            egress: &self.parts.egress,
            reach: &Reach::granted(&entry.server.private_hosts),
            limit: self.parts.limits.probe,
        };
        // Each request has its time; all of them together have no more than three of them.
        let whole = follow.follow(url);
        tokio::time::timeout(self.parts.limits.probe * 3, whole)
            .await
            .unwrap_or_default()
    }
}
