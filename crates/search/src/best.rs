//! Keeps the best of what is found, and no more: results in their order are few, whatever is found.
//!
//! Before: `tally` summed an entry up. After: `rank` answers with the results.

use super::index::{Index, Place};
use super::rank::MOST_RANKED;

/// Candidates that are held before the worst of them are let go.
const MOST_HELD: usize = 4 * MOST_RANKED;

/// The best. Entries that have little of what was asked for count only where there is no better.
#[derive(Default)]
pub(crate) struct Best {
    near: Held,
    far: Held,
}

/// Some candidates, among them the best.
#[derive(Default)]
struct Held {
    items: Vec<(u64, Place)>,
    /// How many there were.
    count: usize,
    /// What comes behind this one is not among the best.
    last: Option<(u64, Place)>,
}

// === impl Best ===

impl Best {
    /// Takes a candidate.
    pub(crate) fn take(&mut self, index: &Index, candidate: (u64, Place), is_near: bool) {
        if is_near {
            self.near.take(index, candidate);
            self.far = Held::default();
        } else if self.near.count == 0 {
            self.far.take(index, candidate);
        }
    }

    /// The best, in their order, and whether there were more.
    pub(crate) fn finish(self, index: &Index) -> (Vec<(u64, Place)>, bool) {
        let held = if self.near.count > 0 { self.near } else { self.far };
        let Held { mut items, count, .. } = held;
        items.sort_unstable_by(|one, other| order(index, one, other));
        items.truncate(MOST_RANKED);
        (items, count > MOST_RANKED)
    }
}

// === impl Held ===

impl Held {
    fn take(&mut self, index: &Index, candidate: (u64, Place)) {
        self.count += 1;
        let comes_behind = |last| order(index, &candidate, last).is_gt();
        if self.last.as_ref().is_some_and(comes_behind) {
            return;
        }
        self.items.push(candidate);
        if self.items.len() < MOST_HELD {
            return;
        }
        let last = MOST_RANKED - 1;
        self.items
            .select_nth_unstable_by(last, |one, other| order(index, one, other));
        self.items.truncate(MOST_RANKED);
        self.last = self.items.get(last).copied();
    }
}

/// What is worth more comes first, and equals by name.
fn order(index: &Index, one: &(u64, Place), other: &(u64, Place)) -> std::cmp::Ordering {
    other
        .0
        .cmp(&one.0)
        .then_with(|| index.name(one.1).cmp(index.name(other.1)))
}
