//! How often something is fetched because somebody asks who has shown nothing yet: an address names any place there is, and
//! whoever asks for it must neither use us against that place nor wear out what we have for others. And how often it is
//! written down that somebody was refused.
//!
//! Before: `document` has an address that it does not know, or not any more. After: it is asked.

use std::net::IpAddr;
use std::time::Duration;

use portreeve_core::oauth::ClientId;
use portreeve_core::ports::RateLimit;
use tokio::sync::SemaphorePermit;
use url::{Position, Url};

use super::AuthorizationServer;
use super::error::{OauthCode, OauthError};
use crate::login::network;

/// For one address: at once, and then one more in this time.
const ADDRESS: RateLimit = RateLimit {
    interval: Duration::from_secs(3),
    burst: 30,
};
/// Of one host, for clients that somebody has used and for all others.
const HOST: RateLimit = RateLimit {
    interval: Duration::from_secs(2),
    burst: 30,
};
/// Of all hosts, for whoever asks for clients that nobody has used here.
const STRANGERS: RateLimit = RateLimit {
    interval: Duration::from_millis(500),
    burst: 120,
};
/// Fetches for them under way at once, in this process.
pub(super) const STRANGERS_AT_ONCE: usize = 16;
/// Refusals from one address that are written down: at once, and then one more in this time.
const REFUSED: RateLimit = RateLimit {
    interval: Duration::from_secs(10),
    burst: 20,
};
/// Refusals of one client, from wherever.
const REFUSED_CLIENT: RateLimit = RateLimit {
    interval: Duration::from_secs(5),
    burst: 60,
};
/// When to try again, where too many are under way.
const BUSY: Duration = Duration::from_secs(2);

/// For whom something is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A client that somebody has used: a flood of others must not stand in its way.
    Known,
    /// Anyone.
    Stranger,
}

impl Asker {
    pub(super) const fn new(is_used: bool) -> Self {
        if is_used { Self::Known } else { Self::Stranger }
    }
}

impl AuthorizationServer {
    /// Counts a fetch, and holds its turn until it is over.
    pub(super) async fn may_fetch(
        &self,
        url: &Url,
        from: Option<IpAddr>,
        asker: Asker,
    ) -> Result<Option<SemaphorePermit<'_>>, OauthError> {
        if let Some(from) = from.map(network) {
            self.count(&format!("oauth_fetch/address/{from}"), ADDRESS)
                .await?;
        }
        let host = &url[Position::BeforeHost..Position::AfterPort];
        if asker == Asker::Known {
            // Counted apart: whoever invents documents at a host must not use up what its clients have.
            self.count(&format!("oauth_document/known/{host}"), HOST).await?;
            return Ok(None);
        }
        self.count(&format!("oauth_document/{host}"), HOST).await?;
        self.count("oauth_fetch/strangers", STRANGERS).await?;
        let turn = self.strangers.try_acquire();
        turn.map(Some).map_err(|_| OauthError::too_often(BUSY))
    }

    /// Whether one more refusal is written down. Anyone may be refused as often as they like, and the log is for others, too.
    pub(super) async fn may_note(&self, client: &ClientId, from: Option<IpAddr>) -> bool {
        let from = from.map(network).unwrap_or_default();
        for (key, limit) in [
            (format!("oauth_refused/address/{from}"), REFUSED),
            (format!("oauth_refused/client/{client}"), REFUSED_CLIENT),
        ] {
            match self.count(&key, limit).await {
                // What cannot be counted is written down.
                Err(error) if error.code == OauthCode::SlowDown => return false,
                _ => {}
            }
        }
        true
    }

    async fn count(&self, key: &str, limit: RateLimit) -> Result<(), OauthError> {
        let decision = self.parts.counters.take(key, limit, 1).await?;
        if decision.allowed {
            Ok(())
        } else {
            Err(OauthError::too_often(decision.retry_after))
        }
    }
}
