//! A schema of GraphQL, whichever way it came: what the importer must know of it, and no more.

use super::Types;

/// Lists in lists that a type may have.
pub(super) const MOST_LISTS: usize = 6;

/// A schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) types: Types,
    /// The names of the root types.
    pub(super) query: Option<String>,
    pub(super) mutation: Option<String>,
    pub(super) subscription: Option<String>,
}

/// A type.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) description: String,
    pub(super) form: Form,
}

/// What a type is.
#[derive(Debug)]
pub(super) enum Form {
    Scalar,
    Enum(Vec<String>),
    Input {
        fields: Vec<Argument>,
        /// Exactly one of them is given.
        is_one_of: bool,
    },
    Object(Vec<Field>),
    Interface(Vec<Field>),
    Union(Vec<String>),
}

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) of: TypeRef,
    pub(super) is_deprecated: bool,
}

/// An argument, or a field of an input.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) of: TypeRef,
    pub(super) has_default: bool,
}

/// A type as a field names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeRef {
    Named(String),
    List(Box<TypeRef>),
    Required(Box<TypeRef>),
}

// === impl Schema ===

impl Schema {
    /// The fields of a type that has some.
    pub(super) fn fields(&self, name: Option<&str>) -> &[Field] {
        match name
            .and_then(|name| self.types.get(name))
            .map(|found| &found.form)
        {
            Some(Form::Object(fields) | Form::Interface(fields)) => fields,
            _ => &[],
        }
    }

    /// Whether a type is asked for as it is, without a selection. What nobody describes is a scalar.
    pub(super) fn is_leaf(&self, name: &str) -> bool {
        let form = self.types.get(name).map(|found| &found.form);
        matches!(form, None | Some(Form::Scalar | Form::Enum(_)))
    }
}

// === impl Argument ===

impl Argument {
    /// Whether it must be given.
    pub(super) fn is_required(&self) -> bool {
        matches!(self.of, TypeRef::Required(_)) && !self.has_default
    }
}

// === impl TypeRef ===

impl TypeRef {
    /// The type that is named at the end.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::Required(inner) => inner.name(),
        }
    }

    /// How many lists are around it.
    pub(super) fn lists(&self) -> usize {
        match self {
            Self::Named(_) => 0,
            Self::List(inner) => 1 + inner.lists(),
            Self::Required(inner) => inner.lists(),
        }
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::List(inner) => format!("[{}]", inner.text()),
            Self::Required(inner) => format!("{}!", inner.text()),
        }
    }
}

/// Whether a text is a name. Names of a schema are written into queries, so nothing else may pass for one.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let begins = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    begins && text.len() <= 200 && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a name is of the language itself.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with("__")
}
