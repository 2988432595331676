//! A list in pages that hosts take. A cursor names the item that a page ended with, by its member and by what tells it from
//! others there; it says nothing of the cursors of the members, which were all followed to their ends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::name::Slug;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Failure;

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The member that has it.
    pub(super) member: Slug,
    /// What tells it from others of that member.
    pub(super) own: String,
    /// The item, as JSON.
    pub(super) text: String,
}

/// One page.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) items: Vec<&'a Item>,
    pub(super) next: Option<String>,
}

/// The page that the parameters ask for, of about so many bytes; at least one item.
pub(super) fn page<'a>(
    items: &'a [Item],
    params: Option<&RawValue>,
    limit: usize,
) -> Result<Page<'a>, Failure> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Asked {
        cursor: Option<Value>,
    }
    let asked: Asked = params
        .and_then(|params| serde_json::from_str(params.get()).ok())
        .unwrap_or_default();
    let start = match asked.cursor {
        None | Some(Value::Null) => 0,
        Some(cursor) => after(items, &cursor)
            .ok_or_else(|| Failure::invalid("Invalid params: `cursor` is none of ours".to_owned()))?,
    };
    let rest = items.get(start..).unwrap_or_default();
    let mut bytes = 0;
    let fits = rest.iter().take_while(|item| {
        let first = bytes == 0;
        bytes += item.text.len();
        first || bytes <= limit
    });
    let items: Vec<&Item> = fits.collect();
    let next = (items.len() < rest.len()).then(|| items.last()).flatten();
    Ok(Page {
        next: next.map(|last| URL_SAFE_NO_PAD.encode(format!("{}\n{}", last.member, last.own))),
        items,
    })
}

/// Where the page behind a cursor begins. Where the item is gone that the last one ended with, its member is shown once more:
/// better twice than not at all.
fn after(items: &[Item], cursor: &Value) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str()?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (member, own) = text.split_once('\n')?;
    let of_member = |item: &Item| item.member.as_str() == member;
    let last = items.iter().position(|item| of_member(item) && item.own == own);
    match last {
        Some(last) => Some(last + 1),
        None => Some(items.iter().position(of_member).unwrap_or(items.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(all: &[(&str, &str)]) -> Vec<Item> {
        let item = |(member, own): &(&str, &str)| Item {
            member: member.parse().unwrap(),
            own: (*own).to_owned(),
            text: format!("\"{own}\""),
        };
        all.iter().map(item).collect()
    }

    fn walk(items: &[Item], limit: usize) -> Vec<Vec<&str>> {
        let mut pages = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let params = cursor.map(|cursor| {
                let params = serde_json::json!({"cursor": cursor});
                serde_json::value::to_raw_value(&params).unwrap()
            });
            let page = page(items, params.as_deref(), limit).unwrap();
            pages.push(page.items.iter().map(|item| item.own.as_str()).collect());
            cursor = page.next;
            if cursor.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_join_without_gaps_and_hold_at_least_one_item() {
        let items = items(&[("a", "1"), ("a", "2"), ("b", "1"), ("b", "long one")]);
        assert_eq!(walk(&items, 6), [vec!["1", "2"], vec!["1"], vec!["long one"]]);
        assert_eq!(walk(&items, 1).len(), 4);
        assert_eq!(walk(&items, 1_000).len(), 1);
        assert_eq!(walk(&[], 1), [Vec::<&str>::new()]);
    }

    #[test]
    fn a_cursor_of_somebody_else_is_refused_and_one_whose_item_is_gone_is_not() {
        let all = items(&[("a", "1"), ("b", "1"), ("b", "2")]);
        let asked = |cursor: &str| {
            let params = serde_json::json!({"cursor": cursor});
            let params = serde_json::value::to_raw_value(&params).unwrap();
            page(&all, Some(&params), 100).map(|page| page.items.len())
        };
        assert!(asked("what?").is_err());
        assert_eq!(asked(&URL_SAFE_NO_PAD.encode("b\ngone")).unwrap(), 2);
        assert_eq!(asked(&URL_SAFE_NO_PAD.encode("b\n2")).unwrap(), 0);
    }
}
