//! Where rules stand, by what somebody or something must be or be in. A look allocates nothing.

use std::collections::{BTreeMap, HashMap};

use super::scene::{Name, Named, Sort};

/// What is kept for whatever fits anything, and for what fits one name.
#[derive(Debug, Default)]
pub(super) struct By<T> {
    anything: Option<T>,
    named: BTreeMap<Sort, HashMap<Box<str>, T>>,
}

// === impl By ===

impl<T: Default> By<T> {
    /// What is kept for a name. `None`: for anything.
    pub(super) fn entry(&mut self, name: Option<&Name>) -> &mut T {
        match name {
            None => self.anything.get_or_insert_with(T::default),
            Some((sort, id)) => self
                .named
                .entry(*sort)
                .or_default()
                .entry(id.clone())
                .or_default(),
        }
    }
}

impl<T> By<T> {
    /// What is kept for anything, and for each of these names.
    pub(super) fn about<'n>(&self, names: impl Iterator<Item = Named<'n>>) -> impl Iterator<Item = &T> {
        let named = names.filter_map(move |(sort, id)| self.named.get(&sort)?.get(id));
        self.anything.iter().chain(named)
    }

    /// Everything that is kept.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        let named = self.named.values().flat_map(HashMap::values);
        self.anything.iter().chain(named)
    }
}
