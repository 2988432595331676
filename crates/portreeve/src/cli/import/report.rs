//! What an import came to, for people.

use serde_json::{Value, json};

use crate::cli::reply::{cut, items, pairs, table, text, when};

/// Records that are shown; `--json` shows all of them.
const SHOWN: usize = 20;

/// A number of a run.
pub(super) fn count(run: &Value, name: &str) -> String {
    text(run.get("counts").unwrap_or(&Value::Null), name)
}

/// A run and what was noticed.
pub(super) fn of(run: &Value, records: &Value) -> String {
    let number = |name: &str| match count(run, name) {
        none if none == "0" => String::new(),
        some => some,
    };
    let dry = run.get("dryRun").and_then(Value::as_bool) == Some(true);
    let head = pairs(&[
        ("import", text(run, "name")),
        ("source", format!("{} {}", text(run, "kind"), text(run, "origin"))),
        ("state", text(run, "state")),
        ("why", text(run, "failure")),
        (
            "nothing saved",
            if dry {
                "this was a dry run".to_owned()
            } else {
                String::new()
            },
        ),
        ("records", count(run, "records")),
        ("added", number("added")),
        ("updated", number("updated")),
        ("unchanged", number("unchanged")),
        ("conflicts", number("conflicts")),
        ("hidden", number("hidden")),
        ("refused", number("refused")),
        ("flagged", number("flagged")),
        ("approved", number("approved")),
    ]);
    let all = items(records);
    if all.is_empty() {
        return head;
    }
    let shown = json!({ "items": all.iter().take(SHOWN).collect::<Vec<_>>() });
    let noticed = table(
        &shown,
        &[
            ("NAME", |record| cut(&text(record, "name"), 60)),
            ("VERSION", |record| cut(&text(record, "version"), 24)),
            ("OUTCOME", |record| text(record, "outcome")),
            ("NOTICED", |record| cut(&findings(record), 90)),
        ],
        "",
    );
    let rest = all.len().saturating_sub(SHOWN);
    let more = if rest > 0 {
        format!("\n... and {rest} more; `--json` shows all of them")
    } else {
        String::new()
    };
    format!("{head}\n\n{noticed}{more}")
}

fn findings(record: &Value) -> String {
    let findings = record.get("findings").and_then(Value::as_array);
    let lines: Vec<String> = findings
        .into_iter()
        .flatten()
        .map(|finding| match text(finding, "path").as_str() {
            "$" => text(finding, "message"),
            path => format!("{path}: {}", text(finding, "message")),
        })
        .collect();
    lines.join("; ")
}

/// The runs so far.
pub(super) fn runs(body: &Value) -> String {
    table(
        body,
        &[
            ("IMPORT", |run| text(run, "name")),
            ("KIND", |run| text(run, "kind")),
            ("SOURCE", |run| cut(&text(run, "origin"), 50)),
            ("STATE", |run| text(run, "state")),
            ("STARTED", |run| when(run, "startedAt")),
            ("RECORDS", |run| count(run, "records")),
            ("ADDED", |run| count(run, "added")),
            ("FLAGGED", |run| count(run, "flagged")),
        ],
        "No imports. `portreeve import --help` shows what can be imported.",
    )
}

/// Where the versions of a server came from.
pub(super) fn origins(body: &Value) -> String {
    table(
        body,
        &[
            ("VERSION", |origin| cut(&text(origin, "version"), 24)),
            ("KIND", |origin| text(origin, "kind")),
            ("SOURCE", |origin| cut(&text(origin, "origin"), 50)),
            ("PLACE", |origin| cut(&text(origin, "place"), 30)),
            ("WHEN", |origin| when(origin, "importedAt")),
            ("STATUS THERE", |origin| text(origin, "sourceStatus")),
            ("NOTICED", |origin| cut(&findings(origin), 60)),
        ],
        "No version of it was imported.",
    )
}

/// The registries that are read again and again.
pub(super) fn schedules(body: &Value) -> String {
    table(
        body,
        &[
            ("REGISTRY", |schedule| text(schedule, "name")),
            ("EVERY", |schedule| {
                format!("{} s", text(schedule, "everySeconds"))
            }),
            ("NEXT", |schedule| when(schedule, "nextAt")),
            ("LAST IMPORT", |schedule| text(schedule, "lastImport")),
        ],
        "No registry is read again and again. `portreeve import registry URL --every 1h` sets one up.",
    )
}
