//! How much of what people try from pages is under way at once: so much on a node, and so much of one caller. A page that
//! waits holds a place; whoever has none left is told so, and nothing waits in a queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use portreeve_core::caller::Principal;

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<HashMap<Principal, usize>>);

/// A place. Dropped, it is free.
#[derive(Debug)]
pub(crate) struct Run {
    runs: Arc<Runs>,
    principal: Principal,
}

// === impl Runs ===

impl Runs {
    /// A place, unless the node or the caller has as many as it may.
    pub(crate) fn begin(self: &Arc<Self>, principal: Principal, (all, each): (usize, usize)) -> Option<Run> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.values().sum::<usize>() >= all {
            return None;
        }
        let own = under_way.entry(principal).or_default();
        if *own >= each {
            return None;
        }
        *own += 1;
        Some(Run {
            runs: Arc::clone(self),
            principal,
        })
    }

    fn end(&self, principal: Principal) {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = under_way.get_mut(&principal) {
            *own -= 1;
            if *own == 0 {
                under_way.remove(&principal);
            }
        }
    }
}

// === impl Run ===

impl Drop for Run {
    fn drop(&mut self) {
        self.runs.end(self.principal);
    }
}

#[cfg(test)]
mod tests {
    use portreeve_core::id::UserId;

    use super::*;

    #[test]
    fn places_are_counted_for_each_and_for_all_and_given_back() {
        let runs = Arc::new(Runs::default());
        let (ada, eve) = (UserId::from_u128(1), UserId::from_u128(2));
        let begin = |id| runs.begin(Principal::User(id), (3, 2));
        let (one, two) = (begin(ada).unwrap(), begin(ada).unwrap());
        assert!(begin(ada).is_none(), "she has two");
        let three = begin(eve).unwrap();
        assert!(begin(eve).is_none(), "the node has three");
        drop(one);
        let four = begin(eve).unwrap();
        drop((two, three, four));
        assert!(runs.0.lock().unwrap().is_empty());
    }
}
