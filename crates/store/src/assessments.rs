//! The last assessment of each version. Decisions do not depend on them, so they count as no change of the catalogue.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{AssessmentStore, Imported, Sought, StoreError, StoredAssessment, Unassessed};
use portreeve_core::server::Approval;
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::Sql;
use crate::entries::last_among;
use crate::store::Store;

#[async_trait]
impl AssessmentStore for Store {
    async fn assessment(
        &self,
        name: &ServerName,
        version: &VersionText,
    ) -> Result<Option<StoredAssessment>, StoreError> {
        let sql = Sql::new(
            "SELECT server, version, content_hash, assessed_at, tools, findings FROM assessments \
             WHERE server = $1 AND version = $2",
        )
        .bind(name.as_str())
        .bind(version.as_str());
        let rows = self.engine().rows(sql).await?;
        let stored = rows.first().map(|row| {
            Ok(StoredAssessment {
                name: row.parsed("server")?,
                version: row.parsed("version")?,
                content_hash: row.text("content_hash")?,
                at: row.moment("assessed_at")?,
                tools: row.count("tools")?,
                findings: row.text("findings")?,
            })
        });
        stored.transpose()
    }

    async fn save_assessment(
        &self,
        assessment: &StoredAssessment,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        // Without the look at its version, one that was removed meanwhile would be a failure of the database.
        let sql = Sql::new(
            "INSERT INTO assessments (server, version, content_hash, assessed_at, tools, findings) \
             SELECT server, version, $3, $4, $5, $6 FROM versions WHERE server = $1 AND version = $2 \
             ON CONFLICT (server, version) DO UPDATE SET content_hash = excluded.content_hash, \
             assessed_at = excluded.assessed_at, tools = excluded.tools, findings = excluded.findings",
        )
        .bind(assessment.name.as_str())
        .bind(assessment.version.as_str())
        .bind(&assessment.content_hash)
        .bind(assessment.at)
        .bind(assessment.tools)
        .bind(&assessment.findings);
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("version `{}` of server `{}`", assessment.version, assessment.name),
            });
        }
        change.record(events).await?;
        change.save().await
    }

    async fn unassessed(
        &self,
        since: Timestamp,
        sought: Sought,
        behind: Option<&ServerName>,
        among: u32,
    ) -> Result<Unassessed, StoreError> {
        let last = last_among(self.engine(), behind, among).await?;
        let approval = match sought {
            Sought::Waiting(_) => Approval::Submitted,
            Sought::Listed => Approval::Approved,
        };
        let mut sql = Sql::new(
            "SELECT v.server AS server, v.version AS version FROM versions v LEFT JOIN assessments a \
             ON a.server = v.server AND a.version = v.version WHERE v.server > $1 \
             AND v.approval = $4 AND v.lifecycle <> 'retired' \
             AND ($2 OR NOT EXISTS (SELECT 1 FROM provenance p \
             WHERE p.server = v.server AND p.version = v.version AND NOT p.awaits_assessment)) \
             AND (a.assessed_at IS NULL OR a.assessed_at < $3 OR a.content_hash <> v.content_hash)",
        )
        .bind(behind.map_or("", ServerName::as_str))
        .bind(sought != Sought::Waiting(Imported::Left))
        .bind(since)
        .bind(approval.as_str());
        if let Some(last) = &last {
            sql.push_bound(" AND v.server <= ", last.as_str());
        }
        sql.push(" ORDER BY coalesce(a.assessed_at, 0), v.server, v.version");
        let rows = self.engine().rows(sql).await?;
        let versions = rows
            .iter()
            .map(|row| Ok((row.parsed("server")?, row.parsed("version")?)));
        Ok(Unassessed {
            versions: versions.collect::<Result<_, StoreError>>()?,
            last,
        })
    }
}
