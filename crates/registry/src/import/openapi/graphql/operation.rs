//! A field of a root type as a tool: a query that is written once, its variables the arguments.

use portreeve_core::limits::Limits;
use portreeve_core::rest::{
    Answers, Binding, Body, BodyForm, Content, Extra, HttpMethod, Member, Piece, Retry, Source, Structured,
};
use serde_json::{Map, Value, json};

use super::super::arguments::{Argument, Arguments};
use super::super::curation::{Curation, Descriptions, Profile, ToolCuration};
use super::super::operations::{Operation, note};
use super::super::report::{OperationOutcome, OperationReport};
use super::super::tool::{Effects, LONG, SHORT, Tool};
use super::super::{Making, flat, words};
use super::Root;
use super::chosen::{self, is_composite};
use super::input::Inputs;
use super::model::{Field, Schema};
use super::selection::{Selecting, Selection, leaf, wrapped};

/// The member of a result that holds what a field came to.
const RESULT: &str = "result";

/// What a field of a root type does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
}

/// What all tools of a schema share.
pub(super) struct Whole<'a> {
    pub(super) schema: &'a Schema,
    /// The path of the endpoint.
    pub(super) path: &'a str,
    pub(super) limits: &'a Limits,
    pub(super) curation: &'a Curation,
}

impl Kind {
    /// The word that begins an operation of its kind.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
        }
    }
}

impl Making {
    /// One field, whatever becomes of it.
    pub(super) fn field(
        &mut self,
        whole: &Whole<'_>,
        root: &Root<'_>,
        operation: &Operation<'_>,
        generated: &str,
    ) {
        let mut notes = Vec::new();
        let curation = whole.curation;
        // What changes something is never a tool by accident.
        let is_meant = root.kind == Kind::Query || curation.names_method_of(operation, generated);
        let outcome = if curation.chooses(operation, generated) && is_meant {
            let label = format!("{} {}", operation.method, operation.path);
            make(whole, root, curation.tools.get(generated))
                .and_then(|tool| self.keep(tool, (label, generated), (curation, whole.limits), &mut notes))
                .unwrap_or_else(|reason| OperationOutcome::Skipped { reason })
        } else {
            OperationOutcome::NotChosen {
                generated: generated.to_owned(),
            }
        };
        self.operations.push(OperationReport {
            method: operation.method.clone(),
            path: operation.path.to_owned(),
            operation_id: None,
            tags: Vec::new(),
            pointer: operation.pointer.clone(),
            base_url: None,
            outcome,
            resource: None,
            notes,
        });
    }
}

fn make(whole: &Whole<'_>, root: &Root<'_>, choices: Option<&ToolCuration>) -> Result<Tool, String> {
    let field = root.field;
    if choices.is_some_and(|choices| choices.paging.is_some()) {
        return Err("pages of a query are not followed: leave its cursor to the caller".to_owned());
    }
    let mut notes = Vec::new();
    let selection = match choices.and_then(|choices| choices.select.as_deref()) {
        Some(text) => chosen::selection(whole.schema, &field.of, text, whole.limits)?,
        None if !is_composite(whole.schema, field.of.name()) => leaf(whole.schema, field.of.name()),
        None => {
            let mut selecting = Selecting::new(whole.schema, whole.limits);
            let selection = selecting.of(&field.of);
            if selecting.is_cut() {
                notes.push(note(
                    "",
                    "its answer has more fields than a query may ask for; choose with `select`",
                ));
            }
            selection.ok_or("nothing of its answer can be asked for without arguments")?
        }
    };
    let mut inputs = Inputs::new(whole.schema, whole.limits.openapi_tool_schemas);
    let mut arguments = Arguments::default();
    let mut members = Vec::new();
    for argument in &field.arguments {
        arguments.add(Argument {
            name: argument.name.clone(),
            schema: inputs.argument(argument),
            required: argument.is_required(),
        });
        members.push(Member {
            name: argument.name.clone(),
            source: Source::Argument(argument.name.clone()),
            default: None,
        });
    }
    let defs = inputs
        .defs()
        .ok_or("its arguments are made of too many schemas")?;
    let (title, description) = describe(root, whole.curation.descriptions);
    Ok(Tool {
        title,
        description,
        arguments,
        binding: binding(whole.path, root, &selection, members)?,
        output: Some(output(whole, field, &selection)),
        defs,
        notes,
        effects: Effects {
            read_only: root.kind == Kind::Query,
            idempotent: root.kind == Kind::Query,
        },
    })
}

fn binding(
    path: &str,
    root: &Root<'_>,
    selection: &Selection,
    members: Vec<Member>,
) -> Result<Binding, String> {
    Ok(Binding {
        method: HttpMethod::try_from("POST".to_owned()).map_err(|error| error.to_string())?,
        base_url: None,
        path: vec![Piece::Literal(path.to_owned())],
        parameters: Vec::new(),
        body: Some(Body {
            content_type: "application/json".to_owned(),
            form: BodyForm::GraphQl {
                query: query(root, selection),
            },
            content: Content::Members {
                members,
                extra: Extra::Refused,
                withheld: Vec::new(),
            },
            required: true,
            default: None,
        }),
        answers: Answers {
            accept: vec![
                "application/graphql-response+json".to_owned(),
                "application/json".to_owned(),
            ],
            structured: Structured::Wrapped(RESULT.to_owned()),
            graphql: Some(root.field.name.clone()),
        },
        shape: Default::default(),
        paging: None,
        timeout_ms: None,
        retry: match root.kind {
            Kind::Query => Retry::Safe,
            Kind::Mutation => Retry::Never,
        },
        security: Vec::new(),
        arguments: None,
    })
}

/// The query. Every word of it is a name of the schema.
fn query(root: &Root<'_>, selection: &Selection) -> String {
    let Field { name, arguments, .. } = root.field;
    let all = |one: &dyn Fn(&super::model::Argument) -> String| {
        let all: Vec<String> = arguments.iter().map(one).collect();
        if all.is_empty() {
            String::new()
        } else {
            format!("({})", all.join(", "))
        }
    };
    let declared = all(&|argument| format!("${}: {}", argument.name, declared(argument)));
    let given = all(&|argument| format!("{}: ${}", argument.name, argument.name));
    format!(
        "{} {name}{declared} {{ {name}{given}{} }}",
        root.kind.word(),
        selection.text
    )
}

/// The type of a variable. One with a default may be left out, for which it must not insist on a value (section 5.8.5 of
/// the specification: the default of the argument is then what counts).
fn declared(argument: &super::model::Argument) -> String {
    let text = argument.of.text();
    match argument.is_required() {
        true => text,
        false => text.trim_end_matches('!').to_owned(),
    }
}

fn output(whole: &Whole<'_>, field: &Field, selection: &Selection) -> Map<String, Value> {
    let result = wrapped(&field.of, &selection.schema);
    let output = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), json!({RESULT: result})),
    ]);
    match whole.curation.profile {
        Profile::Full => output,
        Profile::Flat => flat::result(&output),
    }
}

fn describe(root: &Root<'_>, how: Descriptions) -> (String, String) {
    let longest = match how {
        Descriptions::Short => SHORT,
        Descriptions::Long => LONG,
    };
    let mut text = words::shortened(&root.field.description, longest);
    if text.is_empty() {
        text = format!("{} {}", root.kind.word(), root.field.name);
    }
    if root.field.is_deprecated {
        text = format!("Deprecated. {text}");
    }
    (String::new(), text)
}
