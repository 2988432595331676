//! Requests that wait, and what becomes of them.

use portreeve_core::audit::AuditEvent;
use portreeve_core::oauth::{Authorization, AuthorizationCode, Consent, PendingAuthorization};
use portreeve_core::ports::{Approval, StoreError};
use portreeve_core::time::Timestamp;

use super::scopes_of;
use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::store::Store;

const ADD: &str = "INSERT INTO oauth_pending (hash, session, user_id, client, snapshot, redirect_uri, state, challenge, \
    resource, scopes, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const ONE: &str = "SELECT hash, session, user_id, client, snapshot, redirect_uri, state, challenge, resource, scopes, \
    expires_at FROM oauth_pending WHERE hash = $1 AND expires_at > $2";
const CONSENT: &str = "INSERT INTO oauth_consents (consent_key, user_id, client, snapshot, redirect_host, resource, \
    scopes, given_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (consent_key) DO UPDATE SET \
    scopes = excluded.scopes, given_at = excluded.given_at";

impl Store {
    pub(super) async fn add_request(&self, pending: &PendingAuthorization) -> Result<(), StoreError> {
        let sql = Sql::new(ADD)
            .bind(&pending.hash)
            .bind(&pending.session)
            .bind(pending.user.to_string())
            .bind(pending.client.as_str())
            .bind(&pending.snapshot)
            .bind(&pending.redirect_uri)
            .bind(pending.state.clone())
            .bind(&pending.challenge)
            .bind(pending.resource.clone())
            .bind(pending.scopes.to_string())
            .bind(pending.expires_at);
        self.engine().write(sql).await.map(drop)
    }

    pub(super) async fn request(
        &self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<PendingAuthorization>, StoreError> {
        let row = self.engine().row(Sql::new(ONE).bind(hash).bind(now)).await?;
        row.as_ref().map(pending_of).transpose()
    }

    pub(super) async fn refuse_request(
        &self,
        (hash, session): (&str, &str),
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut change = Change::begin(self).await?;
        if !taken(&mut change, hash, session).await? {
            return Ok(false);
        }
        change.record(&[event]).await?;
        change.save().await?;
        Ok(true)
    }

    pub(super) async fn approve_request(
        &self,
        approval: &Approval,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut change = Change::begin(self).await?;
        if let Some((hash, session)) = &approval.pending {
            let waits = Sql::new(ONE).bind(hash).bind(now);
            if change.row(waits).await?.is_none() || !taken(&mut change, hash, session).await? {
                return Ok(false);
            }
        }
        if let Some(consent) = &approval.consent {
            change.execute(consent_sql(consent)).await?;
        }
        change.execute(authorization_sql(&approval.authorization)).await?;
        change.execute(code_sql(&approval.code)).await?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(true)
    }
}

/// Taken by deleting it: of two that decide, one gets the row.
async fn taken(change: &mut Change, hash: &str, session: &str) -> Result<bool, StoreError> {
    let sql = Sql::new("DELETE FROM oauth_pending WHERE hash = $1 AND session = $2");
    Ok(change.execute(sql.bind(hash).bind(session)).await? > 0)
}

fn consent_sql(consent: &Consent) -> Sql {
    Sql::new(CONSENT)
        .bind(&consent.key)
        .bind(consent.user.to_string())
        .bind(consent.client.as_str())
        .bind(&consent.snapshot)
        .bind(&consent.redirect_host)
        .bind(&consent.resource)
        .bind(consent.scopes.to_string())
        .bind(consent.given_at)
}

fn authorization_sql(authorization: &Authorization) -> Sql {
    Sql::new(
        "INSERT INTO oauth_authorizations (id, client, principal, resource, scopes, granted_at, used_at, ended_at, \
         signed_in_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(authorization.id.to_string())
    .bind(authorization.client.as_str())
    .bind(authorization.principal.to_string())
    .bind(&authorization.resource)
    .bind(authorization.scopes.to_string())
    .bind(authorization.granted_at)
    .bind(authorization.used_at)
    .bind(authorization.ended_at)
    .bind(authorization.signed_in_at)
}

fn code_sql(code: &AuthorizationCode) -> Sql {
    Sql::new(
        "INSERT INTO oauth_codes (hash, authorization_id, redirect_uri, challenge, expires_at, redeemed_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&code.hash)
    .bind(code.authorization.to_string())
    .bind(&code.redirect_uri)
    .bind(&code.challenge)
    .bind(code.expires_at)
    .bind(code.redeemed_at)
}

fn pending_of(row: &Row) -> Result<PendingAuthorization, StoreError> {
    Ok(PendingAuthorization {
        hash: row.text("hash")?,
        session: row.text("session")?,
        user: row.parsed("user_id")?,
        client: row.parsed("client")?,
        snapshot: row.text("snapshot")?,
        redirect_uri: row.text("redirect_uri")?,
        state: row.optional_text("state")?,
        challenge: row.text("challenge")?,
        resource: row.optional_text("resource")?,
        scopes: scopes_of(row)?,
        expires_at: row.moment("expires_at")?,
    })
}
