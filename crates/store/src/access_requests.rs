//! Requests for access. Only one that is granted is a change of the catalogue: its grant is what decisions depend on.

use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::access_request::{AccessDecision, AccessRequest, AccessRequestState, AskedAccess};
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Principal;
use portreeve_core::grant::Grant;
use portreeve_core::id::AccessRequestId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{AccessRequestStore, StoreError};
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::identity::insert_grant;
use crate::store::Store;

macro_rules! columns {
    () => {
        "id, server, principal, caller, member_of, tools, reason, wished_ms, asked_at, expires_at, state, decided_by, \
         decided_at, note, grant_id, granted_until"
    };
}

const ONE: &str = concat!("SELECT ", columns!(), " FROM access_requests WHERE id = $1");
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM access_requests WHERE state = 'open' AND expires_at > $1 AND id > $2 ORDER BY id LIMIT $3"
);
const OPEN_OF: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM access_requests WHERE principal = $1 AND state = 'open' AND expires_at > $2 ORDER BY id"
);
const OF: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM access_requests WHERE principal = $1 AND (server = $2 OR $2 = '') ORDER BY id DESC LIMIT $3"
);
const INSERT: &str = concat!(
    "INSERT INTO access_requests (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, NULL, NULL, NULL, NULL)"
);
const DECIDE: &str = "UPDATE access_requests SET state = $2, decided_by = $3, decided_at = $4, note = $5, \
    grant_id = $6, granted_until = $7 WHERE id = $1 AND state = 'open' AND expires_at > $4";
const PURGE: &str = "DELETE FROM access_requests WHERE expires_at < $1 AND (decided_at IS NULL OR decided_at < $1) \
    RETURNING id";

#[async_trait]
impl AccessRequestStore for Store {
    async fn ask_access(
        &self,
        request: &AccessRequest,
        most: usize,
        event: AuditEvent,
    ) -> Result<AskedAccess, StoreError> {
        let mut change = Change::begin(self).await?;
        let open = Sql::new(OPEN_OF)
            .bind(request.principal.to_string())
            .bind(request.asked_at);
        let rows = change.rows(open).await?;
        let open: Vec<AccessRequest> = rows.iter().map(request_of).collect::<Result<_, _>>()?;
        let is_same = |open: &AccessRequest| {
            let (had, asked) = (open.server.as_str(), request.server.as_str());
            had.eq_ignore_ascii_case(asked)
        };
        let is_full = open.len() >= most;
        if let Some(waits) = open.into_iter().find(is_same) {
            return Ok(AskedAccess::Waits(Box::new(waits)));
        }
        if is_full {
            return Ok(AskedAccess::TooMany);
        }
        let sql = Sql::new(INSERT)
            .bind(request.id.to_string())
            .bind(request.server.as_str())
            .bind(request.principal.to_string())
            .bind(&request.caller)
            .bind(json_text("member_of", &request.groups)?)
            .bind(json_text("tools", &request.tools)?)
            .bind(&request.reason)
            .bind(request.wished.map(millis))
            .bind(request.asked_at)
            .bind(request.expires_at)
            .bind(request.state.as_str());
        change.execute(sql).await?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(AskedAccess::New)
    }

    async fn access_request(&self, id: AccessRequestId) -> Result<Option<AccessRequest>, StoreError> {
        let row = self.engine().row(Sql::new(ONE).bind(id.to_string())).await?;
        row.as_ref().map(request_of).transpose()
    }

    async fn open_access_requests(
        &self,
        now: Timestamp,
        after: Option<AccessRequestId>,
        most: usize,
    ) -> Result<Vec<AccessRequest>, StoreError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let sql = Sql::new(OPEN).bind(now).bind(after).bind(most as u64);
        let rows = self.engine().rows(sql).await?;
        rows.iter().map(request_of).collect()
    }

    async fn access_requests_of(
        &self,
        principal: Principal,
        server: Option<&ServerName>,
        most: usize,
    ) -> Result<Vec<AccessRequest>, StoreError> {
        let sql = Sql::new(OF)
            .bind(principal.to_string())
            .bind(server.map_or("", ServerName::as_str))
            .bind(most as u64);
        let rows = self.engine().rows(sql).await?;
        rows.iter().map(request_of).collect()
    }

    async fn close_access_request(
        &self,
        id: AccessRequestId,
        decision: &AccessDecision,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        decide(&mut change, id, decision, None).await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn grant_access_request(
        &self,
        id: AccessRequestId,
        decision: &AccessDecision,
        grant: &Grant,
        events: [AuditEvent; 2],
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        decide(&mut change, id, decision, Some(grant)).await?;
        insert_grant(&mut change, grant).await?;
        change.record(&events).await?;
        change.publish().await
    }

    async fn purge_access_requests(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.engine().write(Sql::new(PURGE).bind(before)).await?.len() as u64)
    }
}

async fn decide(
    change: &mut Change,
    id: AccessRequestId,
    decision: &AccessDecision,
    grant: Option<&Grant>,
) -> Result<(), StoreError> {
    let sql = Sql::new(DECIDE)
        .bind(id.to_string())
        .bind(decision.state.as_str())
        .bind(&decision.by)
        .bind(decision.at)
        .bind(decision.note.as_deref())
        .bind(grant.map(|grant| grant.id.to_string()))
        .bind(grant.and_then(|grant| grant.expires_at));
    if change.execute(sql).await? == 0 {
        return Err(StoreError::Conflict {
            what: format!("the request for access `{id}`"),
        });
    }
    Ok(())
}

/// A span as a moment that far from the beginning, which is how optional numbers are bound.
fn millis(span: Duration) -> Timestamp {
    Timestamp::from_millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

fn request_of(row: &Row) -> Result<AccessRequest, StoreError> {
    let wished = row.optional_integer("wished_ms")?;
    Ok(AccessRequest {
        id: row.parsed("id")?,
        server: row.parsed("server")?,
        principal: row.parsed("principal")?,
        caller: row.text("caller")?,
        groups: row.json("member_of")?,
        tools: row.json("tools")?,
        reason: row.text("reason")?,
        wished: wished.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or_default())),
        asked_at: row.moment("asked_at")?,
        expires_at: row.moment("expires_at")?,
        state: row.word("state", AccessRequestState::from_word)?,
        decided_by: row.optional_text("decided_by")?,
        decided_at: row.optional_moment("decided_at")?,
        note: row.optional_text("note")?,
        grant: row.optional_parsed("grant_id")?,
        granted_until: row.optional_moment("granted_until")?,
    })
}
