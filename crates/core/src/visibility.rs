//! Which entries a caller may know of, as sets that a registry query takes as parameters.

/// Which versions exist for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Approved versions that are not retired, with their public fields: the anonymous view.
    Listed,
    /// Every version in every state: managers.
    All,
}
