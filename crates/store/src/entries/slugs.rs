//! Slugs: claimed forever by one (server, place). Claims outlive the entry.

use portreeve_core::deployment::Place;
use portreeve_core::name::{Environment, ServerName, Slug};
use portreeve_core::ports::StoreError;
use portreeve_core::route::Route;

use super::folded;
use crate::change::Change;
use crate::engine::Sql;
use crate::fields::{major_of, major_text};
use crate::store::Store;

const CLAIM: &str = "INSERT INTO slugs (slug, server, environment, major, claimed_at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (slug) DO NOTHING";
const OF: &str = "SELECT slug FROM slugs WHERE lower(server) = $1 AND environment = $2 AND major = $3 \
    ORDER BY claimed_at, slug LIMIT 1";
// `.` is the character behind `-`, so this is everything that begins with the base and two dashes.
const FAMILY: &str = "SELECT MIN(server) AS owner FROM slugs WHERE slug = $1 OR (slug >= $2 AND slug < $3) \
    GROUP BY lower(server) ORDER BY 1 LIMIT 2";

/// To whom a slug was given.
pub(super) async fn owner(
    store: &Store,
    slug: &Slug,
) -> Result<Option<(ServerName, Environment)>, StoreError> {
    let sql = Sql::new("SELECT server, environment FROM slugs WHERE slug = $1").bind(slug.as_str());
    let row = store.engine().row(sql).await?;
    row.map(|row| Ok((row.parsed("server")?, row.parsed("environment")?)))
        .transpose()
}

/// The slug of a place.
pub(super) async fn of(store: &Store, name: &ServerName, place: &Place) -> Result<Option<Slug>, StoreError> {
    let sql = Sql::new(OF)
        .bind(folded(name))
        .bind(place.environment.as_str())
        .bind(major_text(place.major));
    let row = store.engine().row(sql).await?;
    row.map(|row| row.parsed("slug")).transpose()
}

/// Whose slugs begin with this one.
pub(super) async fn family(store: &Store, base: &Slug) -> Result<Vec<ServerName>, StoreError> {
    let sql = Sql::new(FAMILY)
        .bind(base.as_str())
        .bind(format!("{base}--"))
        .bind(format!("{base}-."));
    let rows = store.engine().rows(sql).await?;
    rows.iter().map(|row| row.parsed("owner")).collect()
}

/// Claims the slug of a new route, which only the same (server, place) may have claimed before.
pub(super) async fn claim(change: &mut Change, name: &ServerName, route: &Route) -> Result<(), StoreError> {
    let sql = Sql::new(CLAIM)
        .bind(route.slug.as_str())
        .bind(name.as_str())
        .bind(route.environment.as_str())
        .bind(major_text(route.major))
        .bind(route.created_at);
    if change.execute(sql).await? == 1 {
        return Ok(());
    }
    let sql = Sql::new("SELECT server, environment, major FROM slugs WHERE slug = $1");
    let is_ours = match change.row(sql.bind(route.slug.as_str())).await? {
        Some(row) => {
            let server: ServerName = row.parsed("server")?;
            let place = Place {
                environment: row.parsed("environment")?,
                major: major_of(&row, "major")?,
            };
            folded(&server) == folded(name) && place == route.place()
        }
        None => false,
    };
    if is_ours {
        Ok(())
    } else {
        Err(StoreError::Conflict {
            what: format!("route slug `{}`", route.slug),
        })
    }
}
