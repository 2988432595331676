//! `portreeve search`: finds servers by what they are called, do, and what their tools are called.

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::connection::{Connection, api_path, segment};
use super::reply::{cut, joined, table, text};
use super::{Failure, Reply};

/// `portreeve search`
#[derive(Debug, Clone, Args)]
pub(crate) struct SearchArgs {
    /// What is looked for, in words; the last one may be a beginning
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
    /// Only servers that run somewhere for everyone, or only those that people run themselves
    #[arg(long, value_name = "KIND")]
    kind: Option<KindArg>,
    /// Only these stages, as in `production,preview`
    #[arg(long, value_name = "STAGES")]
    lifecycle: Option<String>,
    /// Only servers with a package of one of these registries, as in `npm,oci`
    #[arg(long, value_name = "TYPES")]
    registry_type: Option<String>,
    /// Only servers with all of these tags, separated by commas
    #[arg(long, value_name = "TAGS")]
    tag: Option<String>,
    /// Only servers that are served in one of these environments, as in `production,test`
    #[arg(long, value_name = "ENVIRONMENTS")]
    environment: Option<String>,
    /// At most this many
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
}

/// Where a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindArg {
    Remote,
    Local,
}

pub(super) async fn run(connection: &Connection, args: &SearchArgs) -> Result<Reply, Failure> {
    let mut path = format!(
        "{}?facets=true&limit={}&q={}",
        api_path!("search"),
        args.limit,
        segment(&args.words.join(" "))
    );
    let kind = args.kind.map(|kind| match kind {
        KindArg::Remote => "remote".to_owned(),
        KindArg::Local => "local".to_owned(),
    });
    for (name, value) in [
        ("kind", &kind),
        ("lifecycle", &args.lifecycle),
        ("registryType", &args.registry_type),
        ("tag", &args.tag),
        ("environment", &args.environment),
    ] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", segment(value)));
        }
    }
    let body = connection.get(&path).await?.body;
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

pub(super) fn render(body: &Value) -> String {
    let found = table(
        body,
        &[
            ("NAME", |server| text(server, "name")),
            ("VERSION", |server| text(server, "version")),
            ("TITLE", |server| cut(&text(server, "title"), 30)),
            ("DESCRIPTION", |server| cut(&text(server, "description"), 60)),
            ("TOOLS", |server| cut(&joined(server, "tools"), 40)),
        ],
        "Nothing was found. Fewer or other words may find more.",
    );
    let corrections = body.get("corrected").and_then(Value::as_array);
    let corrections: Vec<String> = corrections
        .into_iter()
        .flatten()
        .map(|one| format!("`{}` as `{}`", text(one, "typed"), text(one, "meant")))
        .collect();
    if corrections.is_empty() {
        return found;
    }
    format!("{found}\n\nTaken for slips: {}.", corrections.join(", "))
}
