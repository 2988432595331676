//! `portreeve grant`: gives rights to keys, users and groups, and takes them back.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::connection::{Connection, api_path};
use super::reply::{table, text, when};
use super::{Failure, Reply, own_key};

/// `portreeve grant`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum GrantCommand {
    /// Grant something to a key, a user or a group
    #[command(arg = own_key())]
    Add(AddArgs),
    /// List the grants
    List,
    /// Take a grant back
    Remove {
        /// Its identifier (the column ID of `portreeve grant list`)
        id: String,
    },
}

/// `portreeve grant add`
#[derive(Debug, Clone, Args)]
#[command(
    group = ArgGroup::new("subject").required(true).args(["key", "user", "group", "client"]),
    group = ArgGroup::new("servers").args(["server", "namespace", "all_servers"])
)]
pub(crate) struct AddArgs {
    /// The key that gets the right, by name or identifier
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The user who gets the right, by name or identifier
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The OAuth client that gets the right when it acts for itself, by its `client_id`
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// The group whose members get the right, those of tomorrow too
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// On this server
    #[arg(long, value_name = "NAME", required_unless_present_any = ["namespace", "all_servers", "manage"], conflicts_with = "manage")]
    server: Option<String>,
    /// On every server in this namespace: `com.acme`, or `com.acme.*` for those below, too
    #[arg(long, value_name = "PATTERN", conflicts_with = "manage")]
    namespace: Option<String>,
    /// On every approved server, those of tomorrow too
    #[arg(long)]
    all_servers: bool,
    /// Only tools that say they change nothing
    #[arg(long, conflicts_with_all = ["tool", "manage"])]
    read_only: bool,
    /// Only this tool; may be given several times
    #[arg(long, value_name = "TOOL", conflicts_with = "manage")]
    tool: Vec<String>,
    /// The right to publish: to register, describe and hand in, not to approve
    #[arg(long, conflicts_with_all = ["manage", "tool", "read_only"])]
    publish: bool,
    /// The right to manage the whole installation, instead of the right to use
    #[arg(long)]
    manage: bool,
}

pub(super) async fn run(connection: &Connection, command: GrantCommand) -> Result<Reply, Failure> {
    match command {
        GrantCommand::Add(args) => {
            let body = connection.post(&api_path!("grants"), &args.request()).await?.body;
            let shown = format!(
                "{} may {} {} on {}. (grant {})",
                subject(&body),
                text(&body, "rights"),
                tools(&body),
                servers(&body),
                text(&body, "id")
            );
            Ok(Reply::new(body, shown))
        }
        GrantCommand::List => {
            let body = connection.all(&api_path!("grants")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        GrantCommand::Remove { id } => {
            let id = id.strip_prefix("grant:").unwrap_or(&id).to_owned();
            connection.delete(&api_path!("grants/{}", id)).await?;
            let shown = format!("Grant `{id}` is taken back.");
            Ok(Reply::new(json!({ "name": id, "id": id }), shown))
        }
    }
}

impl AddArgs {
    fn request(&self) -> Value {
        let subject = match (&self.key, &self.user, &self.group, &self.client) {
            (Some(key), ..) => json!({ "key": key }),
            (None, Some(user), ..) => json!({ "user": user }),
            (None, None, Some(group), _) => json!({ "group": group }),
            (None, None, None, client) => json!({ "client": client }),
        };
        let servers = match (&self.server, &self.namespace) {
            (Some(server), _) => json!({ "server": server }),
            (None, Some(pattern)) => json!({ "namespace": pattern }),
            (None, None) => json!("all"),
        };
        let tools = if self.read_only {
            json!("read-only")
        } else if self.tool.is_empty() {
            json!("all")
        } else {
            json!({ "named": self.tool })
        };
        let rights = match (self.manage, self.publish) {
            (true, _) => "manage",
            (false, true) => "publish",
            (false, false) => "use",
        };
        json!({ "subject": subject, "rights": rights, "servers": servers, "tools": tools })
    }
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("SUBJECT", subject),
            ("MAY", |grant| text(grant, "rights")),
            ("SERVERS", servers),
            ("TOOLS", tools),
            ("SINCE", |grant| when(grant, "createdAt")),
            ("BY", |grant| text(grant, "createdBy")),
            ("ID", |grant| text(grant, "id")),
        ],
        "No grants: nobody may call anything.",
    )
}

fn subject(grant: &Value) -> String {
    text(grant, "subjectName")
}

fn servers(grant: &Value) -> String {
    match grant.get("servers") {
        Some(Value::Object(one)) => one
            .values()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", "),
        _ => "every server".to_owned(),
    }
}

fn tools(grant: &Value) -> String {
    match grant.get("tools") {
        Some(Value::Object(named)) => {
            let names = named.values().filter_map(Value::as_array).flatten();
            names.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(Value::String(word)) if word == "read-only" => "read-only tools".to_owned(),
        _ if text(grant, "rights") == "manage" => "everything".to_owned(),
        _ if text(grant, "rights") == "publish" => "every version".to_owned(),
        _ => "every tool".to_owned(),
    }
}
