//! Asks one upstream for its tools and writes down what it says.
//!
//! Before: `schedule` found that it is due. After: this node and the others read the catalogue again, if it changed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::caller::Caller;
use portreeve_core::id::RouteId;
use portreeve_core::members::VirtualServer;
use portreeve_core::ports::StoreError;
use portreeve_core::route::{PinState, Route, RouteState};

use super::schedule::Jitter;
use super::{PinParts, PinTimes};
use crate::lease::{self, Turn};
use crate::observe::{Announce, Noted, Observer, Sighting, definitions};
use crate::source::{Probe, ask};

/// The topic on which nodes tell each other that the catalogue changed.
const CATALOGUE: &str = "catalogue";

/// Why a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Its turn has come.
    Turn,
    /// Its upstream said that something changed.
    Notice,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The upstream answered, and the answer is stored.
    Done,
    /// Another node does it.
    Elsewhere,
    /// Something here did not work, the store for example. It says nothing of the upstream.
    Failed,
    /// The upstream did not answer.
    Unanswered,
}

/// What a refresh works with.
pub(super) struct Worker {
    pub(super) parts: PinParts,
    times: PinTimes,
    /// Who holds the locks: this job and no other.
    holder: String,
}

// === impl Occasion ===

impl Occasion {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Notice => "notice",
        }
    }
}

// === impl Worker ===

impl Worker {
    pub(super) fn new(parts: PinParts, times: PinTimes) -> Self {
        let mut random = [0_u8; 16];
        parts.rng.fill(&mut random);
        Self {
            holder: URL_SAFE_NO_PAD.encode(random),
            parts,
            times,
        }
    }

    pub(super) fn observer(&self) -> Observer<'_> {
        Observer {
            routes: self.parts.routes.as_ref(),
            clock: self.parts.clock.as_ref(),
            rng: self.parts.rng.as_ref(),
            limits: &self.parts.limits,
        }
    }

    /// A number between 0 and 1.
    pub(super) fn jitter(&self) -> Jitter {
        let mut byte = [0_u8; 2];
        self.parts.rng.fill(&mut byte);
        f64::from(u16::from_le_bytes(byte)) / f64::from(u16::MAX)
    }

    /// The route as it is now, if it is served.
    pub(super) async fn route(&self, id: RouteId) -> Result<Option<Route>, StoreError> {
        let route = self.parts.routes.route_at(id).await.inspect_err(|error| {
            tracing::warn!(route = %id, %error, "A route could not be read; its pins are looked after later.");
        })?;
        Ok(route.filter(|route| route.state == RouteState::Active))
    }

    /// Asks, unless another node does.
    pub(super) async fn refresh(&self, id: RouteId, occasion: Occasion) -> Ended {
        match self.route(id).await {
            Ok(Some(route)) => self.refresh_route(&route, occasion).await,
            // The schedule will hear of it.
            Ok(None) => Ended::Done,
            Err(_) => Ended::Failed,
        }
    }

    async fn refresh_route(&self, route: &Route, occasion: Occasion) -> Ended {
        let Turn::Ours(lease) = self.turn(route, occasion).await else {
            return Ended::Elsewhere;
        };
        let ended = self.ask(route, occasion).await;
        // A turn that succeeded is kept until it runs out: so long no other node takes it.
        if let Some(lease) = lease
            && (occasion == Occasion::Notice || matches!(ended, Ended::Failed | Ended::Unanswered))
        {
            lease::give_back(self.parts.locks.as_ref(), &lease).await;
        }
        ended
    }

    async fn turn(&self, route: &Route, occasion: Occasion) -> Turn {
        let key = format!("pins/{}/{}", route.id, occasion.as_str());
        let ttl = match occasion {
            Occasion::Turn => self.times.interval.mul_f64(0.7),
            Occasion::Notice => self.parts.limits.probe + Duration::from_secs(5),
        };
        lease::take(self.parts.locks.as_ref(), &key, &self.holder, ttl).await
    }

    async fn ask(&self, route: &Route, occasion: Occasion) -> Ended {
        if self.is_made(route).await && occasion == Occasion::Turn {
            return Ended::Done;
        }
        if VirtualServer::is_address(&route.upstream_url) {
            return self.follow(route).await;
        }
        let probe = match ask(self.parts.source.as_ref(), route, self.parts.limits.probe).await {
            Ok(probe) => probe,
            Err(reason) => {
                tracing::info!(route = %route.slug, reason, occasion = occasion.as_str(), "The tools could not be refreshed.");
                return Ended::Unanswered;
            }
        };
        match self.note(route, probe).await {
            Ok(Noted::Changed) => {
                self.announce().await;
                Ended::Done
            }
            Ok(Noted::Known) => Ended::Done,
            Err(error) => {
                tracing::warn!(route = %route.slug, %error, "Refreshed tools could not be stored.");
                Ended::Failed
            }
        }
    }

    /// The pins of a virtual server are where those of its members are.
    async fn follow(&self, route: &Route) -> Ended {
        let followed = self
            .observer()
            .follow(self.parts.source.as_ref(), route, &Caller::system())
            .await;
        match followed {
            Ok(Noted::Changed) => self.announce().await,
            Ok(Noted::Known) => {}
            Err(reason) => {
                tracing::warn!(route = %route.slug, reason, "A virtual server could not follow its members.");
                return Ended::Failed;
            }
        }
        Ended::Done
    }

    /// Whether its tools were made from a description and are pinned: they change with an import, and never by themselves.
    async fn is_made(&self, route: &Route) -> bool {
        let digest = self.parts.source.toolset_of(&route.server, &route.version).await;
        route.pin_state == PinState::Pinned && matches!(digest, Ok(Some(_)))
    }

    async fn note(&self, route: &Route, probe: Probe) -> Result<Noted, StoreError> {
        let observer = self.observer();
        let mut noted = observer
            .eras(route, &probe.eras_beside(&route.upstream_eras))
            .await?;
        for (era, texts) in &probe.tools {
            let sighting = Sighting {
                route,
                era: *era,
                tools: definitions(texts, &self.parts.limits),
            };
            if observer.complete(sighting, Announce::Drift).await? == Noted::Changed {
                noted = Noted::Changed;
            }
        }
        Ok(noted)
    }

    /// Lets this node and the others read the catalogue again.
    pub(super) async fn announce(&self) {
        self.parts.refresh.refresh().await;
        if let Err(error) = self.parts.signals.publish(CATALOGUE, b"").await {
            tracing::debug!(%error, "The other nodes were not told; they look by themselves.");
        }
    }
}
