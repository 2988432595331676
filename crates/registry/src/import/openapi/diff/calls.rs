//! What is different about how a tool is called: callers may not notice, who approves must.

use portreeve_core::rest::{Binding, Body, BodyForm, Content, Encoding, Place, Source};
use serde_json::Value;

use super::{Change, ChangeKind, Notes};
use crate::import::openapi::servers::is_same_origin;

/// Characters of one value that are told.
const SHOWN: usize = 80;

/// Where the API as a whole is called, if that is another place.
pub(super) fn moved(old: &str, new: &str) -> Option<Change> {
    (old != new).then(|| Change {
        tool: "all tools".to_owned(),
        operation: "base URL".to_owned(),
        kind: match is_same_origin(old, new) {
            true => ChangeKind::Harmless,
            false => ChangeKind::Breaking,
        },
        details: vec![format!("the API is called at `{new}` instead of `{old}`")],
    })
}

/// Compares two calls of one tool.
pub(super) fn compare(old: &Binding, new: &Binding, notes: &mut Notes) {
    if old == new {
        return;
    }
    let told = notes.details.len();
    place(old, new, notes);
    parameters(old, new, notes);
    body(old.body.as_ref(), new.body.as_ref(), notes);
    if old.security != new.security {
        notes.harmless("its description asks for another credential".to_owned());
    }
    if old.answers.accept != new.answers.accept {
        notes.harmless(format!("it asks for {} now", listed(&new.answers.accept)));
    }
    if (&old.shape, &old.paging) != (&new.shape, &new.paging) {
        notes.harmless("other parts or pages of its answers are kept".to_owned());
    }
    if (old.timeout_ms, old.retry) != (new.timeout_ms, new.retry) {
        notes.harmless("it is waited for, or sent again, in another way".to_owned());
    }
    let is_judged_otherwise = old.arguments != new.arguments;
    if notes.details.len() == told && !is_judged_otherwise {
        notes.harmless("its request is written differently".to_owned());
    }
}

fn place(old: &Binding, new: &Binding, notes: &mut Notes) {
    let (was, is) = (old.base_url.as_deref(), new.base_url.as_deref());
    if was != is {
        let word =
            |url: Option<&str>| url.map_or("the API's own address".to_owned(), |url| format!("`{url}`"));
        // Another host sees what callers send, so nobody shall overlook it.
        notes.breaking(format!("it is called at {} instead of {}", word(is), word(was)));
    }
    if (&old.method, &old.path) != (&new.method, &new.path) {
        notes.harmless("its method or its path is another one".to_owned());
    }
}

/// What a value is sent as, and what decides it: an argument, or somebody for all calls.
type Sent<'a> = (Place, &'a str, &'a Source, &'a Encoding, Option<&'a Value>);

fn sent(binding: &Binding) -> Vec<Sent<'_>> {
    let all = binding.parameters.iter();
    all.map(|one| {
        (
            one.place,
            one.name.as_str(),
            &one.source,
            &one.encoding,
            one.default.as_ref(),
        )
    })
    .collect()
}

fn parameters(old: &Binding, new: &Binding, notes: &mut Notes) {
    let (before, after) = (sent(old), sent(new));
    for is in &after {
        let same_argument = |was: &&Sent<'_>| matches!(is.2, Source::Argument(_)) && was.2 == is.2;
        let same_place = |was: &&Sent<'_>| (was.0, was.1) == (is.0, is.1);
        let was = before
            .iter()
            .find(same_argument)
            .or_else(|| before.iter().find(same_place));
        let shown = format!("the {} parameter `{}`", word(is.0), is.1);
        match (was, is.2) {
            (None, Source::Fixed(value)) => notes.harmless(format!("{shown} is always {} now", cut(value))),
            // A new argument is told where arguments are compared.
            (None, Source::Argument(_)) => {}
            (Some(was), Source::Argument(name)) if (was.0, was.1) != (is.0, is.1) => notes.harmless(format!(
                "`{name}` is sent as {shown} instead of the {} parameter `{}`",
                word(was.0),
                was.1
            )),
            (Some(was), Source::Fixed(value)) if was.2 != is.2 => {
                notes.harmless(format!("{shown} is always {} now", cut(value)));
            }
            (Some(was), _) if (was.3, was.4, was.2) != (is.3, is.4, is.2) => {
                notes.harmless(format!("{shown} is written in another way"));
            }
            (Some(_), _) => {}
        }
    }
    for was in &before {
        let is_kept = |is: &Sent<'_>| (was.0, was.1) == (is.0, is.1) || was.2 == is.2;
        if matches!(was.2, Source::Fixed(_)) && !after.iter().any(is_kept) {
            notes.harmless(format!(
                "the {} parameter `{}` is not sent any more",
                word(was.0),
                was.1
            ));
        }
    }
}

fn body(old: Option<&Body>, new: Option<&Body>, notes: &mut Notes) {
    let (Some(old), Some(new)) = (old, new) else {
        match (old, new) {
            (None, Some(_)) => notes.harmless("it sends a body now".to_owned()),
            (Some(_), None) => notes.harmless("it sends no body any more".to_owned()),
            _ => {}
        }
        return;
    };
    if old.content_type != new.content_type {
        notes.harmless(format!(
            "its body is `{}` instead of `{}`",
            new.content_type, old.content_type
        ));
    } else if old.form != new.form {
        notes.harmless(match new.form {
            BodyForm::GraphQl { .. } => "its query is another one".to_owned(),
            _ => "its body is written in another way".to_owned(),
        });
    }
    if old.content != new.content || old.default != new.default || old.required != new.required {
        let (was, is) = (members(&old.content), members(&new.content));
        let renamed: Vec<String> = is
            .iter()
            .filter_map(|(name, source)| {
                let (other, _) = was
                    .iter()
                    .find(|(other, known)| known == source && other != name)?;
                matches!(source, Source::Argument(_)).then(|| format!("`{name}` instead of `{other}`"))
            })
            .collect();
        notes.harmless(match renamed.is_empty() {
            true => "its body is put together in another way".to_owned(),
            false => format!("members of its body have other names: {}", renamed.join(", ")),
        });
    }
}

fn members(content: &Content) -> Vec<(&str, &Source)> {
    match content {
        Content::Whole(_) => Vec::new(),
        Content::Members { members, .. } => members
            .iter()
            .map(|member| (member.name.as_str(), &member.source))
            .collect(),
    }
}

const fn word(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Querystring => "query string",
        Place::Header => "header",
        Place::Cookie => "cookie",
    }
}

fn listed(types: &[String]) -> String {
    match types {
        [] => "any media type".to_owned(),
        some => some
            .iter()
            .map(|one| format!("`{one}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn cut(value: &Value) -> String {
    let text: String = value.to_string().chars().take(SHOWN).collect();
    format!("`{text}`")
}
