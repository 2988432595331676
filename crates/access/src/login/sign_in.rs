//! One-time links: they sign in, or set a password. Before: `serve` prints a link, or an administrator hands one out.
//! After: a session, or a password.
//!
//! Whoever holds a link is the user, once.

use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::id::UserId;
use portreeve_core::ports::LinkPurpose;
use portreeve_core::secret::Secret;
use portreeve_core::user::SignInMethod;

use super::sessions::NewSession;
use crate::{Access, AccessError, token};

/// The longest life of a one-time link.
pub const MAX_LINK_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl Access {
    /// Makes a link's secret for a user. It makes its holder that user, so whoever offers this must have asked whether
    /// its own caller may manage; the roof may, for the local administrator.
    pub async fn sign_in_link(&self, user: UserId, ttl: Duration) -> Result<Secret, AccessError> {
        self.link(user, LinkPurpose::SignIn, ttl).await
    }

    pub(crate) async fn link(
        &self,
        user: UserId,
        purpose: LinkPurpose,
        ttl: Duration,
    ) -> Result<Secret, AccessError> {
        if ttl.is_zero() || ttl > MAX_LINK_LIFE {
            let value = format!("{} s", ttl.as_secs());
            return Err(AccessError::invalid("ttl", &value, "a link lives up to 24 hours"));
        }
        self.require_user(user).await?;
        let (link, hash) = token::mint(&*self.parts.rng);
        let expires_at = self.parts.clock.now().plus(ttl);
        self.parts
            .sessions
            .add_link(&hash, user, purpose, expires_at)
            .await?;
        Ok(link)
    }

    /// Takes a link and opens a session: the user, and the session's secret for the cookie.
    pub async fn sign_in(&self, link: &str, agent: Option<&str>) -> Result<(Caller, Secret), AccessError> {
        let user = self.take_link(link, LinkPurpose::SignIn).await?;
        let session = NewSession::new(user, SignInMethod::Link, agent);
        let opened = self.open_session(session).await?;
        opened.ok_or(AccessError::LinkSpent)
    }

    /// Whose link it was. It is spent.
    pub(crate) async fn take_link(&self, link: &str, purpose: LinkPurpose) -> Result<UserId, AccessError> {
        let hash = token::hash_hex(link).ok_or(AccessError::LinkSpent)?;
        let taken = self
            .parts
            .sessions
            .take_link(&hash, purpose, self.parts.clock.now());
        taken.await?.ok_or(AccessError::LinkSpent)
    }
}
