//! Signs of a block: a registry that selects few servers passes over the blocks that hold none of them.
//!
//! Before: `block` takes its servers in. After: `find` looks into the blocks that may hold what is selected.

use portreeve_core::ports::ServedEntry;
use portreeve_core::view::Selection;

/// What servers are selected by, as bits: where one is missing, no server has what it stands for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signs {
    tags: u64,
    environments: u64,
    stages: u64,
}

impl Signs {
    /// Those that a selection asks for. Of each kind one must be there; of a kind that is not asked for there is none.
    pub(super) fn of(selection: &Selection) -> Self {
        Self {
            tags: bits(selection.tags.iter().map(String::as_str)),
            environments: bits(selection.environments.iter().map(|one| one.as_str())),
            stages: bits(selection.lifecycles.iter().map(|stage| stage.as_str())),
        }
    }

    /// Adds those of a server.
    pub(super) fn note(&mut self, entry: &ServedEntry) {
        self.tags |= bits(entry.tags.iter().map(String::as_str));
        self.environments |= bits(entry.environments.iter().map(|one| one.as_str()));
        self.stages |= bits(entry.stage.iter().map(|stage| stage.as_str()));
    }

    /// Whether a server with these may be selected.
    pub(super) fn meet(&self, wanted: &Self) -> bool {
        let meets = |wanted: u64, own: u64| wanted == 0 || wanted & own != 0;
        meets(wanted.tags, self.tags)
            && meets(wanted.environments, self.environments)
            && meets(wanted.stages, self.stages)
    }
}

/// A bit for each text; two may share one.
fn bits<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    texts.fold(0, |bits, text| {
        let hash = text.bytes().fold(5_381_u32, |hash, byte| {
            hash.wrapping_mul(33).wrapping_add(u32::from(byte))
        });
        bits | 1 << (hash % 64)
    })
}
