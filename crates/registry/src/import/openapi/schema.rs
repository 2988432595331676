//! Schemas of a document as JSON Schema 2020-12 that stands for itself: references become `$defs`, what is said in the
//! ways of older versions is said in the new one, and what no validator would take is left out with a note.

mod keywords;
mod kinds;
mod loose;

pub(super) use keywords::describe;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value, json};

use super::operations::note;
use super::refs::{Root, reference, unresolved};
use super::report::Note;

/// Whether values go to the API or come from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// What is only read is left out.
    Input,
    /// What is only written is left out, and constraints are: what an API sends is not ours to promise.
    Output,
}

/// What was found out once, for a whole document.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Whether the validator takes a pattern.
    patterns: HashMap<String, bool>,
    /// Whether what a reference leads to is made without allowing more than it says.
    strict: HashMap<String, bool>,
    /// By the reference to a schema, those to the schemas that are built upon it by `allOf`.
    kinds: Option<kinds::Kinds>,
}

/// Whether a reference to a schema that others are built upon may stand for any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It may.
    ForAnyKind,
    /// It is a part of one of them.
    ForItself,
}

/// Makes the schemas of one tool.
#[derive(Debug)]
pub(super) struct Schemas<'a> {
    root: Root<'a>,
    direction: Direction,
    findings: &'a RefCell<Findings>,
    /// The name in `$defs` of each reference that was met.
    names: HashMap<String, String>,
    taken: HashSet<String>,
    open: VecDeque<(String, &'a Value, String)>,
    defs: Map<String, Value>,
    left: usize,
    is_cut: bool,
    pub(super) notes: Vec<Note>,
}

/// Deepest nesting of one schema without its references.
const DEPTH: usize = 60;
/// Notes of one tool.
const MOST_NOTES: usize = 20;

impl<'a> Schemas<'a> {
    pub(super) fn new(
        root: Root<'a>,
        direction: Direction,
        most: usize,
        findings: &'a RefCell<Findings>,
    ) -> Self {
        Self {
            root,
            direction,
            findings,
            names: HashMap::new(),
            taken: HashSet::new(),
            open: VecDeque::new(),
            defs: Map::new(),
            left: most,
            is_cut: false,
            notes: Vec::new(),
        }
    }

    /// Whether there was more than a tool may have.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// One schema. What it refers to is made by [`Schemas::defs`].
    pub(super) fn convert(&mut self, schema: &Value, pointer: &str) -> Value {
        self.at(schema, pointer, DEPTH)
    }

    /// The schemas that others referred to: `$defs` of the whole that they are part of.
    pub(super) fn defs(&mut self) -> Map<String, Value> {
        while let Some((name, target, pointer)) = self.open.pop_front() {
            let made = self.at(target, &pointer, DEPTH);
            self.defs.insert(name, made);
        }
        std::mem::take(&mut self.defs)
    }

    /// Whether arguments never fill a property, since only the API writes it.
    pub(super) fn is_read_only(&self, property: &Value) -> bool {
        self.is_one_sided(property)
    }

    pub(super) fn remark(&mut self, pointer: &str, message: &str) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note(pointer, message));
        }
    }

    fn at(&mut self, schema: &Value, pointer: &str, depth: usize) -> Value {
        let Some(left) = self.left.checked_sub(1) else {
            self.is_cut = true;
            return json!({});
        };
        self.left = left;
        if depth == 0 {
            self.remark(
                pointer,
                "the schema is nested too deeply, the rest of it is left out",
            );
            return json!({});
        }
        match schema {
            Value::Bool(_) => schema.clone(),
            Value::Object(object) => match reference(schema) {
                Some(target) => self.refer((object, target), Stands::ForAnyKind, pointer, depth),
                None => Value::Object(self.keywords(object, pointer, depth)),
            },
            _ => {
                self.remark(pointer, "it is no schema, so anything is allowed there");
                json!({})
            }
        }
    }

    /// A reference, with what 3.1 and later allow beside it.
    fn refer(
        &mut self,
        (object, target): (&Map<String, Value>, &str),
        stands: Stands,
        pointer: &str,
        depth: usize,
    ) -> Value {
        let kinds = (stands == Stands::ForAnyKind)
            .then(|| self.any_kind(target))
            .flatten();
        let Some(name) = kinds.or_else(|| self.named(target)) else {
            self.remark(
                pointer,
                &format!("{}, so anything is allowed there", unresolved(target)),
            );
            return json!({});
        };
        let mut made = match depth > 0 && self.root.has_siblings(object) {
            true => self.keywords(object, pointer, depth),
            false => Map::new(),
        };
        made.insert("$ref".to_owned(), json!(format!("#/$defs/{name}")));
        if let Some(description) = object.get("description").and_then(Value::as_str) {
            describe(&mut made, description);
        }
        let is_nullable = ["nullable", "x-nullable"]
            .iter()
            .any(|word| object.get(*word) == Some(&Value::Bool(true)));
        if is_nullable {
            return json!({"anyOf": [made, {"type": "null"}]});
        }
        Value::Object(made)
    }

    /// The name in `$defs` of what a reference leads to, which is made later; `None` where it leads nowhere.
    fn named(&mut self, target: &str) -> Option<String> {
        let found = self.root.target(target)?;
        if let Some(name) = self.names.get(target) {
            return Some(name.clone());
        }
        let name = self.new_name(target);
        self.names.insert(target.to_owned(), name.clone());
        let place = target.trim_start_matches('#').to_owned();
        self.open.push_back((name.clone(), found, place));
        Some(name)
    }

    fn new_name(&mut self, target: &str) -> String {
        let last = target.rsplit('/').next().unwrap_or_default();
        let plain = super::names::word(&last.replace("~1", "_").replace('%', "_"));
        let plain = if plain.is_empty() {
            "schema".to_owned()
        } else {
            plain
        };
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let name = std::iter::once(plain.clone())
            .chain(numbered.take(10_000))
            .find(|name| !self.taken.contains(name))
            .unwrap_or(plain);
        self.taken.insert(name.clone());
        name
    }
}
