//! Tool lists: what a caller sees is decided tool by tool, by the decision that guards the call; what differs from its
//! pin is hidden and reported.

mod around;
mod copies;
mod flights;
mod nodes;
mod place;
mod ready;

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use portreeve_core::caller::Caller;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::ports::PinWatch;
use portreeve_core::protocol::Era;
use portreeve_core::route::Access;
use portreeve_core::tool::ToolDefinition;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::result::{ToolName, ToolPage, ToolsPlace};
use portreeve_mcp::splice::Splice;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::policy::Policies;
use crate::route::ServedRoute;

pub use self::copies::{Copies, Copy, Kind, Turn};
pub use self::nodes::Told;
pub use self::place::Place;
pub use self::ready::{Key, ReadyLists, Rules, groups_of};

/// What an answer has to do with copies.
#[derive(Debug, Clone)]
pub enum Copying {
    /// It may become one.
    To(Arc<Place>),
    /// It is one.
    From(Arc<Copy>),
}

/// A list as its caller gets it.
#[derive(Debug)]
pub struct Filtered {
    /// The message.
    pub body: Vec<u8>,
    /// Nothing about it was news: the same list would be filtered alike, and nobody would have to be told.
    pub is_settled: bool,
}

/// Filters the list in a response. `None`: the body is not a tool list, and must not pass as one.
pub fn filter(body: &[u8], result: &RawValue, view: &View<'_>) -> Option<Filtered> {
    let page: ToolPage<'_> = serde_json::from_str(result.get()).ok()?;
    let place: ToolsPlace<'_> = serde_json::from_str(result.get()).ok()?;
    let mut kept = String::from("[");
    let mut differing = Vec::new();
    let mut names = HashSet::new();
    for raw in &page.tools {
        let Ok(ToolName { name }) = serde_json::from_str(raw.get()) else {
            continue;
        };
        if raw.get().len() > view.limits.tool_definition_bytes || !names.insert(name.clone()) {
            // Too large to be pinned; or named twice, where the first counts, here as in the pins.
            continue;
        }
        match view.judge(&name, raw) {
            Judgement::Shown => {
                if kept.len() > 1 {
                    kept.push(',');
                }
                kept.push_str(raw.get());
            }
            Judgement::Hidden => {}
            Judgement::Differs(definition) if differing.len() < view.limits.tools_per_server => {
                differing.push(definition);
            }
            Judgement::Differs(_) => {}
        }
    }
    kept.push(']');
    let is_settled = differing.is_empty() && !view.told.get() && !view.route.is_ahead();
    if !differing.is_empty() {
        for definition in &differing {
            view.route.mark(view.era, &definition.name, &definition.hash);
        }
        view.pins.seen(view.route.route.id, view.era, differing);
    }
    let mut splice = Splice::new(body);
    splice.replace(place.tools.get(), kept).ok()?;
    if let Some(scope) = shared_scope(result) {
        // The list was filtered for one caller, so no shared cache may keep it (2026-07-28, caching).
        splice.replace(scope.get(), "\"private\"").ok()?;
    }
    Some(Filtered {
        body: splice.finish(),
        is_settled,
    })
}

/// An answer whose result says that everybody may keep it, said for its caller alone, where not everybody may have it: who
/// asks a cache between us and the host is not asked for a credential. `None`: it stays as it is.
pub fn narrowed(answer: &[u8], route: &ServedRoute) -> Option<Vec<u8>> {
    if route.route.access == Access::Anonymous || memchr::memmem::find(answer, b"cacheScope").is_none() {
        return None;
    }
    let Ok(Message::Response {
        outcome: Outcome::Result(result),
        ..
    }) = Message::parse(answer)
    else {
        return None;
    };
    let mut splice = Splice::new(answer);
    splice.replace(shared_scope(result)?.get(), "\"private\"").ok()?;
    Some(splice.finish())
}

/// A scope that is anything but private, however it is spelled.
fn shared_scope(result: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Scope<'a> {
        #[serde(borrow, default, rename = "cacheScope")]
        scope: Option<&'a RawValue>,
    }
    serde_json::from_str::<Scope<'_>>(result.get())
        .ok()?
        .scope
        .filter(|scope| scope.get() != "\"private\"")
}

/// Who looks at which route, on which kind of the server's hop.
pub struct View<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The route.
    pub route: &'a ServedRoute,
    /// The era of the server's hop.
    pub era: Era,
    /// The policies.
    pub policies: &'a Policies,
    /// Takes notice of what differs.
    pub pins: &'a dyn PinWatch,
    /// The limits.
    pub limits: &'a Limits,
    /// Whether the list is a copy of an earlier one: it says nothing of what the server says by now.
    pub is_copy: bool,
    /// Whether somebody was told of a tool that went back to what was approved.
    pub told: Cell<bool>,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("route", &self.route.route.slug)
            .field("era", &self.era)
            .finish_non_exhaustive()
    }
}

enum Judgement {
    Shown,
    Hidden,
    Differs(ToolDefinition),
}

impl View<'_> {
    fn judge(&self, name: &str, raw: &RawValue) -> Judgement {
        let known = self.route.tool(self.era, name);
        let approved = known.and_then(|served| served.tool.approved.as_ref());
        // Byte equality is the common case; only a list that is worded anew is hashed.
        let same_bytes = approved.is_some_and(|approved| approved.definition == raw.get());
        if !same_bytes {
            let Ok(definition) = portreeve_inspect::tool_definition(raw.get()) else {
                return Judgement::Hidden;
            };
            if approved.is_none_or(|approved| approved.hash != definition.hash) {
                let is_news = || known.is_none_or(|served| self.route.is_news(served, &definition.hash));
                return if !self.is_copy && is_news() {
                    Judgement::Differs(definition)
                } else {
                    Judgement::Hidden
                };
            }
        }
        let (Some(served), Some(approved)) = (known, approved) else {
            return Judgement::Hidden;
        };
        if !self.is_copy && self.route.is_back(served, &approved.hash) {
            // The catalogue must learn that it went back; until then, this route knows.
            self.told.set(true);
            let route: RouteId = self.route.route.id;
            self.pins.seen(route, self.era, vec![approved.clone()]);
        }
        let is_servable = !served.tool.hidden && served.mirrors.is_ok();
        // What was seen of it since the copy was made counts.
        let is_known = !self.is_copy || self.route.callable(self.era, name).is_some();
        if is_servable && is_known && self.policies.see(self.caller, self.route, served) {
            Judgement::Shown
        } else {
            Judgement::Hidden
        }
    }
}
