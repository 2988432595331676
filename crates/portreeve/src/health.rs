//! Liveness and readiness, for whoever runs Portreeve.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use portreeve_core::ports::StoreHealth;
use portreeve_gateway::snapshot::Loader;

#[derive(Clone)]
struct Health {
    store: Arc<dyn StoreHealth>,
    loader: Arc<Loader>,
}

/// `/healthz`: the process answers. `/readyz`: the store answers too, and routes are loaded.
pub(crate) fn router(store: Arc<dyn StoreHealth>, loader: Arc<Loader>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Health { store, loader })
}

async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    let not_ready = |reason: String| (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"));
    if health.loader.routes().generation < 0 {
        return not_ready("the catalogue was not read yet".to_owned());
    }
    match health.store.check().await {
        Ok(_) => (StatusCode::OK, "ready\n".to_owned()),
        Err(error) => not_ready(error.to_string()),
    }
}
