//! What an agent asks, read from the arguments of its call. What is wrong is told in words that it can act on.

use portreeve_core::name::ServerName;
use serde_json::{Map, Value};

use crate::error::RegistryError;

/// Most servers of one answer: an agent reads all of them.
pub(super) const MOST: u32 = 20;
const USUAL: u32 = 10;

/// The arguments of `registry_search`.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) query: Option<String>,
    pub(super) limit: u32,
    pub(super) cursor: Option<String>,
}

/// The arguments of `registry_fetch`.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) name: ServerName,
    pub(super) version: Option<String>,
}

impl Search {
    pub(super) fn read(mut arguments: Map<String, Value>) -> Result<Self, RegistryError> {
        let query = text(&mut arguments, "query")?;
        let cursor = text(&mut arguments, "cursor")?;
        let limit = match arguments.remove("limit") {
            None | Some(Value::Null) => USUAL,
            Some(value) => value
                .as_u64()
                .and_then(|limit| u32::try_from(limit).ok())
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| {
                    RegistryError::invalid("limit", format!("it must be a whole number from 1 to {MOST}"))
                })?,
        };
        nothing_else(&arguments)?;
        Ok(Self { query, limit, cursor })
    }
}

impl Fetch {
    pub(super) fn read(mut arguments: Map<String, Value>) -> Result<Self, RegistryError> {
        let Some(name) = text(&mut arguments, "name")? else {
            return Err(RegistryError::invalid("name", "it is required"));
        };
        let version = text(&mut arguments, "version")?;
        nothing_else(&arguments)?;
        let name = name
            .parse()
            .map_err(|error| RegistryError::invalid("name", format!("{error}")))?;
        Ok(Self { name, version })
    }
}

/// A text; an empty one is as good as none.
fn text(arguments: &mut Map<String, Value>, key: &str) -> Result<Option<String>, RegistryError> {
    match arguments.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Some(_) => Err(RegistryError::invalid(key, "it must be a text")),
    }
}

/// A misspelled argument would be ignored in silence, and the answer taken for what was asked.
fn nothing_else(arguments: &Map<String, Value>) -> Result<(), RegistryError> {
    match arguments.keys().next() {
        None => Ok(()),
        Some(key) => {
            let key: String = key.chars().take(40).collect();
            Err(RegistryError::invalid(key, "there is no such argument"))
        }
    }
}
