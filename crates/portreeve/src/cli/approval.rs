//! `portreeve approval`: calls that a person must allow first.

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::{Connection, api_path};
use super::reply::{table, text, when};
use super::{Failure, Reply};

/// `portreeve approval`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ApprovalCommand {
    /// List the calls that wait for a decision, yours and those that you may decide about
    List,
    /// Show one of them with its arguments
    Show {
        /// Its identity, as the list shows it
        id: String,
    },
    /// Allow it: the caller may make this very call once
    Allow {
        /// Its identity, as the list shows it
        id: String,
    },
    /// Deny it
    Deny {
        /// Its identity, as the list shows it
        id: String,
        /// What the caller is told
        #[arg(long, short)]
        message: Option<String>,
    },
}

pub(super) async fn run(connection: &Connection, command: ApprovalCommand) -> Result<Reply, Failure> {
    match command {
        ApprovalCommand::List => {
            let body = connection.all(&api_path!("approvals")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        ApprovalCommand::Show { id } => {
            let body = connection.get(&api_path!("approvals/{}", id)).await?.body;
            let shown = render_one(&body);
            Ok(Reply::new(body, shown))
        }
        ApprovalCommand::Allow { id } => {
            let path = api_path!("approvals/{}/allow", id);
            let body = connection.post(&path, &json!({})).await?.body;
            let shown = format!(
                "`{}` may call `{}` once, with these arguments, until {}.",
                text(&body, "caller"),
                text(&body, "tool"),
                when(&body, "expiresAt")
            );
            Ok(Reply::new(body, shown))
        }
        ApprovalCommand::Deny { id, message } => {
            let path = api_path!("approvals/{}/deny", id);
            let body = connection.post(&path, &json!({"reason": message})).await?.body;
            let shown = format!(
                "`{}` may not make this call of `{}`.",
                text(&body, "caller"),
                text(&body, "tool")
            );
            Ok(Reply::new(body, shown))
        }
    }
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("ID", |approval| text(approval, "name")),
            ("CALLER", |approval| text(approval, "caller")),
            ("ROUTE", |approval| text(approval, "route")),
            ("TOOL", |approval| text(approval, "tool")),
            ("STATE", |approval| text(approval, "state")),
            ("UNTIL", |approval| when(approval, "expiresAt")),
        ],
        "No call waits for a decision of yours.",
    )
}

fn render_one(approval: &Value) -> String {
    let arguments = serde_json::to_string_pretty(&approval["arguments"]).unwrap_or_default();
    let mut lines = vec![
        format!(
            "{} wants to call {} of {} ({}).",
            text(approval, "caller"),
            text(approval, "tool"),
            text(approval, "server"),
            text(approval, "state")
        ),
        format!("until {}", when(approval, "expiresAt")),
        arguments,
    ];
    if approval["mayDecide"] == true {
        let id = text(approval, "name");
        lines.push(format!("Decide: portreeve approval allow {id}, or deny {id}"));
    }
    lines.join("\n")
}
