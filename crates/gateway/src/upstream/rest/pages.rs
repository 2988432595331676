//! Further pages of a list: how the next one is asked for, and how they are joined.

use http::HeaderMap;
use http::header::LINK;
use portreeve_core::rest::{Paging, PagingKind};
use portreeve_net::{Destination, NetError};
use serde_json::Value;
use url::Url;

use super::Base;
use crate::translate::rest::RestRequest;

/// How the next page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// With this value of a parameter of the query.
    Turned(String, String),
    /// At this path, query included.
    At(String),
}

/// Where in the pages a call is.
pub(super) struct Pages<'a> {
    paging: &'a Paging,
    joined: Option<Value>,
    pages: u32,
    items: u64,
}

impl<'a> Pages<'a> {
    pub(super) fn new(paging: &'a Paging) -> Self {
        Self {
            paging,
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
        if self.pages >= self.paging.most_pages {
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
fn linked(headers: &HeaderMap, base: &Base, request: &RestRequest) -> Option<String> {
    let here = here(base, request)?;
    let links = headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
    let target = links.flat_map(|links| links.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let relation = parameter.trim().strip_prefix("rel=");
            relation.is_some_and(|words| words.trim_matches('"').split(' ').any(|word| word == "next"))
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
    Some(match next.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

fn here(base: &Base, request: &RestRequest) -> Option<Url> {
    let mut url = base.url.clone();
    url.set_path(&format!("{}{}", base.path(), request.path));
    url.set_query(Some(request.query.as_str()).filter(|query| !query.is_empty()));
    Some(url)
}

impl Base {
    /// Where a path of this origin is.
    pub(super) fn at(&self, path: &str) -> Result<Destination, NetError> {
        self.destination.as_ref().map_err(Clone::clone)?.at(path)
    }
}
