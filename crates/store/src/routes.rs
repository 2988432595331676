//! Routes, each with its own revision. `tools` holds what was approved and seen on them.

use async_trait::async_trait;
use portreeve_core::id::RouteId;
use portreeve_core::name::{SecretName, ServerName, Slug};
use portreeve_core::ports::{News, RouteChange, RouteStore, StoreError, ToolsApproved, ToolsSeen};
use portreeve_core::protocol::Era;
use portreeve_core::route::{
    Access, PinState, PolicyDocument, Protocol, Route, RouteState, ServerRequests, SessionAffinity,
};
use portreeve_core::tool::Tool;

use crate::catalogue::moved;
use crate::change::Change;
use crate::engine::{Engine, Row, Sql, values_list};
use crate::fields::{json_text, major_of};
use crate::store::Store;
use crate::{secret_uses, tools};

/// How these name secrets.
const KIND: &str = "route";

/// The next step of a list of routes by slug.
pub(crate) fn after_slug(text: &'static str, after: &str) -> Sql {
    Sql::new(text)
        .bind(after)
        .bind(i64::try_from(STEP).unwrap_or(i64::MAX))
}

/// The columns that [`route_of`] reads.
macro_rules! route_columns {
    () => {
        "id, slug, server, environment, version, upstream_url, upstream_eras, private_hosts, access, state, \
         pin_state, policies, upstream_timeout_ms, revision, created_at, updated_at, major, \
         protocol, session_affinity, server_requests, list_cache_ms, credentials"
    };
}
pub(crate) use route_columns;

const SOME: &str = concat!(
    "SELECT ",
    route_columns!(),
    " FROM routes WHERE slug > $1 ORDER BY slug LIMIT $2"
);
/// Rows that are read at once of a list without end: memory is needed for these only, and others have their turn
/// between.
pub(crate) const STEP: usize = 500;
const ONE: &str = concat!("SELECT ", route_columns!(), " FROM routes WHERE slug = $1");
const AT: &str = concat!("SELECT ", route_columns!(), " FROM routes WHERE id = $1");
const UPDATE: &str = "UPDATE routes SET version = $5, upstream_url = $6, upstream_eras = $7, private_hosts = $8, \
    access = $9, state = $10, pin_state = $11, policies = $12, upstream_timeout_ms = $13, revision = revision + 1, \
    updated_at = $15, protocol = $16, session_affinity = $17, server_requests = $18, list_cache_ms = $19, \
    credentials = $20 WHERE id = $1 AND slug = $2 AND server = $3 AND environment = $4 AND revision = $14";

#[async_trait]
impl RouteStore for Store {
    async fn active_routes(&self, known: Option<i64>) -> Result<(i64, News<RouteId, RouteId>), StoreError> {
        moved::active(self.engine(), known).await
    }

    async fn route_at(&self, id: RouteId) -> Result<Option<Route>, StoreError> {
        let row = self.engine().row(Sql::new(AT).bind(id.to_string())).await?;
        row.as_ref().map(route_of).transpose()
    }

    async fn routes(&self) -> Result<Vec<Route>, StoreError> {
        let mut routes: Vec<Route> = Vec::new();
        loop {
            let after = routes.last().map_or("", |route| route.slug.as_str());
            let rows = self.engine().rows(after_slug(SOME, after)).await?;
            for row in &rows {
                routes.push(route_of(row)?);
            }
            if rows.len() < STEP {
                return Ok(routes);
            }
        }
    }

    async fn route(&self, slug: &Slug) -> Result<Option<Route>, StoreError> {
        let row = self.engine().row(Sql::new(ONE).bind(slug.as_str())).await?;
        row.as_ref().map(route_of).transpose()
    }

    async fn routes_of(&self, servers: &[ServerName]) -> Result<Vec<Route>, StoreError> {
        if servers.is_empty() {
            return Ok(Vec::new());
        }
        let members = values_list(servers.len(), 1).replace(['(', ')'], "");
        let text = format!(
            "SELECT {} FROM routes WHERE state = 'active' AND server IN ({members}) ORDER BY slug",
            route_columns!()
        );
        let values = servers.iter().map(|server| server.as_str().into()).collect();
        let rows = self.engine().rows(Sql::built(text, values)).await?;
        rows.iter().map(route_of).collect()
    }

    async fn save_route(&self, route: RouteChange) -> Result<Route, StoreError> {
        let mut change = Change::begin(self).await?;
        let slug = &route.route.slug;
        if change.row(Sql::new(ONE).bind(slug.as_str())).await?.is_none() {
            return Err(StoreError::NotFound {
                what: format!("route `{slug}`"),
            });
        }
        update_route(&mut change, &route.route).await?;
        change.note_route(route.route.id).await?;
        // Lists for hosts name active routes.
        change.note_entries(&[route.route.server.as_str()]).await?;
        change.record(&route.events).await?;
        change.publish().await?;
        let revision = route.route.revision + 1;
        Ok(Route {
            revision,
            ..route.route
        })
    }

    async fn note_eras(&self, route: RouteId, eras: &[Era]) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let stored: Vec<Era> = change
            .row(Sql::new("SELECT upstream_eras FROM routes WHERE id = $1").bind(route.to_string()))
            .await?
            .ok_or_else(|| missing(route))?
            .json("upstream_eras")?;
        if stored == eras {
            return change.cancel().await;
        }
        change
            .execute(
                Sql::new("UPDATE routes SET upstream_eras = $2 WHERE id = $1")
                    .bind(route.to_string())
                    .bind(json_text("upstream_eras", eras)?),
            )
            .await?;
        change.note_route(route).await?;
        change.publish().await
    }

    async fn tools(&self, route: RouteId) -> Result<Vec<Tool>, StoreError> {
        tools::of_route(self, route).await
    }

    async fn tools_seen(&self, seen: ToolsSeen) -> Result<(), StoreError> {
        tools::seen(self, seen).await
    }

    async fn tools_approved(&self, approved: ToolsApproved) -> Result<(), StoreError> {
        tools::approved(self, approved).await
    }
}

/// What is said about a route that is not there.
pub(crate) fn missing(route: RouteId) -> StoreError {
    StoreError::NotFound {
        what: format!("route `{route}`"),
    }
}

/// What is said about a route that somebody else changed first.
pub(crate) fn conflict(slug: &Slug) -> StoreError {
    StoreError::Conflict {
        what: format!("route `{slug}`"),
    }
}

/// Updates a route that is still at the revision it was changed from; the next revision is one more.
pub(crate) async fn update_route(change: &mut Change, route: &Route) -> Result<(), StoreError> {
    let sql = bind_route(Sql::new(UPDATE), &route.server, route)?;
    if change.execute(sql).await? == 1 {
        note_secrets(change, route).await
    } else {
        Err(conflict(&route.slug))
    }
}

/// Notes which secrets the policies of a route name, and forgets those that they named before.
pub(crate) async fn note_secrets(change: &mut Change, route: &Route) -> Result<(), StoreError> {
    let named: Vec<SecretName> = route.policies.iter().flat_map(PolicyDocument::secrets).collect();
    secret_uses::note(change, (KIND, route.slug.as_str()), named.iter()).await
}

/// Forgets what the routes of a server name, which go with it.
pub(crate) async fn forget_secrets(change: &mut Change, server: &ServerName) -> Result<(), StoreError> {
    let slugs = Sql::new("SELECT slug FROM routes WHERE server = $1").bind(server.as_str());
    for row in change.rows(slugs).await? {
        secret_uses::forget(change, (KIND, &row.text("slug")?)).await?;
    }
    Ok(())
}

/// Notes the secrets of routes that were saved before anybody took note.
pub(crate) async fn mend(engine: &Engine) -> Result<(), StoreError> {
    let unnoted = Sql::new(
        "SELECT slug, policies FROM routes WHERE policies LIKE '%\"secret:%' \
         AND NOT EXISTS (SELECT 1 FROM secret_uses u WHERE u.kind = 'route' AND u.used_by = slug)",
    );
    for row in engine.rows(unnoted).await? {
        let policies: Vec<PolicyDocument> = row.json("policies")?;
        for secret in policies.iter().flat_map(PolicyDocument::secrets) {
            let sql = Sql::new(
                "INSERT INTO secret_uses (secret, kind, used_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            );
            let sql = sql.bind(secret.as_str()).bind(KIND).bind(row.text("slug")?);
            let mut transaction = engine.begin().await?;
            transaction.execute(sql).await?;
            transaction.save().await?;
        }
    }
    Ok(())
}

/// Binds `$1` to `$20`, the columns that an insert and an update share.
pub(crate) fn bind_route(sql: Sql, server: &ServerName, route: &Route) -> Result<Sql, StoreError> {
    Ok(sql
        .bind(route.id.to_string())
        .bind(route.slug.as_str())
        .bind(server.as_str())
        .bind(route.environment.as_str())
        .bind(route.version.as_str())
        .bind(&route.upstream_url)
        .bind(json_text("upstream_eras", &route.upstream_eras)?)
        .bind(json_text("private_hosts", &route.private_hosts)?)
        .bind(route.access.as_str())
        .bind(route.state.as_str())
        .bind(route.pin_state.as_str())
        .bind(json_text("policies", &route.policies)?)
        .bind(route.upstream_timeout_ms)
        .bind(route.revision)
        .bind(route.updated_at)
        .bind(route.protocol.as_str())
        .bind(route.session_affinity.as_str())
        .bind(route.server_requests.as_str())
        .bind(route.list_cache_ms)
        .bind(json_text("credentials", &route.credentials)?))
}

/// Reads a route.
pub(crate) fn route_of(row: &Row) -> Result<Route, StoreError> {
    Ok(Route {
        id: row.parsed("id")?,
        slug: row.parsed("slug")?,
        server: row.parsed("server")?,
        environment: row.parsed("environment")?,
        major: major_of(row, "major")?,
        version: row.parsed("version")?,
        upstream_url: row.text("upstream_url")?,
        upstream_eras: row.json("upstream_eras")?,
        private_hosts: row.json("private_hosts")?,
        access: row.word("access", Access::from_word)?,
        state: row.word("state", RouteState::from_word)?,
        pin_state: row.word("pin_state", PinState::from_word)?,
        policies: row.json("policies")?,
        upstream_timeout_ms: row.count("upstream_timeout_ms")?,
        protocol: row.word("protocol", Protocol::from_word)?,
        session_affinity: row.word("session_affinity", SessionAffinity::from_word)?,
        server_requests: row.word("server_requests", ServerRequests::from_word)?,
        list_cache_ms: row.count("list_cache_ms")?,
        credentials: row.json("credentials")?,
        revision: row.integer("revision")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
