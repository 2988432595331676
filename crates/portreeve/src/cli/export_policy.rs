//! `portreeve export-policy`: the files that make hosts use what is approved, and nothing else.

use clap::Args;
use serde_json::Value;

use super::connection::{Connection, api_path};
use super::reply::{items, table, text};
use super::{Failure, Reply};

/// `portreeve export-policy`
#[derive(Debug, Clone, Args)]
pub(crate) struct ExportPolicyArgs {
    /// Print the file of this format; without it, list the formats and what each cannot say
    format: Option<String>,
    /// What this registry approves, instead of the default one
    #[arg(long, value_name = "NAME")]
    registry: Option<String>,
}

pub(super) async fn run(connection: &Connection, args: &ExportPolicyArgs) -> Result<Reply, Failure> {
    let of = |path: String| match &args.registry {
        Some(name) => {
            let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
            format!("{path}?registry={name}")
        }
        None => path,
    };
    let Some(format) = &args.format else {
        let body = connection.get(&of(api_path!("exports"))).await?.body;
        let shown = render(&body);
        return Ok(Reply::new(body, shown));
    };
    let body = connection.get(&of(api_path!("exports/{}", format))).await?.body;
    let shown = serde_json::to_string_pretty(&body).unwrap_or_default();
    Ok(Reply::new(body, shown))
}

pub(super) fn render(body: &Value) -> String {
    let mut shown = table(
        body,
        &[
            ("FORMAT", |export| text(export, "name")),
            ("FILE", |export| text(export, "file")),
            ("FOR", |export| text(export, "title")),
        ],
        "There are no formats.",
    );
    for export in items(body) {
        let left_out = export.get("leftOut").and_then(Value::as_array);
        for version in left_out.into_iter().flatten() {
            shown.push_str(&format!(
                "\n{} leaves out {} {}: {}",
                text(export, "name"),
                text(version, "name"),
                text(version, "version"),
                text(version, "reason")
            ));
        }
    }
    shown
}
