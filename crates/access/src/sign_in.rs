//! The portal's sign-in: a one-time link, then a session. Before: `serve` prints a link, or an administrator hands one
//! out. After: the portal keeps the session's secret in a cookie.
//!
//! Whoever holds a link is the user, once. Links and sessions are 256-bit secrets of which only SHA-256 is stored.

use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::id::UserId;
use portreeve_core::secret::Secret;
use serde_json::json;

use crate::{Access, AccessError, token};

/// How long a session lives, used or not.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// The longest life of a sign-in link.
pub const MAX_LINK_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl Access {
    /// Makes a link's secret for a user. It makes its holder that user, so whoever offers this must have asked whether
    /// its own caller may manage; the roof may, for the local administrator.
    pub async fn sign_in_link(&self, user: UserId, ttl: Duration) -> Result<Secret, AccessError> {
        if ttl.is_zero() || ttl > MAX_LINK_LIFE {
            let value = format!("{} s", ttl.as_secs());
            return Err(AccessError::invalid("ttl", &value, "a link lives up to 24 hours"));
        }
        self.require_user(user).await?;
        let (link, hash) = token::mint(&*self.parts.rng);
        let expires_at = self.parts.clock.now().plus(ttl);
        self.parts.sessions.add_link(&hash, user, expires_at).await?;
        Ok(link)
    }

    /// Takes a link and opens a session: the user, and the session's secret for the cookie.
    pub async fn sign_in(&self, link: &str) -> Result<(Caller, Secret), AccessError> {
        let now = self.parts.clock.now();
        let sessions = &self.parts.sessions;
        let hash = token::hash_hex(link).ok_or(AccessError::LinkSpent)?;
        let user = sessions
            .take_link(&hash, now)
            .await?
            .ok_or(AccessError::LinkSpent)?;
        let caller = self.user(user).ok_or(AccessError::LinkSpent)?;
        let (cookie, hash) = token::mint(&*self.parts.rng);
        let expires_at = now.plus(SESSION_LIFE);
        sessions.add_session(&hash, user, expires_at).await?;
        let mut event = self.event("sign-in", &caller);
        event.detail = Some(json!({ "by": "link", "expiresAt": expires_at }));
        if let Err(error) = self.parts.journal.append(&event) {
            // Nobody holds the secret of this session yet; taking it back only tidies up.
            if let Err(error) = sessions.end_session(&hash).await {
                tracing::warn!(%error, "A session that nobody holds could not be ended");
            }
            return Err(error.into());
        }
        if let Err(error) = sessions.purge_expired(now).await {
            tracing::warn!(%error, "Expired sign-in links and sessions could not be deleted");
        }
        Ok((caller, cookie))
    }

    /// The user behind a cookie, if the session is live and the user still exists.
    pub async fn session(&self, cookie: &str) -> Result<Option<Caller>, AccessError> {
        let Some(hash) = token::hash_hex(cookie) else {
            return Ok(None);
        };
        let user = self.parts.sessions.session(&hash, self.parts.clock.now()).await?;
        Ok(user.and_then(|user| self.user(user)))
    }

    /// Ends a session. One that is over already is no error.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), AccessError> {
        let Some(hash) = token::hash_hex(cookie) else {
            return Ok(());
        };
        let user = self.parts.sessions.session(&hash, self.parts.clock.now()).await?;
        self.parts.sessions.end_session(&hash).await?;
        if let Some(caller) = user.and_then(|user| self.user(user)) {
            self.parts.journal.append(&self.event("sign-out", &caller))?;
        }
        Ok(())
    }

    fn user(&self, id: UserId) -> Option<Caller> {
        self.state.load().user(id).cloned()
    }
}
