//! `portreeve key`: makes, lists and revokes API keys.

use std::time::Duration;

use clap::Subcommand;
use portreeve_core::time::{Clock, SystemClock};
use serde_json::{Value, json};

use super::connection::{Connection, api_path};
use super::reply::{table, text, when};
use super::{Failure, Reply, duration};

/// `portreeve key`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key, and show it this once; it starts with no grant
    Create {
        /// The name that people will know it by
        name: String,
        /// How long it works, as in `90d` [default: until it is revoked]
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        expires: Option<Duration>,
        /// A group that who holds it belongs to; may be given several times
        #[arg(long, value_name = "GROUP")]
        group: Vec<String>,
    },
    /// List the keys
    List,
    /// Revoke a key: it stops working at once
    Revoke {
        /// Its name, or its identifier
        key: String,
    },
}

pub(super) async fn run(connection: &Connection, command: KeyCommand) -> Result<Reply, Failure> {
    match command {
        KeyCommand::Create { name, expires, group } => {
            let mut request = json!({ "name": name, "groups": group });
            if let (Some(span), Some(request)) = (expires, request.as_object_mut()) {
                let at = SystemClock.now().plus(span).to_string();
                request.insert("expiresAt".to_owned(), Value::String(at));
            }
            let body = connection.post(&api_path!("keys"), &request).await?.body;
            let shown = created(&body);
            Ok(Reply::new(body, shown))
        }
        KeyCommand::List => {
            let body = connection.all(&api_path!("keys")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        KeyCommand::Revoke { key } => {
            let body = connection.delete(&api_path!("keys/{}", key)).await?.body;
            let shown = format!("Key `{}` is revoked.", text(&body, "name"));
            Ok(Reply::new(body, shown))
        }
    }
}

pub(super) fn created(body: &Value) -> String {
    let name = text(body, "name");
    format!(
        "{}\n\nKey `{name}` is made. Keep it now: it is not shown again.\n\
         It has no rights yet: portreeve grant add --key {name} --server NAME",
        text(body, "secret")
    )
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("NAME", |key| text(key, "name")),
            ("STATE", |key| text(key, "state")),
            ("OWNER", |key| text(key, "owner")),
            ("EXPIRES", |key| or_never(when(key, "expiresAt"))),
            ("CREATED", |key| when(key, "createdAt")),
            ("BY", |key| text(key, "createdBy")),
            ("ID", |key| text(key, "id")),
        ],
        "No keys. Make one with `portreeve key create NAME`.",
    )
}

fn or_never(time: String) -> String {
    if time.is_empty() { "never".to_owned() } else { time }
}
