//! Sessions of the portal: opened by every way to sign in, believed for a while, listed, and ended; by their holder, by an
//! administrator, or by the identity provider.
//!
//! Each sign-in has a session of its own with a fresh secret, so nobody can prepare one for somebody else. A client that is
//! authorized in a session is noted with it ([`Access::note_authorization`]): where an administrator or the provider ends
//! the session, the authorization ends, too. Who only signs out keeps the clients that were authorized.

use std::time::Duration;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::id::{AuthorizationId, SessionId, UserId};
use portreeve_core::ports::{Ended, StoreError};
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_core::user::{EndedSessions, Session, SignInMethod};
use serde_json::json;

use crate::{Access, AccessError, token};

/// How long a session lives, used or not.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a session lives without being used.
pub const SESSION_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// How exactly it is known when a session was used.
const SEEN: Duration = Duration::from_secs(60);

/// The longest name of a browser that is kept.
const AGENT_CHARS: usize = 200;

/// A session to be opened.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub(crate) user: UserId,
    pub(crate) method: SignInMethod,
    pub(crate) agent: Option<String>,
    /// The provider's `auth_time`; now, if it said none.
    pub(crate) authenticated_at: Option<Timestamp>,
    pub(crate) issuer: Option<String>,
    pub(crate) provider_session: Option<String>,
    /// The provider's name in the configuration, for the audit log.
    pub(crate) provider: Option<String>,
}

// === impl NewSession ===

impl NewSession {
    pub(crate) fn new(user: UserId, method: SignInMethod, agent: Option<&str>) -> Self {
        Self {
            user,
            method,
            agent: agent.map(|agent| {
                agent
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(AGENT_CHARS)
                    .collect()
            }),
            authenticated_at: None,
            issuer: None,
            provider_session: None,
            provider: None,
        }
    }
}

impl Access {
    /// Opens a session: the user, and the session's secret for the cookie. `None` when the user may not sign in.
    pub(crate) async fn open_session(
        &self,
        new: NewSession,
    ) -> Result<Option<(Caller, Secret)>, AccessError> {
        let Some(caller) = self.user(new.user) else {
            return Ok(None);
        };
        let now = self.parts.clock.now();
        let sessions = &self.parts.sessions;
        let (cookie, hash) = token::mint(&*self.parts.rng);
        let session = Session {
            id: SessionId::new(&*self.parts.clock, &*self.parts.rng),
            user: new.user,
            method: new.method,
            authenticated_at: new.authenticated_at.unwrap_or(now).min(now),
            created_at: now,
            seen_at: now,
            expires_at: now.plus(SESSION_LIFE),
            issuer: new.issuer,
            provider_session: new.provider_session,
            agent: new.agent,
        };
        sessions.add_session(&hash, &session).await?;
        let mut event = self.event("sign-in", &caller);
        event.detail = Some(json!({
            "by": session.method, "provider": new.provider, "session": session.id, "expiresAt": session.expires_at,
        }));
        if let Err(error) = self.parts.journal.append(&event) {
            // Nobody holds the secret of this session yet; taking it back only tidies up.
            if let Err(error) = sessions.end_sessions(&EndedSessions::OfSecret(hash)).await {
                tracing::warn!(%error, "A session that nobody holds could not be ended");
            }
            return Err(error.into());
        }
        if let Err(error) = sessions.purge_expired(now, now.minus(SESSION_IDLE)).await {
            tracing::warn!(%error, "Expired sign-in links and sessions could not be deleted");
        }
        Ok(Some((caller, cookie)))
    }

    /// Forgets links, attempts and sessions that are over.
    pub(crate) async fn forget_sign_ins(&self, now: Timestamp) -> Result<(), StoreError> {
        self.parts
            .sessions
            .purge_expired(now, now.minus(SESSION_IDLE))
            .await
    }

    /// The user behind a cookie, if the session is live and the user still may sign in.
    pub async fn session(&self, cookie: &str) -> Result<Option<Caller>, AccessError> {
        let found = self.session_of(cookie).await?;
        Ok(found.map(|(caller, _)| caller))
    }

    /// The same with the session: how and when the user was authenticated.
    pub async fn session_of(&self, cookie: &str) -> Result<Option<(Caller, Session)>, AccessError> {
        let Some(hash) = token::hash_hex(cookie) else {
            return Ok(None);
        };
        let now = self.parts.clock.now();
        let sessions = &self.parts.sessions;
        let Some(session) = sessions.session(&hash, now, now.minus(SESSION_IDLE)).await? else {
            return Ok(None);
        };
        let Some(caller) = self.user(session.user) else {
            return Ok(None);
        };
        if now.since(session.seen_at) >= SEEN
            && let Err(error) = sessions.touch_session(session.id, now).await
        {
            tracing::warn!(%error, "That a session is used could not be noted");
        }
        Ok(Some((caller, session)))
    }

    /// Notes that a client was authorized in a session, so that both can end together.
    pub async fn note_authorization(
        &self,
        session: &Session,
        authorization: AuthorizationId,
    ) -> Result<(), AccessError> {
        let now = self.parts.clock.now();
        let noted = self
            .parts
            .sessions
            .note_authorization(session, authorization, now);
        Ok(noted.await?)
    }

    /// Ends a session, and tells which. One that is over already is no error.
    pub async fn sign_out(&self, cookie: &str) -> Result<Option<Session>, AccessError> {
        let Some(hash) = token::hash_hex(cookie) else {
            return Ok(None);
        };
        let ended = self
            .parts
            .sessions
            .end_sessions(&EndedSessions::OfSecret(hash))
            .await?;
        let session = ended.sessions.into_iter().next();
        if let Some(caller) = session.as_ref().and_then(|session| self.user(session.user)) {
            self.parts.journal.append(&self.event("sign-out", &caller))?;
        }
        Ok(session)
    }

    /// The live sessions of a user: of the caller itself, or of anybody for who manages.
    pub async fn sessions_of(&self, caller: &Caller, user: UserId) -> Result<Vec<Session>, AccessError> {
        self.require_self_or(caller, user, Action::Audit)?;
        let now = self.parts.clock.now();
        let sessions = &self.parts.sessions;
        Ok(sessions.sessions_of(user, now, now.minus(SESSION_IDLE)).await?)
    }

    /// Ends one session of a user.
    pub async fn end_session(
        &self,
        caller: &Caller,
        user: UserId,
        session: SessionId,
    ) -> Result<(), AccessError> {
        self.require_self_or(caller, user, Action::Manage)?;
        let known = self.sessions_of(caller, user).await?;
        if !known.iter().any(|one| one.id == session) {
            return Err(AccessError::not_found("session", &session.to_string()));
        }
        self.end(caller, user, &EndedSessions::One(session)).await?;
        Ok(())
    }

    /// Ends every session of a user but one; tells how many.
    pub async fn end_other_sessions(
        &self,
        caller: &Caller,
        user: UserId,
        but: SessionId,
    ) -> Result<usize, AccessError> {
        self.require_self_or(caller, user, Action::Manage)?;
        self.end(caller, user, &EndedSessions::Others(user, but)).await
    }

    /// Ends every session of a user, and with them the clients that were authorized in them; tells how many sessions.
    pub async fn end_all_sessions(&self, caller: &Caller, user: UserId) -> Result<usize, AccessError> {
        self.require_self_or(caller, user, Action::Manage)?;
        self.end(caller, user, &EndedSessions::OfUser(user)).await
    }

    async fn end(&self, caller: &Caller, user: UserId, which: &EndedSessions) -> Result<usize, AccessError> {
        // Written first: what ends without a word in the log did not happen.
        let mut event = self.event("session.end", caller);
        event.target = Some(format!("user:{user}"));
        let one = match which {
            EndedSessions::One(id) => Some(id.to_string()),
            _ => None,
        };
        event.detail = Some(json!({ "session": one }));
        self.parts.journal.append(&event)?;
        let ended = self.parts.sessions.end_sessions(which).await?;
        self.end_authorizations(&ended).await;
        Ok(ended.sessions.len())
    }

    /// Ends what clients were allowed in sessions that ended. What cannot be ended is told in the log: the session is over
    /// all the same.
    pub(crate) async fn end_authorizations(&self, ended: &Ended) {
        for authorization in &ended.authorizations {
            if let Err(error) = self.end_authorization(*authorization).await {
                tracing::error!(authorization.id = %authorization, %error, "An authorization could not be ended with the session that it was made in");
            }
        }
    }

    fn require_self_or(&self, caller: &Caller, user: UserId, action: Action) -> Result<(), AccessError> {
        // A key that acts for a user is not the user: sessions are for people.
        if caller.principal == Principal::User(user) && caller.key.is_none() {
            return Ok(());
        }
        let what = "look after the sessions of others";
        self.require(caller, (action, &Target::Installation), what)
            .map(drop)
    }

    pub(crate) fn user(&self, id: UserId) -> Option<Caller> {
        self.state.load().user(id).cloned()
    }
}
