//! Pages of lists that are held whole anyway: routes, keys, grants, users, tools.
//!
//! The cursor is the key of the last item, so that a page never skips or repeats an item that was there throughout.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::shapes::List;

/// Items on a page unless told otherwise.
const DEFAULT: usize = 100;
/// Most items on a page.
const MOST: usize = 500;

/// Where a page begins, and how long it is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// The `nextCursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Items on the page, 1 to 500; 100 unless given.
    pub(crate) limit: Option<u64>,
}

impl Paging {
    /// The number of items that was asked for.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit)
    }

    /// One page of the items, by their key.
    pub(crate) fn page<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> Result<List<T>, Problem> {
        let limit = self.limit()?;
        let mut keyed: Vec<_> = items.into_iter().map(|item| (key(&item), item)).collect();
        keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(cursor) = &self.cursor {
            keyed.retain(|(key, _)| key > cursor);
        }
        let more = keyed.len() > limit;
        keyed.truncate(limit);
        let next_cursor = keyed.last().filter(|_| more).map(|(key, _)| key.clone());
        let items = keyed.into_iter().map(|(_, item)| item).collect();
        Ok(List { items, next_cursor })
    }
}

/// Reads a `limit`: above the most it is cut, below 1 it is refused.
pub(crate) fn limit(asked: Option<u64>) -> Result<usize, Problem> {
    match asked {
        None => Ok(DEFAULT),
        Some(0) => Err(Problem::bad_request(
            "the query is wrong: `limit` must be at least 1",
        )),
        Some(asked) => Ok(usize::try_from(asked).unwrap_or(MOST).min(MOST)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_give_every_item_once() {
        let items = || vec!["c", "a", "b", "e", "d"];
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let paging = Paging {
                cursor,
                limit: Some(2),
            };
            let page = paging.page(items(), |item| (*item).to_owned()).unwrap();
            seen.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn a_limit_has_its_bounds() {
        assert_eq!(limit(None).ok(), Some(100));
        assert_eq!(limit(Some(u64::MAX)).ok(), Some(500));
        assert!(limit(Some(0)).is_err());
    }
}
