//! `portreeve doctor`: one line per examined thing; ends with 1 on failures, not on warnings.

use serde_json::Value;

use super::connection::{Connection, api_path};
use super::failure::one_line;
use super::reply::{items, pairs, text};
use super::{Failure, Reply};

pub(super) async fn run(connection: &Connection) -> Result<Reply, Failure> {
    let body = connection.get(&api_path!("doctor")).await?.body;
    let failed = items(&body)
        .iter()
        .any(|check| text(check, "status") == "failure");
    let shown = render(&body);
    Ok(Reply::new(body, shown).bad_if(failed))
}

pub(super) fn render(body: &Value) -> String {
    let checks = items(body);
    let rows: Vec<_> = checks
        .iter()
        .map(|check| {
            (
                mark(check),
                format!("{}: {}", text(check, "name"), text(check, "detail")),
            )
        })
        .collect();
    let mut lines = Vec::new();
    for (check, line) in checks.iter().zip(pairs(&rows).lines()) {
        lines.push(line.to_owned());
        let hint = text(check, "hint");
        if !hint.is_empty() {
            lines.push(format!("         hint: {}", one_line(&hint)));
        }
    }
    lines.join("\n")
}

fn mark(check: &Value) -> &'static str {
    match text(check, "status").as_str() {
        "ok" => "ok",
        "warning" => "warning",
        "failure" => "FAILURE",
        _ => "?",
    }
}
