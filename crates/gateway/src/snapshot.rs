//! Keeps what decisions need in memory: read as a whole once, and whenever the catalogue's generation moves, what moved of
//! the routes, which may be many.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use portreeve_access::Access;
use portreeve_client::Lines;
use portreeve_core::members::VirtualServer;
use portreeve_core::name::{InvalidName, RegistryName, Slug};
use portreeve_core::ports::{
    Catalogue, Counters, LocalRegistries, LocalTools, News, Refresh, RouteSnapshot, Signals, Snapshot,
    StoreError, Views,
};
use portreeve_core::route::RouteState;
use portreeve_core::view::RegistryRecord;
use tokio::sync::{Mutex, watch};

use crate::policy::{self, Tools};
use crate::respond::Refusal;
use crate::route::{Routes, ServedRoute};
use crate::upstream::local;
use crate::upstream::members;
use crate::upstream::rest::Commons;

/// The topic on which nodes tell each other that the catalogue changed.
pub const TOPIC: &str = "catalogue";

/// Loads the catalogue and brings it into force.
pub struct Loader {
    catalogue: Arc<dyn Catalogue>,
    signals: Arc<dyn Signals>,
    access: Arc<Access>,
    tools: Tools,
    rest: OnceLock<Arc<Commons>>,
    lines: OnceLock<Arc<Lines>>,
    members: OnceLock<Arc<members::Commons>>,
    routes: ArcSwap<Routes>,
    registries: ArcSwap<Arc<[RegistryRecord]>>,
    own: OnceLock<Arc<ServedRoute>>,
    faces: OnceLock<Arc<dyn LocalRegistries>>,
    loading: Mutex<()>,
    moved: watch::Sender<i64>,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loader")
    }
}

impl Loader {
    /// The counters that all nodes share.
    pub(crate) fn counters(&self) -> &dyn Counters {
        &*self.tools.counters
    }

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
            rest: OnceLock::new(),
            lines: OnceLock::new(),
            members: OnceLock::new(),
            routes,
            registries: ArcSwap::from_pointee(Arc::from([])),
            own: OnceLock::new(),
            faces: OnceLock::new(),
            loading: Mutex::default(),
            moved: watch::Sender::new(-1),
        }
    }

    /// Serves REST APIs in every catalogue that is read from now on.
    pub fn serve_rest(&self, commons: Commons) {
        self.rest.get_or_init(|| Arc::new(commons));
    }

    /// Serves servers of HTTP+SSE in every catalogue that is read from now on.
    pub fn serve_lines(&self, lines: Arc<Lines>) {
        self.lines.get_or_init(|| lines);
    }

    /// Serves virtual servers in every catalogue that is read from now on.
    pub fn serve_members(&self, commons: members::Commons) {
        self.members.get_or_init(|| Arc::new(commons));
    }

    /// Adds Portreeve's own route to every catalogue that is read from now on. The first one stays.
    ///
    /// # Errors
    ///
    /// When the server says of itself what no route can be named by.
    pub fn serve_own(&self, server: Arc<dyn LocalTools>) -> Result<(), InvalidName> {
        let route = Arc::new(local::route(server)?);
        self.own.get_or_init(|| route);
        Ok(())
    }

    /// Adds a route for every other registry, whichever there are. The first ones stay.
    pub fn serve_registries(&self, faces: Arc<dyn LocalRegistries>) {
        self.faces.get_or_init(|| faces);
    }

    /// Hears when the catalogue in force is another one: routes, rights, tools.
    pub fn moved(&self) -> watch::Receiver<i64> {
        self.moved.subscribe()
    }

    /// What nodes tell each other on.
    pub fn signals(&self) -> Arc<dyn Signals> {
        Arc::clone(&self.signals)
    }

    /// The routes in force.
    pub fn routes(&self) -> Arc<Routes> {
        self.routes.load_full()
    }

    /// The active route of that slug.
    pub fn find(&self, slug: &str) -> Option<Arc<ServedRoute>> {
        let found = self.routes.load().by_slug.get(slug).cloned();
        // A registry that there is not has a door like one that is closed.
        found.or_else(|| self.face(&Slug::registry(slug)?).map(Arc::new))
    }

    /// Refuses a route to a server that was revoked: what was made of a partner's, and is closed to everybody.
    pub(crate) fn require_open(&self, route: &ServedRoute) -> Result<(), Refusal> {
        match self.routes.load().revoked(&route.route.server) {
            Some(reason) => Err(Refusal::Revoked {
                reason: Arc::clone(reason),
            }),
            None => Ok(()),
        }
    }

    /// Waits until a route is refused because its server is revoked. As long as that is not so, this does not end.
    pub(crate) async fn closing(&self, route: &ServedRoute) -> Refusal {
        let mut moved = self.moved();
        loop {
            if let Err(refusal) = self.require_open(route) {
                return refusal;
            }
            if moved.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Waits for something of a server, and no longer than it is open: what was let in before a server was revoked ends with
    /// it, and what it says in that moment is told to nobody.
    pub(crate) async fn while_open<T>(
        &self,
        route: &ServedRoute,
        waits: impl Future<Output = T>,
    ) -> Result<T, Refusal> {
        let done = tokio::select! {
            biased;
            done = waits => done,
            refusal = self.closing(route) => return Err(refusal),
        };
        self.require_open(route).map(|()| done)
    }

    /// Whether a route is one of the catalogue. A registry that there is not is written down nowhere: its name is whatever
    /// somebody asked for.
    pub fn lists(&self, route: &ServedRoute) -> bool {
        !route.is_local() || self.routes.load().by_slug.contains_key(route.route.slug.as_str())
    }

    /// The route of a registry.
    fn face(&self, name: &RegistryName) -> Option<ServedRoute> {
        let tools = self.faces.get()?.of(name);
        local::route_at(Slug::of_registry(name), tools).ok()
    }

    /// Reads the catalogue if it moved.
    pub async fn load(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.loading.lock().await;
        let known = self.routes.load().generation;
        if self.catalogue.generation().await? == known {
            return Ok(());
        }
        let snapshot = self.catalogue.snapshot((known >= 0).then_some(known)).await?;
        self.access.load(&snapshot);
        self.registries
            .store(Arc::new(snapshot.registries.as_slice().into()));
        let (before, snapshot_generation) = (self.routes.load_full(), snapshot.generation);
        let routes = Arc::new(self.compile(snapshot, &before));
        self.routes.store(Arc::clone(&routes));
        if let Some(members) = self.members.get() {
            members.routes.send_replace(Arc::clone(&routes));
        }
        if let Some(rest) = self.rest.get() {
            rest.routes.send_replace(routes);
        }
        self.moved.send_replace(snapshot_generation);
        Ok(())
    }

    /// The routes in force and what moved, as the routes that shall be in force.
    fn compile(&self, snapshot: Snapshot, before: &Routes) -> Routes {
        let mut routes = Routes {
            generation: snapshot.generation,
            revoked: snapshot
                .revoked
                .iter()
                .map(|one| (one.server.clone(), one.reason.as_str().into()))
                .collect(),
            ..Routes::default()
        };
        let changed = match snapshot.routes {
            News::All(all) => all,
            News::Since { changed, gone } => {
                routes.by_slug.clone_from(&before.by_slug);
                routes.by_slug.retain(|_, served| !served.is_local());
                for slug in gone {
                    routes.by_slug.remove(slug.as_str());
                }
                changed
            }
        };
        for entry in changed {
            let slug: Arc<str> = entry.route.slug.as_str().into();
            let Some(mut served) = self.serve(entry) else {
                routes.by_slug.remove(&slug);
                continue;
            };
            if let Some(older) = before.by_slug.get(&slug) {
                served.inherit(older);
            }
            routes.by_slug.insert(slug, Arc::new(served));
        }
        let faces = snapshot.registries.iter().filter_map(|record| {
            let is_other = record.name != RegistryName::main();
            is_other.then(|| self.face(&record.name)).flatten().map(Arc::new)
        });
        for route in faces.chain(self.own.get().cloned()) {
            routes.by_slug.insert(route.route.slug.as_str().into(), route);
        }
        routes
    }

    /// One route, compiled for serving; `None` when it cannot be served.
    fn serve(&self, entry: RouteSnapshot) -> Option<ServedRoute> {
        if entry.route.state != RouteState::Active {
            return None;
        }
        let slug = entry.route.slug.clone();
        let policies = match policy::compile(&entry.route.policies, &self.tools) {
            Ok(policies) => policies,
            Err(problems) => {
                // Served without its policies it would be open; so it is not served.
                tracing::error!(
                    route = %slug,
                    ?problems,
                    "a route has a policy that cannot be understood, it is not served"
                );
                return None;
            }
        };
        let is_virtual = VirtualServer::is_address(&entry.route.upstream_url);
        let served = match (entry.rest, self.rest.get()) {
            _ if is_virtual => self.members.get().and_then(|commons| {
                ServedRoute::to_members(commons, entry.route, entry.tools, policies, entry.given)
            }),
            (Some(bindings), Some(commons)) => {
                ServedRoute::to_rest(commons, entry.route, entry.tools, policies, bindings)
            }
            (Some(_), None) => None,
            (None, _) => ServedRoute::new(self.lines.get(), entry.route, entry.tools, policies),
        };
        if served.is_none() {
            tracing::error!(route = %slug, "a route's upstream is not a URL, it is not served");
        }
        served
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
