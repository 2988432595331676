//! Deployments of all servers as one list, each with the route of its place. `entries` writes them.

use async_trait::async_trait;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{DeployedServer, DeploymentQuery, DeploymentStore, StoreError};

use crate::engine::{Row, Sql};
use crate::entries::deployments;
use crate::store::Store;

const LIST: &str = "SELECT d.server, d.proposed, d.environment, d.major, d.version, d.url, d.state, d.metadata, r.slug, \
    r.version AS serves FROM deployments d LEFT JOIN routes r ON r.server = d.server \
    AND r.environment = d.environment AND r.major = d.major WHERE d.server >= ";

#[async_trait]
impl DeploymentStore for Store {
    async fn deployed(&self, query: &DeploymentQuery) -> Result<PageOf<DeployedServer>, StoreError> {
        let (server, environment, major, proposed) = query.after.clone().unwrap_or_default();
        let mut sql = Sql::built(LIST.to_owned(), Vec::new());
        sql.push_bound("", server.as_str());
        if query.after.is_some() {
            sql.push_bound(" AND (d.server, d.environment, d.major, d.proposed) > (", server);
            sql.push_bound(", ", environment);
            sql.push_bound(", ", major);
            sql.push_bound(", ", proposed);
            sql.push(")");
        }
        if let Some(server) = &query.server {
            sql.push_bound(" AND d.server = ", server.as_str());
        }
        if let Some(environment) = &query.environment {
            sql.push_bound(" AND d.environment = ", environment.as_str());
        }
        if let Some(state) = query.state {
            sql.push_bound(" AND d.state = ", state.as_str());
        }
        if let Some(proposed) = query.proposed {
            sql.push_bound(" AND d.proposed = ", proposed);
        }
        sql.push_bound(
            " ORDER BY d.server, d.environment, d.major, d.proposed LIMIT ",
            i64::from(query.limit) + 1,
        );
        let rows = self.engine().rows(sql).await?;
        let most = query.limit as usize;
        Ok(PageOf {
            more: rows.len() > most,
            items: rows
                .iter()
                .take(most)
                .map(deployed_of)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn deployed_of(row: &Row) -> Result<DeployedServer, StoreError> {
    let route = match row.optional_parsed("slug")? {
        Some(slug) => Some((slug, row.parsed("serves")?)),
        None => None,
    };
    Ok(DeployedServer {
        server: row.parsed("server")?,
        deployment: deployments::one(row)?,
        is_proposed: row.boolean("proposed")?,
        route,
    })
}
