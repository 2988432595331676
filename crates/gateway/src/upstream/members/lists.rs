//! Lists of all members as one: each is asked for all of its pages at once with the others, and no longer than it may take.
//! One that is away is shown as it was last, and said to be so.
//!
//! Before: a host asks for a list. After: `pages` cuts it into pieces that hosts take; the relay judges every tool.

use futures_util::future::join_all;
use portreeve_core::members::Kind;
use portreeve_mcp::rename::renamed;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::asking::{Asking, Away, Heard};
use super::pages::Item;
use super::remembered::{Items, Key};
use super::{Failure, Members, Peer, raw};

/// A list.
#[derive(Debug)]
pub(super) struct List {
    /// The method that asks for it.
    pub(super) method: &'static str,
    /// The member of a result that it is.
    pub(super) member: &'static str,
    /// The member of an item that tells it from others.
    pub(super) key: &'static str,
    /// What its items are named as; nothing where they keep what tells them apart.
    pub(super) named: Option<Kind>,
}

pub(super) const TOOLS: List = List {
    method: "tools/list",
    member: "tools",
    key: "name",
    named: Some(Kind::Tool),
};
pub(super) const PROMPTS: List = List {
    method: "prompts/list",
    member: "prompts",
    key: "name",
    named: Some(Kind::Prompt),
};
pub(super) const RESOURCES: List = List {
    method: "resources/list",
    member: "resources",
    key: "uri",
    named: None,
};
pub(super) const TEMPLATES: List = List {
    method: "resources/templates/list",
    member: "resourceTemplates",
    key: "uriTemplate",
    named: None,
};

/// How up to date what is shown of a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was asked just now.
    Ok,
    /// It is away; it was so when it was asked last.
    LastKnown,
    /// It is away, and nothing of it is known.
    Away,
}

/// What is known of one member's list.
pub(super) struct Shown {
    pub(super) peer: Peer,
    pub(super) standing: Standing,
    pub(super) items: Items,
    /// How long it may be kept, in milliseconds.
    pub(super) ttl: u64,
}

/// One page of a member.
struct Page {
    items: Vec<Box<RawValue>>,
    next: Option<String>,
    ttl: u64,
}

// === impl Standing ===

impl Standing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::LastKnown => "last-known",
            Self::Away => "away",
        }
    }
}

// === impl Members ===

impl Members {
    /// Answers a list.
    pub(super) async fn list(
        &self,
        asking: &Asking<'_>,
        list: &'static List,
    ) -> Result<Box<RawValue>, Failure> {
        let shown = self.gather(asking, list).await;
        let items = match list.named {
            Some(kind) => self.named(asking, kind, &shown).await,
            None => distinct(&shown, list.key),
        };
        let limit = asking.gateway.limits.tool_page_bytes;
        let page = super::pages::page(&items, asking.params, limit)?;
        let texts: Vec<&str> = page.items.iter().map(|item| item.text.as_str()).collect();
        let ttl = shown.iter().map(|shown| shown.ttl).min().unwrap_or_default();
        let next = page.next.map(|cursor| format!(r#","nextCursor":"{cursor}""#));
        raw(format!(
            r#"{{"resultType":"complete","{}":[{}]{},"ttlMs":{ttl},"cacheScope":"private","_meta":{}}}"#,
            list.member,
            texts.join(","),
            next.unwrap_or_default(),
            self.meta(&shown),
        ))
    }

    /// What is said beside a result: who the server is, and how its members are.
    pub(super) fn meta(&self, shown: &[Shown]) -> Value {
        let members = shown
            .iter()
            .map(|shown| json!({"route": shown.peer.slug, "status": shown.standing.as_str()}));
        json!({
            "io.modelcontextprotocol/serverInfo": self.identity(),
            "portreeve/members": members.collect::<Vec<_>>(),
        })
    }

    /// The lists of all members that the caller may know of, in their order.
    pub(super) async fn gather(&self, asking: &Asking<'_>, list: &'static List) -> Vec<Shown> {
        let peers = self.peers(asking).into_iter();
        join_all(peers.map(|peer| self.one(asking, peer, list))).await
    }

    async fn one(&self, asking: &Asking<'_>, peer: Peer, list: &'static List) -> Shown {
        let limit = asking.gateway.limits.member_wait;
        let key = Key {
            caller: asking.caller.principal,
            member: peer.route.route.id,
            method: list.method,
        };
        let asked = tokio::time::timeout(limit, all_pages(asking, &peer, list)).await;
        match asked.unwrap_or(Err(Away::Late)) {
            Ok((items, ttl)) => {
                let items = Items::new(items);
                self.commons.remembered.keep(key, &items);
                Shown {
                    peer,
                    standing: Standing::Ok,
                    items,
                    ttl,
                }
            }
            Err(away) => {
                self.note_away(&peer, away);
                let known = self.commons.remembered.find(&key);
                let known = known.or_else(|| (list.named == Some(Kind::Tool)).then(|| pinned(&peer)));
                Shown {
                    standing: known.as_ref().map_or(Standing::Away, |_| Standing::LastKnown),
                    items: known.unwrap_or_default(),
                    peer,
                    ttl: 0,
                }
            }
        }
    }

    /// A member that is away is noted, and hides nobody else.
    pub(super) fn note_away(&self, peer: &Peer, away: Away) {
        let reason = away.as_str();
        self.commons
            .metrics
            .member_away(&self.route.slug, &peer.slug, reason);
        tracing::info!(
            route = %self.route.slug,
            member = %peer.slug,
            reason,
            "A member of a virtual server is away; it is shown as it was last."
        );
    }
}

/// Every page of a member's list.
async fn all_pages(
    asking: &Asking<'_>,
    peer: &Peer,
    list: &'static List,
) -> Result<(Vec<Box<RawValue>>, u64), Away> {
    let limits = &asking.gateway.limits;
    let (mut all, mut cursor, mut ttl) = (Vec::new(), None::<String>, u64::MAX);
    let mut bytes = 0;
    for _ in 0..limits.tool_list_pages {
        let heard = asking.ask(&peer.slug, list.method, cursor.as_deref()).await?;
        let Heard::Result(result) = heard else {
            return Ok((all, 0));
        };
        let page = Page::read(&result, list.member).ok_or(Away::Broken)?;
        bytes += result.get().len();
        all.extend(page.items);
        ttl = ttl.min(page.ttl);
        if all.len() > limits.tools_per_server || bytes > limits.tool_list_bytes {
            return Err(Away::Broken);
        }
        match page.next {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => return Ok((all, ttl)),
        }
    }
    // A list without an end is none.
    Err(Away::Broken)
}

/// The tools of a member as they were approved. Who may call which is judged behind this.
fn pinned(peer: &Peer) -> Items {
    let approved = peer.approved().into_iter();
    let definitions = approved.filter_map(|tool| tool.tool.approved.as_ref());
    let texts = definitions.filter_map(|approved| RawValue::from_string(approved.definition.clone()).ok());
    Items::new(texts.collect())
}

/// Items that keep what tells them apart: of two that are alike the first one counts.
fn distinct(shown: &[Shown], key: &str) -> Vec<Item> {
    let mut seen = std::collections::HashSet::new();
    let mut items = Vec::new();
    for shown in shown {
        for item in shown.items.iter() {
            let Some(own) = text_of(item, key) else { continue };
            if seen.insert(own.clone()) {
                items.push(Item {
                    member: shown.peer.slug.clone(),
                    own,
                    text: item.get().to_owned(),
                });
            }
        }
    }
    items
}

/// An item under the name that the virtual server gives it.
pub(super) fn item(shown: &Shown, own: &str, item: &RawValue, name: &str) -> Option<Item> {
    Some(Item {
        member: shown.peer.slug.clone(),
        own: own.to_owned(),
        text: if own == name {
            item.get().to_owned()
        } else {
            renamed(item.get(), name)?
        },
    })
}

/// A member of an item that is a text.
pub(super) fn text_of(item: &RawValue, key: &str) -> Option<String> {
    let fields: std::collections::HashMap<String, &RawValue> = serde_json::from_str(item.get()).ok()?;
    serde_json::from_str(fields.get(key)?.get()).ok()
}

// === impl Page ===

impl Page {
    fn read(result: &RawValue, member: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Beside {
            #[serde(default, rename = "nextCursor")]
            next: Option<String>,
            #[serde(default, rename = "ttlMs")]
            ttl: Option<i64>,
        }
        let fields: std::collections::HashMap<String, &RawValue> = serde_json::from_str(result.get()).ok()?;
        let beside: Beside = serde_json::from_str(result.get()).ok()?;
        Some(Self {
            items: serde_json::from_str(fields.get(member)?.get()).ok()?,
            next: beside.next,
            ttl: beside
                .ttl
                .and_then(|ttl| u64::try_from(ttl).ok())
                .unwrap_or_default(),
        })
    }
}
