//! `portreeve audit`: reads the log of a running Portreeve, and has it verified.
//!
//! `audit verify --data DIR` needs no running Portreeve: `main.rs` keeps it for the roof when
//! [`Global::data_typed`](super::Global) says that the directory was typed.

use clap::Subcommand;
use serde_json::Value;

use super::connection::{Connection, api_path, segment};
use super::reply::{Column, count, cut, items, table, text, when};
use super::{Failure, Reply};

/// `portreeve audit`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show events, newest first
    List {
        /// Only events of this actor, as in `key:deploy` or `user:admin`
        #[arg(long, value_name = "WHO")]
        actor: Option<String>,
        /// Only events about this server
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
        /// Only this action, as in `tools/call` or `server.*`
        #[arg(long)]
        action: Option<String>,
        /// Only this outcome
        #[arg(long, value_parser = ["permitted", "refused", "done", "failed"])]
        outcome: Option<String>,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Continue where the last page ended (its `nextCursor`)
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Verify every hash, every sequence number and every signed checkpoint
    ///
    /// Asks the running Portreeve. With `--data DIR`, reads the files of an installation that is not running.
    Verify,
}

pub(super) async fn run(connection: &Connection, command: AuditCommand) -> Result<Reply, Failure> {
    match command {
        AuditCommand::List {
            actor,
            server,
            action,
            outcome,
            limit,
            cursor,
        } => {
            let mut path = format!("{}?limit={limit}", api_path!("audit"));
            let filters = [
                ("actor", actor),
                ("server", server),
                ("action", action),
                ("outcome", outcome),
                ("cursor", cursor),
            ];
            for (name, value) in filters {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", segment(&value)));
                }
            }
            let body = connection.get(&path).await?.body;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        AuditCommand::Verify => {
            let body = connection.get(&api_path!("audit/verify")).await?.body;
            Ok(verdict(body))
        }
    }
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("TIME", |event| when(event, "at")),
            ("ACTOR", |event| text(event, "actor")),
            ("ACTION", |event| text(event, "action")),
            ("OUTCOME", |event| text(event, "outcome")),
            ("SERVER", |event| text(event, "server")),
            ("TARGET", |event| cut(&text(event, "target"), 40)),
            ("WHY", |event| why(event)),
        ],
        "No events.",
    )
}

/// The word that explains a refusal, else the policies that allowed the call.
fn why(event: &Value) -> String {
    let reason = text(event, "reason");
    if reason.is_empty() {
        cut(&super::reply::joined(event, "policies"), 60)
    } else {
        reason
    }
}

/// The reply to a verification, here and in the roof: ends with 1 when something is wrong.
pub(crate) fn verdict(report: Value) -> Reply {
    let number = |member| report.get(member).and_then(Value::as_u64).unwrap_or(0);
    let read = format!(
        "{} and {}",
        count(number("events"), "event"),
        count(number("checkpoints"), "checkpoint")
    );
    let findings = report.get("findings").cloned().unwrap_or(Value::Null);
    let list = serde_json::json!({ "items": findings });
    let wrong = items(&list).len();
    let shown = if wrong == 0 {
        format!("{read} verified: the audit log is whole.")
    } else {
        let columns: [Column; 3] = [
            ("CHAIN", |finding| text(finding, "node")),
            ("SEQUENCE", |finding| text(finding, "sequence")),
            ("PROBLEM", |finding| text(finding, "problem")),
        ];
        let problems = u64::try_from(wrong).unwrap_or(u64::MAX);
        format!(
            "{read} read: {} found.\n{}",
            count(problems, "problem"),
            table(&list, &columns, "")
        )
    };
    Reply::new(report, shown).bad_if(wrong > 0)
}
