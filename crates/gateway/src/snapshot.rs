//! Keeps what decisions need in memory: read as a whole whenever the catalogue's generation moves.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use portreeve_access::Access;
use portreeve_core::ports::{Catalogue, Refresh, Signals, Snapshot, StoreError, Views};
use portreeve_core::route::RouteState;
use portreeve_core::view::RegistryRecord;
use tokio::sync::{Mutex, watch};

use crate::policy::{self, Tools};
use crate::route::{Routes, ServedRoute};

/// The topic on which nodes tell each other that the catalogue changed.
pub const TOPIC: &str = "catalogue";

/// Loads the catalogue and brings it into force.
pub struct Loader {
    catalogue: Arc<dyn Catalogue>,
    signals: Arc<dyn Signals>,
    access: Arc<Access>,
    tools: Tools,
    routes: ArcSwap<Routes>,
    registries: ArcSwap<Arc<[RegistryRecord]>>,
    loading: Mutex<()>,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loader")
    }
}

impl Loader {
    /// A loader that has loaded nothing yet.
    pub fn new(
        catalogue: Arc<dyn Catalogue>,
        signals: Arc<dyn Signals>,
        access: Arc<Access>,
        tools: Tools,
    ) -> Self {
        let routes = ArcSwap::from_pointee(Routes {
            generation: -1,
            ..Routes::default()
        });
        Self {
            catalogue,
            signals,
            access,
            tools,
            routes,
            registries: ArcSwap::from_pointee(Arc::from([])),
            loading: Mutex::default(),
        }
    }

    /// The routes in force.
    pub fn routes(&self) -> Arc<Routes> {
        self.routes.load_full()
    }

    /// The active route of that slug.
    pub fn find(&self, slug: &str) -> Option<Arc<ServedRoute>> {
        self.routes.load().by_slug.get(slug).cloned()
    }

    /// Reads the catalogue if it moved.
    pub async fn load(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.loading.lock().await;
        if self.catalogue.generation().await? == self.routes.load().generation {
            return Ok(());
        }
        let snapshot = self.catalogue.snapshot().await?;
        self.access.load(&snapshot);
        self.registries
            .store(Arc::new(snapshot.registries.as_slice().into()));
        let before = self.routes.load_full();
        self.routes.store(Arc::new(self.compile(snapshot, &before)));
        Ok(())
    }

    fn compile(&self, snapshot: Snapshot, before: &Routes) -> Routes {
        let mut routes = Routes {
            generation: snapshot.generation,
            ..Routes::default()
        };
        for entry in snapshot.routes {
            let slug = entry.route.slug.to_string();
            if entry.route.state != RouteState::Active {
                continue;
            }
            let policies = match policy::compile(&entry.route.policies, &self.tools) {
                Ok(policies) => policies,
                Err(problems) => {
                    // Served without its policies it would be open; so it is not served.
                    tracing::error!(
                        route = slug,
                        ?problems,
                        "a route has a policy that cannot be understood, it is not served"
                    );
                    continue;
                }
            };
            let Some(served) = ServedRoute::new(entry.route, entry.tools, policies) else {
                tracing::error!(route = slug, "a route's upstream is not a URL, it is not served");
                continue;
            };
            if let Some(older) = before.by_slug.get(&slug) {
                served.inherit(older);
            }
            routes.by_slug.insert(slug, Arc::new(served));
        }
        routes
    }

    /// Follows the catalogue until the node stops: at every signal, and once a second.
    pub async fn follow(&self, mut stop: watch::Receiver<bool>) {
        let mut subscription = self.signals.subscribe(TOPIC).await.ok();
        while !*stop.borrow() {
            let signal = async {
                match &mut subscription {
                    Some(subscription) => drop(subscription.next().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = signal => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                _ = stop.changed() => return,
            }
            if let Err(error) = self.load().await {
                tracing::warn!(error = %error, "the catalogue cannot be read; what was read last stays in force");
            }
            if subscription.is_none() {
                subscription = self.signals.subscribe(TOPIC).await.ok();
            }
        }
    }
}

impl Views for Loader {
    fn registries(&self) -> Arc<[RegistryRecord]> {
        Arc::clone(&self.registries.load())
    }
}

#[async_trait]
impl Refresh for Loader {
    async fn refresh(&self) {
        if let Err(error) = self.load().await {
            tracing::warn!(error = %error, "a change is stored, but cannot be brought into force yet");
        }
        if let Err(error) = self.signals.publish(TOPIC, b"").await {
            tracing::debug!(error = %error, "other nodes learn of a change by their next look");
        }
    }
}
