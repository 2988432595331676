//! Further pages of a list: how the next one is asked for, and how they are joined.

use http::HeaderMap;
use http::header::LINK;
use portreeve_core::rest::{Paging, PagingKind};
use serde_json::Value;
use url::Url;

use super::Base;
use super::exchange::Target;
use crate::translate::rest::RestRequest;

/// How the next page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// With this value of a parameter of the query.
    Turned(String, String),
    /// There.
    At(Target),
}

/// Where in the pages a call is.
pub(super) struct Pages<'a> {
    paging: &'a Paging,
    most: u32,
    joined: Option<Value>,
    pages: u32,
    items: u64,
}

impl<'a> Pages<'a> {
    /// None yet. There are never more than `most`, whatever was asked for.
    pub(super) fn new(paging: &'a Paging, most: u32) -> Self {
        Self {
            paging,
            most: paging.most_pages.min(most),
            joined: None,
            pages: 0,
            items: 0,
        }
    }

    fn place(&self) -> &str {
        self.paging.items.as_deref().unwrap_or_default()
    }

    /// Takes a page. Says how the next one is asked for; `None` when this was the last, or there were enough.
    pub(super) fn take(
        &mut self,
        mut page: Value,
        headers: &HeaderMap,
        (base, request): (&Base, &RestRequest),
    ) -> Option<Next> {
        self.pages += 1;
        let token = match &self.paging.kind {
            PagingKind::Cursor { next, .. } => page.pointer(next).and_then(cursor),
            _ => None,
        };
        let place = self.place().to_owned();
        let found = match page.pointer_mut(&place) {
            Some(Value::Array(list)) => std::mem::take(list),
            // Not a list, so there is nothing to join.
            _ => {
                self.joined.get_or_insert(page);
                return None;
            }
        };
        let count = found.len() as u64;
        self.items += count;
        match &mut self.joined {
            None => {
                if let Some(list) = page.pointer_mut(&place) {
                    *list = Value::Array(found);
                }
                self.joined = Some(page);
            }
            Some(joined) => {
                if let Some(Value::Array(list)) = joined.pointer_mut(&place) {
                    list.extend(found);
                }
            }
        }
        if self.pages >= self.most {
            return None;
        }
        match &self.paging.kind {
            PagingKind::Cursor { parameter, .. } => Some(Next::Turned(parameter.clone(), token?)),
            PagingKind::Page { parameter, first } if count > 0 => Some(Next::Turned(
                parameter.clone(),
                (first + u64::from(self.pages)).to_string(),
            )),
            PagingKind::Offset { parameter } if count > 0 => {
                Some(Next::Turned(parameter.clone(), self.items.to_string()))
            }
            PagingKind::Page { .. } | PagingKind::Offset { .. } => None,
            PagingKind::Link => linked(headers, base, request).map(Next::At),
        }
    }

    /// All pages as one answer.
    pub(super) fn joined(self) -> Value {
        self.joined.unwrap_or(Value::Null)
    }
}

fn cursor(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The next page as a `Link` header names it (RFC 8288). What leads elsewhere is not followed.
fn linked(headers: &HeaderMap, base: &Base, request: &RestRequest) -> Option<Target> {
    let here = here(base, request)?;
    let fields = headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
    let target = fields.flat_map(links).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parts(parameters, ';').iter().any(|parameter| {
            let (name, words) = parameter.split_once('=').unwrap_or_default();
            let mut words = words.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && words.any(|word| word.eq_ignore_ascii_case("next"))
        });
        is_next.then_some(target)
    })?;
    let next = here.join(target).ok()?;
    let path = next.path();
    let is_below = path
        .strip_prefix(base.path())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if next.origin() != base.url.origin() || !is_below {
        tracing::warn!("an API names its next page outside of its base URL; it is not followed");
        return None;
    }
    Some(Target {
        path: path.to_owned(),
        query: next.query().unwrap_or_default().to_owned(),
    })
}

/// The links of a field.
fn links(field: &str) -> Vec<&str> {
    parts(field, ',')
}

/// What stands between separators. Inside of `<...>` and of quotes there are none.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let (mut in_target, mut in_quotes, mut is_escaped) = (false, false, false);
    text.split(move |one: char| {
        let was_escaped = is_escaped;
        is_escaped = in_quotes && one == '\\' && !was_escaped;
        match one {
            '"' if !in_target && !was_escaped => in_quotes = !in_quotes,
            '<' if !in_quotes => in_target = true,
            '>' if !in_quotes => in_target = false,
            _ => return one == separator && !in_target && !in_quotes,
        }
        false
    })
    .collect()
}

fn here(base: &Base, request: &RestRequest) -> Option<Url> {
    let mut url = base.url.clone();
    url.set_path(&format!("{}{}", base.path(), request.path));
    url.set_query(Some(request.query.as_str()).filter(|query| !query.is_empty()));
    Some(url)
}
