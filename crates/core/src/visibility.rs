//! Which entries a caller may know of, as sets that a registry query takes as parameters.

use std::sync::Arc;

use crate::view::Selection;

/// Which versions exist for a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// Approved versions that are not retired, with their public fields: the anonymous view.
    Listed,
    /// The same, of the servers that a registry selects.
    Selected(Arc<Selection>),
    /// Every version in every state: managers.
    All,
}
