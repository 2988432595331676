//! An authorization server that knows no MCP endpoint, for faces whose tests need none.

use std::sync::Arc;

use portreeve_access::{Access, AuthorizationServer, OauthParts, OauthSettings};
use portreeve_core::limits::Limits;
use portreeve_core::name::Slug;
use portreeve_core::oauth::ProtectedResource;
use portreeve_core::ports::{Journal, Resources};
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::Clock;
use portreeve_net::{Egress, EgressConfig};
use portreeve_state::{InProcess, Start};
use portreeve_store::Store;

struct NoResources;

impl Resources for NoResources {
    fn find(&self, _uri: &str) -> Option<ProtectedResource> {
        None
    }

    fn of_route(&self, _route: &Slug) -> Option<ProtectedResource> {
        None
    }

    fn all(&self) -> Vec<ProtectedResource> {
        Vec::new()
    }
}

pub(crate) fn server(
    (access, store): (&Arc<Access>, &Store),
    journal: Arc<dyn Journal>,
    (clock, rng): (Arc<dyn Clock>, Arc<dyn Rng>),
    issuer: &str,
) -> Arc<AuthorizationServer> {
    let state = Arc::new(InProcess::new(Start::Fresh));
    let store = Arc::new(store.clone());
    let parts = OauthParts {
        access: Arc::clone(access),
        clients: store.clone(),
        authorizations: store.clone(),
        sweep: store,
        resources: Arc::new(NoResources),
        journal,
        counters: state.clone(),
        locks: state,
        egress: Egress::new(&EgressConfig::default()).expect("a way out"),
        clock,
        rng,
        limits: Arc::new(Limits::for_tests()),
        issuer: issuer.to_owned(),
        settings: OauthSettings::default(),
    };
    Arc::new(AuthorizationServer::new(parts, &SecretKey::new([6; 32])).expect("a key"))
}
