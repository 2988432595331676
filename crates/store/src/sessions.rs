//! The portal's links, sessions and attempts to sign in. Decisions do not depend on them, so they are no change of the
//! catalogue.

use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::id::{AuthorizationId, SessionId, UserId};
use portreeve_core::ports::{Ended, LinkPurpose, SessionStore, SignInAttempt, StoreError};
use portreeve_core::time::Timestamp;
use portreeve_core::user::{EndedSessions, Session, SignInMethod};

use crate::engine::{Row, Sql};
use crate::store::Store;

/// How long it is known in which session a client was authorized.
const AUTHORIZATIONS_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

macro_rules! session_columns {
    () => {
        "id, user_id, method, authenticated_at, created_at, seen_at, expires_at, issuer, provider_session, agent"
    };
}

/// Deletes sessions of which that is true, and tells what they were.
macro_rules! end {
    ($which:literal) => {
        concat!(
            "DELETE FROM sessions WHERE ",
            $which,
            " RETURNING ",
            session_columns!()
        )
    };
}

/// Deletes what is known of authorizations of which that is true, and tells them.
macro_rules! end_authorizations {
    ($which:literal) => {
        concat!(
            "DELETE FROM session_authorizations WHERE ",
            $which,
            " RETURNING authorization_id"
        )
    };
}

#[async_trait]
impl SessionStore for Store {
    async fn add_link(
        &self,
        hash: &str,
        user: UserId,
        purpose: LinkPurpose,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = Sql::new(
            "INSERT INTO sign_in_links (hash, user_id, purpose, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(hash)
        .bind(user.to_string())
        .bind(purpose.as_str())
        .bind(expires_at);
        self.engine().write(sql).await.map(drop)
    }

    async fn take_link(
        &self,
        hash: &str,
        purpose: LinkPurpose,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        // Taken by deleting it: of two that come with the same link, one gets the row.
        let sql = Sql::new(
            "DELETE FROM sign_in_links WHERE hash = $1 AND purpose = $2 RETURNING user_id, expires_at",
        )
        .bind(hash)
        .bind(purpose.as_str());
        match self.engine().write(sql).await?.first() {
            Some(row) if now < row.moment("expires_at")? => row.parsed("user_id").map(Some),
            _ => Ok(None),
        }
    }

    async fn add_session(&self, hash: &str, session: &Session) -> Result<(), StoreError> {
        let sql = Sql::new(concat!(
            "INSERT INTO sessions (hash, ",
            session_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ))
        .bind(hash)
        .bind(session.id.to_string())
        .bind(session.user.to_string())
        .bind(session.method.as_str())
        .bind(session.authenticated_at)
        .bind(session.created_at)
        .bind(session.seen_at)
        .bind(session.expires_at)
        .bind(session.issuer.as_deref())
        .bind(session.provider_session.as_deref())
        .bind(session.agent.as_deref());
        self.engine().write(sql).await.map(drop)
    }

    async fn session(
        &self,
        hash: &str,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let sql = Sql::new(concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions WHERE hash = $1 AND expires_at > $2 AND seen_at > $3"
        ))
        .bind(hash)
        .bind(now)
        .bind(idle_since);
        let row = self.engine().row(sql).await?;
        row.as_ref().map(session_of).transpose()
    }

    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        let sql = Sql::new("UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2")
            .bind(id.to_string())
            .bind(at);
        self.engine().write(sql).await.map(drop)
    }

    async fn sessions_of(
        &self,
        user: UserId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let sql = Sql::new(concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3 ORDER BY created_at DESC, id"
        ))
        .bind(user.to_string())
        .bind(now)
        .bind(idle_since);
        self.engine().rows(sql).await?.iter().map(session_of).collect()
    }

    async fn end_sessions(&self, which: &EndedSessions) -> Result<Ended, StoreError> {
        let mut transaction = self.engine().begin().await?;
        let rows = transaction.rows(ended(which)).await?;
        let sessions: Vec<Session> = rows.iter().map(session_of).collect::<Result<_, _>>()?;
        let mut rows = match authorizations_ended(which) {
            Some(sql) => transaction.rows(sql).await?,
            None => Vec::new(),
        };
        // Who signs out in a browser goes on in their programs; what was allowed there is known on, for the day when the
        // provider ends it.
        let leaves = matches!(which, EndedSessions::OfSecret(_));
        for session in sessions.iter().filter(|_| !leaves) {
            let sql = Sql::new(end_authorizations!("session_id = $1")).bind(session.id.to_string());
            rows.extend(transaction.rows(sql).await?);
        }
        let authorizations = rows.iter().map(|row| row.parsed("authorization_id"));
        let authorizations = authorizations.collect::<Result<_, _>>()?;
        transaction.save().await?;
        Ok(Ended {
            sessions,
            authorizations,
        })
    }

    async fn note_authorization(
        &self,
        session: &Session,
        authorization: AuthorizationId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = Sql::new(
            "INSERT INTO session_authorizations (authorization_id, session_id, user_id, issuer, provider_session, \
             created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (authorization_id) DO NOTHING",
        )
        .bind(authorization.to_string())
        .bind(session.id.to_string())
        .bind(session.user.to_string())
        .bind(session.issuer.as_deref())
        .bind(session.provider_session.as_deref())
        .bind(at);
        self.engine().write(sql).await.map(drop)
    }

    async fn add_attempt(&self, attempt: &SignInAttempt) -> Result<(), StoreError> {
        let sql = Sql::new(
            "INSERT INTO sign_in_attempts (state_hash, browser_hash, provider, next, expires_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&attempt.state_hash)
        .bind(&attempt.browser_hash)
        .bind(&attempt.provider)
        .bind(&attempt.next)
        .bind(attempt.expires_at);
        self.engine().write(sql).await.map(drop)
    }

    async fn take_attempt(
        &self,
        state_hash: &str,
        now: Timestamp,
    ) -> Result<Option<SignInAttempt>, StoreError> {
        let sql = Sql::new(
            "DELETE FROM sign_in_attempts WHERE state_hash = $1 RETURNING state_hash, browser_hash, provider, next, \
             expires_at",
        )
        .bind(state_hash);
        match self.engine().write(sql).await?.first() {
            Some(row) if now < row.moment("expires_at")? => Ok(Some(SignInAttempt {
                state_hash: row.text("state_hash")?,
                browser_hash: row.text("browser_hash")?,
                provider: row.text("provider")?,
                next: row.text("next")?,
                expires_at: row.moment("expires_at")?,
            })),
            _ => Ok(None),
        }
    }

    async fn purge_expired(&self, now: Timestamp, idle_since: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.engine().begin().await?;
        let forgotten = now.minus(AUTHORIZATIONS_KEPT);
        for (text, before) in [
            ("DELETE FROM sign_in_links WHERE expires_at <= $1", now),
            ("DELETE FROM sessions WHERE expires_at <= $1", now),
            ("DELETE FROM sessions WHERE seen_at <= $1", idle_since),
            ("DELETE FROM sign_in_attempts WHERE expires_at <= $1", now),
            (
                "DELETE FROM session_authorizations WHERE created_at <= $1",
                forgotten,
            ),
        ] {
            transaction.execute(Sql::new(text).bind(before)).await?;
        }
        transaction.save().await
    }
}

fn ended(which: &EndedSessions) -> Sql {
    match which {
        EndedSessions::OfSecret(hash) => Sql::new(end!("hash = $1")).bind(hash),
        EndedSessions::One(id) => Sql::new(end!("id = $1")).bind(id.to_string()),
        EndedSessions::OfUser(user) => Sql::new(end!("user_id = $1")).bind(user.to_string()),
        EndedSessions::Others(user, but) => Sql::new(end!("user_id = $1 AND id <> $2"))
            .bind(user.to_string())
            .bind(but.to_string()),
        EndedSessions::OfProvider { issuer, session } => {
            Sql::new(end!("issuer = $1 AND provider_session = $2"))
                .bind(issuer)
                .bind(session)
        }
        EndedSessions::OfSubject { issuer, user, before } => {
            Sql::new(end!("issuer = $1 AND user_id = $2 AND created_at <= $3"))
                .bind(issuer)
                .bind(user.to_string())
                .bind(*before)
        }
    }
}

/// What ends although its session is over already.
fn authorizations_ended(which: &EndedSessions) -> Option<Sql> {
    match which {
        EndedSessions::OfUser(user) => {
            Some(Sql::new(end_authorizations!("user_id = $1")).bind(user.to_string()))
        }
        EndedSessions::OfProvider { issuer, session } => Some(
            Sql::new(end_authorizations!("issuer = $1 AND provider_session = $2"))
                .bind(issuer)
                .bind(session),
        ),
        EndedSessions::OfSubject { issuer, user, before } => Some(
            Sql::new(end_authorizations!(
                "issuer = $1 AND user_id = $2 AND created_at <= $3"
            ))
            .bind(issuer)
            .bind(user.to_string())
            .bind(*before),
        ),
        EndedSessions::OfSecret(_) | EndedSessions::One(_) | EndedSessions::Others(..) => None,
    }
}

fn session_of(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.parsed("id")?,
        user: row.parsed("user_id")?,
        method: row.word("method", SignInMethod::from_word)?,
        authenticated_at: row.moment("authenticated_at")?,
        created_at: row.moment("created_at")?,
        seen_at: row.moment("seen_at")?,
        expires_at: row.moment("expires_at")?,
        issuer: row.optional_text("issuer")?,
        provider_session: row.optional_text("provider_session")?,
        agent: row.optional_text("agent")?,
    })
}
