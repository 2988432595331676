//! One thing that a visitor tries: its form, what came back, and what is asked before anything does.

mod asked;
mod offers;
mod result;

use askama::Template;
use http::StatusCode;
use portreeve_core::name::ServerName;
use portreeve_core::tool::ToolDefinition;
use portreeve_gateway::ConsoleNews;
use portreeve_registry::Problem;
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::view::badge::Badge;
use crate::view::form::{Field, FieldKind, FormView};
use crate::view::shell::Shell;
use crate::view::tools::{self, annotated};
use crate::words;

pub(crate) use asked::{Asked, Question, QuestionField, QuestionKind};
pub(crate) use offers::{Offer, Offered, TryOffersPage};
pub(crate) use result::{Block, TryResult};

/// Characters of a line that a server tells meanwhile.
const LINE_SHOWN: usize = 300;

/// What is tried.
#[derive(Debug, Clone)]
pub(crate) enum TryWhat {
    /// A tool, as it was approved.
    Tool(Box<ToolDefinition>),
    /// A resource, by its address.
    Resource(String),
    /// A prompt, and the names of what it takes as far as they are known.
    Prompt(String, Vec<String>),
}

/// The page.
#[derive(Template)]
#[template(path = "try.html")]
pub(crate) struct TryPage {
    pub(crate) shell: Shell,
    /// The server.
    pub(crate) name: String,
    pub(crate) what: String,
    /// What the visitor does with it: the heading above the form.
    pub(crate) verb: &'static str,
    pub(crate) description: String,
    pub(crate) badges: Vec<Badge>,
    /// Whether a call may destroy something.
    pub(crate) destroys: bool,
    /// Whether it is a tool, whose input is described.
    pub(crate) is_tool: bool,
    pub(crate) fields: Vec<tools::Field>,
    pub(crate) schema: String,
    pub(crate) form: FormView,
    pub(crate) result: Option<TryResult>,
    /// What the server wants to know first.
    pub(crate) asked: Option<Asked>,
    /// What it told meanwhile.
    pub(crate) told: Vec<String>,
}

// === impl TryWhat ===

impl TryWhat {
    /// How people call it.
    pub(crate) fn name(&self) -> String {
        words::visible(match self {
            Self::Tool(definition) => &definition.name,
            Self::Resource(name) | Self::Prompt(name, _) => name,
        })
    }

    const fn verb(&self) -> &'static str {
        match self {
            Self::Tool(_) => "Call",
            Self::Resource(_) => "Read",
            Self::Prompt(..) => "Get",
        }
    }
}

// === impl TryPage ===

impl TryPage {
    pub(crate) fn new(
        shell: Shell,
        (name, route): (&ServerName, &str),
        what: &TryWhat,
        token: String,
    ) -> Self {
        let action = format!("/servers/{name}/try");
        let form = |button| FormView::new("try", action.clone(), button);
        let form = match what {
            TryWhat::Tool(definition) => {
                let json: Value = serde_json::from_str(&definition.definition).unwrap_or(Value::Null);
                let schema = json.get("inputSchema").unwrap_or(&Value::Null);
                let field = Field::text("arguments", "Arguments", 10)
                    .hint("A JSON object. What is required stands there already; fill it in.")
                    .value(beginning(schema));
                form("Call it").hide("tool", &definition.name).field(field)
            }
            TryWhat::Resource(uri) => form("Read it").field(
                Field::line("resource", "Address")
                    .required()
                    .hint("Fill in what stands in braces.")
                    .value(uri.clone()),
            ),
            TryWhat::Prompt(prompt, arguments) => {
                let begun: Map<String, Value> =
                    arguments.iter().map(|name| (name.clone(), json!(""))).collect();
                let field = Field::text("arguments", "Arguments", 6)
                    .hint("A JSON object whose members are texts.")
                    .value(serde_json::to_string_pretty(&begun).unwrap_or_default());
                form("Get it").hide("prompt", prompt).field(field)
            }
        };
        let page = Self {
            shell,
            name: name.to_string(),
            what: what.name(),
            verb: what.verb(),
            description: String::new(),
            badges: Vec::new(),
            destroys: false,
            is_tool: false,
            fields: Vec::new(),
            schema: String::new(),
            form: form.hide("route", route).token(token),
            result: None,
            asked: None,
            told: Vec::new(),
        };
        match what {
            TryWhat::Tool(definition) => page.about(definition),
            _ => page,
        }
    }

    fn about(self, definition: &ToolDefinition) -> Self {
        let json: Value = serde_json::from_str(&definition.definition).unwrap_or(Value::Null);
        let text = json
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let schema = json.get("inputSchema").unwrap_or(&Value::Null);
        let annotations = definition.annotations;
        Self {
            description: words::visible(text.trim()),
            badges: annotated(definition),
            destroys: annotations.destructive_hint && !annotations.read_only_hint,
            is_tool: true,
            fields: tools::fields(schema),
            schema: tools::pretty(schema),
            ..self
        }
    }

    pub(crate) fn typed(mut self, fields: &Fields) -> Self {
        self.form = self.form.typed(fields);
        self
    }

    pub(crate) fn wrong(mut self, problem: &str) -> Self {
        self.form = self.form.explain(&[Problem {
            path: "arguments".to_owned(),
            message: problem.to_owned(),
        }]);
        self
    }

    pub(crate) fn result(mut self, result: TryResult) -> Self {
        self.result = Some(result);
        self
    }

    /// Asks what the server asked.
    pub(crate) fn asking(mut self, asked: Asked) -> Self {
        self.asked = Some(asked);
        self
    }

    pub(crate) fn told(mut self, told: Vec<String>) -> Self {
        self.told = told;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.form.status()
    }

    /// What is tried, for the form that answers: the same again.
    pub(crate) fn again(&self) -> Vec<(&'static str, &str)> {
        let hidden = self
            .form
            .hidden
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let fields = self.form.fields.iter();
        hidden
            .chain(fields.map(|field| (field.name, field.value.as_str())))
            .collect()
    }

    /// One line of what is told meanwhile.
    pub(crate) fn line(news: &ConsoleNews) -> String {
        let line = match news {
            ConsoleNews::Progress {
                progress,
                total,
                message,
            } => {
                let far = match total {
                    Some(total) => format!("{progress} of {total}"),
                    None => progress.to_string(),
                };
                match message {
                    Some(message) => format!("{far}: {}", words::visible(message)),
                    None => far,
                }
            }
            ConsoleNews::Log(text) => words::visible(text),
        };
        line.chars().take(LINE_SHOWN).collect()
    }
}

/// What the form begins with: every required argument with a value of its kind.
fn beginning(schema: &Value) -> String {
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    let begun: Map<String, Value> = names
        .map(|name| {
            let property = schema.get("properties").and_then(|all| all.get(name));
            (name.to_owned(), example(property.unwrap_or(&Value::Null)))
        })
        .collect();
    serde_json::to_string_pretty(&Value::Object(begun)).unwrap_or_default()
}

fn example(property: &Value) -> Value {
    let first = |key: &str| {
        property
            .get(key)
            .and_then(Value::as_array)
            .and_then(|all| all.first())
    };
    if let Some(value) = property.get("default").or(first("examples")).or(first("enum")) {
        return value.clone();
    }
    let kind = property.get("type");
    let kind = kind
        .and_then(Value::as_str)
        .or(first("type").and_then(Value::as_str));
    match kind {
        Some("integer" | "number") => property.get("minimum").cloned().unwrap_or(json!(0)),
        Some("boolean") => json!(false),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!(""),
    }
}
