//! The catalogue as the gateway reads it: everything that decisions need, in one consistent snapshot.

use std::collections::HashMap;

use async_trait::async_trait;
use portreeve_core::ports::{Catalogue, RouteSnapshot, Snapshot, StoreError};
use portreeve_core::tool::Tool;

use crate::engine::{Row, Sql, Transaction, Value};
use crate::identity::{GRANTS, LIVE_KEYS, USERS, grant_of, key_of, user_of};
use crate::routes::{STEP, after_slug, route_columns, route_of};
use crate::store::Store;
use crate::tools::tool_of;
use crate::views::{REGISTRIES, registry_of};

const GENERATION: &str = "SELECT generation FROM catalogue_generation WHERE id = 1";
const ROUTES: &str = concat!(
    "SELECT ",
    route_columns!(),
    " FROM routes WHERE state = 'active' AND slug > $1 ORDER BY slug LIMIT $2"
);
const TOOLS: &str = "SELECT t.route, t.name, t.era, t.approved_hash, t.approved_definition, t.approved_annotations, \
    t.live_hash, t.live_definition, t.live_annotations, t.hidden, t.approved_by, t.approved_at, t.seen_at \
    FROM tools t JOIN routes r ON r.id = t.route WHERE r.state = 'active' \
    AND (t.route, t.name, t.era) > ($1, $2, $3) ORDER BY t.route, t.name, t.era LIMIT $4";

#[async_trait]
impl Catalogue for Store {
    async fn generation(&self) -> Result<i64, StoreError> {
        let row = self.engine().row(Sql::new(GENERATION)).await?;
        generation_of(row.as_ref())
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut transaction = self.engine().begin_reading().await?;
        let generation = generation_of(transaction.row(Sql::new(GENERATION)).await?.as_ref())?;
        let mut tools_of = tools(&mut transaction).await?;
        let mut routes = routes(&mut transaction, &mut tools_of).await?;
        let keys = transaction.rows(Sql::new(LIVE_KEYS)).await?;
        let users = transaction.rows(Sql::new(USERS)).await?;
        let grants = transaction.rows(Sql::new(GRANTS)).await?;
        let registries = transaction.rows(Sql::new(REGISTRIES)).await?;
        let mut rest = self.bindings().of_routes(&mut transaction).await?;
        transaction.cancel().await?;

        for entry in &mut routes {
            entry.rest = rest.remove(&entry.route.id.to_string());
        }
        Ok(Snapshot {
            generation,
            routes,
            keys: keys.iter().map(key_of).collect::<Result<_, _>>()?,
            users: users.iter().map(user_of).collect::<Result<_, _>>()?,
            grants: grants.iter().map(grant_of).collect::<Result<_, _>>()?,
            registries: registries.iter().map(registry_of).collect::<Result<_, _>>()?,
        })
    }
}

/// The tools of each route, read in steps.
async fn tools(transaction: &mut Transaction) -> Result<HashMap<String, Vec<Tool>>, StoreError> {
    let mut tools_of: HashMap<String, Vec<Tool>> = HashMap::new();
    let mut after = [String::new(), String::new(), String::new()];
    loop {
        let values = after.into_iter().map(Value::from);
        let values = values.chain([i64::try_from(STEP).unwrap_or(i64::MAX).into()]);
        let rows = transaction.rows(Sql::kept(TOOLS, values.collect())).await?;
        for row in &rows {
            tools_of
                .entry(row.text("route")?)
                .or_default()
                .push(tool_of(row)?);
        }
        match rows.last() {
            Some(last) if rows.len() == STEP => {
                after = [last.text("route")?, last.text("name")?, last.text("era")?];
            }
            _ => return Ok(tools_of),
        }
    }
}

/// The routes with their tools, read in steps.
async fn routes(
    transaction: &mut Transaction,
    tools_of: &mut HashMap<String, Vec<Tool>>,
) -> Result<Vec<RouteSnapshot>, StoreError> {
    let mut routes: Vec<RouteSnapshot> = Vec::new();
    loop {
        let after = routes.last().map_or("", |last| last.route.slug.as_str());
        let rows = transaction.rows(after_slug(ROUTES, after)).await?;
        for row in &rows {
            let route = route_of(row)?;
            let tools = tools_of.remove(&route.id.to_string()).unwrap_or_default();
            routes.push(RouteSnapshot {
                route,
                tools,
                rest: None,
            });
        }
        if rows.len() < STEP {
            return Ok(routes);
        }
    }
}

fn generation_of(row: Option<&Row>) -> Result<i64, StoreError> {
    row.ok_or_else(|| StoreError::Corrupt {
        what: "no generation of the catalogue".to_owned(),
    })?
    .integer("generation")
}
