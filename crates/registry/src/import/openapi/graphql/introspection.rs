//! The answer to an introspection (GraphQL, section 4): `{"data": {"__schema": ...}}`, or its inner part.

use serde::Deserialize;
use serde_json::Value;

use super::model::{Argument, Field, Form, MOST_LISTS, Schema, Type, TypeRef, is_name, is_reserved};

/// What an API is asked for its schema with.
pub const QUERY: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } \
subscriptionType { name } types { ...FullType } } } \
fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description \
args { ...InputValue } type { ...TypeRef } isDeprecated } inputFields { ...InputValue } \
enumValues(includeDeprecated: true) { name } possibleTypes { name } } \
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue } \
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    query_type: Option<Named>,
    mutation_type: Option<Named>,
    subscription_type: Option<Named>,
    types: Vec<Value>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FullType {
    kind: String,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    fields: Option<Vec<AField>>,
    #[serde(default)]
    input_fields: Option<Vec<InputValue>>,
    #[serde(default)]
    enum_values: Option<Vec<Named>>,
    #[serde(default)]
    possible_types: Option<Vec<Named>>,
    #[serde(default)]
    is_one_of: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AField {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    args: Vec<InputValue>,
    #[serde(rename = "type")]
    of: Value,
    #[serde(default)]
    is_deprecated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputValue {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(rename = "type")]
    of: Value,
    #[serde(default)]
    default_value: Option<String>,
}

/// The schema in a document, if it is an answer of that kind.
pub(super) fn schema_of(document: &Value) -> Option<&Value> {
    document
        .get("__schema")
        .or_else(|| document.get("data")?.get("__schema"))
        .filter(|schema| schema.get("types").is_some())
}

/// Reads it. A type that cannot be read is left out, and with it what needs it.
pub(super) fn read(schema: &Value) -> Result<Schema, String> {
    let answer = Answer::deserialize(schema).map_err(|error| format!("this is no schema: {error}"))?;
    let root = |named: Option<Named>| named.map(|named| named.name).filter(|name| is_name(name));
    let types = answer.types.iter().filter_map(|value| {
        let full = FullType::deserialize(value).ok()?;
        let is_ours = is_name(&full.name) && !is_reserved(&full.name);
        is_ours.then(|| Some((full.name.clone(), typed(full)?))).flatten()
    });
    Ok(Schema {
        types: types.collect(),
        query: root(answer.query_type),
        mutation: root(answer.mutation_type),
        subscription: root(answer.subscription_type),
    })
}

fn typed(full: FullType) -> Option<Type> {
    let names = |list: Option<Vec<Named>>| -> Vec<String> {
        let list = list.unwrap_or_default().into_iter().map(|named| named.name);
        list.filter(|name| is_name(name)).collect()
    };
    let fields = |list: Option<Vec<AField>>| list.unwrap_or_default().into_iter().filter_map(field).collect();
    let form = match full.kind.as_str() {
        "SCALAR" => Form::Scalar,
        "ENUM" => Form::Enum(names(full.enum_values)),
        "INPUT_OBJECT" => Form::Input {
            fields: arguments(full.input_fields.unwrap_or_default())?,
            is_one_of: full.is_one_of.unwrap_or_default(),
        },
        "OBJECT" => Form::Object(fields(full.fields)),
        "INTERFACE" => Form::Interface(fields(full.fields)),
        "UNION" => Form::Union(names(full.possible_types)),
        _ => return None,
    };
    Some(Type {
        description: full.description.unwrap_or_default(),
        form,
    })
}

fn field(field: AField) -> Option<Field> {
    (is_name(&field.name) && !is_reserved(&field.name)).then_some(())?;
    Some(Field {
        of: reference(&field.of, 0)?,
        arguments: arguments(field.args)?,
        name: field.name,
        description: field.description.unwrap_or_default(),
        is_deprecated: field.is_deprecated,
    })
}

/// All of them, or none: what lacks an argument would be asked for wrongly.
fn arguments(values: Vec<InputValue>) -> Option<Vec<Argument>> {
    let one = |value: InputValue| {
        is_name(&value.name).then_some(())?;
        Some(Argument {
            of: reference(&value.of, 0)?,
            name: value.name,
            description: value.description.unwrap_or_default(),
            has_default: value.default_value.is_some(),
        })
    };
    values.into_iter().map(one).collect()
}

fn reference(value: &Value, depth: usize) -> Option<TypeRef> {
    // Every list may have a mark of its own around it.
    (depth <= 2 * MOST_LISTS + 1).then_some(())?;
    let inner = || reference(value.get("ofType")?, depth + 1).map(Box::new);
    match value.get("kind")?.as_str()? {
        "NON_NULL" => inner().map(TypeRef::Required),
        "LIST" => inner().map(TypeRef::List),
        _ => {
            let name = value.get("name")?.as_str().filter(|name| is_name(name))?;
            Some(TypeRef::Named(name.to_owned()))
        }
    }
}
