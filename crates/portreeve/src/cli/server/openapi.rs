//! `portreeve server add NAME --openapi FILE-OR-URL`: a REST API becomes a server, or a new version of one; and
//! `portreeve server openapi NAME`, which shows what was made of it, or makes it anew with other choices.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use portreeve_core::limits::Limits;
use portreeve_registry::import::openapi::Bundle;
use serde_json::{Map, Value, json};
use url::Url;

use super::super::connection::{Connection, api_path, segment};
use super::super::reply::{count, cut, table, text};
use super::super::{Failure, Reply};
use super::curation::curation;

/// What is said about a description of a REST API.
#[derive(Debug, Clone, Default, Args)]
#[command(group = ArgGroup::new("described").args(["openapi", "graphql"]))]
pub(crate) struct OpenApiArgs {
    /// Make it from this description of a REST API: Swagger 2.0 or OpenAPI 3.0 to 3.2, a file or a URL
    #[arg(long, value_name = "FILE-OR-URL", conflicts_with_all = ["file", "server_url", "deploy"], requires = "name")]
    pub(super) openapi: Option<String>,
    /// Make it from this schema of a GraphQL API: a file (as text, or as the answer to an introspection), or the API's own
    /// URL, which is asked for it
    #[arg(long, value_name = "FILE-OR-URL", conflicts_with_all = ["file", "server_url", "deploy", "openapi"], requires = "name")]
    pub(super) graphql: Option<String>,
    /// Where the API is, if not where its description says
    #[arg(long, value_name = "URL", requires = "described")]
    base_url: Option<String>,
    /// A file (JSON or YAML) that says which operations become tools, and what is different about them
    #[arg(long, value_name = "FILE", requires = "described")]
    curation: Option<PathBuf>,
    /// Only show what it would become: tools, costs, what is skipped, and what is different
    #[arg(long, requires = "described")]
    dry_run: bool,
}

/// `portreeve server openapi`
#[derive(Debug, Clone, Args)]
pub(crate) struct KeptArgs {
    /// The server's name
    name: String,
    /// The version [default: the one that is served]
    #[arg(long)]
    version: Option<String>,
    /// Make a new version from the description that is kept with it, with the choices in this file (JSON or YAML)
    #[arg(long, value_name = "FILE")]
    curation: Option<PathBuf>,
    /// The number of the new version [default: the next one that is free]
    #[arg(long, value_name = "VERSION", requires = "curation")]
    new_version: Option<String>,
    /// Where the API is, if not where it was until now
    #[arg(long, value_name = "URL", requires = "curation")]
    base_url: Option<String>,
    /// Grant the API's private host to the server
    #[arg(long, requires = "curation")]
    internal: bool,
    /// Approve the new version at once, where the caller may
    #[arg(long, requires = "curation")]
    approve: bool,
    /// Only show what it would become, and what would be different
    #[arg(long, requires = "curation")]
    dry_run: bool,
}

/// What is said beside the description.
pub(super) struct Beside<'a> {
    pub(super) name: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) internal: bool,
    pub(super) approve: bool,
}

/// Imports a description, or shows what it would become.
pub(super) async fn add(
    connection: &Connection,
    place: &str,
    args: &OpenApiArgs,
    beside: &Beside<'_>,
) -> Result<Reply, Failure> {
    let mut request = Map::new();
    let is_graphql = args.graphql.is_some();
    if place.starts_with("http://") || place.starts_with("https://") {
        let field = if is_graphql { "graphqlUrl" } else { "url" };
        request.insert(field.to_owned(), json!(place));
    } else if is_graphql {
        let text = read(Path::new(place), &Limits::default()).map_err(|reason| {
            Failure::new(format!("cannot read `{place}`: {reason}"))
                .hint("name a schema of GraphQL, or the URL of the API")
        })?;
        request.insert("document".to_owned(), json!(text));
    } else {
        request.insert("document".to_owned(), json!(bundled(Path::new(place))?));
    }
    if let Some(file) = &args.curation {
        request.insert("curation".to_owned(), curation(file)?);
    }
    let texts = [
        ("baseUrl", args.base_url.as_deref()),
        ("version", beside.version),
        ("description", beside.description),
    ];
    for (field, value) in texts {
        if let Some(value) = value {
            request.insert(field.to_owned(), json!(value));
        }
    }
    request.insert("internal".to_owned(), json!(beside.internal));
    request.insert("approve".to_owned(), json!(beside.approve));
    import(connection, beside.name, request, args.dry_run).await
}

/// Shows what was made of a REST API, or makes it anew with other choices.
pub(super) async fn kept(connection: &Connection, args: &KeptArgs) -> Result<Reply, Failure> {
    let Some(file) = &args.curation else {
        return show(connection, &args.name, args.version.as_deref()).await;
    };
    let version = args.version.as_deref().unwrap_or("latest");
    let mut request = Map::from_iter([
        ("keptOf".to_owned(), json!(version)),
        ("curation".to_owned(), curation(file)?),
        ("internal".to_owned(), json!(args.internal)),
        ("approve".to_owned(), json!(args.approve)),
    ]);
    for (field, value) in [("version", &args.new_version), ("baseUrl", &args.base_url)] {
        if let Some(value) = value {
            request.insert(field.to_owned(), json!(value));
        }
    }
    import(connection, &args.name, request, args.dry_run).await
}

async fn import(
    connection: &Connection,
    name: &str,
    mut request: Map<String, Value>,
    dry_run: bool,
) -> Result<Reply, Failure> {
    if dry_run {
        request.remove("approve");
        let path = api_path!("servers/{}/openapi/preview", name);
        let body = connection.post(&path, &Value::Object(request)).await?.body;
        let shown = preview(&body);
        return Ok(Reply::new(body, shown));
    }
    let path = api_path!("servers/{}/openapi", name);
    let body = connection.post(&path, &Value::Object(request)).await?.body;
    let made = body.get("preview").unwrap_or(&Value::Null);
    let outcome = super::outcome(body.get("outcome").unwrap_or(&Value::Null));
    let changes = changes(made);
    let shown = format!("{}\n{changes}{outcome}", headline(made));
    Ok(Reply::new(body, shown))
}

/// What was made of a REST API.
async fn show(connection: &Connection, name: &str, version: Option<&str>) -> Result<Reply, Failure> {
    let query = version.map_or_else(String::new, |version| format!("?version={}", segment(version)));
    let path = format!("{}{query}", api_path!("servers/{}/openapi", name));
    let body = connection.get(&path).await?.body;
    let vanished = body
        .get("vanished")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let gone: Vec<&str> = vanished.iter().filter_map(Value::as_str).collect();
    let mut shown = preview(&body);
    if !gone.is_empty() {
        shown.push_str(&format!("\n\nGone from a newer description: {}", gone.join(", ")));
    }
    Ok(Reply::new(body, shown))
}

/// A description and the files that it refers to, in one. Only files below its own folder are read: a description comes
/// from somewhere, and what it names is sent to the server.
fn bundled(file: &Path) -> Result<String, Failure> {
    let limits = Limits::default();
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::new(format!("cannot read `{}`: {reason}", file.display()))
            .hint("name a description of a REST API (OpenAPI or Swagger), or its URL")
    };
    let file = file.canonicalize().map_err(|error| failed(&error))?;
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    let text = read(&file, &limits).map_err(|reason| failed(&reason))?;
    let place = Url::from_file_path(&file).map_err(|()| failed(&"its path is no URL"))?;
    let mut bundle = Bundle::begin(place, &text, &limits).map_err(|error| failed(&error))?;
    loop {
        let missing = bundle.missing();
        if missing.is_empty() {
            break;
        }
        for place in missing {
            let beside = place
                .to_file_path()
                .ok()
                .and_then(|path| path.canonicalize().ok());
            match beside.filter(|path| path.starts_with(&folder)) {
                Some(path) => {
                    let text = read(&path, &limits).map_err(|reason| failed(&reason))?;
                    bundle
                        .add(place, &text, &limits)
                        .map_err(|error| failed(&error))?;
                }
                None => bundle.refuse(place),
            }
        }
    }
    Ok(if bundle.is_single() {
        text
    } else {
        bundle.finish().to_string()
    })
}

pub(super) fn read(file: &Path, limits: &Limits) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > limits.openapi_bytes as u64 {
        return Err(format!(
            "`{}` is larger than {} bytes",
            file.display(),
            limits.openapi_bytes
        ));
    }
    std::fs::read_to_string(file).map_err(|error| error.to_string())
}

fn number(value: &Value, member: &str) -> u64 {
    value.get(member).and_then(Value::as_u64).unwrap_or(0)
}

/// How many became what, and at which cost.
fn headline(body: &Value) -> String {
    let report = body.get("report").unwrap_or(&Value::Null);
    format!(
        "{} ({} {}): {}, {} not chosen, {} skipped; about {} tokens in all.",
        text(report, "baseUrl"),
        text(report, "title"),
        text(body, "version"),
        count(number(report, "tools"), "tool"),
        number(report, "notChosen"),
        number(report, "skipped"),
        number(report, "tokens"),
    )
}

fn preview(body: &Value) -> String {
    let report = body.get("report").unwrap_or(&Value::Null);
    let of = |outcome: &str| {
        let operations = report
            .get("operations")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let chosen: Vec<&Value> = operations.filter(|one| text(one, "outcome") == outcome).collect();
        json!({ "items": chosen })
    };
    let tools = table(
        &of("tool"),
        &[
            ("TOOL", |one| text(one, "tool")),
            ("OPERATION", |one| {
                let place = text(one, "baseUrl") + &text(one, "path");
                cut(&format!("{} {place}", text(one, "method")), 70)
            }),
            ("TOKENS", |one| number(one, "tokens").to_string()),
            ("NOTES", |one| {
                one.get("notes")
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len)
                    .to_string()
            }),
        ],
        "No tools.",
    );
    let mut shown = format!("{}\n{}\n{tools}", headline(body), changes(body));
    shown.push_str(&offers(body));
    if number(report, "skipped") > 0 {
        let skipped = table(
            &of("skipped"),
            &[
                ("SKIPPED", |one| {
                    cut(&format!("{} {}", text(one, "method"), text(one, "path")), 60)
                }),
                ("REASON", |one| text(one, "reason")),
            ],
            "",
        );
        shown.push_str(&format!("\n\n{skipped}"));
    }
    for note in report
        .get("notes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        shown.push_str(&format!(
            "\nnote: {} {}",
            text(note, "pointer"),
            text(note, "message")
        ));
    }
    shown
}

/// What there is beside tools.
fn offers(body: &Value) -> String {
    let list = |member: &str| json!({ "items": body.get(member).cloned().unwrap_or_else(|| json!([])) });
    let uri = |one: &Value| text(one, "uri") + &text(one, "uriTemplate");
    let (resources, prompts) = (list("resources"), list("prompts"));
    let is_empty = |list: &Value| list == &json!({ "items": [] });
    let mut shown = String::new();
    if !is_empty(&resources) {
        let rows = table(
            &resources,
            &[
                ("RESOURCE", uri),
                ("NAME", |one| text(one, "name")),
                ("TYPE", |one| text(one, "mimeType")),
            ],
            "",
        );
        shown.push_str(&format!("\n\n{rows}"));
    }
    if !is_empty(&prompts) {
        let rows = table(
            &prompts,
            &[
                ("PROMPT", |one| text(one, "name")),
                ("DESCRIPTION", |one| cut(&text(one, "description"), 80)),
            ],
            "",
        );
        shown.push_str(&format!("\n\n{rows}"));
    }
    shown
}

/// What is different from the version that is served.
fn changes(body: &Value) -> String {
    let Some(version) = body.get("comparedWith").and_then(Value::as_str) else {
        return String::new();
    };
    let changes = body.get("changes").unwrap_or(&Value::Null);
    format!("Compared with version {version}:\n{}\n", different_tools(changes))
}

/// Tools that differ between two versions, as a table.
pub(super) fn different_tools(changes: &Value) -> String {
    table(
        &json!({ "items": changes }),
        &[
            ("CHANGE", |one| text(one, "kind")),
            ("TOOL", |one| text(one, "tool")),
            ("DETAILS", |one| {
                let details = one.get("details").and_then(Value::as_array).into_iter().flatten();
                cut(
                    &details.filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
                    100,
                )
            }),
        ],
        "No tool is different.",
    )
}
