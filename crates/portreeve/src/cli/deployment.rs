//! `portreeve deployment`: says where a server runs, and puts in force what others said.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::connection::{Answer, Connection, api_path, segment};
use super::reply::{items, table, text};
use super::server::tools_of;
use super::{Failure, Reply, own_url};

/// `portreeve deployment`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum DeploymentCommand {
    /// List where a server runs: what is in force, and what waits; or where all of them do
    List(ListArgs),
    /// Say that a server runs in an environment, or change that
    #[command(arg = own_url())]
    Set(SetArgs),
    /// Say that a server does not run in an environment any more
    Remove {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Put the deployments that wait in force
    Approve {
        /// The server's name
        name: String,
        /// Grant the private hosts that their URLs need
        #[arg(long)]
        internal: bool,
        /// The hash of the plan that was looked at (`portreeve server plan NAME`)
        #[arg(long, value_name = "HASH")]
        plan: Option<String>,
    },
    /// Take the deployments that wait back, or send them back
    Withdraw {
        /// The server's name
        name: String,
    },
}

/// `portreeve deployment list`
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    /// The server's name [default: every server]
    name: Option<String>,
    /// Only in this environment
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "name")]
    environment: Option<String>,
    /// Only `active`, `inactive` or `proposed` ones
    #[arg(long, value_name = "STATE", conflicts_with = "name")]
    state: Option<String>,
}

/// Which deployment of a server.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlaceArgs {
    /// The server's name
    name: String,
    /// The environment
    environment: String,
    /// The major version that it is bound to, as in `v1`
    #[arg(long, value_name = "MAJOR")]
    major: Option<String>,
}

/// `portreeve deployment set`
#[derive(Debug, Clone, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Its MCP endpoint there (Streamable HTTP); needed for a new deployment
    #[arg(id = "deployment_url", long = "url", value_name = "URL")]
    url: Option<String>,
    /// The one version that runs there, or `any` for the highest approved one
    #[arg(long)]
    version: Option<String>,
    /// Whether it is served
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Grant the private hosts that its URL needs
    #[arg(long)]
    internal: bool,
}

/// Whether a deployment is served.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Active,
    Inactive,
}

pub(super) async fn run(connection: &Connection, command: DeploymentCommand) -> Result<Reply, Failure> {
    let body = match command {
        DeploymentCommand::List(ListArgs { name: Some(name), .. }) => {
            connection
                .get(&api_path!("servers/{}/deployments", name))
                .await?
                .body
        }
        DeploymentCommand::List(args) => return all(connection, &args).await,
        DeploymentCommand::Set(args) => set(connection, &args).await?,
        DeploymentCommand::Remove { place } => remove(connection, &place).await?,
        DeploymentCommand::Approve { name, internal, plan } => {
            let path = api_path!("servers/{}/deployments/approve", name);
            let request = json!({ "internal": internal, "plan": plan });
            connection.post(&path, &request).await?.body
        }
        DeploymentCommand::Withdraw { name } => {
            let path = api_path!("servers/{}/deployments/withdraw", name);
            connection.post(&path, &json!({})).await?.body
        }
    };
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

async fn all(connection: &Connection, args: &ListArgs) -> Result<Reply, Failure> {
    let mut path = api_path!("deployments");
    let filters = [("environment", &args.environment), ("state", &args.state)];
    let given = filters
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    for (index, (name, value)) in given.enumerate() {
        let mark = if index == 0 { '?' } else { '&' };
        path.push_str(&format!("{mark}{name}={}", segment(value)));
    }
    let body = connection.all(&path).await?;
    let shown = table(
        &body,
        &[
            ("SERVER", |one| text(one, "name")),
            ("ENVIRONMENT", |one| text(one, "environment")),
            ("MAJOR", |one| text(one, "major")),
            ("VERSION", pinned),
            ("STATE", |one| text(one, "state")),
            ("SERVES", |one| text(one, "serves")),
            ("URL", |one| text(one, "url")),
        ],
        "No deployments: the remotes of their documents are the production ones.",
    );
    Ok(Reply::new(body, shown))
}

fn pinned(one: &Value) -> String {
    match text(one, "version") {
        version if version.is_empty() => "any".to_owned(),
        version => version,
    }
}

async fn set(connection: &Connection, args: &SetArgs) -> Result<Value, Failure> {
    let (now, path) = read(connection, &args.place.name).await?;
    let mut all = declared(&now.body);
    let place = |one: &Value| args.place.is(one);
    let mut deployment = match all.iter().position(place) {
        Some(index) => all.remove(index),
        None => json!({ "environment": args.place.environment }),
    };
    let Some(fields) = deployment.as_object_mut() else {
        return Err(Failure::new("the answer holds a deployment that is none"));
    };
    args.fill(fields);
    if !fields.contains_key("url") {
        return Err(Failure::new(format!(
            "`{}` is not deployed in `{}` yet",
            args.place.name, args.place.environment
        ))
        .hint("say where it runs with `--url URL`"));
    }
    all.push(deployment);
    let request = json!({ "deployments": all, "internal": args.internal });
    Ok(connection.put(&path, &request, now.etag.as_deref()).await?.body)
}

async fn remove(connection: &Connection, place: &PlaceArgs) -> Result<Value, Failure> {
    let (now, path) = read(connection, &place.name).await?;
    let mut all = declared(&now.body);
    let before = all.len();
    all.retain(|one| !place.is(one));
    if all.len() == before {
        return Err(Failure::new(format!(
            "`{}` is not deployed in `{}`",
            place.name, place.environment
        ))
        .hint(format!(
            "`portreeve deployment list {}` shows where it is",
            place.name
        )));
    }
    let request = json!({ "deployments": all });
    Ok(connection.put(&path, &request, now.etag.as_deref()).await?.body)
}

async fn read(connection: &Connection, name: &str) -> Result<(Answer, String), Failure> {
    let path = api_path!("servers/{}/deployments", name);
    Ok((connection.get(&path).await?, path))
}

/// What was said last: what waits, or else what is in force.
fn declared(body: &Value) -> Vec<Value> {
    let waiting = body.pointer("/proposed/deployments");
    let all = waiting
        .or_else(|| body.get("deployments"))
        .and_then(Value::as_array);
    all.cloned().unwrap_or_default()
}

impl PlaceArgs {
    fn is(&self, deployment: &Value) -> bool {
        let major = text(deployment, "major");
        let wanted = self.major.as_deref().unwrap_or_default();
        text(deployment, "environment") == self.environment
            && major.trim_start_matches('v') == wanted.trim_start_matches('v')
    }
}

impl SetArgs {
    fn fill(&self, fields: &mut Map<String, Value>) {
        if let Some(major) = &self.place.major {
            fields.insert("major".to_owned(), json!(major));
        }
        if let Some(url) = &self.url {
            fields.insert("url".to_owned(), json!(url));
        }
        match self.version.as_deref() {
            None => {}
            Some("any") => {
                fields.remove("version");
            }
            Some(version) => {
                fields.insert("version".to_owned(), json!(version));
            }
        }
        let state = match self.state {
            None => return,
            Some(State::Active) => "active",
            Some(State::Inactive) => "inactive",
        };
        fields.insert("state".to_owned(), json!(state));
    }
}

pub(super) fn render(body: &Value) -> String {
    let mut shown = deployments(
        body,
        "No deployments: the remote of its document is the production one.",
    );
    if let Some(proposed) = body.get("proposed") {
        shown.push_str(&format!("\n\nProposed by {}:\n", text(proposed, "by")));
        shown.push_str(&deployments(proposed, "None at all."));
        shown.push_str(&format!(
            "\nNext: portreeve deployment approve {}",
            text(body, "name")
        ));
    }
    shown.push_str("\n\n");
    shown.push_str(&routes(body));
    shown
}

fn deployments(body: &Value, empty: &str) -> String {
    let list = json!({ "items": body.get("deployments").cloned().unwrap_or(json!([])) });
    table(
        &list,
        &[
            ("ENVIRONMENT", |one| text(one, "environment")),
            ("MAJOR", |one| text(one, "major")),
            ("VERSION", pinned),
            ("STATE", |one| text(one, "state")),
            ("URL", |one| text(one, "url")),
        ],
        empty,
    )
}

fn routes(body: &Value) -> String {
    let list = json!({ "items": body.get("routes").cloned().unwrap_or(json!([])) });
    let mut shown = table(
        &list,
        &[
            ("ROUTE", |route| text(route, "slug")),
            ("ENVIRONMENT", |route| text(route, "environment")),
            ("SERVES", |route| text(route, "version")),
            ("STATE", |route| text(route, "state")),
            ("GATEWAY", |route| text(route, "url")),
        ],
        "No routes.",
    );
    let moved = json!({ "items": body.get("moved").cloned().unwrap_or(json!([])) });
    for outcome in items(&moved) {
        let route = outcome.get("route").unwrap_or(&Value::Null);
        let tools = tools_of(outcome.get("tools").unwrap_or(&Value::Null));
        shown.push_str(&format!("\n{}: {tools}", text(route, "slug")));
    }
    shown
}
