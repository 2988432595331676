//! `portreeve registry`: makes views of the entries, each with a path and readers of its own.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::connection::{Connection, api_path};
use super::reply::{cut, joined, pairs, table, text, when};
use super::route::Switch;
use super::{Failure, Reply};

/// `portreeve registry`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RegistryCommand {
    /// List the registries that you may read
    List,
    /// Show a registry
    Show {
        /// Its name
        name: String,
    },
    /// Make a registry: for members, and of everything that is approved, unless told otherwise
    Create {
        /// Its name: 1 to 40 lower-case letters, digits and `-`; never changes
        name: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a registry; a list that is given takes the place of the whole list
    Edit {
        /// Its name
        name: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Delete a registry; what was in it stays where it is
    Delete {
        /// Its name
        name: String,
    },
}

/// What can be said about a registry.
#[derive(Debug, Clone, Args)]
pub(crate) struct Fields {
    /// The name people read
    #[arg(long)]
    title: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who may read it: everybody, everybody with a key, or only the readers that are named
    #[arg(long, value_enum)]
    visibility: Option<Visibility>,
    /// A reader, as in `key:deploy`, `user:ada` or `group:finance`; may be given several times
    #[arg(long, value_name = "LABEL", requires = "visibility")]
    reader: Vec<String>,
    /// Only servers with one of these tags; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only servers in one of these environments, at their addresses there; may be given several times
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Vec<String>,
    /// Only servers whose latest version is in one of these stages; may be given several times
    #[arg(long, value_name = "STAGE")]
    lifecycle: Vec<String>,
    /// Only servers in these namespaces: `com.acme`, or `com.acme.*` for those below, too; may be given several times
    #[arg(long, value_name = "PATTERN")]
    namespace: Vec<String>,
    /// Select everything again
    #[arg(long, conflicts_with_all = ["tag", "environment", "lifecycle", "namespace"])]
    everything: bool,
    /// Approve submissions in these namespaces at once, if the registry would hold them; may be given several times
    #[arg(long, value_name = "PATTERN")]
    auto_approve: Vec<String>,
    /// Whether somebody else approves than who submitted
    #[arg(long, value_enum)]
    approver_differs: Option<Switch>,
}

/// Who may read a registry.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Visibility {
    Anonymous,
    Members,
    Only,
}

pub(super) async fn run(connection: &Connection, command: RegistryCommand) -> Result<Reply, Failure> {
    match command {
        RegistryCommand::List => {
            let body = connection.all(&api_path!("registries")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        RegistryCommand::Show { name } => {
            Ok(one(connection.get(&api_path!("registries/{}", name)).await?.body))
        }
        RegistryCommand::Create { name, fields } => {
            let mut request = fields.request(&Value::Null);
            request.insert("name".to_owned(), json!(name));
            let made = connection.post(&api_path!("registries"), &request.into()).await?;
            Ok(one(made.body))
        }
        RegistryCommand::Edit { name, fields } => {
            let path = api_path!("registries/{}", name);
            let now = connection.get(&path).await?;
            let request = fields.request(now.body.get("selection").unwrap_or(&Value::Null));
            let etag = now.etag.unwrap_or_default();
            Ok(one(connection.patch(&path, &request.into(), &etag).await?.body))
        }
        RegistryCommand::Delete { name } => {
            connection.delete(&api_path!("registries/{}", name)).await?;
            let shown = format!("Registry {name} is deleted.");
            Ok(Reply::new(json!({ "name": name }), shown))
        }
    }
}

impl Fields {
    /// The request; a selection begins with what is selected now.
    fn request(&self, selection: &Value) -> Map<String, Value> {
        let mut request = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                request.insert(name.to_owned(), value);
            }
        };
        put("title", self.title.as_ref().map(|text| json!(text)));
        put("description", self.description.as_ref().map(|text| json!(text)));
        put(
            "visibility",
            self.visibility.map(|visibility| self.readers(visibility)),
        );
        put("selection", self.selection(selection));
        let rules = (!self.auto_approve.is_empty()).then(|| json!(self.auto_approve));
        put("autoApprove", rules);
        let differs = self
            .approver_differs
            .map(|switch| json!(matches!(switch, Switch::On)));
        put("approverDiffers", differs);
        request
    }

    fn readers(&self, visibility: Visibility) -> Value {
        match visibility {
            Visibility::Anonymous => json!("anonymous"),
            Visibility::Members => json!("members"),
            Visibility::Only => json!({ "only": self.reader }),
        }
    }

    fn selection(&self, now: &Value) -> Option<Value> {
        if self.everything {
            return Some(json!({}));
        }
        let lists = [
            ("tags", &self.tag),
            ("environments", &self.environment),
            ("lifecycles", &self.lifecycle),
            ("namespaces", &self.namespace),
        ];
        if lists.iter().all(|(_, list)| list.is_empty()) {
            return None;
        }
        let mut selection = now.as_object().cloned().unwrap_or_default();
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            selection.insert(name.to_owned(), json!(list));
        }
        Some(selection.into())
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
            ("REGISTRY", |one| text(one, "name")),
            ("READERS", readers),
            ("HOLDS", |one| cut(&holds(one), 60)),
            ("URL", |one| text(one, "url")),
        ],
        "No registries that you may read.",
    )
}

pub(super) fn render_one(body: &Value) -> String {
    let differs = body.get("approverDiffers") == Some(&Value::Bool(true));
    pairs(&[
        ("registry", text(body, "name")),
        ("url", text(body, "url")),
        ("title", text(body, "title")),
        ("description", text(body, "description")),
        ("readers", readers(body)),
        ("holds", holds(body)),
        ("approves at once", joined(body, "autoApprove")),
        (
            "approver",
            if differs { "not who submitted" } else { "" }.to_owned(),
        ),
        ("updated", when(body, "updatedAt")),
    ])
}

fn readers(one: &Value) -> String {
    match one.get("visibility") {
        Some(Value::String(word)) if word == "anonymous" => "everybody".to_owned(),
        Some(Value::String(_)) => "members".to_owned(),
        Some(only) => joined(only, "only"),
        None => String::new(),
    }
}

fn holds(one: &Value) -> String {
    let selection = one.get("selection").unwrap_or(&Value::Null);
    let parts = [
        ("tagged ", "tags"),
        ("in ", "environments"),
        ("at ", "lifecycles"),
        ("of ", "namespaces"),
    ];
    let parts = parts.iter().map(|(word, list)| (word, joined(selection, list)));
    let parts: Vec<_> = parts
        .filter(|(_, list)| !list.is_empty())
        .map(|(word, list)| format!("{word}{list}"))
        .collect();
    if parts.is_empty() {
        "everything that is approved".to_owned()
    } else {
        parts.join("; ")
    }
}
