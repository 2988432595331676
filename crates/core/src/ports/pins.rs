//! What the gateway tells the registry about tool lists that pass through it.

use crate::id::RouteId;
use crate::protocol::Era;
use crate::tool::ToolDefinition;

/// Takes notice of live tool lists. Implemented by `registry`; never blocks, never fails: a notice that finds the
/// queue full is dropped, since the next list or the refresh brings it again.
pub trait PinWatch: Send + Sync {
    /// A tool list passed whose tools differ from what the catalogue says was seen last.
    fn seen(&self, route: RouteId, era: Era, tools: Vec<ToolDefinition>);

    /// The upstream said that its tools changed.
    fn list_changed(&self, route: RouteId);
}
