//! The two faces, joined to the rooms: what the API and the portal show and take.

use std::sync::Arc;

use axum::Router;
use portreeve_access::{Access, AccessRequests, Approvals, AuthorizationServer, Login, Publishing, Vault};
use portreeve_api::ApiParts;
use portreeve_core::doctor::Doctor;
use portreeve_core::ports::Refresh;
use portreeve_gateway::Gateway;
use portreeve_insight::{Insight, Webhooks};
use portreeve_portal::{Brand, PortalParts};
use portreeve_registry::Registry;
use portreeve_registry::partners::Partners;

use super::{Ground, VERSION};

/// What both faces lead to.
pub(super) struct Rooms {
    pub(super) registry: Arc<Registry>,
    pub(super) partners: Arc<Partners>,
    pub(super) access: Arc<Access>,
    pub(super) oauth: Arc<AuthorizationServer>,
    pub(super) login: Arc<Login>,
    pub(super) publishing: Arc<Publishing>,
    pub(super) vault: Arc<Vault>,
    pub(super) access_requests: Arc<AccessRequests>,
    pub(super) approvals: Arc<Approvals>,
    pub(super) gateway: Arc<Gateway>,
    pub(super) insight: Arc<Insight>,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) refresh: Arc<dyn Refresh>,
    pub(super) doctor: Arc<dyn Doctor>,
    pub(super) brand: Brand,
}

impl Ground {
    /// The API and the portal.
    pub(super) fn faces(&self, rooms: Rooms) -> Router {
        let api = portreeve_api::router(ApiParts {
            registry: Arc::clone(&rooms.registry),
            partners: Arc::clone(&rooms.partners),
            access: Arc::clone(&rooms.access),
            oauth: Arc::clone(&rooms.oauth),
            login: Arc::clone(&rooms.login),
            publishing: rooms.publishing,
            vault: Arc::clone(&rooms.vault),
            access_requests: Arc::clone(&rooms.access_requests),
            approvals: Arc::clone(&rooms.approvals),
            gateway: Arc::clone(&rooms.gateway),
            insight: Arc::clone(&rooms.insight),
            webhooks: Arc::clone(&rooms.webhooks),
            refresh: Arc::clone(&rooms.refresh),
            doctor: rooms.doctor,
            clock: Arc::clone(&self.clock),
            limits: Arc::clone(&self.limits),
            public_url: self.public_url.clone(),
            version: VERSION,
        });
        let portal = portreeve_portal::router(PortalParts {
            registry: rooms.registry,
            partners: rooms.partners,
            access: rooms.access,
            oauth: rooms.oauth,
            login: rooms.login,
            vault: rooms.vault,
            access_requests: rooms.access_requests,
            approvals: rooms.approvals,
            gateway: rooms.gateway,
            insight: rooms.insight,
            webhooks: rooms.webhooks,
            refresh: rooms.refresh,
            csrf_key: self.keys.derive("portal-csrf"),
            public_url: self.public_url.clone(),
            clock: Arc::clone(&self.clock),
            limits: Arc::clone(&self.limits),
            brand: rooms.brand,
            version: VERSION,
        });
        portal.merge(api)
    }
}
