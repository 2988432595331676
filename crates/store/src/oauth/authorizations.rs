//! Authorizations: codes and refresh tokens, each good once. What changes their state is one statement that names the
//! state it expects, so that of two requests with one token, on whichever nodes, one wins.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Principal;
use portreeve_core::id::{AuthorizationId, UserId};
use portreeve_core::oauth::{
    Authorization, AuthorizationCode, ClientId, Consent, PendingAuthorization, RefreshToken,
};
use portreeve_core::ports::{Approval, AuthorizationStore, StoreError};
use portreeve_core::time::Timestamp;

use super::{authorization_of, scopes_of};
use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::store::Store;

const CODE: &str = "SELECT c.hash, c.redirect_uri, c.challenge, c.expires_at, c.redeemed_at, a.id, a.client, a.principal, \
    a.resource, a.scopes, a.signed_in_at, a.granted_at, a.used_at, a.ended_at \
    FROM oauth_codes c JOIN oauth_authorizations a \
    ON a.id = c.authorization_id WHERE c.hash = $1";
const REFRESH: &str = "SELECT r.hash, r.expires_at, r.spent_at, r.successor, a.id, a.client, a.principal, a.resource, \
    a.scopes, a.signed_in_at, a.granted_at, a.used_at, a.ended_at FROM oauth_refresh_tokens r JOIN oauth_authorizations a \
    ON a.id = r.authorization_id WHERE r.hash = $1";
const REDEEM: &str = "UPDATE oauth_codes SET redeemed_at = $2 WHERE hash = $1 AND redeemed_at IS NULL \
    AND expires_at > $2 AND EXISTS (SELECT 1 FROM oauth_authorizations a WHERE a.id = oauth_codes.authorization_id \
    AND a.ended_at IS NULL) RETURNING authorization_id";
const ROTATE: &str = "UPDATE oauth_refresh_tokens SET spent_at = $2, successor = $3 WHERE hash = $1 \
    AND spent_at IS NULL AND expires_at > $2 AND EXISTS (SELECT 1 FROM oauth_authorizations a \
    WHERE a.id = oauth_refresh_tokens.authorization_id AND a.ended_at IS NULL) RETURNING authorization_id";
const CONSENTS: &str = "SELECT consent_key, user_id, client, snapshot, redirect_host, resource, scopes, given_at \
    FROM oauth_consents WHERE user_id = $1 AND client = $2 AND resource = $3 ORDER BY consent_key";
const OF_USER: &str = "SELECT id, client, principal, resource, scopes, signed_in_at, granted_at, used_at, ended_at \
    FROM oauth_authorizations WHERE principal = $1 AND ended_at IS NULL ORDER BY granted_at DESC, id DESC LIMIT 1000";

#[async_trait]
impl AuthorizationStore for Store {
    async fn add_pending(&self, pending: &PendingAuthorization) -> Result<(), StoreError> {
        self.add_request(pending).await
    }

    async fn pending(&self, hash: &str, now: Timestamp) -> Result<Option<PendingAuthorization>, StoreError> {
        self.request(hash, now).await
    }

    async fn refuse(&self, hash: &str, session: &str, event: AuditEvent) -> Result<bool, StoreError> {
        self.refuse_request((hash, session), event).await
    }

    async fn approve(
        &self,
        approval: &Approval,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        self.approve_request(approval, now, event).await
    }

    async fn consents(
        &self,
        user: UserId,
        client: &ClientId,
        resource: &str,
    ) -> Result<Vec<Consent>, StoreError> {
        let sql = Sql::new(CONSENTS).bind(user.to_string()).bind(client.as_str());
        let rows = self.engine().rows(sql.bind(resource)).await?;
        rows.iter().map(consent_of).collect()
    }

    async fn code(&self, hash: &str) -> Result<Option<(AuthorizationCode, Authorization)>, StoreError> {
        let row = self.engine().row(Sql::new(CODE).bind(hash)).await?;
        let read = |row: &Row| {
            let authorization = authorization_of(row)?;
            let code = AuthorizationCode {
                hash: row.text("hash")?,
                authorization: authorization.id,
                redirect_uri: row.text("redirect_uri")?,
                challenge: row.text("challenge")?,
                expires_at: row.moment("expires_at")?,
                redeemed_at: row.optional_moment("redeemed_at")?,
            };
            Ok((code, authorization))
        };
        row.as_ref().map(read).transpose()
    }

    async fn redeem(
        &self,
        hash: &str,
        refresh: Option<&RefreshToken>,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut change = Change::begin(self).await?;
        let redeemed = change.row(Sql::new(REDEEM).bind(hash).bind(now)).await?;
        let Some(row) = redeemed else {
            return Ok(false);
        };
        if let Some(refresh) = refresh {
            change.execute(add_refresh(refresh)).await?;
        }
        used(&mut change, &row.text("authorization_id")?, now).await?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(true)
    }

    async fn refresh_token(&self, hash: &str) -> Result<Option<(RefreshToken, Authorization)>, StoreError> {
        let row = self.engine().row(Sql::new(REFRESH).bind(hash)).await?;
        let read = |row: &Row| {
            let authorization = authorization_of(row)?;
            let token = RefreshToken {
                hash: row.text("hash")?,
                authorization: authorization.id,
                expires_at: row.moment("expires_at")?,
                spent_at: row.optional_moment("spent_at")?,
                successor: row.optional_text("successor")?,
            };
            Ok((token, authorization))
        };
        row.as_ref().map(read).transpose()
    }

    async fn rotate(
        &self,
        hash: &str,
        (sealed, next): (&str, &RefreshToken),
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(ROTATE).bind(hash).bind(now).bind(sealed);
        let Some(row) = change.row(sql).await? else {
            return Ok(false);
        };
        change.execute(add_refresh(next)).await?;
        used(&mut change, &row.text("authorization_id")?, now).await?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(true)
    }

    async fn end(&self, id: AuthorizationId, now: Timestamp, event: AuditEvent) -> Result<bool, StoreError> {
        let mut change = Change::begin(self).await?;
        let sql =
            Sql::new("UPDATE oauth_authorizations SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL");
        if change.execute(sql.bind(id.to_string()).bind(now)).await? == 0 {
            return Ok(false);
        }
        change.record(&[event]).await?;
        change.save().await?;
        Ok(true)
    }

    async fn authorizations(&self, user: UserId) -> Result<Vec<Authorization>, StoreError> {
        let sql = Sql::new(OF_USER).bind(Principal::User(user).to_string());
        let rows = self.engine().rows(sql).await?;
        rows.iter().map(authorization_of).collect()
    }

    async fn withdraw(
        &self,
        user: UserId,
        client: &ClientId,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<Vec<AuthorizationId>, StoreError> {
        let mut change = Change::begin(self).await?;
        let consents = Sql::new("DELETE FROM oauth_consents WHERE user_id = $1 AND client = $2");
        change
            .execute(consents.bind(user.to_string()).bind(client.as_str()))
            .await?;
        let ended = Sql::new(
            "UPDATE oauth_authorizations SET ended_at = $3 WHERE principal = $1 AND client = $2 \
             AND ended_at IS NULL RETURNING id",
        )
        .bind(Principal::User(user).to_string())
        .bind(client.as_str())
        .bind(now);
        let rows = change.rows(ended).await?;
        let ended = rows
            .iter()
            .map(|row| row.parsed("id"))
            .collect::<Result<_, _>>()?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(ended)
    }
}

fn add_refresh(token: &RefreshToken) -> Sql {
    Sql::new(
        "INSERT INTO oauth_refresh_tokens (hash, authorization_id, expires_at, spent_at, successor) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&token.hash)
    .bind(token.authorization.to_string())
    .bind(token.expires_at)
    .bind(token.spent_at)
    .bind(token.successor.clone())
}

async fn used(change: &mut Change, authorization: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = Sql::new("UPDATE oauth_authorizations SET used_at = $2 WHERE id = $1");
    change.execute(sql.bind(authorization).bind(now)).await.map(drop)
}

fn consent_of(row: &Row) -> Result<Consent, StoreError> {
    Ok(Consent {
        key: row.text("consent_key")?,
        user: row.parsed("user_id")?,
        client: row.parsed("client")?,
        snapshot: row.text("snapshot")?,
        redirect_host: row.text("redirect_host")?,
        resource: row.text("resource")?,
        scopes: scopes_of(row)?,
        given_at: row.moment("given_at")?,
    })
}
