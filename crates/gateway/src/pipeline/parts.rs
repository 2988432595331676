//! What a gateway is made of.

use std::sync::Arc;

use portreeve_access::Access;
use portreeve_core::limits::Limits;
use portreeve_core::ports::Outgoing;
use portreeve_inspect::Sealer;
use portreeve_net::Egress;
use tokio::sync::watch;
use url::Url;

use crate::accept::head::Origins;
use crate::record::Sinks;
use crate::session::Sessions;
use crate::snapshot::Loader;

/// What a gateway is made of.
pub struct GatewayParts {
    /// The catalogue in force.
    pub loader: Arc<Loader>,
    /// Who is calling, and what they may do.
    pub access: Arc<Access>,
    /// What the credentials for REST APIs are in.
    pub vault: Arc<dyn Outgoing>,
    /// What seals what hosts keep for us, under a key of the installation: the state of calls in several rounds, and the
    /// identities of tasks.
    pub sealer: Arc<Sealer>,
    /// The way out.
    pub egress: Egress,
    /// Legacy sessions.
    pub sessions: Arc<Sessions>,
    /// Where records go.
    pub sinks: Sinks,
    /// The limits.
    pub limits: Arc<Limits>,
    /// Which hosts and origins a request may name.
    pub origins: Origins,
    /// The public origin.
    pub public_url: Url,
    /// Turns true when the node stops.
    pub stopping: watch::Receiver<bool>,
}

impl std::fmt::Debug for GatewayParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GatewayParts")
    }
}
