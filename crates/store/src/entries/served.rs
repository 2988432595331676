//! Versions as hosts read them: their texts were written when they were saved, so a page is one question, and joining what
//! it brings. Nothing on it is parsed.
//!
//! Beside it stand `whole`, for those who keep lists in memory, and [`mend`], for texts that are missing: those of versions that were saved before there were texts, or
//! by a Portreeve that does not know of them.

mod whole;

use std::cmp::Ordering;

use async_trait::async_trait;
use portreeve_core::name::Environment;
use portreeve_core::ports::{
    ServedEntry, ServedItems, ServedOrder, ServedQuery, ServedStore, StoreError, VersionFilter,
};
use portreeve_core::route::Entrance;
use portreeve_core::served::{RemotesText, ServedText};
use portreeve_core::server::{Approval, Version};
use portreeve_core::visibility::Visibility;

use super::{list, version_of};
use crate::engine::{Engine, Row, Sql, Value};
use crate::store::Store;

/// A page is one row: an engine hands a long text over faster than a hundred rows. Neither of the characters between the
/// parts and between the versions can stand in a name, a slug or a JSON text.
const PART: char = '\u{1f}';
const VERSION: char = '\u{1e}';

/// In no order: to order what is joined would copy it once more. The environments of the routes follow, and the
/// conditions.
const PAGE: &str = concat!(
    "SELECT STRING_AGG(p.server || $1 || p.version || $1 || p.published_at || $1 || \
    COALESCE(p.routes, '') || $1 || COALESCE(p.served_head, '') || $1 || COALESCE(p.served_tail, ''), $2) AS page \
    FROM (SELECT v.server, v.version, v.published_at, v.served_tail, \
    CASE WHEN v.served_of = v.updated_at THEN v.served_head END AS served_head, \
    (SELECT STRING_AGG(r.environment || ' ' || r.major || ' ' || (",
    entrance!(),
    ") || ' ' || r.slug, ',') FROM routes r \
    WHERE r.server = v.server AND r.version = v.version AND r.state = 'active' AND v.lifecycle <> 'retired' \
    AND r.environment IN ("
);
const UNREADY: &str = concat!(
    "SELECT ",
    version_columns!(),
    " FROM versions v WHERE (v.server, v.version) > ($1, $2) AND v.approval = 'approved' \
     AND (v.served_of IS NULL OR v.served_of <> v.updated_at) ORDER BY v.server, v.version LIMIT $3"
);
const MEND: &str = "UPDATE versions SET served_head = $3, served_tail = $4, served_of = $5 \
    WHERE server = $1 AND version = $2 AND updated_at = $5";

/// Texts that are mended in one transaction.
const STEP: usize = 200;

#[async_trait]
impl ServedStore for Store {
    async fn served(&self, query: &ServedQuery) -> Result<ServedItems, StoreError> {
        if !list::can_find(&query.versions) || query.among.as_ref().is_some_and(Vec::is_empty) {
            return Ok(ServedItems::default());
        }
        let rarest = list::rarest(self, &query.versions).await?;
        let row = self.engine().row(statement(query, rarest)).await?;
        if let Some(page) = joined(row.as_ref(), query)? {
            return Ok(page);
        }
        mend(self.engine()).await?;
        let row = self.engine().row(statement(query, rarest)).await?;
        joined(row.as_ref(), query)?.ok_or_else(|| StoreError::Corrupt {
            what: "a document that is listed".to_owned(),
        })
    }

    async fn served_entries(&self, names: &[String]) -> Result<Vec<ServedEntry>, StoreError> {
        whole::read(self, names).await
    }
}

/// What a saved version keeps: head, tail, and the moment of the version that they are the text of.
pub(super) fn text_of(version: &Version) -> [Value; 3] {
    let text = (version.approval == Approval::Approved)
        .then(|| ServedText::of(version))
        .flatten();
    match text {
        Some(ServedText { head, tail }) => [head.into(), tail.into(), version.updated_at.into()],
        None => [Value::Text(None), Value::Text(None), Value::Integer(None)],
    }
}

/// Writes the texts that are missing.
pub(crate) async fn mend(engine: &Engine) -> Result<(), StoreError> {
    let mut after = (String::new(), String::new());
    loop {
        let sql = Sql::new(UNREADY)
            .bind(after.0.as_str())
            .bind(after.1.as_str())
            .bind(i64::try_from(STEP).unwrap_or(i64::MAX));
        let rows = engine.rows(sql).await?;
        let versions: Vec<Version> = rows.iter().map(version_of).collect::<Result<_, _>>()?;
        let Some(last) = versions.last() else {
            return Ok(());
        };
        after = (last.name.to_string(), last.version.to_string());
        let mut transaction = engine.begin().await?;
        for version in &versions {
            let values = [
                Value::from(version.name.as_str()),
                Value::from(version.version.as_str()),
            ];
            let values = values.into_iter().chain(text_of(version)).collect();
            transaction.execute(Sql::kept(MEND, values)).await?;
        }
        transaction.save().await?;
        if versions.len() < STEP {
            return Ok(());
        }
    }
}

/// The versions of a page, and one more.
fn statement(query: &ServedQuery, rarest: Option<list::Rarest>) -> Sql {
    let mut sql = Sql::new(PAGE).bind(PART.to_string()).bind(VERSION.to_string());
    let names = query.remotes.environments.iter().map(Environment::as_str);
    for (index, name) in names.enumerate() {
        sql.push_bound(if index == 0 { "" } else { ", " }, name);
    }
    sql.push(")) AS routes FROM versions v WHERE ");
    list::filters(&mut sql, &query.versions, rarest);
    if query.versions.visibility == Visibility::All {
        sql.push(" AND v.approval = 'approved'");
    }
    let mut sql = list::among(sql, query.among.as_deref());
    sql.push(match (query.order, &query.versions.versions) {
        (ServedOrder::Newest, _) => " ORDER BY v.published_at DESC, v.version DESC",
        // There is one of each server.
        (ServedOrder::Name, VersionFilter::Latest) => " ORDER BY v.server",
        (ServedOrder::Name, _) => " ORDER BY v.server, v.version",
    });
    sql.push_bound(" LIMIT ", i64::from(query.versions.limit) + 1);
    sql.push(") p");
    sql.keeping()
}

/// A version as it lies in the row of its page.
struct Listed<'a> {
    server: &'a str,
    version: &'a str,
    published_at: i64,
    routes: &'a str,
    head: &'a str,
    tail: &'a str,
}

impl<'a> Listed<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(PART);
        Some(Self {
            server: parts.next()?,
            version: parts.next()?,
            published_at: parts.next()?.parse().ok()?,
            routes: parts.next()?,
            head: parts.next()?,
            tail: parts.next()?,
        })
    }

    /// Which of two comes first on a page.
    fn order(&self, other: &Self, order: ServedOrder) -> Ordering {
        match order {
            ServedOrder::Name => (self.server, self.version).cmp(&(other.server, other.version)),
            ServedOrder::Newest => {
                (other.published_at, other.version).cmp(&(self.published_at, self.version))
            }
        }
    }
}

/// The page, unless a text on it is missing.
fn joined(row: Option<&Row>, query: &ServedQuery) -> Result<Option<ServedItems>, StoreError> {
    let text = row.map(|row| row.optional_str("page")).transpose()?.flatten();
    let Some(text) = text else {
        return Ok(Some(ServedItems::default()));
    };
    let listed: Option<Vec<Listed<'_>>> = text.split(VERSION).map(Listed::read).collect();
    let mut listed = listed.ok_or_else(|| StoreError::Corrupt {
        what: "a version that is listed".to_owned(),
    })?;
    listed.sort_by(|one, other| one.order(other, query.order));
    let limit = usize::try_from(query.versions.limit).unwrap_or(usize::MAX);
    let count = listed.len().min(limit);
    let mut page = ServedItems {
        items: String::with_capacity(text.len() + text.len() / 8),
        cuts: Vec::with_capacity(count),
        ..ServedItems::default()
    };
    for version in listed.iter().take(count) {
        if version.head.is_empty() {
            return Ok(None);
        }
        let remotes = |items: &mut String| write_remotes(items, version.routes, &query.remotes);
        page.push((version.head, version.tail), remotes)?;
    }
    if let Some(last) = listed.get(count.wrapping_sub(1)).filter(|_| listed.len() > limit) {
        page.next = Some((last.server.to_owned(), last.version.to_owned()));
    }
    Ok(Some(page))
}

/// Writes the `remotes` of a version, given its routes as `environment major entrance slug`, with commas between them.
fn write_remotes(items: &mut String, routes: &str, texts: &RemotesText) -> Result<(), StoreError> {
    if routes.is_empty() {
        return Ok(());
    }
    let mut routes: Vec<Face<'_>> = routes
        .split(',')
        .map(Face::read)
        .collect::<Option<_>>()
        .ok_or_else(|| StoreError::Corrupt {
            what: "a route that is listed".to_owned(),
        })?;
    routes.sort_unstable_by_key(|face| face.place);
    for (index, face) in routes.iter().enumerate() {
        let text = texts.of(face.entrance);
        items.push_str(if index == 0 { ",\"remotes\":[" } else { "," });
        items.push_str(&text.before);
        items.push_str(face.place.3);
        items.push_str(&text.after);
    }
    items.push(']');
    Ok(())
}

/// A route as it is listed.
struct Face<'a> {
    entrance: Entrance,
    /// Production first, then by the number of the major version, whose digits are counted before they are compared, then
    /// by slug.
    place: (bool, usize, &'a str, &'a str),
}

impl<'a> Face<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut words = text.split(' ');
        let (environment, major) = (words.next()?, words.next()?);
        let (entrance, slug) = (words.next()?, words.next()?);
        Some(Self {
            entrance: Entrance::from_word(entrance)?,
            place: (environment != "production", major.len(), major, slug),
        })
    }
}
