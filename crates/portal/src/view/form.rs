//! Forms and tabs as every page has them: a form knows its fields, what was typed into them, and what is wrong with each.

use http::StatusCode;
use portreeve_registry::Problem;

use crate::fields::Fields;
use crate::words;

/// A tab above a list.
#[derive(Debug, Clone)]
pub(crate) struct Tab {
    pub(crate) href: String,
    pub(crate) text: String,
    pub(crate) current: bool,
}

impl Tab {
    /// Tabs by address and text, one of them the page itself.
    pub(crate) fn all(all: &[(&str, &str)], current: &str) -> Vec<Self> {
        let tab = |(href, text): &(&str, &str)| Self {
            href: (*href).to_owned(),
            text: (*text).to_owned(),
            current: *href == current,
        };
        all.iter().map(tab).collect()
    }
}

/// A form.
#[derive(Debug, Clone)]
pub(crate) struct FormView {
    /// Begins the identities of its fields on the page.
    pub(crate) id: String,
    pub(crate) action: String,
    pub(crate) token: String,
    /// What its button says.
    pub(crate) button: &'static str,
    /// What goes back unseen, besides the token.
    pub(crate) hidden: Vec<(&'static str, String)>,
    pub(crate) fields: Vec<Field>,
    /// What is wrong and belongs to no field.
    pub(crate) problems: Vec<String>,
    /// Whether it carries files.
    pub(crate) has_files: bool,
    /// Whether its button is a plain one.
    pub(crate) is_plain: bool,
}

/// A field of a form.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: String,
    /// How to fill it in.
    pub(crate) hint: &'static str,
    pub(crate) value: String,
    pub(crate) kind: FieldKind,
    pub(crate) required: bool,
    /// What is wrong with what was typed.
    pub(crate) problem: Option<String>,
    /// Where problems of it are: the beginning of their paths.
    path: &'static str,
}

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// One line.
    Line,
    /// Something that nobody should read over one's shoulder.
    Secret,
    /// Some lines.
    Text { rows: u8 },
    /// One of several.
    Choice(Vec<Choice>),
    /// Any of several.
    Many(Vec<Choice>),
    /// Yes or no.
    Tick,
    /// Files.
    Files,
}

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

// === impl FormView ===

impl FormView {
    pub(crate) fn new(id: impl Into<String>, action: impl Into<String>, button: &'static str) -> Self {
        Self {
            id: id.into(),
            action: action.into(),
            token: String::new(),
            button,
            hidden: Vec::new(),
            fields: Vec::new(),
            problems: Vec::new(),
            has_files: false,
            is_plain: false,
        }
    }

    pub(crate) fn token(mut self, token: String) -> Self {
        self.token = token;
        self
    }

    pub(crate) fn hide(mut self, name: &'static str, value: impl ToString) -> Self {
        self.hidden.push((name, value.to_string()));
        self
    }

    pub(crate) fn field(mut self, field: Field) -> Self {
        self.has_files |= field.kind == FieldKind::Files;
        self.fields.push(field);
        self
    }

    /// Puts problems to the fields that they are about, the rest above the form.
    pub(crate) fn explain(mut self, problems: &[Problem]) -> Self {
        for problem in problems {
            let message = words::visible(&problem.message);
            let meant = self.fields.iter_mut().find(|field| field.is_at(&problem.path));
            match meant {
                Some(field) => {
                    let sentence = field.problem.get_or_insert_default();
                    if !sentence.is_empty() {
                        sentence.push_str("; ");
                    }
                    sentence.push_str(&message);
                }
                None if matches!(problem.path.as_str(), "" | "$") => self.problems.push(message),
                None => self
                    .problems
                    .push(format!("{}: {message}", words::visible(&problem.path))),
            }
        }
        self
    }

    /// Fills in what was typed, so that nobody types it twice.
    pub(crate) fn typed(mut self, fields: &Fields) -> Self {
        for field in &mut self.fields {
            field.take(fields);
        }
        self
    }

    /// What a page with this form is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_wrong() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        }
    }

    /// Shows it as one that is not the page's main one.
    pub(crate) const fn plain(mut self) -> Self {
        self.is_plain = true;
        self
    }

    /// Whether anything is wrong.
    pub(crate) fn is_wrong(&self) -> bool {
        !self.problems.is_empty() || self.fields.iter().any(|field| field.problem.is_some())
    }
}

// === impl Field ===

impl Field {
    fn of(name: &'static str, label: impl Into<String>, kind: FieldKind) -> Self {
        Self {
            name,
            label: label.into(),
            hint: "",
            value: String::new(),
            kind,
            required: false,
            problem: None,
            path: name,
        }
    }

    pub(crate) fn line(name: &'static str, label: impl Into<String>) -> Self {
        Self::of(name, label, FieldKind::Line)
    }

    pub(crate) fn secret(name: &'static str, label: impl Into<String>) -> Self {
        Self::of(name, label, FieldKind::Secret)
    }

    pub(crate) fn text(name: &'static str, label: impl Into<String>, rows: u8) -> Self {
        Self::of(name, label, FieldKind::Text { rows })
    }

    pub(crate) fn tick(name: &'static str, label: impl Into<String>) -> Self {
        Self::of(name, label, FieldKind::Tick)
    }

    pub(crate) fn files(name: &'static str, label: impl Into<String>) -> Self {
        Self::of(name, label, FieldKind::Files)
    }

    pub(crate) fn choice(name: &'static str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::of(name, label, FieldKind::Choice(choices))
    }

    pub(crate) fn many(name: &'static str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::of(name, label, FieldKind::Many(choices))
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// For fields whose name is not where their problems are.
    pub(crate) const fn at(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    /// Whether something is said about it.
    pub(crate) fn is_described(&self) -> bool {
        !self.hint.is_empty() || self.problem.is_some()
    }

    /// Whether it is ticked.
    pub(crate) fn is_ticked(&self) -> bool {
        self.value == "yes"
    }

    fn take(&mut self, fields: &Fields) {
        match &mut self.kind {
            FieldKind::Line | FieldKind::Text { .. } | FieldKind::Tick => self.value = fields.text(self.name),
            FieldKind::Choice(choices) | FieldKind::Many(choices) => {
                for choice in choices {
                    choice.chosen = fields.all(self.name).any(|value| value == choice.value);
                }
            }
            // A browser takes neither back.
            FieldKind::Secret | FieldKind::Files => {}
        }
    }

    fn is_at(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

// === impl Choice ===

impl Choice {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            chosen,
        }
    }

    /// Words that say themselves.
    pub(crate) fn of<T: ToString>(
        values: impl IntoIterator<Item = T>,
        is_chosen: impl Fn(&T) -> bool,
    ) -> Vec<Self> {
        let choice = |value: T| {
            let text = value.to_string();
            Self::new(text.clone(), text, is_chosen(&value))
        };
        values.into_iter().map(choice).collect()
    }
}
