//! `portreeve server`: registers servers, shows them, and leads them through their life.

pub(super) mod compare;
mod curation;
mod edit;
pub(super) mod icons;
pub(super) mod install;
pub(super) mod login;
pub(super) mod members;
mod openapi;
pub(super) mod plan;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connection::{Connection, api_path, segment};
use super::reply::{count, cut, joined, pairs, table, text, when};
use super::{Failure, Reply, assessment, document, own_url, tool};

/// `portreeve server`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ServerCommand {
    /// Register a server, or a new version of one
    #[command(arg = own_url())]
    Add(Box<AddArgs>),
    /// List the servers
    List {
        /// Only servers whose name, title or description holds this text
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show a server with its versions and routes
    Show {
        /// The server's name
        name: String,
    },
    /// Hand a draft in for approval
    Submit(VersionArgs),
    /// Judge a version: what a reviewer should know before approving it; ends with 1 when that would stop an approval
    Assess {
        #[command(flatten)]
        version: VersionArgs,
        /// Show the last assessment of the version instead of making one
        #[arg(long, requires = "version")]
        last: bool,
    },
    /// Approve a version: it is listed, and its route is made or moved
    Approve {
        #[command(flatten)]
        version: VersionArgs,
        /// Grant the private hosts that its URL needs
        #[arg(long)]
        internal: bool,
        /// The hash of the plan that was looked at (`portreeve server plan NAME`)
        #[arg(long, value_name = "HASH")]
        plan: Option<String>,
    },
    /// Say what people should know about a server; its document stays as it is
    Edit(Box<edit::EditArgs>),
    /// Show what approving would do: which routes are made, moved, started or stopped
    Plan(VersionArgs),
    /// Show what differs between two versions
    Compare(compare::CompareArgs),
    /// Send a version back, with a reason
    Reject {
        #[command(flatten)]
        version: VersionArgs,
        /// What its owner should change
        #[arg(long)]
        reason: String,
    },
    /// Mark a server, or one version, as one that should not be taken up any more
    Deprecate(EndArgs),
    /// Take a server, or one version, out of the registry and the gateway
    Retire(EndArgs),
    /// Remove a server with all its versions and routes; its slugs stay reserved for its name
    Remove {
        /// The server's name
        name: String,
    },
    /// Show the tools of a server with their pins and what changed
    Tools {
        /// The server's name
        name: String,
        /// Ask the server for its tools first
        #[arg(long)]
        refresh: bool,
        #[command(flatten)]
        on: tool::RouteArgs,
    },
    /// Show what was made of a REST API: its tools, what they cost, what became of every operation; or make it anew
    #[command(name = "openapi")]
    OpenApi(openapi::KeptArgs),
    /// List the icons of a server, and why some are not shown
    Icons(icons::IconsArgs),
    /// Show what makes a host use a server: links, commands, files and values
    Install(install::InstallArgs),
    /// List the members of a virtual server, with the names that it gave to what they have
    Members(members::MembersArgs),
    /// Say how to log in at a protected server when its tools are looked at
    Login(login::LoginArgs),
    /// List how a server is logged in at
    Logins {
        /// The server's name
        name: String,
    },
    /// Log in at a server no more
    Logout(login::LogoutArgs),
    /// Say how mature a server, or one version, is
    Lifecycle {
        #[command(flatten)]
        end: EndArgs,
        /// `design`, `development`, `testing`, `preview`, `production`, `deprecated` or `retired`
        #[arg(long, value_name = "STAGE")]
        stage: String,
    },
}

/// `portreeve server add`
#[derive(Debug, Clone, Args)]
pub(crate) struct AddArgs {
    /// The server's name in reverse-DNS form, as in `com.acme/billing`
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    name: Option<String>,
    /// Its MCP endpoint (Streamable HTTP)
    #[arg(
        id = "server_url",
        long = "url",
        value_name = "URL",
        required_unless_present_any = ["file", "deploy", "openapi", "graphql", "member"],
        conflicts_with = "file"
    )]
    url: Option<String>,
    /// Where it runs: an environment and its MCP endpoint there; may be given several times
    #[arg(long, value_name = "ENVIRONMENT=URL", value_parser = deployed)]
    deploy: Vec<(String, String)>,
    /// Register this server.json file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What it is for, in one sentence
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    description: Option<String>,
    /// Its version [default: 1.0.0, or that of the description]
    #[arg(long, conflicts_with = "file")]
    version: Option<String>,
    /// Grant the private hosts that its URL needs
    #[arg(long)]
    internal: bool,
    /// Approve it at once, where the caller may
    #[arg(long)]
    approve: bool,
    /// Keep it as a draft: nobody is asked for an approval until `server submit`
    #[arg(long, conflicts_with_all = ["approve", "openapi", "graphql"])]
    draft: bool,
    #[command(flatten)]
    openapi: openapi::OpenApiArgs,
    #[command(flatten)]
    members: members::MemberArgs,
    #[command(flatten)]
    profile: edit::ProfileArgs,
}

/// One version of a server.
#[derive(Debug, Clone, Args)]
pub(crate) struct VersionArgs {
    /// The server's name
    name: String,
    /// The version [default: the newest that waits for this step]
    #[arg(long)]
    version: Option<String>,
}

/// One version of a server or all of them, and why it ends.
#[derive(Debug, Clone, Args)]
pub(crate) struct EndArgs {
    /// The server's name
    name: String,
    /// Only this version [default: every approved one]
    #[arg(long)]
    version: Option<String>,
    /// What those who use it should know
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
}

pub(super) async fn run(connection: &Connection, command: ServerCommand) -> Result<Reply, Failure> {
    match command {
        ServerCommand::Add(args) => add(connection, &args).await,
        ServerCommand::List { search } => {
            let query = search.map_or_else(String::new, |text| format!("?search={}", segment(&text)));
            let body = connection
                .all(&format!("{}{query}", api_path!("servers")))
                .await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        ServerCommand::Show { name } => {
            let body = connection.get(&api_path!("servers/{}", name)).await?.body;
            let shown = render_one(&body);
            Ok(Reply::new(body, shown))
        }
        ServerCommand::Submit(version) => {
            Ok(of_version(step(connection, &version, "submit", json!({})).await?))
        }
        ServerCommand::Assess { version, last } => assess(connection, &version, last).await,
        ServerCommand::Approve {
            version,
            internal,
            plan,
        } => {
            let request = json!({ "internal": internal, "plan": plan });
            let body = step(connection, &version, "approve", request).await?;
            let shown = outcome(&body);
            Ok(Reply::new(body, shown))
        }
        ServerCommand::Edit(args) => edit::run(connection, &args).await,
        ServerCommand::Compare(args) => compare::run(connection, &args).await,
        ServerCommand::Plan(version) => {
            let query = version.version.as_deref();
            let query = query.map_or_else(String::new, |text| format!("?version={}", segment(text)));
            let path = format!("{}{query}", api_path!("servers/{}/plan", version.name));
            let body = connection.get(&path).await?.body;
            let shown = plan::render(&body);
            Ok(Reply::new(body, shown))
        }
        ServerCommand::Reject { version, reason } => Ok(of_version(
            step(connection, &version, "reject", json!({ "reason": reason })).await?,
        )),
        ServerCommand::Deprecate(args) => end(connection, &args, "deprecated").await,
        ServerCommand::Retire(args) => end(connection, &args, "retired").await,
        ServerCommand::Remove { name } => {
            connection.delete(&api_path!("servers/{}", name)).await?;
            let shown = format!("{name} is removed.");
            Ok(Reply::new(json!({ "name": name }), shown))
        }
        ServerCommand::Icons(args) => icons::run(connection, &args).await,
        ServerCommand::Install(args) => install::run(connection, &args).await,
        ServerCommand::Members(args) => members::run(connection, &args).await,
        ServerCommand::Login(args) => login::login(connection, args).await,
        ServerCommand::Logins { name } => login::logins(connection, &name).await,
        ServerCommand::Logout(args) => login::logout(connection, args).await,
        ServerCommand::Lifecycle { end: args, stage } => end(connection, &args, &stage).await,
        ServerCommand::OpenApi(args) => openapi::kept(connection, &args).await,
        ServerCommand::Tools { name, refresh, on } => {
            let body = if refresh {
                let path = on.path(api_path!("servers/{}/tools/refresh", name));
                connection.post(&path, &json!({})).await?.body
            } else {
                connection
                    .all(&on.path(api_path!("servers/{}/tools", name)))
                    .await?
            };
            let shown = tool::render(&body);
            Ok(Reply::new(body, shown))
        }
    }
}

async fn assess(connection: &Connection, version: &VersionArgs, last: bool) -> Result<Reply, Failure> {
    let body = match version.version.as_ref().filter(|_| last) {
        Some(number) => {
            let path = api_path!("servers/{}/versions/{}/assessment", version.name, number);
            connection.get(&path).await?.body
        }
        None => step(connection, version, "assess", json!({})).await?,
    };
    let shown = assessment::render(&body);
    let blocked = body.get("blocked") == Some(&Value::Bool(true));
    Ok(Reply::new(body, shown).bad_if(blocked))
}

async fn add(connection: &Connection, args: &AddArgs) -> Result<Reply, Failure> {
    let described = args.openapi.openapi.as_ref().or(args.openapi.graphql.as_ref());
    if let (Some(place), Some(name)) = (described, &args.name) {
        let beside = openapi::Beside {
            name,
            version: args.version.as_deref(),
            description: args.description.as_deref(),
            internal: args.internal,
            approve: args.approve,
        };
        return openapi::add(connection, place, &args.openapi, &beside).await;
    }
    let version = args.version.as_deref().unwrap_or("1.0.0");
    let document = match (&args.file, &args.name, &args.url) {
        (Some(file), ..) => document::from_file(file)?,
        (None, Some(name), url) => {
            let mut document = document::remote(name, url.as_deref(), args.description.as_deref(), version);
            args.members.put(&mut document);
            document
        }
        _ => {
            return Err(Failure::new("name the server and its URL, or a file")
                .hint("see `portreeve server add --help`"));
        }
    };
    let mut request = json!({ "document": document, "internal": args.internal, "approve": args.approve,
        "draft": args.draft });
    let profile = args.profile.request();
    if let Some(fields) = request.as_object_mut()
        && !profile.is_empty()
    {
        fields.insert("profile".to_owned(), profile.into());
    }
    let values = args.profile.version_values();
    if let Some(fields) = request.as_object_mut()
        && !values.is_empty()
    {
        fields.insert("versionMetadata".to_owned(), values.into());
    }
    if let Some(fields) = request.as_object_mut()
        && !args.deploy.is_empty()
    {
        let all = args.deploy.iter();
        let all = all.map(|(environment, url)| json!({ "environment": environment, "url": url }));
        fields.insert("deployments".to_owned(), all.collect());
    }
    let name = document::name(&document).to_owned();
    let body = connection.post(&api_path!("servers"), &request).await;
    let body =
        body.map_err(|failure| failure.or_hint(format!("look at it with `portreeve server show {name}`")))?;
    let shown = outcome(&body.body);
    Ok(Reply::new(body.body, shown))
}

/// `test=https://test.acme.example/mcp`
fn deployed(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((environment, url)) if !environment.is_empty() && !url.is_empty() => {
            Ok((environment.to_owned(), url.to_owned()))
        }
        _ => Err("name the environment and the URL, as in `test=https://test.acme.example/mcp`".to_owned()),
    }
}

/// One step of a version's life. The answer is the version, or what became of it.
async fn step(
    connection: &Connection,
    args: &VersionArgs,
    step: &str,
    request: Value,
) -> Result<Value, Failure> {
    let path = match &args.version {
        Some(version) => api_path!("servers/{}/versions/{}/{}", args.name, version, step),
        None => api_path!("servers/{}/{}", args.name, step),
    };
    Ok(connection.post(&path, &request).await?.body)
}

async fn end(connection: &Connection, args: &EndArgs, lifecycle: &str) -> Result<Reply, Failure> {
    let mut request = json!({ "lifecycle": lifecycle });
    if let (Some(message), Some(request)) = (&args.message, request.as_object_mut()) {
        request.insert("message".to_owned(), json!(message));
    }
    let version = VersionArgs {
        name: args.name.clone(),
        version: args.version.clone(),
    };
    let body = step(connection, &version, "lifecycle", request).await?;
    let shown = render_one(&body);
    Ok(Reply::new(body, shown))
}

fn of_version(body: Value) -> Reply {
    let shown = outcome(&json!({ "version": body }));
    Reply::new(body, shown)
}

/// What became of a version: its state, and what the gateway made of it.
pub(super) fn outcome(body: &Value) -> String {
    let version = body.get("version").unwrap_or(&Value::Null);
    let name = text(version, "name");
    let approval = text(version, "approval");
    let mut headline = format!("{name} {} is {approval}", text(version, "version"));
    let lifecycle = text(version, "lifecycle");
    if matches!(lifecycle.as_str(), "deprecated" | "retired") {
        headline.push_str(&format!(" and {lifecycle}"));
    }
    let route = body.get("route").unwrap_or(&Value::Null);
    let rows = [
        ("gateway", text(route, "url")),
        ("upstream", text(route, "upstreamUrl")),
        ("tools", tools_of(body.get("tools").unwrap_or(&Value::Null))),
        ("also served by", others(body)),
        ("private hosts", joined(body, "privateHosts")),
        ("message", text(version, "statusMessage")),
    ];
    let next = match approval.as_str() {
        "draft" => format!("\nNext: portreeve server submit {name}"),
        "submitted" => format!("\nNext: portreeve server approve {name}"),
        _ => String::new(),
    };
    let rows = indented(&pairs(&rows));
    format!("{headline}.{rows}{next}")
}

/// The routes of other environments and major versions.
fn others(body: &Value) -> String {
    let others = body.get("others").and_then(Value::as_array);
    let slugs = others.into_iter().flatten().map(|other| {
        let slug = text(other.get("route").unwrap_or(&Value::Null), "slug");
        format!(
            "{slug} ({})",
            tools_of(other.get("tools").unwrap_or(&Value::Null))
        )
    });
    slugs.collect::<Vec<_>>().join(", ")
}

pub(super) fn tools_of(tools: &Value) -> String {
    match text(tools, "state").as_str() {
        "pinned" => {
            let number = tools.get("count").and_then(Value::as_u64).unwrap_or(0);
            format!("{} pinned", count(number, "tool"))
        }
        "not-seen" => format!("not seen yet: {}", text(tools, "reason")),
        _ => String::new(),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("\n  {line}")).collect()
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("NAME", |server| text(server, "name")),
            ("VERSION", |server| text(server, "version")),
            ("APPROVAL", |server| text(server, "approval")),
            ("LIFECYCLE", |server| text(server, "lifecycle")),
            ("ROUTE", |server| {
                text(server.get("route").unwrap_or(&Value::Null), "slug")
            }),
            ("DESCRIPTION", |server| cut(&text(server, "description"), 60)),
        ],
        "No servers. Register one with `portreeve server add NAME --url URL`.",
    )
}

pub(super) fn render_one(body: &Value) -> String {
    let profile = body.get("profile").unwrap_or(&Value::Null);
    let head = pairs(&[
        ("name", text(body, "name")),
        ("summary", text(profile, "summary")),
        ("owners", joined(profile, "owners")),
        ("owner groups", joined(profile, "ownerGroups")),
        ("licence", text(profile, "license")),
        ("categories", joined(profile, "categories")),
        ("tags", joined(profile, "tags")),
        ("metadata", text(profile, "metadata")),
        ("registered by", text(body, "registeredBy")),
        ("private hosts", joined(body, "privateHosts")),
        ("created", when(body, "createdAt")),
        ("updated", when(body, "updatedAt")),
    ]);
    let list = |member: &str| json!({ "items": body.get(member).cloned().unwrap_or(json!([])) });
    let versions = table(
        &list("versions"),
        &[
            ("VERSION", |version| text(version, "version")),
            ("APPROVAL", |version| text(version, "approval")),
            ("LIFECYCLE", |version| text(version, "lifecycle")),
            ("LATEST", latest),
            ("PUBLISHED", |version| when(version, "publishedAt")),
            ("MESSAGE", |version| cut(&text(version, "statusMessage"), 60)),
            ("METADATA", |version| cut(&text(version, "metadata"), 60)),
        ],
        "No versions.",
    );
    let routes = table(
        &list("routes"),
        &[
            ("ROUTE", |route| text(route, "slug")),
            ("ENVIRONMENT", |route| text(route, "environment")),
            ("VERSION", |route| text(route, "version")),
            ("STATE", |route| text(route, "state")),
            ("ACCESS", |route| text(route, "access")),
            ("URL", |route| text(route, "url")),
        ],
        "No routes.",
    );
    format!("{head}\n\n{versions}\n\n{routes}")
}

fn latest(version: &Value) -> String {
    match version.get("isLatest").and_then(Value::as_bool) {
        Some(true) => "latest".to_owned(),
        _ => String::new(),
    }
}
