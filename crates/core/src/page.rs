//! Pages of lists: keyset paging, never offsets.

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOf<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more after them.
    pub more: bool,
}
