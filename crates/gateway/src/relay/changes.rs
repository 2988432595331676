//! What a caller sees may change without the server: by what is granted or approved, by policies, by what the registry decides.
//! A host with an open stream is told then, once for each change that concerns it.
//!
//! Before: the catalogue moved, here or on another node (`snapshot`). After: the streams, which put the news in between those
//! of the server.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use portreeve_core::ports::Authorizer as _;
use portreeve_mcp::answer;
use portreeve_mcp::bridge::{self, Wanted};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::news::for_host;
use super::{Errand, is_endless};
use crate::route::ServedRoute;

/// What changes within this time is told together.
const GATHERED: Duration = Duration::from_millis(250);

const TOOLS: &str = "notifications/tools/list_changed";
const PROMPTS: &str = "notifications/prompts/list_changed";
const RESOURCES: &str = "notifications/resources/list_changed";

/// The changes on a stream.
#[derive(Debug)]
pub(super) struct Changes {
    moved: watch::Receiver<i64>,
    known: View,
    /// Under which rules that was seen: while they stay, nothing can have changed.
    rules: (Weak<ServedRoute>, u64),
    /// When to look what changed.
    due: Option<Instant>,
    /// What the host was promised; `None`: nothing yet. A subscription is acknowledged first.
    promised: Option<Wanted>,
}

/// What a caller sees of a route, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct View {
    /// Stands for the tools that can be seen, each as it was approved.
    tools: u64,
    /// Whether prompts and resources can be read.
    reads: bool,
}

// === impl Changes ===

impl Changes {
    /// The changes on the stream of an errand. `None`: it is the answer to a call.
    pub(super) fn of(errand: &Errand) -> Option<Self> {
        if !is_endless(errand.method) {
            return None;
        }
        Some(Self {
            moved: errand.gateway.loader.moved(),
            // First: what changes in between must not be taken for known.
            rules: rules(errand),
            known: View::of(errand),
            due: None,
            // One of the legacy era is told of all lists.
            promised: errand.host_id.is_none().then(|| Wanted {
                tools_list_changed: true,
                prompts_list_changed: true,
                resources_list_changed: true,
                ..Wanted::default()
            }),
        })
    }

    /// On a stream that was acknowledged with what its errand says.
    pub(super) fn begun(mut self, errand: &Errand) -> Self {
        if let Some(wanted) = &errand.wanted {
            self.promised = Some(Wanted::clone(wanted));
        }
        self
    }

    /// Waits until there may be something to say. What was waited for is not lost when nobody waits any more.
    pub(super) async fn wait(&mut self) {
        if self.promised.is_none() {
            return std::future::pending().await;
        }
        loop {
            if let Some(due) = self.due {
                tokio::time::sleep_until(due).await;
                self.due = None;
                return;
            }
            if self.moved.changed().await.is_err() {
                return std::future::pending().await;
            }
            self.due = Some(Instant::now() + GATHERED);
        }
    }

    /// What there is to say to the host.
    pub(super) fn news(&mut self, errand: &Errand) -> Vec<Vec<u8>> {
        let (route, version) = rules(errand);
        if route.ptr_eq(&self.rules.0) && version == self.rules.1 {
            return Vec::new();
        }
        self.rules = (route, version);
        let (known, now) = (self.known, View::of(errand));
        self.known = now;
        let changed = [
            (TOOLS, known.tools != now.tools),
            (PROMPTS, known.reads != now.reads),
            (RESOURCES, known.reads != now.reads),
        ];
        changed
            .into_iter()
            .filter(|(method, changed)| {
                *changed && self.promised.as_ref().is_some_and(|all| all.covers(method))
            })
            .filter_map(|(method, _)| for_host(&answer::request(None, method, json!({})), errand))
            .collect()
    }

    /// The server says something itself: the host looks then, at what it may see by now.
    pub(super) fn passes(&mut self, method: &str, data: &[u8], errand: &Errand) {
        if method == TOOLS {
            self.known.tools = View::of(errand).tools;
        } else if self.promised.is_none()
            && let Some(mut told) = Wanted::acknowledged(data)
        {
            told.tools_list_changed |= errand.wants_tools();
            self.promised = Some(told);
        }
    }
}

fn rules(errand: &Errand) -> (Weak<ServedRoute>, u64) {
    let version = errand.gateway.access.policy_version();
    let route = errand.route_now();
    (
        route.map_or_else(Weak::new, |route| Arc::downgrade(&route)),
        version,
    )
}

// === impl View ===

impl View {
    fn of(errand: &Errand) -> Self {
        let nothing = Self {
            tools: 0,
            reads: false,
        };
        let Some(route) = errand.route_now() else {
            return nothing;
        };
        let policies = &errand.gateway.policies;
        let visible = route
            .tools(errand.hop)
            .filter(|tool| tool.is_callable() && policies.see(&errand.caller, &route, tool));
        let tools = visible.fold(0_u64, |all, tool| {
            let mut hasher = DefaultHasher::new();
            tool.name.hash(&mut hasher);
            let approved = tool.tool.approved.as_ref();
            approved.map(|approved| &approved.hash).hash(&mut hasher);
            // In whatever order they come.
            all.wrapping_add(hasher.finish())
        });
        Self {
            tools,
            reads: policies.reads(&errand.caller, &route),
        }
    }
}

// === impl Errand ===

impl Errand {
    /// Whether a subscription is about tools.
    fn wants_tools(&self) -> bool {
        self.wanted
            .as_ref()
            .is_some_and(|wanted| wanted.tools_list_changed)
    }

    /// A server's acknowledgement promises the host what is told here, too.
    pub(super) fn promising(&self, notification: Bytes) -> Bytes {
        if !self.wants_tools() || Wanted::acknowledged(&notification).is_none() {
            return notification;
        }
        bridge::promising_tools(&notification).map_or(notification, Bytes::from)
    }
}
