//! An operation in the form of OpenAPI 3, whatever its document speaks: its parameters with those of its path, its body,
//! its answers. References are followed; Swagger 2.0 is rewritten.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::operations::{Operation, note};
use super::refs::{Root, reference};
use super::report::Note;

/// A parameter with its place in the document.
#[derive(Debug, Clone)]
pub(super) struct Described<'a> {
    pub(super) pointer: String,
    pub(super) value: Cow<'a, Value>,
}

impl Described<'_> {
    pub(super) fn name(&self) -> &str {
        self.text("name")
    }

    pub(super) fn place(&self) -> &str {
        self.text("in")
    }

    pub(super) fn text(&self, member: &str) -> &str {
        self.value.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is(&self, member: &str) -> bool {
        self.value.get(member) == Some(&Value::Bool(true))
    }
}

/// An operation in the form of OpenAPI 3.
#[derive(Debug)]
pub(super) struct Shaped<'a> {
    pub(super) parameters: Vec<Described<'a>>,
    pub(super) body: Option<Described<'a>>,
    pub(super) answers: Vec<(String, Described<'a>)>,
    pub(super) notes: Vec<Note>,
}

/// Brings an operation into shape, or says why that is not possible.
pub(super) fn shape<'a>(root: Root<'a>, operation: &Operation<'a>) -> Result<Shaped<'a>, String> {
    let object = operation.value.as_object().ok_or("it is not an object")?;
    let mut notes = Vec::new();
    let parameters = parameters(root, operation, &mut notes)?;
    let answers = answers(root, operation, object, &mut notes);
    if root.0.get("swagger").is_some() {
        return Ok(swagger(root, object, (parameters, answers), notes));
    }
    let body = match object.get("requestBody") {
        None | Some(Value::Null) => None,
        Some(body) => {
            let found = root
                .resolve(body)
                .map_err(|reason| format!("its body cannot be read: {reason}"))?;
            Some(Described {
                pointer: format!("{}/requestBody", operation.pointer),
                value: Cow::Borrowed(found),
            })
        }
    };
    Ok(Shaped {
        parameters,
        body,
        answers,
        notes,
    })
}

/// The parameters of the path, replaced by those of the operation that have the same place and name.
fn parameters<'a>(
    root: Root<'a>,
    operation: &Operation<'a>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Described<'a>>, String> {
    let mut found: Vec<Described<'a>> = Vec::new();
    let of_path = operation.item.get("parameters");
    let path_pointer = operation.pointer.rsplit_once('/').map_or("", |(path, _)| path);
    let own = operation.value.get("parameters");
    for (list, pointer) in [(of_path, path_pointer), (own, operation.pointer.as_str())] {
        for (index, value) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let pointer = format!("{pointer}/parameters/{index}");
            let resolved = match root.resolve(value) {
                Ok(resolved) => resolved,
                Err(reason) if reference(value).is_some() => {
                    return Err(format!("a parameter cannot be read: {reason} ({pointer})"));
                }
                Err(reason) => {
                    notes.push(note(&pointer, &reason));
                    continue;
                }
            };
            let parameter = Described {
                pointer,
                value: Cow::Borrowed(resolved),
            };
            if parameter.place().is_empty() || (parameter.name().is_empty() && parameter.place() != "body") {
                notes.push(note(
                    &parameter.pointer,
                    "the parameter has no name or no place, it is left out",
                ));
                continue;
            }
            let same = |other: &Described<'_>| {
                other.place() == parameter.place() && other.name() == parameter.name()
            };
            match found.iter_mut().find(|other| same(other)) {
                Some(present) => *present = parameter,
                None => found.push(parameter),
            }
        }
    }
    Ok(found)
}

fn answers<'a>(
    root: Root<'a>,
    operation: &Operation<'a>,
    object: &'a Map<String, Value>,
    notes: &mut Vec<Note>,
) -> Vec<(String, Described<'a>)> {
    let responses = object.get("responses").and_then(Value::as_object);
    let mut found = Vec::new();
    for (status, answer) in responses.into_iter().flatten() {
        let pointer = format!("{}/responses/{status}", operation.pointer);
        match root.resolve(answer) {
            Ok(resolved) => {
                let value = Cow::Borrowed(resolved);
                found.push((status.clone(), Described { pointer, value }));
            }
            Err(reason) => notes.push(note(&pointer, &format!("the answer cannot be read: {reason}"))),
        }
    }
    found
}

// === Swagger 2.0 ===

type Parts<'a> = (Vec<Described<'a>>, Vec<(String, Described<'a>)>);

fn swagger<'a>(
    root: Root<'a>,
    object: &Map<String, Value>,
    (parameters, answers): Parts<'a>,
    notes: Vec<Note>,
) -> Shaped<'a> {
    let types = |member: &str| -> Vec<String> {
        let list = object.get(member).or_else(|| root.0.get(member));
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str)
            .map(str::to_owned)
            .take(20)
            .collect()
    };
    let (consumes, produces) = (types("consumes"), types("produces"));
    let mut plain = Vec::new();
    let mut form = Vec::new();
    let mut body = None;
    for parameter in parameters {
        match parameter.place() {
            "body" => body = Some(whole_body(&parameter, &consumes)),
            "formData" => form.push(parameter),
            _ => plain.push(styled(parameter)),
        }
    }
    if !form.is_empty() {
        body = Some(form_body(&form, &consumes));
    }
    let answers = answers.into_iter().map(|(status, answer)| {
        let content = answer
            .value
            .get("schema")
            .map(|schema| content_of(&produces, schema));
        let value = match content {
            Some(content) => json!({"description": answer.text("description"), "content": content}),
            None => json!({"description": answer.text("description")}),
        };
        let pointer = answer.pointer;
        (
            status,
            Described {
                pointer,
                value: Cow::Owned(value),
            },
        )
    });
    Shaped {
        parameters: plain,
        body,
        answers: answers.collect(),
        notes,
    }
}

fn content_of(types: &[String], schema: &Value) -> Value {
    let json = "application/json".to_owned();
    let types = if types.is_empty() {
        std::slice::from_ref(&json)
    } else {
        types
    };
    let content: Map<String, Value> = types
        .iter()
        .map(|media| (media.clone(), json!({"schema": schema})))
        .collect();
    Value::Object(content)
}

fn whole_body<'a>(parameter: &Described<'_>, consumes: &[String]) -> Described<'a> {
    let schema = parameter
        .value
        .get("schema")
        .cloned()
        .unwrap_or_else(|| json!({}));
    Described {
        pointer: parameter.pointer.clone(),
        value: Cow::Owned(json!({
            "description": parameter.text("description"),
            "required": parameter.is("required"),
            "content": content_of(consumes, &schema),
        })),
    }
}

/// The members of a parameter that describe its value: in 2.0 they stand beside the name.
fn schema_of(parameter: &Value) -> Value {
    const NOT_SCHEMA: &[&str] = &["name", "in", "required", "collectionFormat", "allowEmptyValue"];
    let members = parameter.as_object().into_iter().flatten();
    Value::Object(
        members
            .filter(|(name, _)| !NOT_SCHEMA.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

fn style_of(parameter: &Described<'_>) -> (&'static str, bool) {
    let is_query = matches!(parameter.place(), "query" | "formData");
    match parameter.text("collectionFormat") {
        "multi" => ("form", true),
        "ssv" => ("spaceDelimited", false),
        "tsv" => ("tabDelimited", false),
        "pipes" => ("pipeDelimited", false),
        _ if is_query => ("form", false),
        _ => ("simple", false),
    }
}

fn styled<'a>(parameter: Described<'a>) -> Described<'a> {
    if parameter.value.get("schema").is_some() {
        return parameter;
    }
    let (style, explode) = style_of(&parameter);
    let value = json!({
        "name": parameter.name(),
        "in": parameter.place(),
        "description": parameter.text("description"),
        "required": parameter.is("required"),
        "allowEmptyValue": parameter.is("allowEmptyValue"),
        "schema": schema_of(&parameter.value),
        "style": style,
        "explode": explode,
    });
    Described {
        pointer: parameter.pointer,
        value: Cow::Owned(value),
    }
}

fn form_body<'a>(form: &[Described<'_>], consumes: &[String]) -> Described<'a> {
    const URLENCODED: &str = "application/x-www-form-urlencoded";
    let has_file = form.iter().any(|parameter| parameter.text("type") == "file");
    let media = if has_file || !consumes.iter().any(|media| media == URLENCODED) && !consumes.is_empty() {
        "multipart/form-data"
    } else {
        URLENCODED
    };
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut encoding = Map::new();
    for parameter in form {
        let name = parameter.name().to_owned();
        if parameter.is("required") {
            required.push(Value::String(name.clone()));
        }
        if parameter.text("type") == "array" {
            let (style, explode) = style_of(parameter);
            encoding.insert(name.clone(), json!({"style": style, "explode": explode}));
        }
        properties.insert(name, schema_of(&parameter.value));
    }
    let is_required = !required.is_empty();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let pointer = form
        .first()
        .map(|first| first.pointer.clone())
        .unwrap_or_default();
    Described {
        pointer,
        value: Cow::Owned(json!({
            "required": is_required,
            "content": {media: {"schema": schema, "encoding": encoding}},
        })),
    }
}
