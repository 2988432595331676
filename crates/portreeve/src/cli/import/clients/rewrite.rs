//! Hosts' files with the gateway's routes in the place of what stood there. What a host is told comes from the running
//! Portreeve, as for every installation.
//!
//! Before: what is registered. After: `backup` keeps the old texts and swaps in the new ones.

use std::path::{Path, PathBuf};

use portreeve_registry::clients::{Form, Found};
use serde_json::{Map, Value, json};

use super::backup::{self, Change};
use super::form;
use super::look::{self, Looked};
use crate::cli::Failure;
use crate::cli::connection::{Connection, api_path};
use crate::cli::reply::text;

/// The members that say how a server is reached; what else a person wrote beside them stays.
const LAUNCH: [&str; 23] = [
    "command",
    "cmd",
    "args",
    "env",
    "envs",
    "env_keys",
    "env_vars",
    "envFile",
    "cwd",
    "url",
    "httpUrl",
    "serverUrl",
    "uri",
    "type",
    "transport",
    "headers",
    "http_headers",
    "env_http_headers",
    "bearer_token_env_var",
    "requestInit",
    "source",
    "oauth",
    "auth",
];

/// What would be written.
#[derive(Default)]
pub(super) struct Planned {
    pub(super) changes: Vec<Change>,
    pub(super) pointed: Vec<Pointed>,
    pub(super) left: Vec<(String, PathBuf, String, String)>,
}

/// A server of a host that would be reached through the gateway.
pub(super) struct Pointed {
    pub(super) host: &'static str,
    pub(super) file: PathBuf,
    pub(super) name: String,
    pub(super) to: String,
}

/// What was written.
pub(super) struct Written {
    pub(super) backup: u32,
    pub(super) folder: PathBuf,
    pub(super) files: Vec<PathBuf>,
    pub(super) failures: Vec<String>,
}

// === impl Planned ===

impl Planned {
    pub(super) fn to_json(&self) -> Value {
        let pointed = self.pointed.iter().map(|one| {
            json!({ "host": one.host, "file": one.file.display().to_string(), "name": one.name, "to": one.to })
        });
        let left = self.left.iter().map(|(host, file, name, reason)| {
            json!({ "host": host, "file": file.display().to_string(), "name": name, "reason": reason })
        });
        json!({ "pointed": pointed.collect::<Value>(), "left": left.collect::<Value>() })
    }

    fn leave(&mut self, found: &Found, reason: impl Into<String>) {
        self.left.push((
            found.host.to_owned(),
            found.file.clone(),
            found.name().to_owned(),
            reason.into(),
        ));
    }
}

// === impl Written ===

impl Written {
    pub(super) fn to_json(&self) -> Value {
        let files = self.files.iter().map(|file| file.display().to_string());
        json!({
            "backup": self.backup, "folder": self.folder.display().to_string(), "files": files.collect::<Value>(),
            "failures": self.failures,
        })
    }
}

/// What the files would say, for servers that are registered under these names.
pub(super) async fn plan(
    connection: &Connection,
    looked: &Looked,
    served: &[(usize, String)],
) -> Result<Planned, Failure> {
    let mut planned = Planned::default();
    for (place, name) in served {
        let Some(found) = looked.found.get(*place) else {
            continue;
        };
        let entry = match told(connection, found, name).await {
            Ok(entry) => entry,
            Err(reason) => {
                planned.leave(found, reason);
                continue;
            }
        };
        point(&mut planned, found, entry)?;
    }
    Ok(planned)
}

/// Changes one server in the text of its file.
fn point(planned: &mut Planned, found: &Found, entry: Map<String, Value>) -> Result<(), Failure> {
    let known = planned
        .changes
        .iter()
        .position(|change| change.path == found.file);
    let text = match known.and_then(|known| planned.changes.get(known)) {
        Some(change) => change.after.clone(),
        None => look::open(&found.file).map_err(Failure::new)?.unwrap_or_default(),
    };
    let to = ["url", "httpUrl", "serverUrl", "uri"]
        .iter()
        .find_map(|member| entry.get(*member)?.as_str())
        .unwrap_or_default()
        .to_owned();
    let value = beside(found, &text, entry);
    match form::replace(found.form, &text, &found.at, &value) {
        Ok(after) => {
            match known.and_then(|known| planned.changes.get_mut(known)) {
                Some(change) => change.after = after,
                None => planned.changes.push(Change {
                    path: found.file.clone(),
                    before: text,
                    after,
                }),
            }
            planned.pointed.push(Pointed {
                host: found.host,
                file: found.file.clone(),
                name: found.name().to_owned(),
                to,
            });
        }
        Err(reason) => planned.leave(found, reason),
    }
    Ok(())
}

/// The new way, with what else stood there: whether it is on, which tools it may use unasked, how long one waits.
fn beside(found: &Found, text: &str, entry: Map<String, Value>) -> Value {
    let file = form::read(found.form, text).unwrap_or_default();
    let old = found.at.iter().try_fold(&file, |value, step| value.get(step));
    let mut members = entry;
    for (name, value) in old.and_then(Value::as_object).into_iter().flatten() {
        if !LAUNCH.contains(&name.as_str()) {
            members.insert(name.clone(), value.clone());
        }
    }
    members.into()
}

/// What the host is told of the gateway's route, as the members of its own file.
async fn told(connection: &Connection, found: &Found, name: &str) -> Result<Map<String, Value>, String> {
    let by_hand = format!(
        "`portreeve server install {name} --host {}` shows how by hand",
        found.host
    );
    let path = format!("{}?host={}", api_path!("servers/{}/install", name), found.host);
    let Ok(answer) = connection.get(&path).await else {
        return Err(format!("{name} is not approved yet; run this again when it is"));
    };
    let list = |value: &Value, member: &str| {
        value
            .get(member)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let ways = list(&answer.body, "ways");
    let Some(way) = ways.iter().find(|way| text(way, "source") == "gateway") else {
        return Err(format!(
            "{name} runs on this machine, and not through the gateway"
        ));
    };
    let snippets: Vec<Value> = list(way, "hosts")
        .iter()
        .flat_map(|host| list(host, "snippets"))
        .collect();
    let files = snippets.iter().filter(|snippet| text(snippet, "kind") == "file");
    let entry = files
        .into_iter()
        .find_map(|snippet| entry(found.form, &text(snippet, "text")));
    let entry = entry.ok_or_else(|| format!("{} takes no address in this file; {by_hand}", found.title))?;
    if asks(&Value::Object(entry.clone())) {
        return Err(format!("the route of {name} asks for a key; {by_hand}"));
    }
    Ok(entry)
}

/// The one server of a file that a host is told.
fn entry(form: Form, text: &str) -> Option<Map<String, Value>> {
    let file = form::read(form, text).ok()?;
    let servers = file.as_object()?.values().find(|value| value.is_object())?;
    let (_, server) = servers.as_object()?.iter().next()?;
    server.as_object().cloned()
}

/// Whether a person would have to fill something in.
fn asks(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${") || text.starts_with('<') || text.starts_with('$'),
        Value::Array(items) => items.iter().any(asks),
        Value::Object(members) => {
            members.contains_key("bearer_token_env_var")
                || members.contains_key("env_http_headers")
                || members.values().any(asks)
        }
        _ => false,
    }
}

/// Makes the backup, then writes the files one after the other.
pub(super) fn write(data: &Path, planned: &Planned) -> Result<Written, Failure> {
    let backup = backup::make(data, &planned.changes)?;
    let (mut files, mut failures) = (Vec::new(), Vec::new());
    for change in &planned.changes {
        match backup::swap(&change.path, &change.before, &change.after) {
            Ok(()) => files.push(change.path.clone()),
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    Ok(Written {
        backup,
        folder: backup::folder(data, backup),
        files,
        failures,
    })
}
