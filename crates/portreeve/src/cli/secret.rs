//! `portreeve secret`: sets, lists and deletes named secrets. A value comes from standard input or a prompt, never from an
//! argument, which every user of the machine can read.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use clap::Subcommand;
use portreeve_core::limits::Limits;
use portreeve_core::secret::Secret;
use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use serde_json::{Value, json};

use super::connection::{Connection, api_path};
use super::reply::{table, text, when};
use super::{Failure, Reply};

/// `portreeve secret`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SecretCommand {
    /// Set or replace a secret; its value is read from standard input, or asked for
    Set {
        /// Its name; `secret:NAME` refers to it
        name: String,
    },
    /// List the secrets by name; values are never shown
    List,
    /// Delete a secret; one that something names stays
    Delete {
        /// Its name
        name: String,
        /// Delete it all the same: what names it says then that it is missing
        #[arg(long)]
        force: bool,
    },
}

pub(super) async fn run(connection: &Connection, command: SecretCommand) -> Result<Reply, Failure> {
    match command {
        SecretCommand::Set { name } => set(connection, &name).await,
        SecretCommand::List => {
            let body = connection.all(&api_path!("secrets")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        SecretCommand::Delete { name, force } => {
            let mut path = api_path!("secrets/{}", name);
            if force {
                path.push_str("?force=true");
            }
            let body = connection.delete(&path).await?.body;
            Ok(Reply::new(body, format!("Secret `{name}` is deleted.")))
        }
    }
}

async fn set(connection: &Connection, name: &str) -> Result<Reply, Failure> {
    let known = connection.all(&api_path!("secrets")).await?;
    let known = super::reply::items(&known)
        .iter()
        .find(|secret| text(secret, "name") == name);
    // The one that the list shows is replaced, and not one that came meanwhile.
    let etag = known.map(|secret| format!("\"{}\"", text(secret, "revision")));
    let value = value(name)?;
    let request = json!({"value": value.expose()});
    let path = api_path!("secrets/{}", name);
    let body = connection.put(&path, &request, etag.as_deref()).await?.body;
    let done = if etag.is_some() { "replaced" } else { "set" };
    Ok(Reply::new(
        body,
        format!("Secret `{name}` is {done}. Refer to it as `secret:{name}`."),
    ))
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("NAME", |secret| text(secret, "name")),
            ("REVISION", |secret| text(secret, "revision")),
            ("UPDATED", |secret| when(secret, "updatedAt")),
            ("BY", |secret| text(secret, "updatedBy")),
        ],
        "No secrets. Set one with `portreeve secret set NAME`.",
    )
}

/// The value, without the line break at its end.
fn value(name: &str) -> Result<Secret, Failure> {
    let limit = Limits::default().secret_bytes;
    let unread = |error: &dyn std::fmt::Display| Failure::new(format!("the value cannot be read: {error}"));
    let mut read = String::new();
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let _ = write!(io::stderr().lock(), "Value of `{name}`: ");
        let silence = Silence::begin().map_err(|error| unread(&error))?;
        let outcome = stdin.read_line(&mut read);
        drop(silence);
        let _ = writeln!(io::stderr().lock());
        outcome.map_err(|error| unread(&error))?;
    } else {
        // One byte and a line break more than fit: what is too long is told so, and not cut.
        let most = limit as u64 + 3;
        let outcome = stdin.lock().take(most).read_to_string(&mut read);
        outcome.map_err(|error| unread(&error))?;
    }
    let text = read.strip_suffix('\n').unwrap_or(&read);
    let value = Secret::new(text.strip_suffix('\r').unwrap_or(text));
    // What was read must not stay behind.
    drop(Secret::new(read));
    if value.expose().is_empty() {
        return Err(Failure::new("the value is empty")
            .hint("pipe it in, as in `portreeve secret set NAME < FILE`, or type it when asked"));
    }
    Ok(value)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
