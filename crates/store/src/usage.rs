//! Usage, rolled up by the minute. Every node has rows of its own, so that nodes never wait for each other; questions
//! sum over them.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use portreeve_core::latency::{bucket_of, percentile};
use portreeve_core::ports::{StoreError, UsageStore};
use portreeve_core::time::Timestamp;
use portreeve_core::usage::{UsageEvent, UsageOutcome, UsageQuery, UsageRow};

use crate::engine::{Row, Sql, Transaction, Value};
use crate::fields::indexed;
use crate::store::Store;

const MINUTE: i64 = 60_000;

/// Rows written by one statement.
const CHUNK: usize = 200;

/// What one row of `usage_minutes` is about, without the node.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MinuteKey<'a> {
    minute: i64,
    server: &'a str,
    method: &'a str,
    tool: &'a str,
    caller: &'a str,
    client: &'a str,
    outcome: &'static str,
}

/// What one row of `usage_latency` is about, without the node.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LatencyKey<'a> {
    minute: i64,
    server: &'a str,
    method: &'a str,
    tool: &'a str,
    client: &'a str,
    bucket: u8,
}

#[derive(Debug, Default)]
struct Sums {
    calls: u64,
    bytes_in: u64,
    bytes_out: u64,
}

#[async_trait]
impl UsageStore for Store {
    async fn add_usage(&self, events: &[UsageEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut minutes: BTreeMap<MinuteKey<'_>, Sums> = BTreeMap::new();
        let mut latencies: BTreeMap<LatencyKey<'_>, u64> = BTreeMap::new();
        for event in events {
            let key = minute_key(event);
            if !matches!(event.outcome, UsageOutcome::Refused | UsageOutcome::Limited) {
                let latency = LatencyKey {
                    minute: key.minute,
                    server: key.server,
                    method: key.method,
                    tool: key.tool,
                    client: key.client,
                    bucket: bucket_of(event.latency_us),
                };
                *latencies.entry(latency).or_default() += 1;
            }
            let sums = minutes.entry(key).or_default();
            sums.calls += 1;
            sums.bytes_in = sums.bytes_in.saturating_add(event.bytes_in);
            sums.bytes_out = sums.bytes_out.saturating_add(event.bytes_out);
        }
        let node = self.node().to_string();
        let mut transaction = self.engine().begin().await?;
        add_minutes(&mut transaction, &node, &minutes).await?;
        add_latencies(&mut transaction, &node, &latencies).await?;
        transaction.save().await
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        let mut transaction = self.engine().begin_reading().await?;
        let sums = transaction
            .rows(about(SUMS, query, " GROUP BY server, method, tool"))
            .await?;
        let buckets = transaction
            .rows(about(
                BUCKETS,
                query,
                " GROUP BY server, method, tool, bucket ORDER BY bucket",
            ))
            .await?;
        transaction.cancel().await?;

        let mut counts: HashMap<[String; 3], Vec<(u8, u64)>> = HashMap::new();
        for row in &buckets {
            let bucket = u8::try_from(row.integer("bucket")?).unwrap_or(u8::MAX);
            counts
                .entry(subject_of(row)?)
                .or_default()
                .push((bucket, row.count("calls")?));
        }
        let mut rows = sums
            .iter()
            .map(|row| usage_row(row, &counts))
            .collect::<Result<Vec<_>, _>>()?;
        rows.sort_by(|a, b| {
            b.calls
                .cmp(&a.calls)
                .then_with(|| (&a.server, &a.method, &a.tool).cmp(&(&b.server, &b.method, &b.tool)))
        });
        Ok(rows)
    }

    async fn purge_usage(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.engine().begin().await?;
        for text in [
            "DELETE FROM usage_minutes WHERE minute <= $1",
            "DELETE FROM usage_latency WHERE minute <= $1",
        ] {
            // Only minutes that ended before the moment.
            let last = before.as_millis().saturating_sub(MINUTE);
            transaction.execute(Sql::new(text).bind(last)).await?;
        }
        transaction.save().await
    }
}

// === Writing ===

fn minute_key(event: &UsageEvent) -> MinuteKey<'_> {
    MinuteKey {
        minute: minute_of(event.at),
        server: event.server.as_str(),
        method: indexed(&event.method),
        tool: event.tool.as_deref().map_or("", indexed),
        caller: indexed(&event.caller),
        client: event.client.as_deref().map_or("", indexed),
        outcome: event.outcome.as_str(),
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_millis() - at.as_millis().rem_euclid(MINUTE)
}

async fn add_minutes(
    transaction: &mut Transaction,
    node: &str,
    minutes: &BTreeMap<MinuteKey<'_>, Sums>,
) -> Result<(), StoreError> {
    let all: Vec<_> = minutes.iter().collect();
    for chunk in all.chunks(CHUNK) {
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 11);
        for (key, sums) in chunk {
            values.extend([
                node.into(),
                key.minute.into(),
                key.server.into(),
                key.method.into(),
                key.tool.into(),
                key.caller.into(),
                key.client.into(),
                key.outcome.into(),
                sums.calls.into(),
                sums.bytes_in.into(),
                sums.bytes_out.into(),
            ]);
        }
        let rows = transaction.values_list(chunk.len(), 11);
        let text = format!(
            "INSERT INTO usage_minutes AS stored (node, minute, server, method, tool, caller, client, outcome, \
             calls, bytes_in, bytes_out) VALUES {rows} \
             ON CONFLICT (minute, server, method, tool, caller, client, outcome, node) DO UPDATE SET \
             calls = stored.calls + excluded.calls, bytes_in = stored.bytes_in + excluded.bytes_in, \
             bytes_out = stored.bytes_out + excluded.bytes_out"
        );
        transaction.execute(Sql::built(text, values)).await?;
    }
    Ok(())
}

async fn add_latencies(
    transaction: &mut Transaction,
    node: &str,
    latencies: &BTreeMap<LatencyKey<'_>, u64>,
) -> Result<(), StoreError> {
    let all: Vec<_> = latencies.iter().collect();
    for chunk in all.chunks(CHUNK) {
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 8);
        for (key, calls) in chunk {
            values.extend([
                node.into(),
                key.minute.into(),
                key.server.into(),
                key.method.into(),
                key.tool.into(),
                key.client.into(),
                i64::from(key.bucket).into(),
                (**calls).into(),
            ]);
        }
        let rows = transaction.values_list(chunk.len(), 8);
        let text = format!(
            "INSERT INTO usage_latency AS stored (node, minute, server, method, tool, client, bucket, calls) \
             VALUES {rows} \
             ON CONFLICT (minute, server, method, tool, client, bucket, node) DO UPDATE SET \
             calls = stored.calls + excluded.calls"
        );
        transaction.execute(Sql::built(text, values)).await?;
    }
    Ok(())
}

// === Reading ===

const SUMS: &str = "SELECT server, method, tool, CAST(SUM(calls) AS BIGINT) AS calls, \
    CAST(SUM(CASE WHEN outcome IN ('tool-error', 'upstream-error') THEN calls ELSE 0 END) AS BIGINT) AS errors, \
    CAST(SUM(CASE WHEN outcome = 'refused' THEN calls ELSE 0 END) AS BIGINT) AS refused, \
    CAST(SUM(CASE WHEN outcome = 'limited' THEN calls ELSE 0 END) AS BIGINT) AS limited, \
    CAST(SUM(bytes_in) AS BIGINT) AS bytes_in, CAST(SUM(bytes_out) AS BIGINT) AS bytes_out FROM usage_minutes";
const BUCKETS: &str =
    "SELECT server, method, tool, bucket, CAST(SUM(calls) AS BIGINT) AS calls FROM usage_latency";

/// The minute in which `from` lies counts as a whole, so that nothing since `from` is missing.
fn about(head: &'static str, query: &UsageQuery, tail: &'static str) -> Sql {
    let mut sql = Sql::new(head);
    sql.push_bound(" WHERE minute >= ", minute_of(query.from));
    sql.push_bound(" AND minute < ", query.to);
    if let Some(server) = &query.server {
        sql.push_bound(" AND server = ", server.as_str());
    }
    if let Some(client) = &query.client {
        sql.push_bound(" AND client = ", indexed(client));
    }
    sql.push(tail);
    sql
}

fn subject_of(row: &Row) -> Result<[String; 3], StoreError> {
    Ok([row.text("server")?, row.text("method")?, row.text("tool")?])
}

fn usage_row(row: &Row, counts: &HashMap<[String; 3], Vec<(u8, u64)>>) -> Result<UsageRow, StoreError> {
    let subject = subject_of(row)?;
    let counts = counts.get(&subject).map_or(&[][..], Vec::as_slice);
    let [_, method, tool] = subject.clone();
    Ok(UsageRow {
        server: row.parsed("server")?,
        method,
        tool: Some(tool).filter(|tool| !tool.is_empty()),
        calls: row.count("calls")?,
        errors: row.count("errors")?,
        refused: row.count("refused")?,
        limited: row.count("limited")?,
        p50_us: percentile(counts, 50),
        p95_us: percentile(counts, 95),
        bytes_in: row.count("bytes_in")?,
        bytes_out: row.count("bytes_out")?,
    })
}
