//! The proof that a request passed the policies.

/// A value that the policies let pass. Only `Policies::before` makes one; `translate` maps it; `upstream` takes
/// nothing else, so nothing else can be called.
#[derive(Debug)]
pub struct Permitted<T>(T);

impl<T> Permitted<T> {
    pub(super) fn new(value: T) -> Self {
        Self(value)
    }

    /// What was permitted.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Turns what was permitted into what the upstream expects of it. For `translate` only.
    pub(crate) fn map<U, E>(self, translate: impl FnOnce(T) -> Result<U, E>) -> Result<Permitted<U>, E> {
        translate(self.0).map(Permitted)
    }

    /// [`Permitted::map`] where nothing can go wrong. For `translate` only.
    #[must_use]
    pub(crate) fn turn<U>(self, translate: impl FnOnce(T) -> U) -> Permitted<U> {
        Permitted(translate(self.0))
    }

    /// Takes what was permitted out, to be sent. For `upstream` only.
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}
