//! What is different between the tools of two documents, and whom it concerns: who calls a tool must know what breaks, and
//! who approves it what is called.

mod calls;

use std::collections::BTreeMap;

use portreeve_core::rest::{Binding, Bindings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::flat::comparable;
use super::{Imported, MadeTool};

/// Changes that are told of one tool.
const MOST: usize = 50;

/// How much a change matters to who calls the tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The tool is gone.
    Removed,
    /// Calls that were right are not any more, or answers that were promised do not come.
    Breaking,
    /// The tool is new.
    Added,
    /// Nobody needs to do anything.
    Harmless,
}

/// One tool that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The tool.
    pub tool: String,
    /// Its operation.
    pub operation: String,
    /// How much it matters: the worst of what is told.
    pub kind: ChangeKind,
    /// What is different, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// The tools of a document, as they are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The tools.
    pub tools: &'a [MadeTool],
    /// How they are called.
    pub bindings: &'a Bindings,
    /// Where, as far as they have no place of their own.
    pub base_url: &'a str,
}

// === impl Side ===

impl<'a> From<&'a Imported> for Side<'a> {
    fn from(imported: &'a Imported) -> Self {
        Self {
            tools: &imported.tools,
            bindings: &imported.bindings,
            base_url: &imported.report.base_url,
        }
    }
}

/// Compares the tools of two documents. What matters most comes first.
pub fn compare<'a>(before: impl Into<Side<'a>>, after: impl Into<Side<'a>>) -> Vec<Change> {
    let (old, new) = (before.into(), after.into());
    let mut changes = compare_tools(old, new);
    changes.extend(calls::moved(old.base_url, new.base_url));
    changes.sort_by(|one, other| (one.kind, &one.tool).cmp(&(other.kind, &other.tool)));
    changes
}

fn compare_tools(before: Side<'_>, after: Side<'_>) -> Vec<Change> {
    let by_name = |tools: &'_ [MadeTool]| -> BTreeMap<String, MadeTool> {
        tools
            .iter()
            .map(|tool| (tool.definition.name.clone(), tool.clone()))
            .collect()
    };
    let (old, new) = (by_name(before.tools), by_name(after.tools));
    let mut changes: Vec<Change> = Vec::new();
    for (name, tool) in &old {
        match new.get(name) {
            None => changes.push(removed(tool, after.tools)),
            Some(now) => {
                let called = (before.bindings.tools.get(name), after.bindings.tools.get(name));
                changes.extend(changed(tool, now, called));
            }
        }
    }
    for (name, tool) in &new {
        if !old.contains_key(name) {
            changes.push(Change {
                tool: name.clone(),
                operation: tool.operation.clone(),
                kind: ChangeKind::Added,
                details: Vec::new(),
            });
        }
    }
    changes
}

fn removed(tool: &MadeTool, after: &[MadeTool]) -> Change {
    let renamed = after.iter().find(|other| other.operation == tool.operation);
    let detail = match renamed {
        Some(other) => format!("its operation is the tool `{}` now", other.definition.name),
        None => "its operation is gone".to_owned(),
    };
    Change {
        tool: tool.definition.name.clone(),
        operation: tool.operation.clone(),
        kind: ChangeKind::Removed,
        details: vec![detail],
    }
}

fn changed(
    before: &MadeTool,
    after: &MadeTool,
    (was_called, is_called): (Option<&Binding>, Option<&Binding>),
) -> Option<Change> {
    if before == after && was_called == is_called {
        return None;
    }
    let mut notes = Notes {
        kind: ChangeKind::Harmless,
        details: Vec::new(),
    };
    if before.operation != after.operation {
        notes.harmless(format!(
            "it calls `{}` instead of `{}`",
            after.operation, before.operation
        ));
    }
    let read =
        |tool: &MadeTool| serde_json::from_str::<Value>(&tool.definition.definition).unwrap_or_default();
    let (old, new) = (read(before), read(after));
    for member in ["title", "description"] {
        if old.get(member) != new.get(member) {
            notes.harmless(format!("its {member} reads differently"));
        }
    }
    if before.definition.annotations != after.definition.annotations {
        notes.breaking("what it says about its effects is different".to_owned());
    }
    let flat = |tool: &Value, member: &str| tool.get(member).and_then(Value::as_object).map(comparable);
    // Under the profile `flat`, arguments are judged by more than hosts see.
    let judged = |tool: &Value, called: Option<&Binding>| {
        let full = called.and_then(|binding| binding.arguments.as_ref());
        full.map(comparable).or_else(|| flat(tool, "inputSchema"))
    };
    if let (Some(old), Some(new)) = (judged(&old, was_called), judged(&new, is_called)) {
        input(&old, &new, "", &mut notes, 8);
    }
    if let (Some(was), Some(is)) = (was_called, is_called) {
        calls::compare(was, is, &mut notes);
    }
    match (flat(&old, "outputSchema"), flat(&new, "outputSchema")) {
        (Some(old), Some(new)) => output(&old, &new, "", &mut notes, 8),
        (Some(_), None) => notes.breaking("it has no structured result any more".to_owned()),
        (None, Some(_)) => notes.harmless("it has a structured result now".to_owned()),
        (None, None) => {}
    }
    if notes.details.is_empty() {
        notes.harmless("its schemas are written differently".to_owned());
    }
    Some(Change {
        tool: after.definition.name.clone(),
        operation: after.operation.clone(),
        kind: notes.kind,
        details: notes.details,
    })
}

struct Notes {
    kind: ChangeKind,
    details: Vec<String>,
}

impl Notes {
    fn breaking(&mut self, detail: String) {
        self.kind = ChangeKind::Breaking;
        self.tell(detail);
    }

    fn harmless(&mut self, detail: String) {
        self.tell(detail);
    }

    fn tell(&mut self, detail: String) {
        if self.details.len() < MOST {
            self.details.push(detail);
        }
    }
}

fn members(schema: &Map<String, Value>) -> BTreeMap<&str, &Map<String, Value>> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_object()?)))
        .collect()
}

fn requires(schema: &Map<String, Value>, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|other| other == name))
}

fn at(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// What callers send: whatever was allowed must stay so.
fn input(old: &Map<String, Value>, new: &Map<String, Value>, path: &str, notes: &mut Notes, depth: usize) {
    if depth == 0 {
        return;
    }
    let shown = if path.is_empty() {
        "the arguments".to_owned()
    } else {
        format!("`{path}`")
    };
    if old.get("type") != new.get("type") {
        let word =
            |schema: &Map<String, Value>| schema.get("type").map_or("anything".to_owned(), Value::to_string);
        let detail = format!("{shown}: {} instead of {}", word(new), word(old));
        let widened = new.get("type").is_none()
            || (old.get("type") == Some(&"integer".into()) && new.get("type") == Some(&"number".into()));
        if widened {
            notes.harmless(detail)
        } else {
            notes.breaking(detail)
        }
    }
    nulls(old, new, &shown, notes);
    values(old, new, &shown, notes);
    bounds(old, new, &shown, notes);
    others(old, new, path, notes, depth);
    let (before, after) = (members(old), members(new));
    for (name, was) in &before {
        match after.get(name) {
            Some(is) => {
                let place = at(path, name);
                match (requires(old, name), requires(new, name)) {
                    (false, true) => notes.breaking(format!("`{place}` is required now")),
                    (true, false) => notes.harmless(format!("`{place}` is not required any more")),
                    _ => {}
                }
                input(was, is, &place, notes, depth - 1);
            }
            None => notes.breaking(format!("`{}` is gone", at(path, name))),
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        let place = at(path, name);
        if requires(new, name) {
            notes.breaking(format!("`{place}` is new and required"));
        } else {
            notes.harmless(format!("`{place}` is new"));
        }
    }
    if let (Some(was), Some(is)) = (
        old.get("items").and_then(Value::as_object),
        new.get("items").and_then(Value::as_object),
    ) {
        input(was, is, &at(path, "[]"), notes, depth - 1);
    }
}

fn nulls(old: &Map<String, Value>, new: &Map<String, Value>, shown: &str, notes: &mut Notes) {
    // What says nothing of the type allows null as well.
    let allows = |schema: &Map<String, Value>| {
        let says_nothing = !schema.contains_key("type") && !schema.contains_key("enum");
        says_nothing || schema.contains_key("nullable")
    };
    match (allows(old), allows(new)) {
        (true, false) => notes.breaking(format!("{shown}: null is not allowed any more")),
        (false, true) => notes.harmless(format!("{shown}: null is allowed now")),
        _ => {}
    }
}

/// Members that are not described: what may be sent under any other name.
fn others(old: &Map<String, Value>, new: &Map<String, Value>, path: &str, notes: &mut Notes, depth: usize) {
    let place = at(path, "*");
    let of = |schema: &Map<String, Value>| schema.get("additionalProperties").cloned().unwrap_or(true.into());
    match (of(old), of(new)) {
        (Value::Bool(was), Value::Bool(is)) if was == is => {}
        (Value::Object(was), Value::Object(is)) => input(&was, &is, &place, notes, depth - 1),
        (Value::Bool(false), _) => notes.harmless(format!("`{place}`: other members are allowed now")),
        (_, Value::Bool(false)) => {
            notes.breaking(format!("`{place}`: other members are not allowed any more"))
        }
        (_, Value::Bool(true)) => notes.harmless(format!("`{place}`: other members may be anything now")),
        _ => notes.breaking(format!("`{place}`: other members must be of a kind now")),
    }
}

fn values(old: &Map<String, Value>, new: &Map<String, Value>, shown: &str, notes: &mut Notes) {
    let listed = |schema: &Map<String, Value>| schema.get("enum").and_then(Value::as_array).cloned();
    match (listed(old), listed(new)) {
        (Some(was), Some(is)) => {
            for value in was.iter().filter(|value| !is.contains(value)) {
                notes.breaking(format!("{shown}: {value} is not allowed any more"));
            }
            for value in is.iter().filter(|value| !was.contains(value)) {
                notes.harmless(format!("{shown}: {value} is allowed now"));
            }
        }
        (None, Some(_)) => notes.breaking(format!("{shown}: only some values are allowed now")),
        (Some(_), None) => notes.harmless(format!("{shown}: any value is allowed now")),
        (None, None) => {}
    }
    for word in [
        "pattern",
        "format",
        "multipleOf",
        "uniqueItems",
        "contentEncoding",
    ] {
        if old.get(word) == new.get(word) {
            continue;
        }
        match new.get(word) {
            Some(value) => notes.breaking(format!("{shown}: `{word}` is {value} now")),
            None => notes.harmless(format!("{shown}: `{word}` is not asked any more")),
        }
    }
}

fn bounds(old: &Map<String, Value>, new: &Map<String, Value>, shown: &str, notes: &mut Notes) {
    const LOWER: &[&str] = &["minimum", "exclusiveMinimum", "minLength", "minItems"];
    const UPPER: &[&str] = &["maximum", "exclusiveMaximum", "maxLength", "maxItems"];
    for word in LOWER.iter().chain(UPPER) {
        let number = |schema: &Map<String, Value>| schema.get(*word).and_then(Value::as_f64);
        let (was, is) = (number(old), number(new));
        if was == is {
            continue;
        }
        let tighter = match (was, is) {
            (None, Some(_)) => true,
            (Some(was), Some(is)) => (is > was) == LOWER.contains(word),
            _ => false,
        };
        let value = new.get(*word).map_or("nothing".to_owned(), Value::to_string);
        let detail = format!("{shown}: `{word}` is {value} now");
        if tighter {
            notes.breaking(detail)
        } else {
            notes.harmless(detail)
        }
    }
}

/// What callers get: whatever was promised must still come.
fn output(old: &Map<String, Value>, new: &Map<String, Value>, path: &str, notes: &mut Notes, depth: usize) {
    if depth == 0 {
        return;
    }
    if old.get("type") != new.get("type") {
        let shown = if path.is_empty() {
            "the result".to_owned()
        } else {
            format!("`{path}` of the result")
        };
        notes.breaking(format!("{shown} is of another type"));
    }
    let (before, after) = (members(old), members(new));
    for (name, was) in &before {
        match after.get(name) {
            Some(is) => output(was, is, &at(path, name), notes, depth - 1),
            None => notes.breaking(format!("`{}` of the result is gone", at(path, name))),
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        notes.harmless(format!("`{}` of the result is new", at(path, name)));
    }
    if let (Some(was), Some(is)) = (
        old.get("items").and_then(Value::as_object),
        new.get("items").and_then(Value::as_object),
    ) {
        output(was, is, &at(path, "[]"), notes, depth - 1);
    }
}
