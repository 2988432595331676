//! Sessions that are over, as far as this node remembers: a host that comes with one costs no look into the store, and a
//! row that was being read while its session ended brings nothing back.

use std::collections::{HashSet, VecDeque};

use portreeve_core::id::HostSessionId;

/// How many are remembered, the newest.
const REMEMBERED: usize = 8_192;

/// Those that are remembered.
#[derive(Debug, Default)]
pub(super) struct Gone {
    known: HashSet<HostSessionId>,
    /// The oldest first.
    order: VecDeque<HostSessionId>,
}

impl Gone {
    /// Notes one. An id is never given twice, so this is so for good.
    pub(super) fn insert(&mut self, id: HostSessionId) {
        if !self.known.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Whether it is one.
    pub(super) fn contains(&self, id: HostSessionId) -> bool {
        self.known.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let id = |number: usize| HostSessionId::from_u128(number as u128);
        let mut gone = Gone::default();
        for number in 0..=REMEMBERED {
            gone.insert(id(number));
            gone.insert(id(number));
        }
        assert!(!gone.contains(id(0)));
        assert!(gone.contains(id(1)) && gone.contains(id(REMEMBERED)));
        assert_eq!((gone.known.len(), gone.order.len()), (REMEMBERED, REMEMBERED));
    }
}
