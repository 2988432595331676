//! Judges the question: limits, moments, and whether a cursor and the filters beside it say the same.
//!
//! Before: `api` split the query string. After: `serve` asks the store.

use portreeve_core::time::Timestamp;

use super::ListParams;
use super::cursor::{Cursor, Filters};
use crate::error::RegistryError;

const DEFAULT_LIMIT: u32 = 30;
const HIGHEST_LIMIT: u32 = 100;
const LONGEST_SEARCH: usize = 256;

/// The question, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) filters: Filters,
    pub(super) after: Option<(String, String)>,
    pub(super) limit: u32,
}

// === impl Wanted ===

impl Wanted {
    /// Reads the parameters; `open` reads a cursor.
    pub(super) fn read(
        params: &ListParams,
        open: impl Fn(&str) -> Result<Cursor, RegistryError>,
    ) -> Result<Self, RegistryError> {
        let limit = read_limit(params.limit.as_deref())?;
        let asked = Asked::read(params)?;
        let Some(text) = given(&params.cursor) else {
            return Ok(Self {
                filters: asked.into_filters(),
                after: None,
                limit,
            });
        };
        let cursor = open(text)?;
        if !asked.agrees_with(&cursor.filters) {
            return Err(RegistryError::BadCursor);
        }
        Ok(Self {
            filters: cursor.filters,
            after: Some((cursor.name, cursor.version)),
            limit,
        })
    }
}

/// What was asked for expressly. An empty value is as good as none.
struct Asked {
    search: Option<String>,
    version: Option<String>,
    updated_since: Option<Timestamp>,
    include_deleted: Option<bool>,
}

impl Asked {
    fn read(params: &ListParams) -> Result<Self, RegistryError> {
        let updated_since = given(&params.updated_since).map(read_moment).transpose()?;
        let include_deleted = given(&params.include_deleted)
            .map(|text| read_flag("include_deleted", text))
            .transpose()?;
        if updated_since.is_some() && include_deleted == Some(false) {
            return Err(RegistryError::invalid(
                "include_deleted",
                "it cannot be `false` together with `updated_since`, which shows what was deleted",
            ));
        }
        Ok(Self {
            search: given(&params.search).map(read_search).transpose()?,
            version: given(&params.version).map(read_version).transpose()?,
            updated_since,
            include_deleted,
        })
    }

    fn into_filters(self) -> Filters {
        Filters {
            include_deleted: self.include_deleted.unwrap_or(self.updated_since.is_some()),
            search: self.search,
            version: self.version,
            updated_since: self.updated_since,
        }
    }

    /// Hosts leave filters out on following pages, or repeat them. Anything else is a mistake that would be silent.
    fn agrees_with(&self, cursor: &Filters) -> bool {
        fn same<T: PartialEq>(asked: &Option<T>, carried: &Option<T>) -> bool {
            asked.is_none() || asked == carried
        }
        same(&self.search, &cursor.search)
            && same(&self.version, &cursor.version)
            && same(&self.updated_since, &cursor.updated_since)
            && self
                .include_deleted
                .is_none_or(|asked| asked == cursor.include_deleted)
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn read_limit(text: Option<&str>) -> Result<u32, RegistryError> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number || text.bytes().all(|b| b == b'0') {
        let shown: String = text.chars().take(40).collect();
        return Err(RegistryError::invalid(
            "limit",
            format!("it must be a number from 1 to {HIGHEST_LIMIT}, and is `{shown}`"),
        ));
    }
    // Digits that do not fit into a number are more than the highest limit, too.
    Ok(text
        .parse::<u32>()
        .map_or(HIGHEST_LIMIT, |limit| limit.min(HIGHEST_LIMIT)))
}

/// A search text, for every list.
pub(crate) fn read_search(text: &str) -> Result<String, RegistryError> {
    if text.chars().count() > LONGEST_SEARCH || text.contains('\0') {
        return Err(RegistryError::invalid(
            "search",
            format!("it must have at most {LONGEST_SEARCH} characters, none of them NUL"),
        ));
    }
    Ok(text.to_owned())
}

fn read_version(text: &str) -> Result<String, RegistryError> {
    if text.chars().count() > 255 || text.contains('\0') {
        return Err(RegistryError::invalid(
            "version",
            "it must have at most 255 characters",
        ));
    }
    Ok(text.to_owned())
}

fn read_moment(text: &str) -> Result<Timestamp, RegistryError> {
    Timestamp::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        RegistryError::invalid("updated_since", format!("`{shown}` is not an RFC 3339 time"))
    })
}

fn read_flag(path: &str, text: &str) -> Result<bool, RegistryError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(RegistryError::invalid(path, "it must be `true` or `false`")),
    }
}
