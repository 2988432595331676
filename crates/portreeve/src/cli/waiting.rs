//! `portreeve waiting`: what waits for a decision, and approvals of what an import took in.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::connection::{Connection, api_path, segment};
use super::reply::{count, items, table, text, when};
use super::{Failure, Reply};

/// Versions that are approved with one request.
const CHUNK: usize = 20;

/// `portreeve waiting`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum WaitingCommand {
    /// List what waits for you, what waits longest first
    List {
        /// Only submitted versions, proposed deployments, or tools that changed
        #[arg(long, value_enum)]
        kind: Option<KindArg>,
        /// Only versions that this import took in
        #[arg(long, value_name = "IMPORT")]
        import: Option<String>,
        /// Only versions about whose record something was noticed when they were imported
        #[arg(long)]
        flagged: bool,
    },
    /// Approve what an import took in, except what something was noticed about
    Approve {
        /// The import
        #[arg(long, value_name = "IMPORT")]
        import: String,
        /// Approve what something was noticed about as well
        #[arg(long)]
        flagged_too: bool,
    },
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    Version,
    Deployments,
    Tools,
}

pub(super) async fn run(connection: &Connection, command: WaitingCommand) -> Result<Reply, Failure> {
    match command {
        WaitingCommand::List {
            kind,
            import,
            flagged,
        } => {
            let mut path = format!("{}?limit=100", api_path!("waiting"));
            if let Some(kind) = kind {
                path.push_str(match kind {
                    KindArg::Version => "&kind=version",
                    KindArg::Deployments => "&kind=deployments",
                    KindArg::Tools => "&kind=tools",
                });
            }
            if let Some(import) = import {
                path.push_str(&format!("&import={}", segment(&import)));
            }
            if flagged {
                path.push_str("&flagged=true");
            }
            let body = connection.all(&path).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        WaitingCommand::Approve { import, flagged_too } => approve(connection, &import, flagged_too).await,
    }
}

async fn approve(connection: &Connection, import: &str, flagged_too: bool) -> Result<Reply, Failure> {
    let path = format!("{}?limit=100&import={}", api_path!("waiting"), segment(import));
    let listed = connection.all(&path).await?;
    let wanted: Vec<Value> = items(&listed)
        .iter()
        .filter(|item| flagged_too || noticed(item) == 0)
        .map(|item| {
            json!({
                "name": item["name"], "version": item["version"], "contentHash": item["contentHash"],
            })
        })
        .collect();
    let left = items(&listed).len() - wanted.len();
    let mut decided = Vec::new();
    for chunk in wanted.chunks(CHUNK) {
        let answer = connection
            .post(&api_path!("waiting/approve"), &json!({ "items": chunk }))
            .await?;
        decided.extend(items(&answer.body).iter().cloned());
    }
    let body = json!({ "items": decided, "nextCursor": null });
    let (shown, refused) = render_decisions(&body, left);
    Ok(Reply::new(body, shown).bad_if(refused > 0))
}

/// How much was noticed about the record of a version.
fn noticed(item: &Value) -> usize {
    item.pointer("/import/findings")
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("WHAT", |item| text(item, "kind")),
            ("SERVER", |item| text(item, "name")),
            ("VERSION", |item| text(item, "version")),
            ("SINCE", |item| when(item, "since")),
            ("BY", |item| text(item, "by")),
            ("REMARKS", remarks),
        ],
        "Nothing waits.",
    )
}

fn remarks(item: &Value) -> String {
    let mut remarks = Vec::new();
    let number = item.get("count").and_then(Value::as_u64).unwrap_or_default();
    match text(item, "kind").as_str() {
        "tools" => remarks.push(format!("{} at {}", count(number, "tool"), text(item, "route"))),
        "deployments" => remarks.push(count(number, "deployment")),
        _ => {}
    }
    if let Some(assessment) = item.get("assessment") {
        let stops = if assessment["blocked"] == json!(true) {
            ", which stops it"
        } else {
            ""
        };
        remarks.push(format!("score {}{stops}", text(assessment, "score")));
    }
    if noticed(item) > 0 {
        remarks.push("noticed at the import".to_owned());
    }
    remarks.join("; ")
}

/// What became of each, and how many were refused.
pub(super) fn render_decisions(body: &Value, left: usize) -> (String, usize) {
    let refused = items(body).iter().filter(|item| item["approved"] != json!(true));
    let refused = refused.count();
    let mut lines = Vec::new();
    if refused > 0 {
        lines.push(table(
            body,
            &[
                ("SERVER", |item| text(item, "name")),
                ("VERSION", |item| text(item, "version")),
                ("APPROVED", |item| text(item, "approved")),
                ("REASON", |item| text(item, "reason")),
            ],
            "",
        ));
    }
    let approved = (items(body).len() - refused) as u64;
    lines.push(format!(
        "{} approved, {refused} refused.",
        count(approved, "version")
    ));
    if left > 0 {
        let were = if left == 1 { "was" } else { "were" };
        lines.push(format!(
            "{} {were} left: something was noticed about what was imported. Look at each with `portreeve server plan`, or \
             add --flagged-too.",
            count(left as u64, "version")
        ));
    }
    (lines.join("\n"), refused)
}
