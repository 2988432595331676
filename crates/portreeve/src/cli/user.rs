//! `portreeve user`: makes, lists, disables and removes users, puts them into groups, ends their sessions.

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::{Connection, api_path};
use super::reply::{table, text, when};
use super::{Failure, Reply};

/// `portreeve user`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum UserCommand {
    /// List the users
    List,
    /// Make a local user, and print the link that sets the password
    Create {
        /// The name that people will know the user by
        name: String,
        /// What the user is called
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// Where mail for the user goes
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// A group that the user belongs to; may be given several times
        #[arg(long, value_name = "GROUP")]
        group: Vec<String>,
    },
    /// Show a user
    Show {
        /// The name, or the identifier
        user: String,
    },
    /// Disable a user: sessions, keys and tokens stop at once
    Disable {
        /// The name, or the identifier
        user: String,
    },
    /// Enable a user again
    Enable {
        /// The name, or the identifier
        user: String,
    },
    /// Remove a user, with the keys that act for the user and its grants
    Delete {
        /// The name, or the identifier
        user: String,
    },
    /// Put a user into these groups, and no others by hand
    Groups {
        /// The name, or the identifier
        user: String,
        /// The groups; none takes the user out of all
        group: Vec<String>,
    },
    /// Take password and codes of a local user away, and print the link that sets a new password
    Reset {
        /// The name, or the identifier
        user: String,
    },
    /// List the sessions of a user
    Sessions {
        /// The name, or the identifier
        user: String,
        /// End all of them, and what clients were allowed in them
        #[arg(long)]
        end: bool,
    },
    /// List the groups that users belong to
    ListGroups,
}

pub(super) async fn run(connection: &Connection, command: UserCommand) -> Result<Reply, Failure> {
    match command {
        UserCommand::List => {
            let body = connection.all(&api_path!("users")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        UserCommand::Create {
            name,
            display_name,
            email,
            group,
        } => {
            let request =
                json!({ "name": name, "displayName": display_name, "email": email, "groups": group });
            let body = connection.post(&api_path!("users"), &request).await?.body;
            let shown = format!("User `{name}` is made. {}", link(&body));
            Ok(Reply::new(body, shown))
        }
        UserCommand::Show { user } => {
            let body = connection.get(&api_path!("users/{}", user)).await?.body;
            let shown = render(&json!({ "items": [body] }));
            Ok(Reply::new(body, shown))
        }
        UserCommand::Disable { user } => step(connection, &user, ("disable", "is disabled")).await,
        UserCommand::Enable { user } => step(connection, &user, ("enable", "is enabled")).await,
        UserCommand::Delete { user } => {
            let body = connection.delete(&api_path!("users/{}", user)).await?.body;
            Ok(Reply::new(body, format!("User `{user}` is removed.")))
        }
        UserCommand::Groups { user, group } => {
            let request = json!({ "groups": group });
            let path = api_path!("users/{}/groups", user);
            let body = connection.put(&path, &request, None).await?.body;
            let shown = match groups(&body).as_str() {
                "" => format!("User `{user}` is in no group."),
                named => format!("User `{user}` is in: {named}."),
            };
            Ok(Reply::new(body, shown))
        }
        UserCommand::Reset { user } => {
            let path = api_path!("users/{}/reset", user);
            let body = connection.post(&path, &json!({})).await?.body;
            let shown = format!("Password and codes of `{user}` are gone. {}", link(&body));
            Ok(Reply::new(body, shown))
        }
        UserCommand::Sessions { user, end } => sessions(connection, &user, end).await,
        UserCommand::ListGroups => {
            let body = connection.all(&api_path!("groups")).await?;
            let columns: [super::reply::Column; 2] = [
                ("GROUP", |group| text(group, "name")),
                ("USERS", |group| text(group, "members")),
            ];
            let shown = table(&body, &columns, "No user belongs to a group.");
            Ok(Reply::new(body, shown))
        }
    }
}

async fn step(connection: &Connection, user: &str, (step, done): (&str, &str)) -> Result<Reply, Failure> {
    let path = api_path!("users/{}/{}", user, step);
    let body = connection.post(&path, &json!({})).await?.body;
    Ok(Reply::new(body, format!("User `{user}` {done}.")))
}

async fn sessions(connection: &Connection, user: &str, end: bool) -> Result<Reply, Failure> {
    let path = api_path!("users/{}/sessions", user);
    if end {
        let body = connection.delete(&path).await?.body;
        let shown = format!("Ended sessions of `{user}`: {}.", text(&body, "ended"));
        return Ok(Reply::new(body, shown));
    }
    let body = connection.all(&path).await?;
    let shown = table(
        &body,
        &[
            ("BY", |session| text(session, "method")),
            ("SINCE", |session| when(session, "createdAt")),
            ("USED", |session| when(session, "seenAt")),
            ("ENDS", |session| when(session, "expiresAt")),
            ("BROWSER", |session| text(session, "agent")),
            ("ID", |session| text(session, "id")),
        ],
        "Nobody is signed in as this user.",
    );
    Ok(Reply::new(body, shown))
}

fn link(body: &Value) -> String {
    format!(
        "The link below sets the password, once, within 24 hours; whoever holds it is the user:\n\n{}",
        text(body, "passwordLink")
    )
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("NAME", |user| text(user, "name")),
            ("STATE", |user| text(user, "state")),
            ("FROM", |user| text(user, "origin")),
            ("CALLED", |user| text(user, "displayName")),
            ("GROUPS", groups),
            ("SINCE", |user| when(user, "createdAt")),
            ("ID", |user| text(user, "id")),
        ],
        "No users.",
    )
}

fn groups(user: &Value) -> String {
    let of = |name: &str| {
        user.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let all = of("groups").into_iter().chain(of("providerGroups"));
    let named: Vec<String> = all
        .filter_map(|group| group.as_str().map(str::to_owned))
        .collect();
    named.join(", ")
}
