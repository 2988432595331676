//! `portreeve publish`: sends a server.json over the registry API, and says what is wrong with it when it is refused.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::connection::Connection;
use super::reply::{count, text};
use super::{Failure, Reply, document};

/// `portreeve publish`
#[derive(Debug, Clone, Args)]
pub(crate) struct PublishArgs {
    /// The document
    #[arg(value_name = "FILE", default_value = "server.json")]
    file: PathBuf,
}

pub(super) async fn run(connection: &Connection, args: &PublishArgs) -> Result<Reply, Failure> {
    let document = document::from_file(&args.file)?;
    match connection.post("/v0.1/publish", &document).await {
        Ok(answer) => {
            let shown = render(&answer.body);
            Ok(Reply::new(answer.body, shown))
        }
        Err(failure) if failure.is_of_content() => Err(explained(connection, &document, failure).await),
        Err(failure) => Err(failure),
    }
}

fn render(body: &Value) -> String {
    let server = body.get("server").unwrap_or(&Value::Null);
    let review = body.pointer("/_meta/io.portreeve~1review/approval");
    let next = match review.and_then(Value::as_str) {
        Some("submitted") => "waits for approval",
        _ => "is listed",
    };
    format!(
        "{} {} is published, and {next}.",
        text(server, "name"),
        text(server, "version")
    )
}

/// Asks for everything that is wrong with the document. Without an answer, the refusal itself says what it can.
async fn explained(connection: &Connection, document: &Value, refusal: Failure) -> Failure {
    let Ok(verdict) = connection.post("/v0.1/validate", document).await else {
        return refusal;
    };
    let issues = verdict.body.get("issues").and_then(Value::as_array);
    let lines: Vec<String> = issues.into_iter().flatten().map(line).collect();
    if verdict.body.get("valid") != Some(&Value::Bool(false)) || lines.is_empty() {
        return refusal;
    }
    let issues = count(lines.len() as u64, "issue");
    Failure::new(format!(
        "`{}` cannot be published: {issues}",
        document::name(document)
    ))
    .details(lines)
    .hint("mend the errors and publish again; warnings may stay")
}

fn line(issue: &Value) -> String {
    let path = match text(issue, "path") {
        path if path.is_empty() => "the document".to_owned(),
        path => format!("`{path}`"),
    };
    format!("{}: {path}: {}", text(issue, "severity"), text(issue, "message"))
}
