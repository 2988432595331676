//! `portreeve access`: rules as text beside the grants. Checked, tried, tested, saved, switched. And who asks for access.

mod request;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::connection::{Connection, api_path};
use super::reply::{cut, items, joined, pairs, table, text, when};
use super::{Failure, Reply};

/// Longest file that is read; the server's own limits are lower.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// `portreeve access`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AccessCommand {
    /// List the access policies
    List,
    /// Show an access policy; with `--json` as it can be saved again
    Show {
        /// Its name
        name: String,
    },
    /// Save an access policy, new or anew
    Set(SetArgs),
    /// Say what is wrong with a text, and whether its tests hold; nothing is saved
    Check {
        #[command(flatten)]
        files: Files,
        /// The name that it would have
        #[arg(long, default_value = "checked")]
        name: String,
    },
    /// Run the tests of an access policy, or of all; or put one question to it
    Test {
        /// Its name [default: all]
        name: Option<String>,
        #[command(flatten)]
        question: Question,
    },
    /// Say who would gain and who would lose what; nothing is saved
    DryRun {
        /// The policy that is or would be
        name: String,
        /// Its text, or what `show --json` printed [default: what if it were not there]
        #[arg(short = 'f', long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// For whom: `key:NAME`, `user:NAME` or `anonymous`; may be given several times [default: everybody]
        #[arg(long = "as", value_name = "WHO")]
        who: Vec<String>,
    },
    /// Put an access policy into force
    Enable {
        /// Its name
        name: String,
    },
    /// Take an access policy out of force, and keep it
    Disable {
        /// Its name
        name: String,
    },
    /// Remove an access policy
    Remove {
        /// Its name
        name: String,
    },
    /// Print the words of access policies, as a schema of Cedar
    Schema,
    /// Ask to use a server, or decide about what others ask
    #[command(subcommand)]
    Request(request::RequestCommand),
}

/// A question to a text alone.
#[derive(Debug, Clone, Args)]
pub(crate) struct Question {
    /// Put one question instead of its tests: who asks, `user:NAME`, `key:NAME`, `client:ID` or `anonymous`
    #[arg(long = "as", value_name = "WHO", requires_all = ["name", "server"])]
    who: Option<String>,
    /// A group that who asks belongs to; may be given several times
    #[arg(long, value_name = "GROUP", requires = "who")]
    group: Vec<String>,
    /// `discover`, `read`, `call`, `publish`, `view`, `approve` or `operate` [default: `call` with `--tool`, else `discover`]
    #[arg(long, value_name = "ACTION", requires = "who")]
    action: Option<String>,
    /// Of which server
    #[arg(long, value_name = "NAME", requires = "who")]
    server: Option<String>,
    /// The environment of the route [default: the question is about no route]
    #[arg(long, value_name = "ENVIRONMENT", requires = "who")]
    environment: Option<String>,
    /// Which tool of it
    #[arg(long, value_name = "TOOL", requires = "who")]
    tool: Option<String>,
}

/// What is saved.
#[derive(Debug, Clone, Args)]
pub(crate) struct SetArgs {
    /// Its name: 1 to 40 lower-case letters, digits and `-`; never changes
    name: String,
    #[command(flatten)]
    files: Files,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Keep it out of force
    #[arg(long)]
    disabled: bool,
}

/// Where the text and its tests are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Files {
    /// Its text, or what `show --json` printed
    #[arg(short = 'f', long, value_name = "FILE")]
    file: PathBuf,
    /// Its tests: a JSON list of `{who, groups, action, server, environment, tool, arguments, expect}`
    #[arg(long, value_name = "FILE")]
    tests: Option<PathBuf>,
}

pub(super) async fn run(connection: &Connection, command: AccessCommand) -> Result<Reply, Failure> {
    match command {
        AccessCommand::List => {
            let body = connection.all(&api_path!("policies")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        AccessCommand::Show { name } => Ok(one(connection.get(&api_path!("policies/{}", name)).await?.body)),
        AccessCommand::Set(args) => set(connection, &args).await,
        AccessCommand::Check { files, name } => {
            let mut request = files.request()?;
            request.retain(|member, _| matches!(member.as_str(), "text" | "tests"));
            let path = api_path!("policies/{}/check", name);
            let body = connection.post(&path, &request.into()).await?.body;
            Ok(checked(body, &files.file))
        }
        AccessCommand::Test {
            name: Some(name),
            question,
        } if question.who.is_some() => ask(connection, &name, &question).await,
        AccessCommand::Test { name, .. } => {
            let path = match name {
                Some(name) => api_path!("policies/{}/test", name),
                None => api_path!("policy-tests"),
            };
            let body = connection.post(&path, &json!({})).await?.body;
            let failed = items(&body).iter().any(|test| test["passed"] != json!(true));
            let shown = tests(&body);
            Ok(Reply::new(body, shown).bad_if(failed))
        }
        AccessCommand::DryRun { name, file, who } => dry_run(connection, &name, file.as_deref(), &who).await,
        AccessCommand::Enable { name } => switch(connection, &name, "enable").await,
        AccessCommand::Disable { name } => switch(connection, &name, "disable").await,
        AccessCommand::Remove { name } => {
            connection.delete(&api_path!("policies/{}", name)).await?;
            let shown = format!("Access policy {name} is removed.");
            Ok(Reply::new(json!({ "name": name }), shown))
        }
        AccessCommand::Request(command) => request::run(connection, command).await,
        AccessCommand::Schema => {
            let body = connection.get(&api_path!("policy-schema")).await?.body;
            let shown = text(&body, "schema");
            Ok(Reply::new(body, shown))
        }
    }
}

/// Puts one question to the text that is stored.
async fn ask(connection: &Connection, name: &str, question: &Question) -> Result<Reply, Failure> {
    let stored = connection.get(&api_path!("policies/{}", name)).await?.body;
    let request = json!({ "text": stored["text"], "tests": [question.asked()] });
    let path = api_path!("policies/{}/check", name);
    let body = connection.post(&path, &request).await?.body;
    let outcome = body["tests"][0].clone();
    let is_bad = outcome["said"].is_null();
    let shown = if is_bad {
        format!("{}: {}", text(&outcome, "question"), text(&outcome, "problem"))
    } else {
        let by = joined(&outcome, "by");
        let by = if by.is_empty() { by } else { format!(" ({by})") };
        format!("{}: {}{by}", text(&outcome, "question"), text(&outcome, "said"))
    };
    Ok(Reply::new(outcome, shown).bad_if(is_bad))
}

async fn set(connection: &Connection, args: &SetArgs) -> Result<Reply, Failure> {
    let mut request = args.files.request()?;
    if let Some(description) = &args.description {
        request.insert("description".to_owned(), json!(description));
    }
    if args.disabled {
        request.insert("enabled".to_owned(), json!(false));
    }
    let path = api_path!("policies/{}", args.name);
    let all = connection.all(&api_path!("policies")).await?;
    let had = items(&all)
        .iter()
        .find(|policy| policy["name"] == json!(args.name));
    let etag = had.map(|policy| format!("\"{}\"", policy["revision"]));
    if let Some(had) = had {
        // What is not said stays as it is; the text alone is always said.
        for member in ["description", "tests", "enabled"] {
            if let Some(value) = had.get(member) {
                request.entry(member).or_insert_with(|| value.clone());
            }
        }
    }
    let saved = connection.put(&path, &request.into(), etag.as_deref()).await?;
    Ok(one(saved.body))
}

async fn switch(connection: &Connection, name: &str, word: &str) -> Result<Reply, Failure> {
    let path = api_path!("policies/{}/{}", name, word);
    Ok(one(connection.post(&path, &json!({})).await?.body))
}

async fn dry_run(
    connection: &Connection,
    name: &str,
    file: Option<&Path>,
    who: &[String],
) -> Result<Reply, Failure> {
    let mut request = json!({ "as": who });
    if let Some(file) = file {
        request["text"] = document(file)?.remove("text").unwrap_or_default();
    }
    let path = api_path!("policies/{}/dry-run", name);
    let mut changes = Vec::new();
    let mut asked = 0;
    loop {
        let body = connection.post(&path, &request).await?.body;
        changes.extend(body["changes"].as_array().cloned().unwrap_or_default());
        asked += body["asked"].as_u64().unwrap_or_default();
        match body["next"].as_u64() {
            Some(next) => request["from"] = json!(next),
            None => break,
        }
    }
    let list = json!({ "items": changes });
    let columns: [super::reply::Column; 5] = [
        ("WHO", |change| text(change, "who")),
        ("CHANGE", |change| text(change, "change")),
        ("SERVER", |change| text(change, "server")),
        ("TOOL", |change| text(change, "tool")),
        ("BY", |change| joined(change, "by")),
    ];
    let shown = format!(
        "{}\n{asked} questions were asked.",
        table(&list, &columns, "Nothing would change.")
    );
    let body = json!({ "changes": list["items"], "asked": asked });
    Ok(Reply::new(body, shown))
}

// === impl Question ===

impl Question {
    fn asked(&self) -> Value {
        let usual = if self.tool.is_some() { "call" } else { "discover" };
        // What is expected is not asked here; the answer is shown.
        json!({
            "who": self.who, "groups": self.group, "action": self.action.as_deref().unwrap_or(usual),
            "server": self.server, "environment": self.environment, "tool": self.tool, "expect": "nothing",
        })
    }
}

// === impl Files ===

impl Files {
    fn request(&self) -> Result<Map<String, Value>, Failure> {
        let mut request = document(&self.file)?;
        if let Some(file) = &self.tests {
            let tests: Value = serde_json::from_str(&read(file)?).map_err(|error| {
                Failure::new(format!("`{}` is not JSON: {error}", file.display()))
                    .hint("tests are a JSON list of questions with `expect`")
            })?;
            request.insert("tests".to_owned(), tests);
        }
        Ok(request)
    }
}

/// A policy as it was shown, or its text alone.
fn document(file: &Path) -> Result<Map<String, Value>, Failure> {
    let content = read(file)?;
    match serde_json::from_str(&content) {
        Ok(Value::Object(object)) if object.get("text").is_some_and(Value::is_string) => Ok(object),
        _ => Ok(Map::from_iter([("text".to_owned(), json!(content))])),
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let failed = |reason: &dyn std::fmt::Display| Failure::new(format!("cannot read `{shown}`: {reason}"));
    let size = std::fs::metadata(file).map_err(|error| failed(&error))?.len();
    if size > FILE_BYTES {
        return Err(failed(&"it is larger than 4 MiB").hint("a policy has a few kilobytes"));
    }
    std::fs::read_to_string(file).map_err(|error| failed(&error))
}

fn checked(body: Value, file: &Path) -> Reply {
    let mut lines = Vec::new();
    for problem in body["problems"].as_array().into_iter().flatten() {
        let (line, column) = (&problem["line"], &problem["column"]);
        lines.push(format!(
            "{}:{line}:{column}: {}",
            file.display(),
            text(problem, "problem")
        ));
        if problem.get("hint").is_some() {
            lines.push(format!("  hint: {}", text(problem, "hint")));
        }
    }
    let is_valid = body["valid"] == json!(true);
    let outcomes = json!({ "items": body["tests"] });
    if !items(&outcomes).is_empty() {
        lines.push(tests(&outcomes));
    }
    if is_valid {
        lines.push("The text can be saved.".to_owned());
    }
    Reply::new(body, lines.join("\n")).bad_if(!is_valid)
}

fn tests(list: &Value) -> String {
    let columns: [super::reply::Column; 6] = [
        ("TEST", |test| text(test, "name")),
        ("PASSED", |test| text(test, "passed")),
        ("QUESTION", |test| cut(&text(test, "question"), 80)),
        ("EXPECTED", |test| text(test, "expected")),
        ("SAID", |test| text(test, "said")),
        ("BY", |test| joined(test, "by")),
    ];
    table(list, &columns, "No tests.")
}

fn render(list: &Value) -> String {
    let columns: [super::reply::Column; 5] = [
        ("NAME", |policy| text(policy, "name")),
        ("ENABLED", |policy| text(policy, "enabled")),
        ("DESCRIPTION", |policy| cut(&text(policy, "description"), 60)),
        ("TESTS", |policy| {
            policy["tests"].as_array().map_or(0, Vec::len).to_string()
        }),
        ("CHANGED", |policy| when(policy, "updatedAt")),
    ];
    table(list, &columns, "No access policies.")
}

fn one(body: Value) -> Reply {
    let head = pairs(&[
        ("name", text(&body, "name")),
        ("description", text(&body, "description")),
        ("enabled", text(&body, "enabled")),
        ("tests", body["tests"].as_array().map_or(0, Vec::len).to_string()),
        ("revision", text(&body, "revision")),
        ("changed by", text(&body, "updatedBy")),
        ("changed at", when(&body, "updatedAt")),
    ]);
    let shown = format!("{head}\n\n{}", text(&body, "text").trim_end());
    Reply::new(body, shown)
}
