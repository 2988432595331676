//! The catalogue as the gateway reads it: everything that decisions need, in one consistent snapshot, of the routes what
//! moved.

pub(crate) mod moved;

use async_trait::async_trait;
use portreeve_core::members::VirtualServer;
use portreeve_core::ports::{Catalogue, News, Snapshot, StoreError};

use crate::access_policies::{POLICIES, policy_of};
use crate::engine::{Row, Sql};
use crate::entries::owners::{OWNED, owned, tagged};
use crate::identity::users::{USERS, user_of};
use crate::identity::{GRANTS, LIVE_KEYS, grant_of, key_of};
use crate::members::{given_by, given_of};
use crate::partners::{REVOKED, revoked_of};
use crate::store::Store;
use crate::tokens::{ENDED, SIGNING_KEYS, ended_of, signing_key_of};
use crate::views::{REGISTRIES, registry_of};

const GENERATION: &str = "SELECT generation FROM catalogue_generation WHERE id = 1";

#[async_trait]
impl Catalogue for Store {
    async fn generation(&self) -> Result<i64, StoreError> {
        let row = self.engine().row(Sql::new(GENERATION)).await?;
        generation_of(row.as_ref())
    }

    async fn snapshot(&self, known: Option<i64>) -> Result<Snapshot, StoreError> {
        let mut transaction = self.engine().begin_reading().await?;
        let (generation, known) = moved::standing(&mut transaction, known).await?;
        let mut routes = moved::routes(&mut transaction, known).await?;
        let keys = transaction.rows(Sql::new(LIVE_KEYS)).await?;
        let users = transaction.rows(Sql::new(USERS)).await?;
        let grants = transaction.rows(Sql::new(GRANTS)).await?;
        let policies = transaction.rows(Sql::new(POLICIES)).await?;
        let owners = transaction.rows(Sql::new(OWNED)).await?;
        let signing_keys = transaction.rows(Sql::new(SIGNING_KEYS)).await?;
        let ended = transaction.rows(Sql::new(ENDED)).await?;
        let revoked = transaction.rows(Sql::new(REVOKED)).await?;
        let registries = transaction.rows(Sql::new(REGISTRIES)).await?;
        let registries = registries
            .iter()
            .map(registry_of)
            .collect::<Result<Vec<_>, _>>()?;
        let tags = match tagged(&registries) {
            Some(sql) => transaction.rows(sql).await?,
            None => Vec::new(),
        };
        let mut rest = self.bindings().of_routes(&mut transaction).await?;
        let (News::All(changed) | News::Since { changed, .. }) = &mut routes;
        for entry in changed {
            entry.rest = rest.remove(&entry.route.id.to_string());
            if VirtualServer::is_address(&entry.route.upstream_url) {
                let names = transaction.rows(given_by(&entry.route.server)).await?;
                entry.given = names.iter().map(given_of).collect::<Result<_, _>>()?;
            }
        }
        transaction.cancel().await?;

        Ok(Snapshot {
            generation,
            routes,
            keys: keys.iter().map(key_of).collect::<Result<_, _>>()?,
            users: users.iter().map(user_of).collect::<Result<_, _>>()?,
            grants: grants.iter().map(grant_of).collect::<Result<_, _>>()?,
            policies: policies.iter().map(policy_of).collect::<Result<_, _>>()?,
            registries,
            owned: owned(&owners, &tags)?,
            signing_keys: signing_keys
                .iter()
                .map(signing_key_of)
                .collect::<Result<_, _>>()?,
            ended: ended.iter().map(ended_of).collect::<Result<_, _>>()?,
            revoked: revoked_of(&revoked)?,
        })
    }
}

fn generation_of(row: Option<&Row>) -> Result<i64, StoreError> {
    row.ok_or_else(|| StoreError::Corrupt {
        what: "no generation of the catalogue".to_owned(),
    })?
    .integer("generation")
}
