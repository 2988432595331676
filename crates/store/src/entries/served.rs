//! Versions as hosts read them: their texts were written when they were saved, so a page is one question, and joining what
//! it brings. Nothing on it is parsed.
//!
//! Beside it stands [`mend`], for texts that are missing: those of versions that were saved before there were texts, or
//! by a Portreeve that does not know of them.

use async_trait::async_trait;
use portreeve_core::name::Environment;
use portreeve_core::ports::{
    ServedItems, ServedOrder, ServedQuery, ServedStore, StoreError, VersionFilter, VersionQuery,
};
use portreeve_core::route::Access;
use portreeve_core::served::{RemotesText, ServedText};
use portreeve_core::server::{Approval, Version};
use portreeve_core::visibility::Visibility;

use super::{list, version_of};
use crate::engine::{Engine, Row, Sql, Value};
use crate::store::Store;

/// The environments of the routes follow, and the conditions.
const PAGE: &str = "SELECT v.server, v.version, v.served_tail, \
    CASE WHEN v.served_of = v.updated_at THEN v.served_head END AS served_head, \
    (SELECT STRING_AGG(r.environment || ' ' || r.major || ' ' || r.access || ' ' || r.slug, ',') FROM routes r \
    WHERE r.server = v.server AND r.version = v.version AND r.state = 'active' AND v.lifecycle <> 'retired' \
    AND r.environment IN (";
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
        let rows = self.engine().rows(statement(query, rarest)).await?;
        if let Some(page) = joined(&rows, query)? {
            return Ok(page);
        }
        mend(self.engine()).await?;
        let rows = self.engine().rows(statement(query, rarest)).await?;
        joined(&rows, query)?.ok_or_else(|| StoreError::Corrupt {
            what: "a document that is listed".to_owned(),
        })
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

/// The rows of a page, and one more.
fn statement(query: &ServedQuery, rarest: Option<list::Rarest>) -> Sql {
    let mut sql = Sql::new(PAGE);
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
    let VersionQuery { versions, limit, .. } = &query.versions;
    sql.push(match (query.order, versions) {
        (ServedOrder::Newest, _) => " ORDER BY v.published_at DESC, v.version DESC",
        // There is one of each server.
        (ServedOrder::Name, VersionFilter::Latest) => " ORDER BY v.server",
        (ServedOrder::Name, _) => " ORDER BY v.server, v.version",
    });
    sql.push_bound(" LIMIT ", i64::from(*limit) + 1);
    sql.keeping()
}

/// The page, unless a text on it is missing.
fn joined(rows: &[Row], query: &ServedQuery) -> Result<Option<ServedItems>, StoreError> {
    let limit = usize::try_from(query.versions.limit).unwrap_or(usize::MAX);
    let count = rows.len().min(limit);
    let mut page = ServedItems {
        items: String::with_capacity(count * 1_500),
        count,
        next: None,
    };
    for (index, row) in rows.iter().take(count).enumerate() {
        let Some(head) = row.optional_str("served_head")? else {
            return Ok(None);
        };
        if index > 0 {
            page.items.push(',');
        }
        page.items.push_str(head);
        write_remotes(&mut page.items, row.optional_str("routes")?, &query.remotes)?;
        page.items
            .push_str(row.optional_str("served_tail")?.unwrap_or_default());
    }
    if let Some(last) = rows.get(count.wrapping_sub(1)).filter(|_| rows.len() > limit) {
        page.next = Some((last.text("server")?, last.text("version")?));
    }
    Ok(Some(page))
}

/// Writes the `remotes` of a version, given its routes as `environment major access slug`, with commas between them.
fn write_remotes(items: &mut String, routes: Option<&str>, texts: &RemotesText) -> Result<(), StoreError> {
    let Some(routes) = routes else { return Ok(()) };
    let mut routes: Vec<Face<'_>> = routes
        .split(',')
        .map(Face::read)
        .collect::<Option<_>>()
        .ok_or_else(|| StoreError::Corrupt {
            what: "a route that is listed".to_owned(),
        })?;
    routes.sort_unstable_by_key(|face| face.place);
    for (index, face) in routes.iter().enumerate() {
        let text = texts.of(face.access);
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
    access: Access,
    /// Production first, then by the number of the major version, whose digits are counted before they are compared, then
    /// by slug.
    place: (bool, usize, &'a str, &'a str),
}

impl<'a> Face<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut words = text.split(' ');
        let (environment, major) = (words.next()?, words.next()?);
        let (access, slug) = (words.next()?, words.next()?);
        Some(Self {
            access: Access::from_word(access)?,
            place: (environment != "production", major.len(), major, slug),
        })
    }
}
