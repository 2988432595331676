//! `portreeve environment`: makes and describes the environments that servers run in.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::connection::{Connection, api_path};
use super::reply::{cut, pairs, table, text, when};
use super::{Failure, Reply};

/// `portreeve environment`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum EnvironmentCommand {
    /// List the environments
    List,
    /// Show an environment
    Show {
        /// Its name
        name: String,
    },
    /// Make an environment
    Create {
        /// Its name: 1 to 40 lower-case letters, digits and `-`; never changes
        name: String,
        /// What it is for
        #[arg(long, value_enum)]
        kind: Kind,
        #[command(flatten)]
        words: Words,
    },
    /// Change an environment
    Edit {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        #[command(flatten)]
        words: Words,
    },
    /// Remove an environment that nothing is in
    Delete {
        /// Its name
        name: String,
    },
}

/// What an environment is for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Development,
    Testing,
    Staging,
    Production,
}

/// What people read about an environment.
#[derive(Debug, Clone, Args)]
pub(crate) struct Words {
    /// The name people read
    #[arg(long)]
    title: Option<String>,
    /// What people should know of it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How somebody gets access to it
    #[arg(long, value_name = "TEXT")]
    onboarding: Option<String>,
    /// Its place in lists, a number
    #[arg(long)]
    position: Option<i64>,
}

pub(super) async fn run(connection: &Connection, command: EnvironmentCommand) -> Result<Reply, Failure> {
    match command {
        EnvironmentCommand::List => {
            let body = connection.all(&api_path!("environments")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        EnvironmentCommand::Show { name } => Ok(one(connection
            .get(&api_path!("environments/{}", name))
            .await?
            .body)),
        EnvironmentCommand::Create { name, kind, words } => {
            let mut request = words.request(Some(kind));
            request.insert("name".to_owned(), json!(name));
            let made = connection
                .post(&api_path!("environments"), &request.into())
                .await?;
            Ok(one(made.body))
        }
        EnvironmentCommand::Edit { name, kind, words } => {
            let path = api_path!("environments/{}", name);
            let etag = connection.get(&path).await?.etag.unwrap_or_default();
            let changed = connection
                .patch(&path, &words.request(kind).into(), &etag)
                .await?;
            Ok(one(changed.body))
        }
        EnvironmentCommand::Delete { name } => {
            connection.delete(&api_path!("environments/{}", name)).await?;
            let shown = format!("Environment {name} is removed.");
            Ok(Reply::new(json!({ "name": name }), shown))
        }
    }
}

impl Words {
    fn request(&self, kind: Option<Kind>) -> Map<String, Value> {
        let mut request = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                request.insert(name.to_owned(), value);
            }
        };
        put("kind", kind.map(|kind| json!(kind.word())));
        put("title", self.title.as_ref().map(|text| json!(text)));
        put("description", self.description.as_ref().map(|text| json!(text)));
        put("onboarding", self.onboarding.as_ref().map(|text| json!(text)));
        put("position", self.position.map(|number| json!(number)));
        request
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Testing => "testing",
            Self::Staging => "staging",
            Self::Production => "production",
        }
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
            ("ENVIRONMENT", |one| text(one, "name")),
            ("TITLE", |one| text(one, "title")),
            ("KIND", |one| text(one, "kind")),
            ("DESCRIPTION", |one| cut(&text(one, "description"), 60)),
        ],
        "No environments.",
    )
}

pub(super) fn render_one(body: &Value) -> String {
    pairs(&[
        ("environment", text(body, "name")),
        ("title", text(body, "title")),
        ("kind", text(body, "kind")),
        ("description", text(body, "description")),
        ("onboarding", text(body, "onboarding")),
        ("position", text(body, "position")),
        ("updated", when(body, "updatedAt")),
    ])
}
