//! A schema as text (GraphQL, section 3). Definitions and extensions of one type are one type.

use apollo_parser::{Parser, cst};
use portreeve_core::limits::Limits;

use super::model::{Argument, Field, Form, MOST_LISTS, Schema, Type, TypeRef, is_name, is_reserved};

/// How deep a text may be nested.
const DEPTH: usize = 100;

/// Whether a text could be a schema: one of its lines begins a definition.
pub(super) fn looks_like(text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "type ",
        "schema ",
        "schema{",
        "extend ",
        "interface ",
        "input ",
        "enum ",
        "scalar ",
    ];
    text.lines().any(|line| {
        let line = line.trim_start_matches('\u{feff}');
        WORDS.iter().any(|word| line.starts_with(word))
    })
}

/// Reads it.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Schema, String> {
    if text.len() > limits.openapi_bytes {
        return Err(format!("it has more than {} bytes", limits.openapi_bytes));
    }
    let parsed = Parser::new(text)
        .recursion_limit(DEPTH)
        .token_limit(limits.openapi_nodes)
        .parse();
    // What is wrong somewhere may have any effect elsewhere, so nothing is made of the rest.
    if let Some(error) = parsed.errors().next() {
        let before = text.get(..error.index()).unwrap_or_default();
        let line = before.lines().count().max(1);
        return Err(format!("line {line}: {}", error.message()));
    }
    let mut schema = Schema::default();
    let mut has_roots = false;
    for definition in parsed.document().definitions() {
        take(definition, &mut schema, &mut has_roots)?;
    }
    if !has_roots {
        let known = |name: &str| schema.types.contains_key(name).then(|| name.to_owned());
        schema.query = known("Query");
        schema.mutation = known("Mutation");
        schema.subscription = known("Subscription");
    }
    Ok(schema)
}

fn take(definition: cst::Definition, schema: &mut Schema, has_roots: &mut bool) -> Result<(), String> {
    use cst::Definition as D;
    let description = described(match &definition {
        D::ScalarTypeDefinition(it) => it.description(),
        D::ObjectTypeDefinition(it) => it.description(),
        D::InterfaceTypeDefinition(it) => it.description(),
        D::UnionTypeDefinition(it) => it.description(),
        D::EnumTypeDefinition(it) => it.description(),
        D::InputObjectTypeDefinition(it) => it.description(),
        _ => None,
    });
    let name = definition.name().map(text_of);
    let form = match definition {
        D::SchemaDefinition(it) => {
            *has_roots = true;
            return roots(it.root_operation_type_definitions(), schema);
        }
        D::SchemaExtension(it) => return roots(it.root_operation_type_definitions(), schema),
        D::ScalarTypeDefinition(_) | D::ScalarTypeExtension(_) => Form::Scalar,
        D::ObjectTypeDefinition(it) => Form::Object(fields(it.fields_definition())?),
        D::ObjectTypeExtension(it) => Form::Object(fields(it.fields_definition())?),
        D::InterfaceTypeDefinition(it) => Form::Interface(fields(it.fields_definition())?),
        D::InterfaceTypeExtension(it) => Form::Interface(fields(it.fields_definition())?),
        D::UnionTypeDefinition(it) => Form::Union(members(it.union_member_types())),
        D::UnionTypeExtension(it) => Form::Union(members(it.union_member_types())),
        D::EnumTypeDefinition(it) => Form::Enum(values(it.enum_values_definition())),
        D::EnumTypeExtension(it) => Form::Enum(values(it.enum_values_definition())),
        D::InputObjectTypeDefinition(it) => Form::Input {
            fields: inputs(
                it.input_fields_definition()
                    .map(|list| list.input_value_definitions()),
            )?,
            is_one_of: has(it.directives(), "oneOf"),
        },
        D::InputObjectTypeExtension(it) => Form::Input {
            fields: inputs(
                it.input_fields_definition()
                    .map(|list| list.input_value_definitions()),
            )?,
            is_one_of: has(it.directives(), "oneOf"),
        },
        // Directives say nothing of what can be asked, and queries are no schema.
        D::DirectiveDefinition(_) | D::OperationDefinition(_) | D::FragmentDefinition(_) => return Ok(()),
    };
    if let Some(name) = name.filter(|name| is_name(name) && !is_reserved(name)) {
        add(schema, name, description, form);
    }
    Ok(())
}

/// Adds a type, or what is said about it in another place.
fn add(schema: &mut Schema, name: String, description: String, form: Form) {
    let Some(known) = schema.types.get_mut(&name) else {
        schema.types.insert(name, Type { description, form });
        return;
    };
    if known.description.is_empty() {
        known.description = description;
    }
    match (&mut known.form, form) {
        (Form::Object(known) | Form::Interface(known), Form::Object(more) | Form::Interface(more)) => {
            known.extend(more);
        }
        (Form::Union(known), Form::Union(more)) | (Form::Enum(known), Form::Enum(more)) => known.extend(more),
        (
            Form::Input { fields, is_one_of },
            Form::Input {
                fields: more,
                is_one_of: other,
            },
        ) => {
            fields.extend(more);
            *is_one_of |= other;
        }
        _ => {}
    }
}

fn roots(
    definitions: impl Iterator<Item = cst::RootOperationTypeDefinition>,
    schema: &mut Schema,
) -> Result<(), String> {
    for definition in definitions {
        let kind = definition.operation_type().ok_or("a root type has no kind")?;
        let name = definition
            .named_type()
            .and_then(|named| named.name())
            .map(text_of)
            .filter(|name| is_name(name));
        if kind.query_token().is_some() {
            schema.query = name;
        } else if kind.mutation_token().is_some() {
            schema.mutation = name;
        } else {
            schema.subscription = name;
        }
    }
    Ok(())
}

fn fields(definition: Option<cst::FieldsDefinition>) -> Result<Vec<Field>, String> {
    let mut made = Vec::new();
    for field in definition.into_iter().flat_map(|list| list.field_definitions()) {
        let Some(name) = field.name().map(text_of).filter(|name| !is_reserved(name)) else {
            continue;
        };
        let arguments = field.arguments_definition();
        made.push(Field {
            description: described(field.description()),
            arguments: inputs(arguments.map(|list| list.input_value_definitions()))?,
            of: reference(field.ty(), 0).ok_or_else(|| format!("the field `{name}` has no usable type"))?,
            is_deprecated: has(field.directives(), "deprecated"),
            name,
        });
    }
    Ok(made)
}

fn inputs(
    definitions: Option<impl Iterator<Item = cst::InputValueDefinition>>,
) -> Result<Vec<Argument>, String> {
    let mut made = Vec::new();
    for input in definitions.into_iter().flatten() {
        let name = input.name().map(text_of).ok_or("an argument has no name")?;
        made.push(Argument {
            description: described(input.description()),
            of: reference(input.ty(), 0)
                .ok_or_else(|| format!("the argument `{name}` has no usable type"))?,
            has_default: input.default_value().is_some(),
            name,
        });
    }
    Ok(made)
}

fn members(types: Option<cst::UnionMemberTypes>) -> Vec<String> {
    let named = types.into_iter().flat_map(|list| list.named_types());
    named.filter_map(|named| named.name()).map(text_of).collect()
}

fn values(definition: Option<cst::EnumValuesDefinition>) -> Vec<String> {
    let values = definition
        .into_iter()
        .flat_map(|list| list.enum_value_definitions());
    values
        .filter_map(|value| value.enum_value()?.name())
        .map(text_of)
        .collect()
}

fn reference(of: Option<cst::Type>, lists: usize) -> Option<TypeRef> {
    (lists <= MOST_LISTS).then_some(())?;
    let named = |named: cst::NamedType| named.name().map(|name| TypeRef::Named(text_of(name)));
    let list = |list: cst::ListType| {
        let inner = reference(list.ty(), lists + 1)?;
        Some(TypeRef::List(Box::new(inner)))
    };
    match of? {
        cst::Type::NamedType(it) => named(it),
        cst::Type::ListType(it) => list(it),
        cst::Type::NonNullType(it) => {
            let inner = it
                .named_type()
                .and_then(named)
                .or_else(|| list(it.list_type()?))?;
            Some(TypeRef::Required(Box::new(inner)))
        }
    }
}

fn has(directives: Option<cst::Directives>, wanted: &str) -> bool {
    let all = directives.into_iter().flat_map(|list| list.directives());
    all.filter_map(|directive| directive.name())
        .any(|name| text_of(name) == wanted)
}

fn described(description: Option<cst::Description>) -> String {
    description
        .and_then(|description| description.string_value())
        .map(|value| String::from(&value))
        .unwrap_or_default()
}

fn text_of(name: cst::Name) -> String {
    name.text().to_string()
}
