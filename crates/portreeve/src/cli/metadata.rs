//! `portreeve metadata`: defines the custom properties that servers, environments and deployments have or must have.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::connection::{Connection, api_path};
use super::reply::{count, items, pairs, table, text, when};
use super::{Failure, Reply, document};

/// `portreeve metadata`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum MetadataCommand {
    /// List the custom properties
    List,
    /// Show a custom property, and what does not meet it
    Show {
        /// Its name
        name: String,
    },
    /// List the servers that do not meet what the custom properties ask
    Failing,
    /// Define a custom property
    Create {
        /// Its name: a letter, then letters, digits, `_` and `-`; never changes
        name: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a custom property; what does not meet it any more is listed
    Edit {
        /// Its name
        name: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Remove a custom property that nothing has a value of
    Delete {
        /// Its name
        name: String,
    },
}

/// What can be said about a custom property.
#[derive(Debug, Clone, Args)]
pub(crate) struct Fields {
    /// Its type: `boolean`, `number`, `string`, `array` or `object`
    #[arg(long = "type", value_name = "TYPE", conflicts_with_all = ["choice", "schema"])]
    kind: Option<String>,
    /// One of the texts that it may be; may be given several times
    #[arg(long, value_name = "TEXT", conflicts_with = "schema")]
    choice: Vec<String>,
    /// A file with the JSON Schema that every value meets
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Every `server`, `environment` or `deployment` must have it; may be given several times
    #[arg(long, value_name = "OWNER")]
    required: Vec<String>,
    /// A `server`, `environment` or `deployment` may have it; may be given several times
    #[arg(long, value_name = "OWNER")]
    optional: Vec<String>,
    /// The name people read
    #[arg(long)]
    title: Option<String>,
    /// What it says
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

pub(super) async fn run(connection: &Connection, command: MetadataCommand) -> Result<Reply, Failure> {
    match command {
        MetadataCommand::List => {
            let body = connection.all(&api_path!("metadata-schemas")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        MetadataCommand::Show { name } => {
            let path = api_path!("metadata-schemas/{}", name);
            Ok(one(connection.get(&path).await?.body))
        }
        MetadataCommand::Failing => {
            let body = connection.all(&api_path!("metadata-failures")).await?;
            let shown = render_failing(&body);
            Ok(Reply::new(body, shown))
        }
        MetadataCommand::Create { name, fields } => {
            let mut request = fields.request()?;
            request.insert("name".to_owned(), json!(name));
            if !request.contains_key("schema") {
                request.insert("schema".to_owned(), json!({ "type": "string" }));
            }
            if !request.contains_key("assignments") {
                request.insert("assignments".to_owned(), json!({ "server": "optional" }));
            }
            let path = api_path!("metadata-schemas");
            Ok(one(connection.post(&path, &request.into()).await?.body))
        }
        MetadataCommand::Edit { name, fields } => {
            let path = api_path!("metadata-schemas/{}", name);
            let etag = connection.get(&path).await?.etag.unwrap_or_default();
            let request = fields.request()?.into();
            Ok(one(connection.patch(&path, &request, &etag).await?.body))
        }
        MetadataCommand::Delete { name } => {
            connection.delete(&api_path!("metadata-schemas/{}", name)).await?;
            let shown = format!("Property {name} is removed.");
            Ok(Reply::new(json!({ "name": name }), shown))
        }
    }
}

pub(super) fn render_failing(body: &Value) -> String {
    table(
        body,
        &[
            ("SERVER", |server| text(server, "name")),
            ("PROBLEMS", |server| {
                let problems = server.get("problems").and_then(Value::as_array);
                let problems = problems.into_iter().flatten();
                problems
                    .map(|problem| text(problem, "message"))
                    .collect::<Vec<_>>()
                    .join("; ")
            }),
        ],
        "Every server meets what the custom properties ask.",
    )
}

impl Fields {
    fn request(&self) -> Result<Map<String, Value>, Failure> {
        let mut request = Map::new();
        if let Some(file) = &self.schema {
            request.insert("schema".to_owned(), document::from_file(file)?);
        } else if !self.choice.is_empty() {
            request.insert("schema".to_owned(), json!({ "enum": self.choice }));
        } else if let Some(kind) = &self.kind {
            request.insert("schema".to_owned(), json!({ "type": kind }));
        }
        let needs = [("required", &self.required), ("optional", &self.optional)];
        let mut assignments = Map::new();
        for (need, owners) in needs {
            assignments.extend(owners.iter().map(|owner| (owner.clone(), json!(need))));
        }
        if !assignments.is_empty() {
            request.insert("assignments".to_owned(), assignments.into());
        }
        for (name, text) in [("title", &self.title), ("description", &self.description)] {
            if let Some(text) = text {
                request.insert(name.to_owned(), json!(text));
            }
        }
        Ok(request)
    }
}

fn one(body: Value) -> Reply {
    let shown = render_one(&body);
    Reply::new(body, shown)
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("PROPERTY", |one| text(one, "name")),
            ("TITLE", |one| text(one, "title")),
            ("TYPE", |one| text(one, "type")),
            ("OF", assignments),
        ],
        "No custom properties. Define one with `portreeve metadata create NAME`.",
    )
}

pub(super) fn render_one(body: &Value) -> String {
    let head = pairs(&[
        ("property", text(body, "name")),
        ("title", text(body, "title")),
        ("description", text(body, "description")),
        ("type", text(body, "type")),
        ("of", assignments(body)),
        ("schema", text(body, "schema")),
        ("updated", when(body, "updatedAt")),
    ]);
    let failing = body.get("failingCount").and_then(Value::as_u64).unwrap_or(0);
    if failing == 0 {
        return head;
    }
    let list = json!({ "items": body.get("failing").cloned().unwrap_or(json!([])) });
    let lines = items(&list)
        .iter()
        .map(|one| format!("\n  {}: {}", text(one, "subject"), text(one, "problem")));
    let what = count(failing, "thing");
    format!(
        "{head}\n\n{what} served on, and neither submitted nor approved until mended:{}",
        lines.collect::<String>()
    )
}

fn assignments(one: &Value) -> String {
    let all = one.get("assignments").and_then(Value::as_object);
    let all = all.into_iter().flatten();
    let all = all.map(|(owner, need)| format!("{owner} ({})", need.as_str().unwrap_or_default()));
    all.collect::<Vec<_>>().join(", ")
}
