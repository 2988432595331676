//! An entry's way through the registry: publish, validate, approve, serve, install; and what belongs to it on the way:
//! its route, its tools and their pins.
//!
//! A registry entry and a gateway route are the same object. What is decided here reaches the gateway only through the
//! store (port `Catalogue`); what the gateway sees of live tools comes back through the port `PinWatch`.

mod error;
mod registry;
mod rights;
mod source;

mod lease;
mod paging;

mod publish;
mod validate;

mod assess;

mod approve;
mod latest;

mod work;

mod destination;
mod settle;
mod slug;

mod plan;

mod deployments;
mod environments;

mod icons;
mod profile;
mod properties;

mod governance;
mod horizon;
mod kept;
mod registries;
mod rules;
mod views;

mod routes;

mod observe;
mod pins;
mod tools;
mod waiting;

mod compare;
mod entries;
mod follow;
mod search;
mod seen;
mod serve;

mod card;
mod mcp_face;

pub mod import;
mod rest;
mod virtual_server;

mod publishing;

pub mod partners;

pub mod install;

pub mod clients;

mod export;

pub use approve::{Approving, Decision, Proposal, Step, next_approval};
pub use assess::{
    AssessJob, AssessParts, Assessment, AssessmentPolicy, Brief, Finding, PackagePlace, PackagePlaces,
    Round as AssessRound, Severity as FindingSeverity,
};
pub use card::{CARD_TYPE, CATALOG_TYPE};
pub use compare::Comparison;
pub use deployments::{Declared, Deployed, DeploymentsPage, DeploymentsQuery, NewDeployments, Standing};
pub use entries::{EntriesPage, EntriesQuery};
pub use environments::{EnvironmentPatch, NewEnvironment};
pub use error::RegistryError;
pub use export::{ExportFile, Format, LeftOut};
pub use icons::{IconJob, IconParts, Shown as ShownIcons};
pub use latest::{is_semver, latest_of};
pub use mcp_face::{FaceError, McpFace};
pub use pins::{PinJob, PinKeeper, PinParts, PinQueue, PinTimes};
pub use plan::{Move, MoveKind, Plan, Stop};
pub use portreeve_core::served::{OFFICIAL_META, OfficialMeta, PublicDocument};
pub use portreeve_inspect::FieldChange;
pub use portreeve_mcp::server_json::Problem;
pub use profile::ProfilePatch;
pub use properties::{Defined, Failing, FailingPage, FailingServer, NewProperty, PropertyPatch};
pub use publish::{Approve, Internal, Outcome, Submission, ToolsOutcome};
pub use publishing::{Issue, IssueKind, OfficialStatus, Severity, StatusChange, Verdict};
pub use registries::RegistryPatch;
pub use registry::{Registry, RegistryParts};
pub use rest::{
    Description, NewRest, PurgeJob, RestDetails, RestDraft, RestOutcome, RestPreview, RestSource, RestView,
};
pub use routes::{LONGEST_TIMEOUT_MS, RoutePatch, SHORTEST_TIMEOUT_MS};
pub use search::{
    Facet, Facets, Found, Kind, Mark, Narrow, SearchJob, SearchPage, SearchQuery, SearchState, Searcher,
};
pub use serve::{ListParams, PageMetadata, Review, Served, ServedJson, ServedMeta, ServedPage};
pub use source::{ClientSource, Probe, ToolSource};
pub use tools::{ToolChoice, ToolView, ToolsOf};
pub use views::View;
pub use virtual_server::{MemberView, VirtualSource};
pub use waiting::{WaitingItem, WaitingList, WaitingQuery};
