//! A selection that somebody wrote in a curation: `id name owner { login }`. It is read, checked against the schema, and
//! written anew, within the same bounds as one that is made here.

use apollo_parser::{Parser, cst};
use portreeve_core::limits::Limits;
use serde_json::{Map, Value, json};

use super::model::{Argument, Form, Schema, TypeRef};
use super::selection::{Room, Selection, braced, leaf, times, wrapped};

/// How deep a selection may go.
const DEPTH: usize = 8;
/// How deep its text may be nested before anybody looks at what it says.
const NESTED: usize = 64;
/// Tokens of its text.
const TOKENS: usize = 10_000;

struct Choosing<'a> {
    schema: &'a Schema,
    room: Room,
}

/// Reads a selection of what a field is.
pub(super) fn selection(
    schema: &Schema,
    of: &TypeRef,
    text: &str,
    limits: &Limits,
) -> Result<Selection, String> {
    let text = format!("query {{ {text} }}");
    let parsed = Parser::new(&text)
        .recursion_limit(NESTED)
        .token_limit(TOKENS)
        .parse();
    if let Some(error) = parsed.errors().next() {
        return Err(format!("its selection cannot be read: {}", error.message()));
    }
    let mut definitions = parsed.document().definitions();
    let set = match (definitions.next(), definitions.next()) {
        (Some(cst::Definition::OperationDefinition(only)), None) => only.selection_set(),
        _ => None,
    };
    let set = set.ok_or("its selection cannot be read: it is more than one")?;
    let mut choosing = Choosing {
        schema,
        room: Room::new(limits),
    };
    choosing
        .set(of.name(), &set, times(of, 1), DEPTH)
        .map_err(|reason| format!("its selection: {reason}"))
}

impl Choosing<'_> {
    fn set(
        &mut self,
        name: &str,
        set: &cst::SelectionSet,
        times: u64,
        depth: usize,
    ) -> Result<Selection, String> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| format!("it goes deeper than {DEPTH} levels"))?;
        if self.schema.is_leaf(name) {
            return Err(format!("`{name}` has nothing to select from"));
        }
        let (mut parts, mut properties) = (Vec::new(), Map::new());
        for selection in set.selections() {
            match selection {
                cst::Selection::Field(field) => {
                    self.field(name, &field, (times, depth), (&mut parts, &mut properties))?
                }
                cst::Selection::InlineFragment(fragment) => {
                    let on = fragment
                        .type_condition()
                        .and_then(|condition| condition.named_type()?.name())
                        .map(|name| name.text().to_string())
                        .ok_or("a fragment does not say which type it is about")?;
                    if !self.schema.types.contains_key(&on) {
                        return Err(format!("there is no type `{on}`"));
                    }
                    let inner = fragment.selection_set().ok_or("a fragment selects nothing")?;
                    let inner = self.set(&on, &inner, times, depth)?;
                    parts.push(format!("... on {on}{}", inner.text));
                    if let Some(more) = inner.schema.get("properties").and_then(Value::as_object) {
                        properties.extend(more.clone());
                    }
                }
                cst::Selection::FragmentSpread(_) => {
                    return Err("it names a fragment that is not there".to_owned());
                }
            }
        }
        if parts.is_empty() {
            return Err(format!("nothing of `{name}` is selected"));
        }
        Ok(braced(&parts, properties))
    }

    fn field(
        &mut self,
        name: &str,
        field: &cst::Field,
        (times, depth): (u64, usize),
        (parts, properties): (&mut Vec<String>, &mut Map<String, Value>),
    ) -> Result<(), String> {
        if field.alias().is_some() || field.arguments().is_some() || field.directives().is_some() {
            return Err("it may name fields, and no aliases, arguments or directives".to_owned());
        }
        let asked = field
            .name()
            .map(|name| name.text().to_string())
            .unwrap_or_default();
        if !self.room.take(times) {
            return Err("it asks for more than a tool may ask for".to_owned());
        }
        if asked == "__typename" {
            properties.insert(asked.clone(), json!({"type": "string"}));
            parts.push(asked);
            return Ok(());
        }
        let known = self
            .schema
            .fields(Some(name))
            .iter()
            .find(|known| known.name == asked);
        let known = known.ok_or_else(|| format!("`{name}` has no field `{asked}`"))?;
        if known.arguments.iter().any(Argument::is_required) {
            return Err(format!("the field `{asked}` of `{name}` needs arguments"));
        }
        let inner = known.of.name();
        let selection = match field.selection_set() {
            Some(set) => self.set(inner, &set, self::times(&known.of, times), depth)?,
            None if self.schema.is_leaf(inner) => leaf(self.schema, inner),
            None => {
                return Err(format!(
                    "of the field `{asked}` of `{name}` something must be selected"
                ));
            }
        };
        parts.push(format!("{asked}{}", selection.text));
        properties.insert(asked, wrapped(&known.of, &selection.schema));
        Ok(())
    }
}

/// Whether a type has fields or members to select from.
pub(super) fn is_composite(schema: &Schema, name: &str) -> bool {
    let form = schema.types.get(name).map(|found| &found.form);
    matches!(form, Some(Form::Object(_) | Form::Interface(_) | Form::Union(_)))
}
