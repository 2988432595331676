//! What approving would do, as text.

use serde_json::{Value, json};

use super::super::reply::{pairs, table, text};

pub(in crate::cli) fn render(body: &Value) -> String {
    let name = text(body, "name");
    let version = text(body, "version");
    let latest = match (text(body, "latestNow"), text(body, "latestThen")) {
        (now, then) if now == then => now,
        (now, then) if now.is_empty() => format!("{then} (none before)"),
        (now, then) => format!("{then} (now {now})"),
    };
    let head = pairs(&[
        ("server", name.clone()),
        (
            "approves",
            if version.is_empty() {
                "deployments".to_owned()
            } else {
                version.clone()
            },
        ),
        ("latest", latest),
        ("plan", text(body, "hash")),
    ]);
    let moves = table(
        &json!({ "items": body.get("moves").cloned().unwrap_or(json!([])) }),
        &[
            ("ROUTE", |one| text(one, "slug")),
            ("DOES", |one| text(one, "kind")),
            ("FROM", |one| stop(one, "from")),
            ("TO", |one| stop(one, "to")),
        ],
        "No route moves.",
    );
    let hash = text(body, "hash");
    let next = if version.is_empty() {
        format!("portreeve deployment approve {name} --plan {hash}")
    } else {
        format!("portreeve server approve {name} --version {version} --plan {hash}")
    };
    format!("{head}\n\n{moves}\nNext: {next}")
}

fn stop(one: &Value, member: &str) -> String {
    match one.get(member) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(stop) => format!("{} at {}", text(stop, "version"), text(stop, "url")),
    }
}
