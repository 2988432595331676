//! `portreeve grant`: gives rights to keys, users and groups, and takes them back.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use portreeve_core::time::{Clock, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::connection::{Connection, api_path};
use super::reply::{table, text, when};
use super::{Failure, Reply, duration, own_key};

/// The roles of the management side.
const ROLES: [&str; 6] = ["viewer", "publisher", "approver", "operator", "auditor", "admin"];

/// `portreeve grant`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum GrantCommand {
    /// Grant something to a key, a user or a group
    #[command(arg = own_key())]
    Add(Box<AddArgs>),
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
    group = ArgGroup::new("servers").args(["server", "namespace", "owner", "registry", "all_servers"]),
    group = ArgGroup::new("rights").args(["role", "publish", "manage"])
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
    #[arg(long, value_name = "NAME", required_unless_present_any = ["namespace", "owner", "registry", "all_servers", "manage", "role"], conflicts_with = "manage")]
    server: Option<String>,
    /// On every server in this namespace: `com.acme`, or `com.acme.*` for those below, too
    #[arg(long, value_name = "PATTERN", conflicts_with = "manage")]
    namespace: Option<String>,
    /// On every server that this group owns, those of tomorrow too
    #[arg(long, value_name = "GROUP", conflicts_with = "manage")]
    owner: Option<String>,
    /// On this registry and every server that it is about, those of tomorrow too
    #[arg(long, value_name = "REGISTRY", conflicts_with = "manage")]
    registry: Option<String>,
    /// On every server, those of tomorrow too; for a role, this is what is meant without a scope
    #[arg(long)]
    all_servers: bool,
    /// Only tools that say they change nothing
    #[arg(long, conflicts_with_all = ["tool", "rights"])]
    read_only: bool,
    /// Only this tool; may be given several times
    #[arg(long, value_name = "TOOL", conflicts_with = "rights")]
    tool: Vec<String>,
    /// A role of the management side, instead of the right to use
    #[arg(long, value_name = "ROLE", value_parser = ROLES)]
    role: Option<String>,
    /// The right to publish: to register, describe and hand in, not to approve (`--role publisher`)
    #[arg(long)]
    publish: bool,
    /// The right to manage the whole installation (`--role admin`)
    #[arg(long)]
    manage: bool,
    /// For how long, as in `8h` or `30d` [default: until it is taken back]
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse, conflicts_with = "manage")]
    span: Option<Duration>,
    /// Until that moment, as in `2027-01-31T18:00:00Z`
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with_all = ["span", "manage"])]
    until: Option<Timestamp>,
}

/// Reads a moment, for clap.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no moment: write it as in `2027-01-31T18:00:00Z`");
    Timestamp::parse(text).ok_or_else(wrong)
}

pub(super) async fn run(connection: &Connection, command: GrantCommand) -> Result<Reply, Failure> {
    match command {
        GrantCommand::Add(args) => {
            let body = connection
                .post(&api_path!("grants"), &args.request(&SystemClock))
                .await?
                .body;
            let what = match text(&body, "rights") {
                rights if rights == "use" => format!("use {}", tools(&body)),
                rights => rights,
            };
            let (who, servers) = (subject(&body), servers(&body));
            let until = match body["expiresAt"].is_null() {
                true => String::new(),
                false => format!(" until {}", when(&body, "expiresAt")),
            };
            let id = text(&body, "id");
            let shown = format!("{who} may {what} on {servers}{until}. (grant {id})");
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
    fn request(&self, clock: &dyn Clock) -> Value {
        let subject = match (&self.key, &self.user, &self.group, &self.client) {
            (Some(key), ..) => json!({ "key": key }),
            (None, Some(user), ..) => json!({ "user": user }),
            (None, None, Some(group), _) => json!({ "group": group }),
            (None, None, None, client) => json!({ "client": client }),
        };
        let scopes = [
            ("server", &self.server),
            ("namespace", &self.namespace),
            ("owner", &self.owner),
            ("registry", &self.registry),
        ];
        let scope = scopes
            .iter()
            .find_map(|(word, name)| Some((*word, name.as_deref()?)));
        let servers = match scope {
            Some((word, name)) => json!({ word: name }),
            None => json!("all"),
        };
        let tools = if self.read_only {
            json!("read-only")
        } else if self.tool.is_empty() {
            json!("all")
        } else {
            json!({ "named": self.tool })
        };
        let rights = match (&self.role, self.manage, self.publish) {
            (Some(role), ..) => role.as_str(),
            (None, true, _) => "manage",
            (None, false, true) => "publish",
            (None, false, false) => "use",
        };
        let end = self
            .until
            .or_else(|| self.span.map(|span| clock.now().plus(span)));
        let mut request = json!({ "subject": subject, "rights": rights, "servers": servers, "tools": tools });
        if let (Some(end), Some(request)) = (end, request.as_object_mut()) {
            request.insert("expiresAt".to_owned(), Value::String(end.to_string()));
        }
        request
    }
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("SUBJECT", subject),
            ("MAY", |grant| text(grant, "rights")),
            ("ROLE", |grant| text(grant, "role")),
            ("SERVERS", servers),
            ("TOOLS", tools),
            ("SINCE", |grant| when(grant, "createdAt")),
            ("EXPIRES", expires),
            ("BY", |grant| text(grant, "createdBy")),
            ("ID", |grant| text(grant, "id")),
        ],
        "No grants: nobody may call anything.",
    )
}

fn subject(grant: &Value) -> String {
    text(grant, "subjectName")
}

/// When it ends, if it does.
fn expires(grant: &Value) -> String {
    match grant["expiresAt"].is_null() {
        true => "never".to_owned(),
        false => when(grant, "expiresAt"),
    }
}

/// The scope of a grant or of a role.
pub(super) fn servers(grant: &Value) -> String {
    let Some(Value::Object(one)) = grant.get("servers") else {
        return "every server".to_owned();
    };
    let word = |(word, name): (&String, &Value)| {
        let name = name.as_str()?;
        Some(match word.as_str() {
            "owner" => format!("what group {name} owns"),
            "registry" => format!("registry {name}"),
            _ => name.to_owned(),
        })
    };
    one.iter().filter_map(word).collect::<Vec<_>>().join(", ")
}

/// The tools of a grant, or of a request for one.
pub(super) fn tools(grant: &Value) -> String {
    match grant.get("tools") {
        Some(Value::Object(named)) => {
            let names = named.values().filter_map(Value::as_array).flatten();
            names.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(Value::String(word)) if word == "read-only" => "read-only tools".to_owned(),
        // A request for access is always about using a server.
        _ if matches!(text(grant, "rights").as_str(), "use" | "") => "every tool".to_owned(),
        _ => "-".to_owned(),
    }
}
