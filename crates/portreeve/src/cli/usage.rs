//! `portreeve usage`: calls, errors and latencies of each tool.

use std::time::Duration;

use clap::Args;
use portreeve_core::time::{Clock, SystemClock};
use serde_json::Value;

use super::connection::{Connection, api_path, segment};
use super::duration;
use super::reply::{cut, table, text};
use super::{Failure, Reply};

/// `portreeve usage`
#[derive(Debug, Clone, Args)]
pub(crate) struct UsageArgs {
    /// How far to look back
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::parse)]
    since: Duration,
    /// Only this server
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Only this OAuth client, by its `client_id`
    #[arg(long, value_name = "ID")]
    client: Option<String>,
}

pub(super) async fn run(connection: &Connection, args: &UsageArgs) -> Result<Reply, Failure> {
    let from = SystemClock.now().minus(args.since).to_string();
    let mut path = format!("{}?from={}", api_path!("usage"), segment(&from));
    if let Some(server) = &args.server {
        path.push_str(&format!("&server={}", segment(server)));
    }
    if let Some(client) = &args.client {
        path.push_str(&format!("&client={}", segment(client)));
    }
    let body = connection.all(&path).await?;
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("SERVER", |row| text(row, "server")),
            ("TOOL OR METHOD", |row| cut(&text(row, "name"), 48)),
            ("CALLS", |row| text(row, "calls")),
            ("ERRORS", |row| text(row, "errors")),
            ("REFUSED", |row| text(row, "refused")),
            ("LIMITED", |row| text(row, "limited")),
            ("P50", |row| milliseconds(row, "p50Us")),
            ("P95", |row| milliseconds(row, "p95Us")),
            ("IN", |row| bytes(row, "bytesIn")),
            ("OUT", |row| bytes(row, "bytesOut")),
        ],
        "No calls in this time.",
    )
}

fn milliseconds(row: &Value, member: &str) -> String {
    match row.get(member).and_then(Value::as_u64) {
        None => "-".to_owned(),
        Some(micros) => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
    }
}

fn bytes(row: &Value, member: &str) -> String {
    let mut number = row.get(member).and_then(Value::as_u64).unwrap_or(0);
    if number < 1_024 {
        return format!("{number} B");
    }
    let mut rest = 0;
    let mut unit = "";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if number < 1_024 {
            break;
        }
        rest = number % 1_024;
        number /= 1_024;
        unit = next;
    }
    format!("{number}.{} {unit}", rest * 10 / 1_024)
}
