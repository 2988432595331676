//! Operations that hosts may read as resources: what they take stands in a URI of the gateway's own. Without parameters
//! it is one resource, otherwise a template.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portreeve_core::rest::{
    Binding, Encoding, Parameter, Piece, Place, RESOURCE_ROOT, Resource, Source, Variable,
};
use portreeve_inspect::ToolSchema;
use serde_json::{Map, Value};

use super::curate::{choose, collision, remove, within};
use super::curation::ResourceCuration;
use super::inline;
use super::operations::Operation;
use super::tool::{self, Tool, Whole};

/// What stands in a URI as it is: letters, digits, and these.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'-')
    .remove(b'.')
    .remove(b'~');
/// What a template may name as it is. Everything else of a name is encoded (RFC 6570, section 2.3).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_');
/// Looks at schemas to find out what the values of one argument are.
const MOST_LOOKS: usize = 200;

/// Makes the resource of an operation, or says why there is none.
pub(super) fn make(
    whole: &Whole<'_>,
    operation: &Operation<'_>,
    generated: &str,
    choices: &ResourceCuration,
) -> Result<Resource, String> {
    if operation.method != "GET" {
        return Err("only what is asked for with GET is read".to_owned());
    }
    within(choices.timeout_ms, None, whole.limits)?;
    let mut tool = tool::make(whole, operation)?;
    for (argument, choice) in &choices.arguments {
        choose(&mut tool, argument, choice)?;
    }
    if let Some(reason) = collision(&tool) {
        return Err(reason);
    }
    let variables = variables(&mut tool)?;
    let uri = uri(&tool.binding, &variables)?;
    let Tool {
        title,
        description,
        arguments,
        mut binding,
        defs,
        ..
    } = tool;
    if !variables.is_empty() {
        let mut schema = arguments.schema();
        if !defs.is_empty() {
            schema.insert("$defs".to_owned(), Value::Object(defs));
            inline::once(&mut schema);
        }
        ToolSchema::compile(&Value::Object(schema.clone()))
            .map_err(|error| format!("values cannot be judged by its schema: {error}"))?;
        binding.arguments = Some(schema);
    }
    binding.timeout_ms = choices.timeout_ms;
    let known = || binding.answers.accept.first().cloned();
    Ok(Resource {
        uri,
        name: choices.name.clone().unwrap_or_else(|| generated.to_owned()),
        title: choices.title.clone().unwrap_or(title),
        description: choices.description.clone().unwrap_or(description),
        mime_type: choices.mime_type.clone().or_else(known),
        variables,
        binding,
    })
}

/// What each remaining argument is in a URI. What cannot stand there is left out, if it may be.
fn variables(tool: &mut Tool) -> Result<BTreeMap<String, Variable>, String> {
    let mut variables = BTreeMap::new();
    for argument in tool.arguments.list.clone() {
        let name = &argument.name;
        let parameter = filled_by(&tool.binding, name);
        let kind = parameter
            .filter(|parameter| matches!(parameter.place, Place::Path | Place::Query))
            .filter(|parameter| matches!(parameter.encoding, Encoding::Styled { .. }))
            .and_then(|parameter| {
                let mut looks = MOST_LOOKS;
                let kind = kind(&argument.schema, &tool.defs, &mut looks)?;
                let is_list = matches!(kind, Variable::Texts | Variable::Plains);
                (parameter.place == Place::Query || !is_list).then_some(kind)
            });
        match kind {
            Some(kind) => {
                variables.insert(name.clone(), kind);
            }
            None if argument.required => {
                return Err(format!(
                    "its argument `{name}` is required and cannot stand in a URI: give it a fixed value"
                ));
            }
            None => {
                remove(&mut tool.binding, name);
                tool.arguments.list.retain(|known| known.name != *name);
            }
        }
    }
    Ok(variables)
}

fn filled_by<'a>(binding: &'a Binding, argument: &str) -> Option<&'a Parameter> {
    let is_it =
        |parameter: &&Parameter| matches!(&parameter.source, Source::Argument(name) if name == argument);
    binding.parameters.iter().find(is_it)
}

/// What the values of a schema are, if a URI can hold them.
fn kind(schema: &Value, defs: &Map<String, Value>, looks: &mut usize) -> Option<Variable> {
    *looks = looks.checked_sub(1)?;
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.strip_prefix("#/$defs/")?;
        return kind(defs.get(name)?, defs, looks);
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |name: &str| types.contains(&name);
    if is("object") {
        return None;
    }
    if is("array") {
        let items = schema.get("items").unwrap_or(&Value::Null);
        return match kind(items, defs, looks)? {
            Variable::Text => Some(Variable::Texts),
            Variable::Plain => Some(Variable::Plains),
            Variable::Texts | Variable::Plains => None,
        };
    }
    if is("string") {
        return Some(Variable::Text);
    }
    if !types.is_empty() {
        return Some(Variable::Plain);
    }
    let listed = schema.get("enum").and_then(Value::as_array);
    if let Some(listed) = listed {
        let is_text = listed.iter().all(Value::is_string);
        let is_plain = !listed.iter().any(|one| one.is_array() || one.is_object());
        return is_plain.then_some(if is_text { Variable::Text } else { Variable::Plain });
    }
    // Of several forms, those that a URI can hold must be one form.
    let mut forms = ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|word| schema.get(*word).and_then(Value::as_array))
        .flatten()
        .map(|form| kind(form, defs, looks));
    match forms.next() {
        None => Some(Variable::Text),
        Some(first) => first.filter(|first| forms.all(|form| form == Some(*first))),
    }
}

/// The URI, or its template.
fn uri(binding: &Binding, variables: &BTreeMap<String, Variable>) -> Result<String, String> {
    let mut uri = RESOURCE_ROOT.to_owned();
    let mut in_segment = 0;
    for piece in &binding.path {
        match piece {
            Piece::Literal(text) => {
                if text.contains('/') {
                    in_segment = 0;
                }
                uri.push_str(&text.replace('\'', "%27"));
            }
            Piece::Parameter(wire) => match binding.path_parameter(wire).map(|parameter| &parameter.source) {
                Some(Source::Fixed(value)) => uri.push_str(&fixed(value)?),
                Some(Source::Argument(name)) => {
                    in_segment += 1;
                    if in_segment > 1 {
                        return Err("a segment of its path has two parameters".to_owned());
                    }
                    uri.push_str(&format!("{{{}}}", utf8_percent_encode(name, NAME)));
                }
                None => return Err(format!("its path names `{wire}`, which it does not have")),
            },
        }
    }
    let in_query: Vec<String> = binding
        .parameters
        .iter()
        .filter(|parameter| parameter.place == Place::Query)
        .filter_map(|parameter| match &parameter.source {
            Source::Argument(name) => {
                let kind = variables.get(name)?;
                let many = matches!(kind, Variable::Texts | Variable::Plains);
                let name = utf8_percent_encode(name, NAME);
                Some(format!("{name}{}", if many { "*" } else { "" }))
            }
            Source::Fixed(_) => None,
        })
        .collect();
    if !in_query.is_empty() {
        uri.push_str(&format!("{{?{}}}", in_query.join(",")));
    }
    Ok(uri)
}

/// A fixed value as a part of a path.
fn fixed(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err("a fixed value in its path is no text".to_owned()),
    };
    Ok(utf8_percent_encode(&text, PLAIN).to_string())
}
