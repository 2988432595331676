//! Two versions side by side, as text.

use clap::Args;
use serde_json::Value;

use super::super::connection::{Connection, api_path, segment};
use super::super::failure::one_line;
use super::super::reply::{count, text};
use super::super::{Failure, Reply};
use super::openapi::different_tools;

/// `portreeve server compare`
#[derive(Debug, Clone, Args)]
pub(crate) struct CompareArgs {
    /// The server's name
    name: String,
    /// The version that is looked at
    version: String,
    /// The version that it is compared with [default: the latest, or the one before it]
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
}

pub(super) async fn run(connection: &Connection, args: &CompareArgs) -> Result<Reply, Failure> {
    let mut path = format!(
        "{}?to={}",
        api_path!("servers/{}/compare", args.name),
        segment(&args.version)
    );
    if let Some(from) = &args.from {
        path.push_str(&format!("&from={}", segment(from)));
    }
    let body = connection.get(&path).await?.body;
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

pub(in crate::cli) fn render(body: &Value) -> String {
    let (from, to) = (text(body, "from"), text(body, "to"));
    if from.is_empty() {
        return format!("There is no version before {to}.");
    }
    let changes = body.get("changes").and_then(Value::as_array);
    let changes = changes.map_or(&[][..], Vec::as_slice);
    let mut lines = vec![format!(
        "{} {from} to {to}: {}",
        text(body, "name"),
        count(changes.len() as u64, "difference")
    )];
    for change in changes {
        let path = text(change, "path");
        lines.push(if path.is_empty() {
            "the whole document".to_owned()
        } else {
            path
        });
        for (sign, side) in [("-", "before"), ("+", "after")] {
            if change.get(side).is_some() {
                lines.push(format!("  {sign} {}", one_line(&text(change, side))));
            }
        }
    }
    if let Some(tools) = body.get("tools") {
        lines.push(format!("\nTools:\n{}", different_tools(tools)));
    }
    lines.join("\n")
}
