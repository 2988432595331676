//! Calls that wait for a person. What routes do does not depend on them, so they are no change of the catalogue.

use std::collections::BTreeSet;

use async_trait::async_trait;
use portreeve_core::approval::{ApprovalDecision, ApprovalState, CallApproval};
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::ApprovalId;
use portreeve_core::ports::{ApprovalStore, StoreError};
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::store::Store;

macro_rules! columns {
    () => {
        "id, digest, route, slug, server, tool, arguments, principal, caller, approvers, by_caller, asked_at, \
         expires_at, state, decided_by, decided_at, reason"
    };
}

const ONE: &str = concat!("SELECT ", columns!(), " FROM call_approvals WHERE id = $1");
/// One that is denied stands for its time: who was refused is not asked for again with every try.
const OF_CALL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM call_approvals WHERE digest = $1 AND expires_at > $2 AND state <> 'used' ORDER BY asked_at DESC, id DESC LIMIT 1"
);
const WAITING: &str = "SELECT COUNT(*) AS waiting FROM call_approvals WHERE principal = $1 AND state = 'waiting' \
    AND expires_at > $2";
const INSERT: &str = concat!(
    "INSERT INTO call_approvals (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, NULL, NULL, NULL)"
);
/// The innermost choice names one row: of two approvals of one call, one is used.
const USE: &str = concat!(
    "UPDATE call_approvals SET state = 'used' WHERE state = 'approved' AND id = (SELECT id FROM call_approvals \
     WHERE digest = $1 AND state = 'approved' AND expires_at > $2 ORDER BY asked_at, id LIMIT 1) RETURNING ",
    columns!()
);
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM call_approvals WHERE expires_at > $1 AND state <> 'used' AND id > $2 ORDER BY id LIMIT $3"
);
const DECIDE: &str = "UPDATE call_approvals SET state = $2, decided_by = $3, decided_at = $4, reason = $5 \
    WHERE id = $1 AND state = 'waiting' AND expires_at > $4";

#[async_trait]
impl ApprovalStore for Store {
    async fn ask_approval(
        &self,
        approval: &CallApproval,
        most: usize,
        event: AuditEvent,
    ) -> Result<CallApproval, StoreError> {
        let now = approval.asked_at;
        let known = || Sql::new(OF_CALL).bind(&approval.digest).bind(now);
        // A call that waits asks again each second: nobody who changes something waits for that.
        if let Some(row) = self.engine().row(known()).await? {
            return approval_of(&row);
        }
        let mut change = Change::begin(self).await?;
        let known = known();
        if let Some(row) = change.row(known).await? {
            return approval_of(&row);
        }
        let waiting = Sql::new(WAITING).bind(approval.principal.to_string()).bind(now);
        let waiting = change
            .row(waiting)
            .await?
            .map_or(Ok(0), |row| row.count("waiting"))?;
        if waiting >= most as u64 {
            return Err(StoreError::Conflict {
                what: format!(
                    "`{}` has {most} calls that wait, which is the most, so another one",
                    approval.caller
                ),
            });
        }
        let sql = Sql::new(INSERT)
            .bind(approval.id.to_string())
            .bind(&approval.digest)
            .bind(approval.route.to_string())
            .bind(approval.slug.as_str())
            .bind(approval.server.as_str())
            .bind(&approval.tool)
            .bind(&approval.arguments)
            .bind(approval.principal.to_string())
            .bind(&approval.caller)
            .bind(json_text("approvers", &approval.approvers)?)
            .bind(approval.by_caller)
            .bind(approval.asked_at)
            .bind(approval.expires_at)
            .bind(approval.state.as_str());
        change.execute(sql).await?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(approval.clone())
    }

    async fn use_approval(&self, digest: &str, now: Timestamp) -> Result<Option<CallApproval>, StoreError> {
        let rows = self.engine().write(Sql::new(USE).bind(digest).bind(now)).await?;
        rows.first().map(approval_of).transpose()
    }

    async fn approval(&self, id: ApprovalId) -> Result<Option<CallApproval>, StoreError> {
        let row = self.engine().row(Sql::new(ONE).bind(id.to_string())).await?;
        row.as_ref().map(approval_of).transpose()
    }

    async fn approvals(
        &self,
        now: Timestamp,
        after: Option<ApprovalId>,
        most: usize,
    ) -> Result<Vec<CallApproval>, StoreError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let sql = Sql::new(OPEN).bind(now).bind(after).bind(most as u64);
        let rows = self.engine().rows(sql).await?;
        rows.iter().map(approval_of).collect()
    }

    async fn decide_approval(
        &self,
        id: ApprovalId,
        decision: &ApprovalDecision,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let state = if decision.allowed {
            ApprovalState::Approved
        } else {
            ApprovalState::Denied
        };
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(DECIDE)
            .bind(id.to_string())
            .bind(state.as_str())
            .bind(&decision.by)
            .bind(decision.at)
            .bind(decision.reason.as_deref());
        if change.execute(sql).await? == 0 {
            return Err(StoreError::Conflict {
                what: format!("the approval `{id}`"),
            });
        }
        change.record(&[event]).await?;
        change.save().await
    }

    async fn purge_approvals(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = Sql::new("DELETE FROM call_approvals WHERE expires_at < $1 RETURNING id").bind(before);
        Ok(self.engine().write(sql).await?.len() as u64)
    }
}

fn approval_of(row: &Row) -> Result<CallApproval, StoreError> {
    Ok(CallApproval {
        id: row.parsed("id")?,
        digest: row.text("digest")?,
        route: row.parsed("route")?,
        slug: row.parsed("slug")?,
        server: row.parsed("server")?,
        tool: row.text("tool")?,
        arguments: row.text("arguments")?,
        principal: row.parsed("principal")?,
        caller: row.text("caller")?,
        approvers: row.json::<BTreeSet<String>>("approvers")?,
        by_caller: row.boolean("by_caller")?,
        asked_at: row.moment("asked_at")?,
        expires_at: row.moment("expires_at")?,
        state: row.word("state", ApprovalState::from_word)?,
        decided_by: row.optional_text("decided_by")?,
        decided_at: row.optional_moment("decided_at")?,
        reason: row.optional_text("reason")?,
    })
}
