//! `usage`: calls, errors and latencies of each tool in a time range.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use portreeve_core::name::{InvalidName, ServerName};
use portreeve_core::time::Timestamp;
use portreeve_core::usage::UsageQuery;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Api;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::Query;
use crate::shapes::List;
use crate::shapes::audit::UsageShape;

/// The range that is shown unless another is asked for.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the usage is wanted of.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeQuery {
    /// From this moment on (RFC 3339); a day before `to` unless given.
    from: Option<String>,
    /// Up to this moment (RFC 3339); now unless given.
    to: Option<String>,
    /// Only this server.
    server: Option<String>,
    /// Only this OAuth client, by its `client_id`.
    client: Option<String>,
}

/// Show usage by server, method and tool, most calls first
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "insight", operation_id = "listUsage",
    params(RangeQuery), responses((status = 200, body = List<UsageShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(range): Query<RangeQuery>,
) -> Result<Json<List<UsageShape>>, Problem> {
    let query = range.read(api.clock.now())?;
    let rows = api.insight.usage(&caller, &query).await?;
    Ok(Json(List::whole(
        rows.into_iter().map(UsageShape::from).collect(),
    )))
}

impl RangeQuery {
    fn read(self, now: Timestamp) -> Result<UsageQuery, Problem> {
        // The end is not part of the range, and what happened in this millisecond belongs to it.
        let to = time("to", self.to)?.unwrap_or_else(|| now.plus(Duration::from_millis(1)));
        let from = time("from", self.from)?.unwrap_or_else(|| to.minus(DAY));
        let server = self.server.map(|name| name.parse::<ServerName>()).transpose();
        let server = server.map_err(|error: InvalidName| Problem::bad_request(error.to_string()))?;
        Ok(UsageQuery {
            from,
            to,
            server,
            client: self.client,
        })
    }
}

fn time(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    match Timestamp::parse(&text) {
        Some(at) => Ok(Some(at)),
        None => Err(Problem::bad_request(format!(
            "the query is wrong: `{name}` is `{text}`, which is not a time"
        ))
        .hint("write it as in `2026-11-01T10:00:00Z`")),
    }
}
