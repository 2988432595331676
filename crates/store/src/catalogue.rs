//! The catalogue as the gateway reads it: everything that decisions need, in one consistent snapshot.

use std::collections::HashMap;

use async_trait::async_trait;
use portreeve_core::ports::{Catalogue, RouteSnapshot, Snapshot, StoreError};
use portreeve_core::tool::Tool;

use crate::engine::{Row, Sql};
use crate::identity::{GRANTS, LIVE_KEYS, USERS, grant_of, key_of, user_of};
use crate::routes::{route_columns, route_of};
use crate::store::Store;
use crate::tools::tool_of;
use crate::views::{REGISTRIES, registry_of};

const GENERATION: &str = "SELECT generation FROM catalogue_generation WHERE id = 1";
const ROUTES: &str = concat!(
    "SELECT ",
    route_columns!(),
    " FROM routes WHERE state = 'active' ORDER BY slug"
);
const TOOLS: &str = "SELECT t.route, t.name, t.era, t.approved_hash, t.approved_definition, t.approved_annotations, \
    t.live_hash, t.live_definition, t.live_annotations, t.hidden, t.approved_by, t.approved_at, t.seen_at \
    FROM tools t JOIN routes r ON r.id = t.route WHERE r.state = 'active' ORDER BY t.route, t.name, t.era";

#[async_trait]
impl Catalogue for Store {
    async fn generation(&self) -> Result<i64, StoreError> {
        let row = self.engine().row(Sql::new(GENERATION)).await?;
        generation_of(row.as_ref())
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut transaction = self.engine().begin_reading().await?;
        let generation = generation_of(transaction.row(Sql::new(GENERATION)).await?.as_ref())?;
        let routes = transaction.rows(Sql::new(ROUTES)).await?;
        let tools = transaction.rows(Sql::new(TOOLS)).await?;
        let keys = transaction.rows(Sql::new(LIVE_KEYS)).await?;
        let users = transaction.rows(Sql::new(USERS)).await?;
        let grants = transaction.rows(Sql::new(GRANTS)).await?;
        let registries = transaction.rows(Sql::new(REGISTRIES)).await?;
        let mut rest = self.bindings().of_routes(&mut transaction).await?;
        transaction.cancel().await?;

        let mut tools_of: HashMap<String, Vec<Tool>> = HashMap::new();
        for row in &tools {
            tools_of
                .entry(row.text("route")?)
                .or_default()
                .push(tool_of(row)?);
        }
        let mut whole = |row: &Row| {
            let route = route_of(row)?;
            let id = route.id.to_string();
            Ok(RouteSnapshot {
                tools: tools_of.remove(&id).unwrap_or_default(),
                rest: rest.remove(&id),
                route,
            })
        };
        Ok(Snapshot {
            generation,
            routes: routes.iter().map(&mut whole).collect::<Result<_, StoreError>>()?,
            keys: keys.iter().map(key_of).collect::<Result<_, _>>()?,
            users: users.iter().map(user_of).collect::<Result<_, _>>()?,
            grants: grants.iter().map(grant_of).collect::<Result<_, _>>()?,
            registries: registries.iter().map(registry_of).collect::<Result<_, _>>()?,
        })
    }
}

fn generation_of(row: Option<&Row>) -> Result<i64, StoreError> {
    row.ok_or_else(|| StoreError::Corrupt {
        what: "no generation of the catalogue".to_owned(),
    })?
    .integer("generation")
}
