//! Lists in pages: how many items somebody may ask for, and pages of what is his among what is everybody's.

use portreeve_core::page::PageOf;
use portreeve_core::ports::StoreError;

use crate::error::RegistryError;

/// Pages of the store that are read for one page of somebody who is concerned with few of its items.
const PAGES: usize = 20;

/// How many items a page may have: what was asked for, or `default`, and `most` at most.
pub(crate) fn limit(asked: Option<u32>, default: u32, most: u32) -> Result<u32, RegistryError> {
    match asked {
        None => Ok(default),
        Some(0) => {
            let said = format!("it must be a number from 1 to {most}");
            Err(RegistryError::invalid("limit", said))
        }
        Some(limit) => Ok(limit.min(most)),
    }
}

/// A page of the items that are somebody's, and the place that continues it if there may be more. `read` is asked for the
/// page after a place. A page may be short although there are more: so many were read that were not his.
pub(crate) async fn of_somebody<T, P, R>(
    (after, limit): (Option<P>, u32),
    read: impl Fn(Option<P>) -> R,
    place: impl Fn(&T) -> P,
    is_his: impl Fn(&T) -> bool,
) -> Result<(Vec<T>, Option<P>), StoreError>
where
    P: Clone,
    R: Future<Output = Result<PageOf<T>, StoreError>>,
{
    let wanted = limit as usize;
    let mut after = after;
    let mut items: Vec<T> = Vec::new();
    let mut more = false;
    for _ in 0..PAGES {
        let page = read(after.clone()).await?;
        after = page.items.last().map(&place).or(after);
        more = page.more;
        items.extend(page.items.into_iter().filter(&is_his));
        if items.len() >= wanted || !more {
            break;
        }
    }
    if items.len() > wanted {
        items.truncate(wanted);
        more = true;
        after = items.last().map(&place);
    }
    Ok((items, after.filter(|_| more)))
}
