//! What a server asks before it goes on: forms and pages (`elicitation/create` of 2026-07-28). Every word of it is the
//! server's, and shown as text.

use portreeve_gateway::respond::waits::KEY as APPROVAL;
use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::view::form::Choice;
use crate::words;

/// Bytes of questions, and of what the server gives along with them, that go through a page.
const ASKED_BYTES: usize = 64 * 1024;
/// Questions of one round, and fields of one question.
const MOST: usize = 50;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The questions as the server wrote them.
    pub(crate) text: String,
    /// What comes back to the server unseen.
    pub(crate) state: Option<String>,
    pub(crate) questions: Vec<Question>,
    /// Whether a person must allow the call first.
    pub(crate) is_held: bool,
}

/// One question.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// Fields to be filled in.
    Form {
        key: String,
        message: String,
        fields: Vec<QuestionField>,
    },
    /// A page to be opened.
    Page {
        key: String,
        message: String,
        /// Where it is, if a browser may be led there.
        href: Option<String>,
        shown: String,
    },
    /// Something that a page cannot answer.
    Other { key: String, what: String },
}

/// A field of a question.
#[derive(Debug, Clone)]
pub(crate) struct QuestionField {
    /// How the server calls it.
    pub(crate) property: String,
    /// How the form calls it.
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) required: bool,
    pub(crate) kind: QuestionKind,
    pub(crate) value: String,
    pub(crate) problem: Option<String>,
}

/// How it is filled in.
#[derive(Debug, Clone)]
pub(crate) enum QuestionKind {
    /// One line, of a type that browsers know.
    Line(&'static str),
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Yes or no.
    Tick,
    /// One of several.
    Choice(Vec<Choice>),
    /// Any of several.
    Many(Vec<Choice>),
}

// === impl Asked ===

impl Asked {
    /// The questions in a response, if it asks any; in words, why they cannot be shown.
    pub(crate) fn read(answer: &Value) -> Option<Result<Self, &'static str>> {
        let result = answer.get("result")?;
        if result.get("resultType").and_then(Value::as_str) != Some("input_required") {
            return None;
        }
        let state = result.get("requestState").and_then(Value::as_str);
        let requests = result.get("inputRequests").cloned();
        let requests = requests.unwrap_or_else(|| Value::Object(Map::new()));
        Some(Self::new(&requests, state.map(str::to_owned)))
    }

    /// The same out of a form that was sent back.
    pub(crate) fn from_form(text: &str, state: String) -> Result<Self, &'static str> {
        let requests: Value = serde_json::from_str(text).map_err(|_| "what was asked cannot be read")?;
        Self::new(&requests, Some(state).filter(|state| !state.is_empty()))
    }

    fn new(requests: &Value, state: Option<String>) -> Result<Self, &'static str> {
        let text = requests.to_string();
        let too_much = text.len() > ASKED_BYTES
            || state.as_ref().is_some_and(|state| state.len() > ASKED_BYTES)
            || requests.as_object().is_some_and(|all| all.len() > MOST);
        let all = requests.as_object().filter(|_| !too_much);
        let all = all.ok_or("the server asks more than a page can hold")?;
        let questions: Vec<Question> = all
            .iter()
            .enumerate()
            .map(|(place, (key, request))| Question::new(place, key, request))
            .collect();
        Ok(Self {
            is_held: false,
            text,
            state,
            questions,
        })
    }

    /// The same in the house of that origin: only a page of its own is where a person allows calls, whatever a server calls
    /// its question.
    pub(crate) fn in_house(mut self, origin: &str) -> Self {
        let pages = format!("{origin}/approvals/");
        self.is_held = matches!(
            self.questions.as_slice(),
            [Question::Page { key, href: Some(href), .. }] if key == APPROVAL && href.starts_with(&pages)
        );
        self
    }

    /// Whether an answer is missing or wrong.
    pub(crate) fn is_wrong(&self) -> bool {
        self.questions.iter().any(|question| match question {
            Question::Form { fields, .. } => fields.iter().any(|field| field.problem.is_some()),
            _ => false,
        })
    }

    /// What comes back to the server unseen, as a field of the form.
    pub(crate) fn state_text(&self) -> &str {
        self.state.as_deref().unwrap_or_default()
    }
}

// === impl Question ===

impl Question {
    fn new(place: usize, key: &str, request: &Value) -> Self {
        let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str);
        let key = key.to_owned();
        let message = words::visible(text("/params/message").unwrap_or_default());
        match (text("/method"), text("/params/mode").unwrap_or("form")) {
            (Some("elicitation/create"), "url") => {
                let url = text("/params/url").unwrap_or_default();
                Self::Page {
                    key,
                    message,
                    href: words::web_link(url),
                    shown: words::visible(url),
                }
            }
            (Some("elicitation/create"), "form") => {
                let schema = request.pointer("/params/requestedSchema").unwrap_or(&Value::Null);
                Self::Form {
                    key,
                    message,
                    fields: fields(place, schema),
                }
            }
            (method, _) => Self::Other {
                key,
                what: words::visible(method.unwrap_or("something without a name")),
            },
        }
    }

    /// How the server calls it.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Form { key, .. } | Self::Page { key, .. } | Self::Other { key, .. } => key,
        }
    }
}

fn fields(place: usize, schema: &Value) -> Vec<QuestionField> {
    let required = schema.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .take(MOST)
        .enumerate()
        .map(|(index, (name, property))| {
            let is_required = required.contains(&name.as_str());
            let name = (format!("q{place}-{index}"), name.as_str());
            QuestionField::new(name, property, is_required)
        })
        .collect()
}

// === impl QuestionField ===

impl QuestionField {
    fn new((name, property): (String, &str), schema: &Value, required: bool) -> Self {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        let default = schema.get("default").unwrap_or(&Value::Null);
        let label = Some(text("title")).filter(|title| !title.is_empty());
        let kind = kind(schema, default);
        Self {
            property: property.to_owned(),
            name,
            label: words::visible(label.unwrap_or(property)),
            hint: words::visible(text("description")),
            required: required && !matches!(kind, QuestionKind::Tick),
            kind,
            value: match default {
                Value::Bool(true) => "yes".to_owned(),
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => String::new(),
            },
            problem: None,
        }
    }

    /// Whether something is said about it.
    pub(crate) fn is_described(&self) -> bool {
        !self.hint.is_empty() || self.problem.is_some()
    }

    /// What a browser is told that it is.
    pub(crate) fn input(&self) -> &'static str {
        match self.kind {
            QuestionKind::Line(kind) => kind,
            _ => "text",
        }
    }

    /// Fills in what was typed.
    pub(crate) fn take(&mut self, fields: &Fields) {
        match &mut self.kind {
            QuestionKind::Choice(choices) | QuestionKind::Many(choices) => {
                for choice in choices {
                    choice.chosen = fields.all(&self.name).any(|value| value == choice.value);
                }
            }
            _ => self.value = fields.text(&self.name),
        }
    }
}

fn kind(schema: &Value, default: &Value) -> QuestionKind {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    match text("type") {
        Some("boolean") => QuestionKind::Tick,
        Some("integer") => QuestionKind::Whole,
        Some("number") => QuestionKind::Number,
        Some("array") => QuestionKind::Many(choices(schema.get("items").unwrap_or(&Value::Null), default)),
        _ => {
            let choices = choices(schema, default);
            if !choices.is_empty() {
                return QuestionKind::Choice(choices);
            }
            QuestionKind::Line(match text("format") {
                Some("email") => "email",
                Some("uri") => "url",
                Some("date") => "date",
                _ => "text",
            })
        }
    }
}

/// What can be chosen: `enum` with or without names, `oneOf` or `anyOf` with titles.
fn choices(schema: &Value, default: &Value) -> Vec<Choice> {
    let list = |key: &str| schema.get(key).and_then(Value::as_array);
    let is_chosen = |value: &str| match default {
        Value::Array(all) => all.iter().any(|one| one.as_str() == Some(value)),
        one => one.as_str() == Some(value),
    };
    let choice = |value: &str, label: &str| Choice::new(value, words::visible(label), is_chosen(value));
    if let Some(values) = list("enum") {
        let names = list("enumNames");
        let name = |index: usize| names.and_then(|names| names.get(index)).and_then(Value::as_str);
        let values = values.iter().take(MOST).enumerate();
        return values
            .filter_map(|(index, value)| {
                let value = value.as_str()?;
                Some(choice(value, name(index).unwrap_or(value)))
            })
            .collect();
    }
    let titled = list("oneOf").or(list("anyOf")).into_iter().flatten();
    titled
        .take(MOST)
        .filter_map(|one| {
            let value = one.get("const")?.as_str()?;
            Some(choice(
                value,
                one.get("title").and_then(Value::as_str).unwrap_or(value),
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(requests: &Value) -> Asked {
        let answer = json!({"result": {"resultType": "input_required", "inputRequests": requests, "requestState": "s"}});
        Asked::read(&answer).unwrap().unwrap()
    }

    #[test]
    fn every_kind_of_field_is_known() {
        let schema = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "title": "Name <b>"},
            "age": {"type": "integer", "default": 7},
            "share": {"type": "number"},
            "sure": {"type": "boolean", "default": true},
            "colour": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"], "default": "g"},
            "tags": {"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}},
        }});
        let form =
            json!({"method": "elicitation/create", "params": {"message": "Who?", "requestedSchema": schema}});
        let asked = asked(&json!({"q": form}));
        let Some(Question::Form { fields, message, key }) = asked.questions.first() else {
            panic!("{asked:?}");
        };
        assert_eq!((key.as_str(), message.as_str(), fields.len()), ("q", "Who?", 6));
        let of = |name: &str| fields.iter().find(|field| field.property == name).unwrap();
        assert!(of("name").required && of("name").label == "Name <b>");
        assert!(matches!(of("age").kind, QuestionKind::Whole) && of("age").value == "7");
        assert!(matches!(of("sure").kind, QuestionKind::Tick) && of("sure").value == "yes");
        let QuestionKind::Choice(choices) = &of("colour").kind else {
            panic!("{fields:?}");
        };
        assert_eq!((choices[1].label.as_str(), choices[1].chosen), ("Green", true));
        assert!(matches!(&of("tags").kind, QuestionKind::Many(all) if all.len() == 1));
    }

    #[test]
    fn no_page_leads_to_what_is_no_page_of_the_web() {
        for (url, is_link) in [
            ("https://a.example/x", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
        ] {
            let page = json!({"method": "elicitation/create", "params": {"mode": "url", "message": "go", "url": url}});
            let asked = asked(&json!({"u": page}));
            assert!(
                matches!(asked.questions.first(), Some(Question::Page { href, .. }) if href.is_some() == is_link),
                "{url}: {asked:?}"
            );
        }
    }

    #[test]
    fn what_is_too_much_is_not_shown_and_what_is_no_question_is_none() {
        let large = "x".repeat(ASKED_BYTES);
        let form = json!({"method": "elicitation/create", "params": {"message": large}});
        let answer = json!({"result": {"resultType": "input_required", "inputRequests": {"q": form}}});
        assert!(Asked::read(&answer).unwrap().is_err());
        assert!(Asked::read(&json!({"result": {"content": []}})).is_none());
        let other = asked(&json!({"s": {"method": "sampling/createMessage", "params": {}}}));
        assert!(matches!(other.questions.first(), Some(Question::Other { .. })));
    }
}
