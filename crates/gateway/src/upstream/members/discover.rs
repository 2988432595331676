//! What a virtual server says of itself: the capabilities of its members, as far as they are carried.

use futures_util::future::join_all;
use portreeve_core::protocol::Revision;
use portreeve_mcp::tasks;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::asking::{Asking, Away, Heard};
use super::lists::{Shown, Standing};
use super::remembered::{Items, Key};
use super::{Failure, Members, Peer, raw};

const METHOD: &str = "server/discover";

/// Capabilities that requests to a member are made for.
const CARRIED: [&str; 4] = ["prompts", "resources", "completions", "logging"];

/// Extensions of the protocol that are carried, the first member's words counting: tasks come back to the member that made
/// them, and the pages of applications are resources.
const EXTENSIONS: [&str; 2] = [tasks::EXTENSION, "io.modelcontextprotocol/ui"];

/// What of them is carried by one subscription over all members.
const FLAGS: [&str; 2] = ["listChanged", "subscribe"];

impl Members {
    /// Answers `server/discover`.
    pub(super) async fn discover(&self, asking: &Asking<'_>) -> Result<Box<RawValue>, Failure> {
        let peers = self.peers(asking).into_iter();
        let shown = join_all(peers.map(|peer| self.greet(asking, peer))).await;
        let ttl = shown.iter().map(|shown| shown.ttl).min().unwrap_or_default();
        let result = json!({
            "resultType": "complete",
            "supportedVersions": Revision::ALL.map(Revision::as_str),
            "capabilities": self.capabilities(&shown),
            "ttlMs": ttl,
            "cacheScope": "private",
            "_meta": self.meta(&shown),
        });
        raw(result.to_string())
    }

    async fn greet(&self, asking: &Asking<'_>, peer: Peer) -> Shown {
        let key = Key {
            caller: asking.caller.principal,
            member: peer.route.route.id,
            method: METHOD,
        };
        let asked = asking.ask(&peer.slug, METHOD, None);
        let asked = tokio::time::timeout(asking.gateway.limits.member_wait, asked).await;
        match asked.unwrap_or(Err(Away::Late)) {
            Ok(Heard::Result(result)) => {
                let ttl = ttl_of(&result);
                let items = Items::new(vec![result]);
                self.commons.remembered.keep(key, &items);
                Shown {
                    peer,
                    standing: Standing::Ok,
                    items,
                    ttl,
                }
            }
            Ok(Heard::Nothing) => Shown {
                peer,
                standing: Standing::Ok,
                items: Items::default(),
                ttl: 0,
            },
            Err(away) => {
                self.note_away(&peer, away);
                let known = self.commons.remembered.find(&key);
                Shown {
                    standing: known.as_ref().map_or(Standing::Away, |_| Standing::LastKnown),
                    items: known.unwrap_or_default(),
                    peer,
                    ttl: 0,
                }
            }
        }
    }

    /// The union of what its members can do. Tools it has always, or will have once they are approved.
    fn capabilities(&self, shown: &[Shown]) -> Value {
        let mut all = Map::new();
        all.insert("tools".to_owned(), json!({"listChanged": true}));
        let said = shown.iter().flat_map(|shown| shown.items.iter());
        for said in said {
            #[derive(Deserialize)]
            struct Said {
                #[serde(default)]
                capabilities: Map<String, Value>,
            }
            let Ok(Said { capabilities }) = serde_json::from_str(said.get()) else {
                continue;
            };
            for (name, value) in extensions(&capabilities) {
                let extensions = all.entry("extensions").or_insert_with(|| json!({}));
                if extensions[&name].is_null() {
                    extensions[&name] = value;
                }
            }
            for name in CARRIED {
                if let Some(said) = capabilities.get(name) {
                    let one = all.entry(name).or_insert_with(|| json!({}));
                    for flag in FLAGS.into_iter().filter(|flag| said[*flag] == true) {
                        one[flag] = json!(true);
                    }
                }
            }
        }
        Value::Object(all)
    }
}

/// Extensions of a member, as far as they are carried.
fn extensions(capabilities: &Map<String, Value>) -> Map<String, Value> {
    let said = capabilities.get("extensions").and_then(Value::as_object);
    let said = said.into_iter().flatten();
    said.filter(|(name, _)| EXTENSIONS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn ttl_of(result: &RawValue) -> u64 {
    #[derive(Deserialize)]
    struct Ttl {
        #[serde(default, rename = "ttlMs")]
        ttl: Option<i64>,
    }
    let ttl = serde_json::from_str::<Ttl>(result.get())
        .ok()
        .and_then(|said| said.ttl);
    ttl.and_then(|ttl| u64::try_from(ttl).ok()).unwrap_or_default()
}
