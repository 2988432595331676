//! The query, and the bodies that are written like one.

use std::borrow::Cow;

use portreeve_core::rest::{Binding, Encoding, Parameter, Place, Style};
use portreeve_inspect::ValueProblem;
use serde_json::Value;

use super::values::{Flat, content};
use super::{Filling, Problems, percent, placed, problem, value_of};

/// Writes the query.
pub(super) fn write(binding: &Binding, filling: Filling<'_>, problems: &mut Problems) -> String {
    let mut out = Pairs::default();
    for parameter in placed(binding, Place::Query, filling) {
        if let Some((_, turned)) = filling.turned.filter(|(name, _)| *name == parameter.name) {
            out.push(&percent::text(&parameter.name), &percent::text(turned));
            continue;
        }
        let Some((value, pointer)) = value_of(parameter, filling) else {
            continue;
        };
        let mut spread = spread(value, &parameter.encoding);
        if let Some(name) = spread.find(|name| is_taken(binding, parameter, name, filling)) {
            problems.push(foreign(&pointer, name));
        }
        if let Err(reason) = out.add(&parameter.name, value, &parameter.encoding, parameter.allow_empty) {
            problems.push(problem(&pointer, reason));
        }
    }
    if let Some((name, turned)) = filling.turned
        && !placed(binding, Place::Query, filling).any(|parameter| parameter.name == name)
    {
        out.push(&percent::text(name), &percent::text(turned));
    }
    for parameter in placed(binding, Place::Querystring, filling) {
        let Some((value, pointer)) = value_of(parameter, filling) else {
            continue;
        };
        let taken = match value {
            Value::Object(members) => members
                .keys()
                .map(String::as_str)
                .find(|name| is_taken(binding, parameter, name, filling)),
            Value::String(text) => Some(text.as_str()).filter(|text| filling.is_own(Place::Query, text)),
            _ => None,
        };
        if let Some(name) = taken {
            problems.push(foreign(&pointer, name));
        }
        out.add_whole(value, &parameter.encoding);
    }
    out.0
}

/// The names that an exploded object puts beside that of its parameter.
pub(super) fn spread<'a>(value: &'a Value, encoding: &Encoding) -> impl Iterator<Item = &'a str> {
    let is_spread = matches!(
        encoding,
        Encoding::Styled {
            style: Style::Form | Style::Cookie,
            explode: true,
            ..
        }
    );
    let members = value.as_object().filter(|_| is_spread);
    members.into_iter().flatten().map(|(name, _)| name.as_str())
}

/// The members of an exploded object stand beside the parameters of its place, and must not be taken for one of them.
pub(super) fn is_taken(binding: &Binding, own: &Parameter, name: &str, filling: Filling<'_>) -> bool {
    let place = match own.place {
        Place::Querystring => Place::Query,
        place => place,
    };
    let is_anothers = |other: &Parameter| other.name == name && !std::ptr::eq(other, own);
    filling.is_own(place, name) || placed(binding, place, filling).any(is_anothers)
}

pub(super) fn foreign(pointer: &str, name: &str) -> ValueProblem {
    problem(
        pointer,
        format!("its member `{name}` would be read as another parameter"),
    )
}

/// `name=value`, joined by `&`.
#[derive(Debug, Default)]
pub(super) struct Pairs(pub(super) String);

impl Pairs {
    fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(value);
    }

    /// Adds a value as its encoding says.
    pub(super) fn add(
        &mut self,
        name: &str,
        value: &Value,
        encoding: &Encoding,
        allow_empty: bool,
    ) -> Result<(), &'static str> {
        let encoded = percent::text(name);
        let (style, explode, keep) = match encoding {
            Encoding::Content { media_type } => {
                self.push(&encoded, &percent::text(&content(value, media_type)));
                return Ok(());
            }
            Encoding::Styled {
                style,
                explode,
                allow_reserved,
            } => (*style, *explode, *allow_reserved),
        };
        if style == Style::DeepObject {
            return self.deep(name, value, keep);
        }
        let write = move |text: &str| -> String { part(text, keep).into_owned() };
        let between = match style {
            Style::SpaceDelimited => "%20",
            Style::PipeDelimited => "%7C",
            Style::TabDelimited => "%09",
            _ => ",",
        };
        match (Flat::of(value), explode) {
            (Flat::Nothing, _) if allow_empty => self.push(&encoded, ""),
            (Flat::Nothing, _) => {}
            (Flat::One(one), _) if one.is_empty() || between == "," => {
                // Nothing parts a single value.
                self.push(&encoded, &part(&one, keep));
            }
            (Flat::List(list), true) => {
                for one in &list {
                    self.push(&encoded, &part(one, keep));
                }
            }
            (Flat::Members(members), true) => {
                for (name, value) in &members {
                    self.push(&percent::text(name), &part(value, keep));
                }
            }
            (flat, _) => {
                // A delimiter that belongs to a value is encoded, and the one between them is not; where the style's own
                // delimiter is an encoded one, the value must not have it.
                let has_own = |text: &str| match style {
                    Style::SpaceDelimited => text.contains(' '),
                    Style::PipeDelimited => text.contains('|'),
                    Style::TabDelimited => text.contains('\t'),
                    _ => keep && text.contains(','),
                };
                let is_parted = match &flat {
                    Flat::List(list) => list.iter().any(|text| has_own(text)),
                    Flat::Members(members) => {
                        members.iter().any(|(name, text)| has_own(name) || has_own(text))
                    }
                    _ => false,
                };
                if is_parted {
                    return Err("an element holds what separates elements");
                }
                let line = flat.line(between, false, |text| Cow::<str>::Owned(write(text)));
                self.push(&encoded, &line);
            }
        }
        Ok(())
    }

    /// `name[key]=value`, as deep as the value goes; elements by their number.
    fn deep(&mut self, name: &str, value: &Value, keep: bool) -> Result<(), &'static str> {
        match value {
            Value::Null => Ok(()),
            Value::Object(members) => members.iter().try_for_each(|(key, value)| {
                if key.contains(['[', ']']) {
                    return Err("a name with brackets would be read as another one");
                }
                self.deep(&format!("{name}[{key}]"), value, keep)
            }),
            Value::Array(elements) => elements
                .iter()
                .enumerate()
                .try_for_each(|(at, value)| self.deep(&format!("{name}[{at}]"), value, keep)),
            plain => {
                if let Some(text) = super::values::text(plain) {
                    self.push(&percent::text(name), &part(&text, keep));
                }
                Ok(())
            }
        }
    }

    /// The whole query from one value.
    fn add_whole(&mut self, value: &Value, encoding: &Encoding) {
        let media_type = match encoding {
            Encoding::Content { media_type } => media_type.as_str(),
            Encoding::Styled { .. } => "application/x-www-form-urlencoded",
        };
        match value {
            Value::Object(members) if media_type.contains("x-www-form-urlencoded") => {
                for (name, value) in members {
                    // Form, exploded: never refused.
                    let _ = self.add(name, value, &FORM, false);
                }
            }
            other => {
                if !self.0.is_empty() {
                    self.0.push('&');
                }
                self.0.push_str(&percent::text(&content(other, media_type)));
            }
        }
    }
}

/// What forms and unnamed members are written in.
pub(super) const FORM: Encoding = Encoding::Styled {
    style: Style::Form,
    explode: true,
    allow_reserved: false,
};

fn part(text: &str, keep: bool) -> Cow<'_, str> {
    if keep {
        percent::reserved(text)
    } else {
        percent::text(text)
    }
}
