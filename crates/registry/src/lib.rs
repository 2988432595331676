//! An entry's way through the registry: publish, validate, approve, serve, install; and what belongs to it on the way:
//! its route, its tools and their pins.
//!
//! A registry entry and a gateway route are the same object. What is decided here reaches the gateway only through the
//! store (port `Catalogue`); what the gateway sees of live tools comes back through the port `PinWatch`.

mod error;
mod registry;
mod source;

mod publish;
mod validate;

mod approve;
mod latest;

mod work;

mod destination;
mod settle;
mod slug;

mod plan;

mod deployments;
mod environments;

mod profile;
mod properties;

mod governance;
mod registries;
mod views;

mod routes;

mod observe;
mod pins;
mod tools;

mod entries;
mod search;
mod serve;

pub mod import;
mod publishing;

pub mod install;

pub use approve::{Approving, Step, next_approval};
pub use deployments::{Declared, Deployed, NewDeployments};
pub use entries::{EntriesPage, EntriesQuery};
pub use environments::{EnvironmentPatch, NewEnvironment};
pub use error::RegistryError;
pub use latest::{is_semver, latest_of};
pub use pins::{PinJob, PinKeeper, PinParts, PinQueue, PinTimes};
pub use plan::{Move, MoveKind, Plan, Stop};
pub use portreeve_mcp::server_json::Problem;
pub use profile::ProfilePatch;
pub use properties::{Defined, Failing, NewProperty, PropertyPatch};
pub use publish::{Approve, Internal, Outcome, Submission, ToolsOutcome};
pub use publishing::{Issue, IssueKind, OfficialStatus, Severity, StatusChange, Verdict};
pub use registries::RegistryPatch;
pub use registry::{Registry, RegistryParts};
pub use routes::{LONGEST_TIMEOUT_MS, RoutePatch, SHORTEST_TIMEOUT_MS};
pub use search::{Facet, Facets, Found, Kind, Mark, Narrow, SearchPage, SearchQuery, Searcher};
pub use serve::{
    ListParams, OFFICIAL_META, OfficialMeta, PageMetadata, PublicDocument, Review, Served, ServedMeta,
    ServedPage,
};
pub use source::{ClientSource, Probe, ToolSource};
pub use tools::{ToolChoice, ToolView, ToolsOf};
pub use views::View;
