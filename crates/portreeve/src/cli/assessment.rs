//! What was found about a version, for people: the score, then one line for each finding with what shows it.

use serde_json::Value;

use super::failure::one_line;
use super::reply::{count, text};

pub(super) fn render(body: &Value) -> String {
    let findings = body
        .get("findings")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let tools = body.get("tools").and_then(Value::as_u64).unwrap_or_default();
    let mut lines = vec![format!(
        "{} {}: score {} of 100, {}, {} looked at",
        text(body, "name"),
        text(body, "version"),
        text(body, "score"),
        count(findings.len() as u64, "finding"),
        count(tools, "tool"),
    )];
    for finding in findings {
        let place = text(finding, "path");
        let place = if place.is_empty() {
            "the document".to_owned()
        } else {
            format!("`{place}`")
        };
        let line = format!(
            "{:<8}{place} {}",
            text(finding, "severity"),
            text(finding, "message")
        );
        lines.push(one_line(&line));
        let evidence = text(finding, "evidence");
        if !evidence.is_empty() {
            lines.push(format!("        {}", one_line(&evidence)));
        }
    }
    if body.get("blocked") == Some(&Value::Bool(true)) {
        lines.push("This stops an approval here.".to_owned());
    }
    lines.join("\n")
}
