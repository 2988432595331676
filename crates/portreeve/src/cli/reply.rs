//! What a command answers: the API's body for scripts, and the same as text for people.

use comfy_table::{Table, presets};
use serde_json::Value;

use super::failure::one_line;

/// The answer of a command that did what it was asked to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// The API's body; printed with `--json`.
    pub(crate) body: Value,
    /// The same for people; printed otherwise. Ends without a line break.
    pub(crate) text: String,
    /// How the process ends.
    pub(crate) verdict: Verdict,
}

/// How the process ends after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// With 0.
    Good,
    /// With 1: the command worked, and what it found is bad (`doctor`, `audit verify`).
    Bad,
}

impl Reply {
    /// A good reply.
    pub(crate) fn new(body: Value, text: impl Into<String>) -> Self {
        Self {
            body,
            text: text.into(),
            verdict: Verdict::Good,
        }
    }

    /// A reply whose findings are bad.
    #[must_use]
    pub(crate) fn bad_if(mut self, bad: bool) -> Self {
        if bad {
            self.verdict = Verdict::Bad;
        }
        self
    }
}

/// A column: its title, and what stands in it for an item.
pub(crate) type Column = (&'static str, fn(&Value) -> String);

/// The items of a list as a table, or `empty` when there are none.
pub(crate) fn table(list: &Value, columns: &[Column], empty: &str) -> String {
    let items = items(list);
    if items.is_empty() {
        return empty.to_owned();
    }
    let mut table = plain();
    table.set_header(columns.iter().map(|(title, _)| *title));
    for item in items {
        table.add_row(columns.iter().map(|(_, cell)| one_line(&cell(item))));
    }
    lines(table)
}

/// Names and values, one pair to the line; pairs without a value are left out.
pub(crate) fn pairs(rows: &[(&str, String)]) -> String {
    let mut table = plain();
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([(*name).to_owned(), one_line(value)]);
    }
    lines(table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn lines(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// The items of a list body.
pub(crate) fn items(list: &Value) -> &[Value] {
    list.get("items")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A member of an item as text: texts as they are, nothing for null, everything else as JSON.
pub(crate) fn text(item: &Value, member: &str) -> String {
    match item.get(member) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A time of the API, cut to the second: `2026-11-01 10:00:00Z`.
pub(crate) fn when(item: &Value, member: &str) -> String {
    let full = text(item, member);
    match (full.get(..10), full.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time}Z"),
        _ => full,
    }
}

/// A list of texts, separated by commas.
pub(crate) fn joined(item: &Value, member: &str) -> String {
    let texts = item.get(member).and_then(Value::as_array);
    let texts = texts.into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join(", ")
}

/// A text cut to a number of characters, for a table.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(characters.saturating_sub(3)).collect();
    short.push_str("...");
    short
}

/// `1 tool`, `2 tools`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
