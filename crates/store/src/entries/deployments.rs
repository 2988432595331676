//! The deployments of a server, in force and proposed: read and saved together with their entry.

use portreeve_core::deployment::{Deployment, DeploymentState, Deployments, ProposedDeployments};
use portreeve_core::ports::StoreError;
use portreeve_core::server::Server;

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::{json_text, major_of, major_text};

/// The deployments of a server, by place.
pub(super) const OF_SERVER: &str = "SELECT proposed, environment, major, version, url, state, metadata \
    FROM deployments WHERE server = $1 ORDER BY environment, major";
/// The same of many servers, to be narrowed and ordered.
pub(super) const OF_SERVERS: &str = "SELECT d.server, d.proposed, d.environment, d.major, d.version, d.url, d.state, \
    d.metadata FROM servers s JOIN deployments d ON d.server = s.name";
const INSERT: &str = "INSERT INTO deployments (server, proposed, environment, major, version, url, state, metadata) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Reads what [`OF_SERVER`] found. Whoever proposed says that there is a proposal: it may be an empty one.
pub(super) fn read(rows: &[Row], proposed_by: Option<String>) -> Result<Deployments, StoreError> {
    let mut current = Vec::new();
    let mut proposed = Vec::new();
    for row in rows {
        let deployment = one(row)?;
        if row.boolean("proposed")? {
            proposed.push(deployment);
        } else {
            current.push(deployment);
        }
    }
    // The database orders `v10` before `v2`.
    current.sort_by_cached_key(Deployment::place);
    proposed.sort_by_cached_key(Deployment::place);
    Ok(Deployments {
        current,
        proposed: proposed_by.map(|by| ProposedDeployments {
            deployments: proposed,
            by,
        }),
    })
}

/// Reads one deployment.
pub(crate) fn one(row: &Row) -> Result<Deployment, StoreError> {
    Ok(Deployment {
        environment: row.parsed("environment")?,
        major: major_of(row, "major")?,
        version: row.optional_parsed("version")?,
        url: row.text("url")?,
        state: row.word("state", DeploymentState::from_word)?,
        metadata: row.json("metadata")?,
    })
}

/// Saves the deployments of a server in the place of those that are stored.
pub(super) async fn save(change: &mut Change, server: &Server) -> Result<(), StoreError> {
    let sql = Sql::new("DELETE FROM deployments WHERE server = $1").bind(server.name.as_str());
    change.execute(sql).await?;
    let current = server.deployments.current.iter().map(|one| (false, one));
    let proposed = server.deployments.proposed.iter();
    let proposed = proposed
        .flat_map(|proposed| &proposed.deployments)
        .map(|one| (true, one));
    for (is_proposed, deployment) in current.chain(proposed) {
        let known = Sql::new("SELECT name FROM environments WHERE name = $1");
        let known = known.bind(deployment.environment.as_str());
        if change.row(known).await?.is_none() {
            return Err(StoreError::NotFound {
                what: format!("environment `{}`", deployment.environment),
            });
        }
        let sql = Sql::new(INSERT)
            .bind(server.name.as_str())
            .bind(is_proposed)
            .bind(deployment.environment.as_str())
            .bind(major_text(deployment.major))
            .bind(deployment.version.as_ref().map(|version| version.as_str()))
            .bind(&deployment.url)
            .bind(deployment.state.as_str())
            .bind(json_text("metadata", &deployment.metadata)?);
        change.execute(sql).await?;
    }
    Ok(())
}
