//! What is made of a whole registry is made once, and kept until something of it changes: everybody may ask for it, and to
//! make it takes a look at everything.
//!
//! Before: a face asks for an allow-list or a catalogue. After: it gets what the one before it got.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::error::RegistryError;
use crate::registry::Registry;

/// Things of one kind that are kept at once.
const MOST: usize = 8;

/// Things of one kind, each for a key.
pub(crate) struct Kept<K, T>(Mutex<Vec<Made<K, T>>>);

struct Made<K, T> {
    key: K,
    of: Generations,
    thing: Arc<T>,
}

/// How far entries and routes had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Generations {
    entries: i64,
    routes: i64,
}

// === impl Kept ===

impl<K, T> Default for Kept<K, T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<K: PartialEq, T> Kept<K, T> {
    /// The thing that was made of what there is now, or a new one. One is made at a time: who comes meanwhile waits for it
    /// and takes the same.
    pub(crate) async fn get(
        &self,
        registry: &Registry,
        key: K,
        make: impl AsyncFnOnce() -> Result<T, RegistryError>,
    ) -> Result<Arc<T>, RegistryError> {
        let mut all = self.0.lock().await;
        let known = all.last().map(|made| made.of);
        // Asked before it is made: what changes meanwhile makes it old.
        let now = registry.generations(known).await?;
        if let Some(made) = all.iter().find(|made| made.key == key && made.of == now) {
            return Ok(Arc::clone(&made.thing));
        }
        let thing = Arc::new(make().await?);
        all.retain(|made| made.key != key && made.of == now);
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Made {
            key,
            of: now,
            thing: Arc::clone(&thing),
        });
        Ok(thing)
    }
}

// === impl Registry ===

impl Registry {
    async fn generations(&self, known: Option<Generations>) -> Result<Generations, RegistryError> {
        let known = known.map(|known| known.routes);
        Ok(Generations {
            entries: self.parts.feed.entry_generation().await?,
            routes: self.parts.routes.active_routes(known).await?.0,
        })
    }
}
