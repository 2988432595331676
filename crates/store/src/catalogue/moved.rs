//! Routes for those who keep them in memory: all of them once, and from then on what moved, so that one change among many
//! thousand routes does not make every node read all of them again.
//!
//! Before: every change of a route or of its tools notes it under the generation that it makes (`change`). After: the
//! gateway and the watch over the pins take over what moved.

use std::collections::HashMap;

use portreeve_core::id::RouteId;
use portreeve_core::name::Slug;
use portreeve_core::ports::{News, RouteSnapshot, StoreError};
use portreeve_core::tool::Tool;

use super::{GENERATION, generation_of};
use crate::engine::{Engine, Row, Sql, Transaction, Value};
use crate::routes::{STEP, route_columns, route_of};
use crate::tools::tool_of;

/// Before the first route, by slug and by id.
const START: &str = "";

const ROUTES: &str = concat!(
    "SELECT ",
    route_columns!(),
    " FROM routes WHERE state = 'active' AND slug > $1 ORDER BY slug LIMIT $2"
);
const ROUTES_SINCE: &str = concat!(
    "SELECT ",
    route_columns!(),
    " FROM routes WHERE state = 'active' AND slug > $1 \
     AND id IN (SELECT route FROM route_changes WHERE generation > $3) ORDER BY slug LIMIT $2"
);
macro_rules! tools {
    ($which:literal) => {
        concat!(
            "SELECT t.route, t.name, t.era, t.approved_hash, t.approved_definition, t.approved_annotations, t.live_hash, \
             t.live_definition, t.live_annotations, t.hidden, t.approved_by, t.approved_at, t.seen_at \
             FROM tools t JOIN routes r ON r.id = t.route WHERE r.state = 'active' \
             AND (t.route, t.name, t.era) > ($1, $2, $3) ",
            $which,
            "ORDER BY t.route, t.name, t.era LIMIT $4"
        )
    };
}
const TOOLS: &str = tools!("");
const TOOLS_SINCE: &str = tools!("AND t.route IN (SELECT route FROM route_changes WHERE generation > $5) ");
const ACTIVE: &str = "SELECT id FROM routes WHERE state = 'active' AND id > $1 ORDER BY id LIMIT $2";
const ACTIVE_SINCE: &str = "SELECT id FROM routes WHERE state = 'active' AND id > $1 \
    AND id IN (SELECT route FROM route_changes WHERE generation > $3) ORDER BY id LIMIT $2";
const GONE: &str = "SELECT c.route, c.slug FROM route_changes c LEFT JOIN routes r ON r.id = c.route \
    WHERE c.generation > $1 AND (r.id IS NULL OR r.state <> 'active')";

/// The generation now, and what the reader knows of its past. A generation that is still to come is one of another store:
/// a backup was put in its place.
pub(super) async fn standing(
    transaction: &mut Transaction,
    known: Option<i64>,
) -> Result<(i64, Option<i64>), StoreError> {
    let generation = generation_of(transaction.row(Sql::new(GENERATION)).await?.as_ref())?;
    Ok((generation, known.filter(|known| *known <= generation)))
}

/// The ids of active routes, for a reader who knows this generation.
pub(crate) async fn active(
    engine: &Engine,
    known: Option<i64>,
) -> Result<(i64, News<RouteId, RouteId>), StoreError> {
    let mut transaction = engine.begin_reading().await?;
    let (generation, known) = standing(&mut transaction, known).await?;
    let mut active: Vec<RouteId> = Vec::new();
    if known == Some(generation) {
        transaction.cancel().await?;
        return Ok((generation, news(active, Some(Vec::new()))));
    }
    loop {
        let after = active
            .last()
            .map_or_else(|| START.to_owned(), ToString::to_string);
        let rows = transaction
            .rows(step([ACTIVE, ACTIVE_SINCE], vec![after.into()], known))
            .await?;
        for row in &rows {
            active.push(row.parsed("id")?);
        }
        if rows.len() < STEP {
            break;
        }
    }
    let gone = gone(&mut transaction, known, |row| row.parsed("route")).await?;
    transaction.cancel().await?;
    Ok((generation, news(active, gone)))
}

/// Active routes with their tools, for a reader who knows this generation.
pub(super) async fn routes(
    transaction: &mut Transaction,
    known: Option<i64>,
) -> Result<News<RouteSnapshot, Slug>, StoreError> {
    let mut tools_of = tools(transaction, known).await?;
    let mut routes: Vec<RouteSnapshot> = Vec::new();
    loop {
        let after = routes.last().map_or(START, |last| last.route.slug.as_str());
        let rows = transaction
            .rows(step([ROUTES, ROUTES_SINCE], vec![after.into()], known))
            .await?;
        for row in &rows {
            let route = route_of(row)?;
            let tools = tools_of.remove(&route.id.to_string()).unwrap_or_default();
            routes.push(RouteSnapshot {
                route,
                tools,
                rest: None,
                given: Vec::new(),
            });
        }
        if rows.len() < STEP {
            break;
        }
    }
    let gone = gone(transaction, known, |row| row.parsed("slug")).await?;
    Ok(news(routes, gone))
}

/// The tools of each route, read in steps.
async fn tools(
    transaction: &mut Transaction,
    known: Option<i64>,
) -> Result<HashMap<String, Vec<Tool>>, StoreError> {
    let mut tools_of: HashMap<String, Vec<Tool>> = HashMap::new();
    let mut after = [START; 3].map(str::to_owned);
    loop {
        let values = after.map(Value::from).into();
        let rows = transaction
            .rows(step([TOOLS, TOOLS_SINCE], values, known))
            .await?;
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

/// What is not active any more, where the reader knows a generation.
async fn gone<K>(
    transaction: &mut Transaction,
    known: Option<i64>,
    read: impl Fn(&Row) -> Result<K, StoreError>,
) -> Result<Option<Vec<K>>, StoreError> {
    let Some(known) = known else {
        return Ok(None);
    };
    let rows = transaction.rows(Sql::new(GONE).bind(known)).await?;
    rows.iter().map(read).collect::<Result<_, _>>().map(Some)
}

/// The next step of a list: all of it, or what moved after the known generation.
fn step([all, since]: [&'static str; 2], mut after: Vec<Value>, known: Option<i64>) -> Sql {
    after.push(i64::try_from(STEP).unwrap_or(i64::MAX).into());
    match known {
        Some(known) => {
            after.push(known.into());
            Sql::kept(since, after)
        }
        None => Sql::kept(all, after),
    }
}

fn news<T, K>(changed: Vec<T>, gone: Option<Vec<K>>) -> News<T, K> {
    match gone {
        Some(gone) => News::Since { changed, gone },
        None => News::All(changed),
    }
}
