//! How people sign in, in memory: links, sessions, attempts, passwords and codes.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::{AuthorizationId, SessionId, UserId};
use portreeve_core::ports::{
    CredentialStore, Credentials, Ended, LinkPurpose, SessionStore, SignInAttempt, StoreError,
};
use portreeve_core::time::Timestamp;
use portreeve_core::user::{EndedSessions, Session};

use crate::house::{Memory, not_found};

#[async_trait]
impl SessionStore for Memory {
    async fn add_link(
        &self,
        hash: &str,
        user: UserId,
        purpose: LinkPurpose,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut links = self.links.lock().unwrap();
        links.insert(hash.to_owned(), (user, purpose, expires_at));
        Ok(())
    }

    async fn take_link(
        &self,
        hash: &str,
        purpose: LinkPurpose,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let mut links = self.links.lock().unwrap();
        if links.get(hash).is_none_or(|link| link.1 != purpose) {
            return Ok(None);
        }
        let link = links.remove(hash);
        Ok(link.filter(|(_, _, until)| now < *until).map(|(user, ..)| user))
    }

    async fn add_session(&self, hash: &str, session: &Session) -> Result<(), StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        sessions.insert(hash.to_owned(), session.clone());
        Ok(())
    }

    async fn session(
        &self,
        hash: &str,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let session = self.sessions.lock().unwrap().get(hash).cloned();
        Ok(session.filter(|session| now < session.expires_at && session.seen_at > idle_since))
    }

    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let touched = sessions.values_mut().filter(|session| session.id == id);
        touched.for_each(|session| session.seen_at = at);
        Ok(())
    }

    async fn sessions_of(
        &self,
        user: UserId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let sessions = self.sessions.lock().unwrap();
        let mut found: Vec<Session> = sessions
            .values()
            .filter(|one| one.user == user && now < one.expires_at && one.seen_at > idle_since)
            .cloned()
            .collect();
        found.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(found)
    }

    async fn end_sessions(&self, which: &EndedSessions) -> Result<Ended, StoreError> {
        let is_meant = |hash: &str, session: &Session| match which {
            EndedSessions::OfSecret(secret) => hash == secret,
            EndedSessions::One(id) => session.id == *id,
            EndedSessions::OfUser(user) => session.user == *user,
            EndedSessions::Others(user, but) => session.user == *user && session.id != *but,
            EndedSessions::OfProvider { issuer, session: sid } => {
                session.issuer.as_ref() == Some(issuer) && session.provider_session.as_ref() == Some(sid)
            }
            EndedSessions::OfSubject { issuer, user, before } => {
                session.issuer.as_ref() == Some(issuer)
                    && session.user == *user
                    && session.created_at <= *before
            }
        };
        let mut ended = Ended::default();
        self.sessions.lock().unwrap().retain(|hash, session| {
            let is_over = is_meant(hash, session);
            ended.sessions.extend(is_over.then(|| session.clone()));
            !is_over
        });
        self.authorizations.lock().unwrap().retain(|(session, id)| {
            let is_over = ended.sessions.iter().any(|one| one.id == *session);
            ended.authorizations.extend(is_over.then_some(*id));
            !is_over
        });
        Ok(ended)
    }

    async fn note_authorization(
        &self,
        session: &Session,
        authorization: AuthorizationId,
        _at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut authorizations = self.authorizations.lock().unwrap();
        authorizations.push((session.id, authorization));
        Ok(())
    }

    async fn add_attempt(&self, attempt: &SignInAttempt) -> Result<(), StoreError> {
        let mut attempts = self.attempts.lock().unwrap();
        attempts.insert(attempt.state_hash.clone(), attempt.clone());
        Ok(())
    }

    async fn take_attempt(
        &self,
        state_hash: &str,
        now: Timestamp,
    ) -> Result<Option<SignInAttempt>, StoreError> {
        let attempt = self.attempts.lock().unwrap().remove(state_hash);
        Ok(attempt.filter(|attempt| now < attempt.expires_at))
    }

    async fn purge_expired(&self, now: Timestamp, idle_since: Timestamp) -> Result<(), StoreError> {
        self.links.lock().unwrap().retain(|_, (_, _, until)| now < *until);
        let mut sessions = self.sessions.lock().unwrap();
        sessions.retain(|_, session| now < session.expires_at && session.seen_at > idle_since);
        Ok(())
    }
}

#[async_trait]
impl CredentialStore for Memory {
    async fn credentials(&self, user: UserId) -> Result<Credentials, StoreError> {
        let credentials = self.credentials.lock().unwrap();
        Ok(credentials
            .get(&user)
            .map(|kept| kept.shown.clone())
            .unwrap_or_default())
    }

    async fn set_password(&self, user: UserId, hash: &str, event: AuditEvent) -> Result<(), StoreError> {
        let mut credentials = self.credentials.lock().unwrap();
        credentials.entry(user).or_default().shown.password = Some(hash.to_owned());
        self.note(event);
        Ok(())
    }

    async fn remove_credentials(&self, user: UserId, event: AuditEvent) -> Result<(), StoreError> {
        self.credentials.lock().unwrap().remove(&user);
        self.note(event);
        Ok(())
    }

    async fn offer_codes(&self, user: UserId, sealed: &str) -> Result<bool, StoreError> {
        let mut credentials = self.credentials.lock().unwrap();
        let Some(kept) = credentials
            .get_mut(&user)
            .filter(|kept| !kept.shown.codes_confirmed)
        else {
            return Ok(false);
        };
        kept.shown.code_secret = Some(sealed.to_owned());
        Ok(true)
    }

    async fn confirm_codes(
        &self,
        user: UserId,
        step: i64,
        recovery: &[String],
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut credentials = self.credentials.lock().unwrap();
        let kept = credentials.get_mut(&user).ok_or_else(|| not_found("codes"))?;
        kept.shown.codes_confirmed = true;
        (kept.step, kept.recovery) = (step, recovery.to_vec());
        self.note(event);
        Ok(())
    }

    async fn remove_codes(&self, user: UserId, event: AuditEvent) -> Result<(), StoreError> {
        let mut credentials = self.credentials.lock().unwrap();
        let kept = credentials.entry(user).or_default();
        (kept.shown.codes_confirmed, kept.shown.code_secret) = (false, None);
        self.note(event);
        Ok(())
    }

    async fn use_step(&self, user: UserId, step: i64) -> Result<bool, StoreError> {
        let mut credentials = self.credentials.lock().unwrap();
        let kept = credentials.get_mut(&user).ok_or_else(|| not_found("codes"))?;
        let is_free = kept.step < step;
        kept.step = kept.step.max(step);
        Ok(is_free)
    }

    async fn use_recovery_code(&self, user: UserId, hash: &str) -> Result<bool, StoreError> {
        let mut credentials = self.credentials.lock().unwrap();
        let kept = credentials.get_mut(&user).ok_or_else(|| not_found("codes"))?;
        let place = kept.recovery.iter().position(|code| code == hash);
        place.map(|place| kept.recovery.remove(place));
        Ok(place.is_some())
    }
}
