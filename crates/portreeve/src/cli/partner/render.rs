//! The verdict for people: on a terminal, and in a comment on a pull request. Both name every finding with its field, its
//! evidence and its mend.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::failure::one_line;
use super::super::reply::{Column, count, items, table, text};

/// The verdict on a terminal.
pub(super) fn people(body: &Value) -> String {
    let columns: &[Column] = &[
        ("PARTNER", |item| text(item, "name")),
        ("VERDICT", |item| verdict(item).to_owned()),
        ("TIER", |item| text(item, "tier")),
        ("CHECKS", summary),
        ("TOOLS", tools),
    ];
    let mut out = table(body, columns, "There is no partner.");
    for item in items(body) {
        for finding in findings(item) {
            let level = text(finding, "level");
            let (place, said) = (place(item, finding), said(finding));
            // Writing into a string cannot fail.
            let _ = write!(out, "\n\n{level} [{}] {place}: {said}", text(finding, "check"));
            let evidence = text(finding, "evidence");
            if !evidence.is_empty() {
                let _ = write!(out, "\n  shown by: {}", one_line(&evidence));
            }
            let _ = write!(out, "\n  mend: {}", one_line(&text(finding, "mend")));
        }
    }
    out
}

/// The verdict as a comment.
pub(super) fn markdown(body: &Value) -> String {
    let refused = items(body).iter().filter(|item| is_refused(item)).count() as u64;
    let head = match refused {
        0 => "### Partner check: passed".to_owned(),
        _ => format!("### Partner check: {} to mend", count(refused, "partner")),
    };
    let mut out = format!("{head}\n\n| partner | verdict | tier | checks | tools |\n|---|---|---|---|---|");
    for item in items(body) {
        let _ = write!(
            out,
            "\n| {} | {} | {} | {} | {} |",
            cell(&text(item, "name")),
            verdict(item),
            text(item, "tier"),
            cell(&summary(item)),
            cell(&tools(item))
        );
    }
    for item in items(body).iter().filter(|item| findings(item).next().is_some()) {
        let _ = write!(
            out,
            "\n\n#### {}\n\n| | check | where | what | evidence | mend |\n|---|---|---|---|---|---|",
            cell(&text(item, "name"))
        );
        for finding in findings(item) {
            let _ = write!(
                out,
                "\n| {} | {} | {} | {} | {} | {} |",
                text(finding, "level"),
                text(finding, "check"),
                code(&place(item, finding)),
                cell(&said(finding)),
                code(&text(finding, "evidence")),
                cell(&text(finding, "mend"))
            );
        }
    }
    out
}

fn findings(item: &Value) -> impl Iterator<Item = &Value> {
    let findings = item.get("findings").and_then(Value::as_array);
    let all: Vec<&Value> = findings.into_iter().flatten().collect();
    let (refused, noted): (Vec<&Value>, Vec<&Value>) = all
        .into_iter()
        .partition(|finding| text(finding, "level") == "refused");
    refused.into_iter().chain(noted)
}

fn outcomes(item: &Value) -> impl Iterator<Item = (&str, &str)> {
    let checks = item.get("checks").and_then(Value::as_object);
    let checks = checks.into_iter().flatten();
    checks.map(|(id, outcome)| (id.as_str(), outcome.as_str().unwrap_or_default()))
}

fn is_refused(item: &Value) -> bool {
    outcomes(item).any(|(_, outcome)| outcome == "refused")
}

fn verdict(item: &Value) -> &'static str {
    if is_refused(item) { "refused" } else { "passed" }
}

/// `14 passed, 2 not made, 1 refused (tls)`.
fn summary(item: &Value) -> String {
    let mut parts = Vec::new();
    for (word, outcome) in [
        ("passed", "passed"),
        ("noted", "noted"),
        ("not made", "not-made"),
        ("refused", "refused"),
    ] {
        let ids: Vec<&str> = outcomes(item)
            .filter(|(_, one)| *one == outcome)
            .map(|(id, _)| id)
            .collect();
        match (ids.len(), outcome) {
            (0, _) => {}
            (number, "refused") => parts.push(format!("{number} {word} ({})", ids.join(", "))),
            (number, _) => parts.push(format!("{number} {word}")),
        }
    }
    parts.join(", ")
}

/// The tools of each server, or that nobody saw them.
fn tools(item: &Value) -> String {
    let servers = item.get("servers").and_then(Value::as_object);
    let seen = servers
        .into_iter()
        .flatten()
        .map(|(_, server)| match server["tools"].as_u64() {
            Some(number) => number.to_string(),
            None => "not seen".to_owned(),
        });
    let seen: Vec<String> = seen.collect();
    if seen.is_empty() {
        "not seen".to_owned()
    } else {
        seen.join(", ")
    }
}

fn place(item: &Value, finding: &Value) -> String {
    let (file, field) = (text(finding, "file"), text(finding, "field"));
    let name = text(item, "name");
    if field.is_empty() {
        format!("{name}/{file}")
    } else {
        format!("{name}/{file}: {field}")
    }
}

/// The message as a sentence about the place.
fn said(finding: &Value) -> String {
    one_line(&text(finding, "message"))
}

/// A cell of a table that cannot break out of it. What a stranger wrote is shown, and neither linked nor called.
fn cell(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            // GitHub reads a name behind an escaped sign, too, but not behind a sign that no name follows.
            '@' => plain.push_str("\\@\u{200b}"),
            '|' | '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '!' => {
                plain.push('\\');
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    plain
}

/// The same as code.
fn code(text: &str) -> String {
    let plain = one_line(text).replace('`', "'").replace('|', "\\|");
    if plain.is_empty() {
        plain
    } else {
        format!("`{plain}`")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_stranger_wrote_stays_in_its_cell() {
        let body = json!({"items": [{
            "name": "acme", "tier": "unverified", "checks": {"schema": "passed", "tls": "refused"},
            "findings": [{
                "check": "tls", "level": "refused", "file": "servers/a.json", "field": "remotes[0].url",
                "message": "is | <b>bad</b>\n@everybody", "evidence": "`x` | y\n| z", "mend": "mend [it](https://x)",
            }],
        }]});
        let text = markdown(&body);
        assert!(text.starts_with("### Partner check: 1 partner to mend"), "{text}");
        let row = text.lines().last().unwrap();
        assert!(row.contains("`acme/servers/a.json: remotes[0].url`"), "{row}");
        assert!(
            row.contains("is \\| \\<b\\>bad\\</b\\> \\@\u{200b}everybody"),
            "{row}"
        );
        assert!(row.contains(r"`'x' \| y \| z`"), "{row}");
        assert!(row.contains(r"mend \[it\](https://x)"), "{row}");
        assert!(people(&body).contains("1 passed, 1 refused (tls)"));
    }
}
