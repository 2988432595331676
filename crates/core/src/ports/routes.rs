//! Routes and their tools: what was approved, what was seen.

use async_trait::async_trait;

use super::{News, StoreError};
use crate::audit::AuditEvent;
use crate::id::RouteId;
use crate::name::{ServerName, Slug};
use crate::protocol::Era;
use crate::route::{PinState, Route};
use crate::time::Timestamp;
use crate::tool::{Tool, ToolDefinition};

/// A changed route.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteChange {
    /// The route as it shall be. Its `revision` is the one that the change was made from.
    pub route: Route,
    /// Audit events that belong to the change.
    pub events: Vec<AuditEvent>,
}

/// A tool list that an upstream sent, complete or one page of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolsSeen {
    /// The route.
    pub route: RouteId,
    /// The era of the hop.
    pub era: Era,
    /// The definitions.
    pub tools: Vec<ToolDefinition>,
    /// Whether tools that are not in it are gone.
    pub complete: bool,
    /// When.
    pub at: Timestamp,
    /// Audit events that belong to it (`tools.drift`).
    pub events: Vec<AuditEvent>,
}

/// What an admin decided about one tool.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolDecision {
    /// Exactly this definition is approved, in this era; the hidden mark is taken away.
    Approve(Era, ToolDefinition),
    /// The tool is hidden in both eras.
    Hide(String),
    /// The tool is not hidden any more.
    Unhide(String),
}

/// Approved tools of a route.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolsApproved {
    /// The route.
    pub route: RouteId,
    /// The decisions, in order.
    pub decisions: Vec<ToolDecision>,
    /// The pin state afterwards.
    pub pin_state: PinState,
    /// Actor label of the approver.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Audit events that belong to it.
    pub events: Vec<AuditEvent>,
}

/// Routes and tools, durable.
#[async_trait]
pub trait RouteStore: Send + Sync {
    /// Which routes are active, as a reader needs it who knows a generation: the generation now, and what moved.
    async fn active_routes(&self, known: Option<i64>) -> Result<(i64, News<RouteId, RouteId>), StoreError>;

    /// The route of that id.
    async fn route_at(&self, id: RouteId) -> Result<Option<Route>, StoreError>;

    /// All routes, by slug.
    async fn routes(&self) -> Result<Vec<Route>, StoreError>;

    /// The route of that slug.
    async fn route(&self, slug: &Slug) -> Result<Option<Route>, StoreError>;

    /// The active routes of these servers, by slug.
    async fn routes_of(&self, servers: &[ServerName]) -> Result<Vec<Route>, StoreError>;

    /// Saves a route whose stored revision equals the given one; returns it with the next revision.
    async fn save_route(&self, change: RouteChange) -> Result<Route, StoreError>;

    /// Notes the eras that an upstream was seen to speak. Counts as a change of the catalogue, not of the route.
    async fn note_eras(&self, route: RouteId, eras: &[Era]) -> Result<(), StoreError>;

    /// The tools of a route, by name and era.
    async fn tools(&self, route: RouteId) -> Result<Vec<Tool>, StoreError>;

    /// Notes what was seen. Touches the live columns only.
    async fn tools_seen(&self, seen: ToolsSeen) -> Result<(), StoreError>;

    /// Notes what was decided. Touches the approved columns and the hidden mark only.
    async fn tools_approved(&self, approved: ToolsApproved) -> Result<(), StoreError>;
}
