//! One page of versions, by (name, version) in byte order.

use portreeve_core::page::PageOf;
use portreeve_core::ports::{ListedVersion, StoreError, VersionFilter, VersionQuery};
use portreeve_core::route::Entrance;
use portreeve_core::visibility::Visibility;

use super::selection;
pub(super) use super::selection::Condition as Rarest;
use super::version_of;
use crate::engine::{Row, Sql, contains_pattern};
use crate::store::Store;

/// A longer search finds nothing: no name, title or description is that long, and SQLite refuses patterns above
/// 50,000 bytes.
const SEARCH_BYTES: usize = 8_192;

const LIST: &str = concat!(
    "SELECT ",
    version_columns!(),
    ", r.slug AS route_slug, ",
    entrance!(),
    " AS route_entrance FROM versions v \
     LEFT JOIN routes r ON r.slug = (SELECT MIN(c.slug) FROM routes c WHERE c.server = v.server \
     AND c.environment = 'production' AND c.state = 'active' AND c.version = v.version) WHERE "
);

/// Answers a question to the registry.
pub(super) async fn list(store: &Store, query: &VersionQuery) -> Result<PageOf<ListedVersion>, StoreError> {
    let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
    if !can_find(query) {
        return Ok(PageOf {
            items: Vec::new(),
            more: false,
        });
    }
    let rarest = rarest(store, query).await?;
    page(store, statement(query, rarest), wanted).await
}

/// Answers a question about some entries.
pub(super) async fn list_among(
    store: &Store,
    query: &VersionQuery,
    names: &[String],
) -> Result<PageOf<ListedVersion>, StoreError> {
    let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
    if names.is_empty() {
        return Ok(PageOf {
            items: Vec::new(),
            more: false,
        });
    }
    let mut sql = Sql::new(LIST);
    filters(&mut sql, query, None);
    page(store, ended(among(sql, Some(names)), query).keeping(), wanted).await
}

/// Reads versions by name.
pub(super) async fn exactly(
    store: &Store,
    visibility: &Visibility,
    versions: &[(String, String)],
) -> Result<Vec<ListedVersion>, StoreError> {
    let Some(last) = versions.last() else {
        return Ok(Vec::new());
    };
    // As in `among`, there shall be few forms of statements.
    let repeated = versions.len().next_power_of_two() - versions.len();
    let asked = || {
        versions
            .iter()
            .chain(std::iter::repeat_n(last, repeated))
            .enumerate()
    };
    let mut sql = Sql::new(LIST);
    // SQLite does not look pairs up in an index; without the names alone it would read every version there is.
    sql.push("v.server IN (VALUES ");
    for (index, (name, _)) in asked() {
        sql.push_bound(if index == 0 { "(" } else { ", (" }, name.as_str());
        sql.push(")");
    }
    sql.push(") AND (v.server, v.version) IN (VALUES ");
    for (index, (name, version)) in asked() {
        sql.push_bound(if index == 0 { "(" } else { ", (" }, name.as_str());
        sql.push_bound(", ", version.as_str());
        sql.push(")");
    }
    sql.push(")");
    if *visibility != Visibility::All {
        sql.push(" AND v.approval = 'approved' AND v.lifecycle <> 'retired'");
    }
    let rows = store.engine().rows(sql.keeping()).await?;
    rows.iter().map(listed_of).collect()
}

async fn page(store: &Store, sql: Sql, wanted: usize) -> Result<PageOf<ListedVersion>, StoreError> {
    let rows = store.engine().rows(sql).await?;
    Ok(PageOf {
        items: rows
            .iter()
            .take(wanted)
            .map(listed_of)
            .collect::<Result<_, _>>()?,
        more: rows.len() > wanted,
    })
}

fn statement(query: &VersionQuery, rarest: Option<Rarest>) -> Sql {
    let mut sql = Sql::new(LIST);
    filters(&mut sql, query, rarest);
    ended(sql, query).keeping()
}

/// Whether anything can be found at all.
pub(super) fn can_find(query: &VersionQuery) -> bool {
    let is_too_long = |text: &String| text.len() > SEARCH_BYTES;
    !query.search.as_ref().is_some_and(is_too_long)
}

/// Where a list of a selection begins.
pub(super) async fn rarest(store: &Store, query: &VersionQuery) -> Result<Option<Rarest>, StoreError> {
    match &query.visibility {
        Visibility::Selected(selection) => selection::rarest(store, selection).await,
        _ => Ok(None),
    }
}

/// Narrows a list to some entries. The last one is named again until there are 1, 2, 4, 8 and so on of them: so there are
/// few forms of statements, and they can be kept.
pub(super) fn among(mut sql: Sql, names: Option<&[String]>) -> Sql {
    let Some(names) = names else { return sql };
    if let Some(last) = names.last() {
        let repeated = names.len().next_power_of_two() - names.len();
        sql.push(" AND v.server IN (");
        for (index, name) in names
            .iter()
            .chain(std::iter::repeat_n(last, repeated))
            .enumerate()
        {
            sql.push_bound(if index == 0 { "" } else { ", " }, name.as_str());
        }
        sql.push(")");
    } else {
        sql.push(" AND 1 = 0");
    }
    sql
}

fn ended(mut sql: Sql, query: &VersionQuery) -> Sql {
    sql.push(if query.versions == VersionFilter::Latest {
        " ORDER BY v.server"
    } else {
        " ORDER BY v.server, v.version"
    });
    sql.push_bound(" LIMIT ", i64::from(query.limit) + 1);
    sql
}

/// The conditions of a list over `versions v`.
pub(super) fn filters(sql: &mut Sql, query: &VersionQuery, rarest: Option<Rarest>) {
    let (name, version) = query.after.clone().unwrap_or_default();
    if query.versions == VersionFilter::Latest {
        // There is one of each server: the index of those finds the next, and a mark that moves meanwhile repeats none.
        sql.push_bound("v.is_latest AND v.server > ", name);
    } else {
        sql.push_bound("(v.server, v.version) > (", name);
        sql.push_bound(", ", version);
        sql.push(")");
    }
    match (&query.visibility, query.include_retired) {
        (Visibility::All, _) => {}
        (Visibility::Listed | Visibility::Selected(_), true) => sql.push(" AND v.approval = 'approved'"),
        (Visibility::Listed | Visibility::Selected(_), false) => {
            sql.push(" AND v.approval = 'approved' AND v.lifecycle <> 'retired'");
        }
    }
    if let Visibility::Selected(selection) = &query.visibility {
        selection::narrow(sql, selection, rarest);
    }
    match &query.versions {
        VersionFilter::Any | VersionFilter::Latest => {}
        VersionFilter::Exact(version) => sql.push_bound(" AND v.version = ", version),
    }
    if let Some(since) = query.updated_since {
        sql.push_bound(" AND v.updated_at > ", since);
    }
    if let Some(search) = query.search.as_deref().filter(|text| !text.is_empty()) {
        let pattern = contains_pattern(&search.to_lowercase());
        sql.push_bound(" AND (lower(v.server) LIKE ", pattern.as_str());
        sql.push_bound(" ESCAPE '\\' OR v.folded_title LIKE ", pattern.as_str());
        sql.push_bound(" ESCAPE '\\' OR v.folded_description LIKE ", pattern);
        sql.push(" ESCAPE '\\')");
    }
}

fn listed_of(row: &Row) -> Result<ListedVersion, StoreError> {
    let route = match row.optional_parsed("route_slug")? {
        Some(slug) => Some((slug, row.word("route_entrance", Entrance::from_word)?)),
        None => None,
    };
    Ok(ListedVersion {
        version: version_of(row)?,
        route,
    })
}
