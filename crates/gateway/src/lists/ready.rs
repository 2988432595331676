//! Lists that were filtered before: the same bytes of the server, for the same caller under the same rules, become the
//! same bytes for the host. Whether these bytes came just now or are a copy (`copies.rs`) makes no difference, so nothing
//! here can be stale; what is spared is reading the list and judging it, tool by tool.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::RouteId;
use portreeve_core::protocol::Era;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::around::Around;
use crate::route::ServedRoute;

/// The lists of a node that are ready.
pub struct ReadyLists(Cache<Key, Arc<Ready>, Weight>);

/// Whose list of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The route.
    pub route: RouteId,
    /// The eras of the host's hop and of the server's.
    pub eras: [Era; 2],
    /// The caller.
    pub principal: Principal,
    /// Stands for the caller's groups: keys of one user may have different ones.
    pub groups: u64,
}

/// A number for the groups of a caller.
pub fn groups_of(caller: &Caller) -> u64 {
    if caller.groups.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    caller.groups.hash(&mut hasher);
    hasher.finish()
}

/// Under which rules a list was filtered: those of the route and its tools, and those of the callers' rights.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The route as it is served.
    pub route: &'a Arc<ServedRoute>,
    /// The version of all rights.
    pub version: u64,
}

struct Ready {
    route: Weak<ServedRoute>,
    version: u64,
    server: Around,
    host: Around,
}

#[derive(Clone)]
struct Weight;

/// A guess that only sets the size of tables at the start.
const LISTS: usize = 256;

// === impl ReadyLists ===

impl std::fmt::Debug for ReadyLists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadyLists")
    }
}

impl ReadyLists {
    /// None yet; never more than so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Cache::with_weighter(LISTS, bytes as u64, Weight))
    }

    /// What the host gets for the server's answer to the request of that id, if it is known.
    pub fn find(&self, key: Key, rules: Rules<'_>, answer: &[u8], ids: [&str; 2]) -> Option<Bytes> {
        let ready = self.0.get(&key)?;
        let [server_id, host_id] = ids;
        let is_current = ready.version == rules.version && ready.route.as_ptr() == Arc::as_ptr(rules.route);
        (is_current && ready.server.is_around(server_id, answer)).then(|| ready.host.put(host_id))
    }

    /// Remembers what a list became.
    pub fn keep(&self, key: Key, rules: Rules<'_>, answer: &Bytes, turned: &Bytes) {
        let (Some(server), Some(host)) = (Around::of(answer), Around::of(turned)) else {
            return;
        };
        let ready = Ready {
            route: Arc::downgrade(rules.route),
            version: rules.version,
            server,
            host,
        };
        self.0.insert(key, Arc::new(ready));
    }
}

// === impl Weight ===

impl Weighter<Key, Arc<Ready>> for Weight {
    fn weight(&self, _: &Key, ready: &Arc<Ready>) -> u64 {
        (ready.server.bytes() + ready.host.bytes()) as u64 + 256
    }
}
