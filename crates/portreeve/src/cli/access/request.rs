//! `portreeve access request`: asking to use a server, and deciding about what others ask.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::connection::{Connection, api_path};
use crate::cli::duration;
use crate::cli::grant::tools;
use crate::cli::reply::{table, text, when};
use crate::cli::{Failure, Reply};

/// `portreeve access request`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RequestCommand {
    /// Ask to use a server that you see and may not use
    Ask(AskArgs),
    /// List the open requests that you may decide about
    List {
        /// Your own instead, in every state
        #[arg(long)]
        mine: bool,
    },
    /// Show one of them
    Show {
        /// Its identity, as the list shows it
        id: String,
    },
    /// Grant what it asks for, or less of it
    Grant {
        /// Its identity, as the list shows it
        id: String,
        /// For how long, as in `8h` or `30d` [default: what was wished]
        #[arg(long = "for", value_name = "TIME", value_parser = duration::parse, conflicts_with = "no_end")]
        span: Option<Duration>,
        /// With no end, whatever was wished
        #[arg(long)]
        no_end: bool,
        /// Only tools that say they change nothing, where every tool was asked for
        #[arg(long, conflicts_with = "tool")]
        read_only: bool,
        /// Only this tool, of those that were asked for; may be given several times
        #[arg(long, value_name = "TOOL")]
        tool: Vec<String>,
        /// What who asked is told
        #[arg(long, short)]
        message: Option<String>,
    },
    /// Refuse it
    Refuse {
        /// Its identity, as the list shows it
        id: String,
        /// What who asked is told
        #[arg(long, short)]
        message: String,
    },
    /// Take back what you asked for
    Withdraw {
        /// Its identity, as the list shows it
        id: String,
    },
}

/// What is asked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct AskArgs {
    /// The server
    server: String,
    /// What for; whoever decides reads it
    #[arg(long, short)]
    reason: String,
    /// Only tools that say they change nothing
    #[arg(long, conflicts_with = "tool")]
    read_only: bool,
    /// Only this tool; may be given several times
    #[arg(long, value_name = "TOOL")]
    tool: Vec<String>,
    /// For how long, as in `8h` or `30d` [default: with no end]
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    span: Option<Duration>,
}

pub(in crate::cli) async fn run(connection: &Connection, command: RequestCommand) -> Result<Reply, Failure> {
    match command {
        RequestCommand::Ask(args) => {
            let body = connection
                .post(&api_path!("access-requests"), &args.request())
                .await?
                .body;
            let shown = format!(
                "Asked for {} of {}. Whoever may grant it decides until {}. (request {})",
                tools(&body),
                text(&body, "server"),
                when(&body, "expiresAt"),
                text(&body, "name")
            );
            Ok(Reply::new(body, shown))
        }
        RequestCommand::List { mine } => {
            let path = if mine {
                api_path!("me/access-requests")
            } else {
                api_path!("access-requests")
            };
            let body = connection.all(&path).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        RequestCommand::Show { id } => {
            let body = connection.get(&api_path!("access-requests/{}", id)).await?.body;
            let shown = render_one(&body);
            Ok(Reply::new(body, shown))
        }
        RequestCommand::Grant {
            id,
            span,
            no_end,
            read_only,
            tool,
            message,
        } => {
            let seconds = match (no_end, span) {
                (true, _) => json!(null),
                (false, Some(span)) => json!(span.as_secs()),
                (false, None) => {
                    let asked = connection.get(&api_path!("access-requests/{}", id)).await?.body;
                    asked["forSeconds"].clone()
                }
            };
            let fewer = match (read_only, tool.is_empty()) {
                (true, _) => json!("read-only"),
                (false, false) => json!({ "named": tool }),
                (false, true) => json!(null),
            };
            let terms = json!({ "forSeconds": seconds, "tools": fewer, "note": message });
            decide(connection, (&id, "grant"), terms).await
        }
        RequestCommand::Refuse { id, message } => {
            decide(connection, (&id, "refuse"), json!({ "note": message })).await
        }
        RequestCommand::Withdraw { id } => decide(connection, (&id, "withdraw"), json!({})).await,
    }
}

async fn decide(connection: &Connection, (id, step): (&str, &str), terms: Value) -> Result<Reply, Failure> {
    let path = api_path!("access-requests/{}/{}", id, step);
    let body = connection.post(&path, &terms).await?.body;
    let (caller, server) = (text(&body, "caller"), text(&body, "server"));
    let shown = match text(&body, "state").as_str() {
        "granted" => {
            let until = match body["grantedUntil"].is_null() {
                true => "with no end".to_owned(),
                false => format!("until {}", when(&body, "grantedUntil")),
            };
            let grant = text(&body, "grant");
            let granted = if terms["tools"].is_null() { &body } else { &terms };
            format!(
                "{caller} may use {} of {server}, {until}. ({grant})",
                tools(granted)
            )
        }
        "refused" => format!("{caller} was refused the use of {server}."),
        state => format!("The request for {server} is {state}."),
    };
    Ok(Reply::new(body, shown))
}

// === impl AskArgs ===

impl AskArgs {
    fn request(&self) -> Value {
        let tools = if self.read_only {
            json!("read-only")
        } else if self.tool.is_empty() {
            json!("all")
        } else {
            json!({ "named": self.tool })
        };
        json!({
            "server": self.server,
            "tools": tools,
            "reason": self.reason,
            "forSeconds": self.span.map(|span| span.as_secs()),
        })
    }
}

pub(in crate::cli) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("ID", |request| text(request, "name")),
            ("WHO", |request| text(request, "caller")),
            ("SERVER", |request| text(request, "server")),
            ("TOOLS", tools),
            ("STATE", |request| text(request, "state")),
            ("ASKED", |request| when(request, "askedAt")),
            ("FOR", |request| text(request, "reason").replace('\n', " ")),
        ],
        "No request for access.",
    )
}

fn render_one(request: &Value) -> String {
    let groups = request["groups"].as_array().into_iter().flatten();
    let groups: Vec<&str> = groups.filter_map(Value::as_str).collect();
    let mut lines = vec![
        format!(
            "{} asks to use {} of {} ({}).",
            text(request, "caller"),
            tools(request),
            text(request, "server"),
            text(request, "state")
        ),
        format!(
            "in groups: {}",
            if groups.is_empty() {
                "none".to_owned()
            } else {
                groups.join(", ")
            }
        ),
        match request["forSeconds"].as_u64() {
            Some(seconds) => format!("for {seconds} s"),
            None => "with no end".to_owned(),
        },
        format!("because: {}", text(request, "reason")),
    ];
    if let Some(by) = request["decidedBy"].as_str() {
        lines.push(format!("decided by {by}, {}", when(request, "decidedAt")));
    }
    if let Some(note) = request["note"].as_str() {
        lines.push(format!("note: {note}"));
    }
    if request["mayDecide"] == true {
        let id = text(request, "name");
        lines.push(format!(
            "Decide: portreeve access request grant {id}, or refuse {id} --message TEXT"
        ));
    }
    lines.join("\n")
}
