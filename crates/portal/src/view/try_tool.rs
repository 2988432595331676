//! One call of a tool: its form, and what came back.

use askama::Template;
use http::StatusCode;
use portreeve_core::name::ServerName;
use portreeve_core::tool::ToolDefinition;
use portreeve_registry::Problem;
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::view::badge::Badge;
use crate::view::form::{Field, FieldKind, FormView};
use crate::view::shell::Shell;
use crate::view::tools::{self, annotated};
use crate::words;

/// Bytes of a text that are shown.
const TEXT_SHOWN: usize = 64 * 1024;
/// Bytes of a picture that are shown, in Base64.
const PICTURE_SHOWN: usize = 2 * 1024 * 1024;
/// Pictures that every browser shows, and that are nothing else.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// Blocks of an answer that are shown.
const MOST_BLOCKS: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "try.html")]
pub(crate) struct TryPage {
    pub(crate) shell: Shell,
    /// The server.
    pub(crate) name: String,
    pub(crate) tool: String,
    pub(crate) description: String,
    pub(crate) badges: Vec<Badge>,
    /// Whether a call may destroy something.
    pub(crate) destroys: bool,
    pub(crate) fields: Vec<tools::Field>,
    pub(crate) schema: String,
    pub(crate) form: FormView,
    pub(crate) result: Option<TryResult>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct TryResult {
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
    /// What is wrong with the arguments, each with its place.
    pub(crate) problems: Vec<String>,
    pub(crate) structured: Option<String>,
}

/// A piece of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// A text.
    Text(String),
    /// A picture, as an address that holds it.
    Picture(String),
    /// Something else, in words.
    Other(String),
}

// === impl TryPage ===

impl TryPage {
    pub(crate) fn new(
        shell: Shell,
        (name, route): (&ServerName, &str),
        definition: &ToolDefinition,
        token: String,
    ) -> Self {
        let json: Value = serde_json::from_str(&definition.definition).unwrap_or(Value::Null);
        let text =
            |key: &str| words::visible(json.get(key).and_then(Value::as_str).unwrap_or_default().trim());
        let schema = json.get("inputSchema").unwrap_or(&Value::Null);
        let annotations = definition.annotations;
        let field = Field::text("arguments", "Arguments", 10)
            .hint("A JSON object. What is required stands there already; fill it in.")
            .value(beginning(schema));
        let form = FormView::new("try", format!("/servers/{name}/try"), "Call it")
            .hide("tool", &definition.name)
            .hide("route", route)
            .field(field)
            .token(token);
        Self {
            shell,
            name: name.to_string(),
            tool: words::visible(&definition.name),
            description: text("description"),
            badges: annotated(definition),
            destroys: annotations.destructive_hint && !annotations.read_only_hint,
            fields: tools::fields(schema),
            schema: tools::pretty(schema),
            form,
            result: None,
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

    pub(crate) fn status(&self) -> StatusCode {
        self.form.status()
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

// === impl TryResult ===

impl TryResult {
    /// From a response as JSON-RPC has it.
    pub(crate) fn new(answer: &Value) -> Self {
        if let Some(error) = answer.get("error") {
            return Self::refused(error);
        }
        let result = answer.get("result").unwrap_or(&Value::Null);
        let is_error = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
        let content = result.get("content").and_then(Value::as_array);
        let structured = result.get("structuredContent").map(pretty);
        let blocks: Vec<Block> = content
            .into_iter()
            .flatten()
            .take(MOST_BLOCKS)
            .map(block)
            .collect();
        // Older hosts read the same as a text; once is enough for people.
        let is_twice = |block: &Block| {
            let Block::Text(text) = block else { return false };
            structured.is_some()
                && serde_json::from_str::<Value>(text).ok().as_ref() == result.get("structuredContent")
        };
        Self {
            tone: if is_error { "notice-bad" } else { "notice-good" },
            title: if is_error {
                "The tool says that it failed.".to_owned()
            } else {
                "The tool answered.".to_owned()
            },
            blocks: blocks.into_iter().filter(|block| !is_twice(block)).collect(),
            problems: Vec::new(),
            structured,
        }
    }

    /// Nothing came.
    pub(crate) fn nothing(reason: &str) -> Self {
        Self {
            tone: "notice-bad",
            title: format!("Nothing came that can be shown: {}.", words::visible(reason)),
            blocks: Vec::new(),
            problems: Vec::new(),
            structured: None,
        }
    }

    fn refused(error: &Value) -> Self {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(words::visible);
        let problems = error.pointer("/data/problems").and_then(Value::as_array);
        let problems = problems.into_iter().flatten().take(MOST_BLOCKS).map(|problem| {
            let place = text(problem, "path").unwrap_or_default();
            format!("{place}: {}", text(problem, "message").unwrap_or_default())
        });
        let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
        Self {
            tone: "notice-bad",
            title: format!(
                "The gateway refused it ({code}). {}",
                text(error, "message").unwrap_or_default()
            ),
            blocks: Vec::new(),
            problems: problems.collect(),
            structured: None,
        }
    }
}

fn block(content: &Value) -> Block {
    let text = |key: &str| content.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "text" => Block::Text(cut(&words::visible(text("text")))),
        "image" if PICTURES.contains(&text("mimeType")) && is_picture(text("data")) => {
            Block::Picture(format!("data:{};base64,{}", text("mimeType"), text("data")))
        }
        kind => Block::Other(format!(
            "{}, {} bytes as JSON",
            words::visible(kind),
            content.to_string().len()
        )),
    }
}

fn is_picture(data: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    data.len() <= PICTURE_SHOWN && data.bytes().all(is_base64)
}

fn pretty(value: &Value) -> String {
    cut(&words::visible(
        &serde_json::to_string_pretty(value).unwrap_or_default(),
    ))
}

fn cut(text: &str) -> String {
    if text.len() <= TEXT_SHOWN {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_SHOWN);
    format!("{}\n… cut here", text.get(..end).unwrap_or_default())
}
