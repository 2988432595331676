//! What is asked of an answer: a selection that is bounded in depth, in fields, and in what it may cost the API, with the
//! JSON Schema of what comes back. Without somebody's choice it takes all plain fields first, and goes on into objects
//! while there is room. It never enters a type that it is in already.

use portreeve_core::limits::Limits;
use serde_json::{Map, Value, json};

use super::model::{Field, Form, Schema, TypeRef};

/// How many elements a list is thought to have.
const ELEMENTS: u64 = 10;
/// Levels of objects that are entered without anybody's choice.
const OWN_DEPTH: usize = 3;
/// Plain fields of one type that are taken without anybody's choice.
const MOST_PLAIN: usize = 40;

/// A selection.
pub(super) struct Selection {
    /// As it stands behind the field: empty for what has none.
    pub(super) text: String,
    /// What comes back, for one of them.
    pub(super) schema: Value,
}

/// What is left to be taken.
pub(super) struct Room {
    pub(super) fields: usize,
    pub(super) cost: u64,
    /// Whether something was left out for want of room.
    pub(super) is_cut: bool,
}

/// Takes what there is.
pub(super) struct Selecting<'a> {
    schema: &'a Schema,
    room: Room,
    /// The types that it is in.
    inside: Vec<&'a str>,
}

// === impl Room ===

impl Room {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            fields: limits.graphql_fields,
            cost: limits.graphql_cost,
            is_cut: false,
        }
    }

    /// Takes one field that comes so often.
    pub(super) fn take(&mut self, times: u64) -> bool {
        let left = (self.fields.checked_sub(1), self.cost.checked_sub(times));
        let (Some(fields), Some(cost)) = left else {
            self.is_cut = true;
            return false;
        };
        (self.fields, self.cost) = (fields, cost);
        true
    }
}

/// How often what is in a type comes, if the type itself comes so often.
pub(super) fn times(of: &TypeRef, outer: u64) -> u64 {
    let lists = u32::try_from(of.lists()).unwrap_or(u32::MAX);
    outer.saturating_mul(ELEMENTS.saturating_pow(lists))
}

// === impl Selecting ===

impl<'a> Selecting<'a> {
    pub(super) fn new(schema: &'a Schema, limits: &Limits) -> Self {
        Self {
            schema,
            room: Room::new(limits),
            inside: Vec::new(),
        }
    }

    /// Whether something was left out for want of room.
    pub(super) fn is_cut(&self) -> bool {
        self.room.is_cut
    }

    /// What is asked of a field; `None`: it has nothing that could be asked without arguments.
    pub(super) fn of(&mut self, of: &'a TypeRef) -> Option<Selection> {
        self.typed(of.name(), times(of, 1), OWN_DEPTH)
    }

    fn typed(&mut self, name: &'a str, times: u64, depth: usize) -> Option<Selection> {
        let Some(found) = self.schema.types.get(name) else {
            return Some(leaf(self.schema, name));
        };
        match &found.form {
            Form::Scalar | Form::Enum(_) => Some(leaf(self.schema, name)),
            Form::Object(fields) => self.object(name, fields, (times, depth), Vec::new()),
            Form::Interface(fields) => {
                let first = vec!["__typename".to_owned()];
                self.object(name, fields, (times, depth), first)
            }
            Form::Union(members) => self.union(members, times, depth),
            Form::Input { .. } => None,
        }
    }

    fn object(
        &mut self,
        name: &'a str,
        fields: &'a [Field],
        (times, depth): (u64, usize),
        mut parts: Vec<String>,
    ) -> Option<Selection> {
        let depth = depth.checked_sub(1)?;
        let own = parts.len();
        let mut properties = Map::new();
        for part in &parts {
            properties.insert(part.clone(), json!({"type": "string"}));
        }
        let can_be_asked = |field: &&Field| {
            !field.is_deprecated && !field.arguments.iter().any(super::model::Argument::is_required)
        };
        let (plain, others): (Vec<&Field>, Vec<&Field>) = fields
            .iter()
            .filter(can_be_asked)
            .partition(|field| self.schema.is_leaf(field.of.name()));
        for field in plain.into_iter().take(MOST_PLAIN) {
            if !self.room.take(self::times(&field.of, times)) {
                break;
            }
            parts.push(field.name.clone());
            let schema = leaf(self.schema, field.of.name()).schema;
            properties.insert(field.name.clone(), wrapped(&field.of, &schema));
        }
        self.inside.push(name);
        for field in others {
            let inner = field.of.name();
            if self.inside.contains(&inner) || !self.room.take(times) {
                continue;
            }
            let inner_times = self::times(&field.of, times);
            if let Some(selection) = self.typed(inner, inner_times, depth) {
                parts.push(format!("{}{}", field.name, selection.text));
                properties.insert(field.name.clone(), wrapped(&field.of, &selection.schema));
            }
        }
        self.inside.pop();
        (parts.len() > own).then(|| braced(&parts, properties))
    }

    /// The plain fields of each member. What two members call alike must be alike, so the first one counts.
    fn union(&mut self, members: &'a [String], times: u64, depth: usize) -> Option<Selection> {
        depth.checked_sub(1)?;
        let mut parts = vec!["__typename".to_owned()];
        let mut properties = Map::from_iter([("__typename".to_owned(), json!({"type": "string"}))]);
        let mut known: Vec<(&str, &TypeRef)> = Vec::new();
        for member in members {
            let mut taken = Vec::new();
            for field in self.schema.fields(Some(member)).iter().take(MOST_PLAIN) {
                let is_plain = self.schema.is_leaf(field.of.name());
                let is_asked = !field.arguments.iter().any(super::model::Argument::is_required);
                let is_like = known
                    .iter()
                    .find(|(name, _)| *name == field.name)
                    .is_none_or(|(_, of)| **of == field.of);
                let fits = is_plain && is_asked && is_like && !field.is_deprecated;
                if fits && self.room.take(self::times(&field.of, times)) {
                    known.push((&field.name, &field.of));
                    taken.push(field.name.clone());
                    let schema = leaf(self.schema, field.of.name()).schema;
                    properties.insert(field.name.clone(), wrapped(&field.of, &schema));
                }
            }
            if !taken.is_empty() {
                parts.push(format!("... on {member} {{ {} }}", taken.join(" ")));
            }
        }
        Some(braced(&parts, properties))
    }
}

pub(super) fn braced(parts: &[String], properties: Map<String, Value>) -> Selection {
    Selection {
        text: format!(" {{ {} }}", parts.join(" ")),
        schema: json!({"type": "object", "properties": properties}),
    }
}

/// What a type without a selection is. What a scalar of the API's own looks like, nobody says.
pub(super) fn leaf(schema: &Schema, name: &str) -> Selection {
    let described = match name {
        "Int" => json!({"type": "integer"}),
        "Float" => json!({"type": "number"}),
        "Boolean" => json!({"type": "boolean"}),
        "String" | "ID" => json!({"type": "string"}),
        _ => match schema.types.get(name).map(|found| &found.form) {
            Some(Form::Enum(_)) => json!({"type": "string"}),
            _ => json!({}),
        },
    };
    Selection {
        text: String::new(),
        schema: described,
    }
}

/// A schema inside the lists of a type, each of which may be null.
pub(super) fn wrapped(of: &TypeRef, schema: &Value) -> Value {
    let (is_required, of) = match of {
        TypeRef::Required(inner) => (true, &**inner),
        other => (false, other),
    };
    let mut made = match of {
        TypeRef::List(inner) => json!({"type": "array", "items": wrapped(inner, schema)}),
        _ => schema.clone(),
    };
    if !is_required && let Some(Value::String(kind)) = made.get("type").cloned() {
        made["type"] = json!([kind, "null"]);
    }
    made
}
