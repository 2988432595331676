//! A document that is spread over several files, brought together into one: each other file stands in a member of its
//! own, and references lead there. Who holds the files reads them: the command line from a folder, the server over the
//! network, nobody from the server's disk.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use portreeve_core::limits::Limits;
use serde_json::{Map, Value, json};
use url::Url;

use super::{OpenApiError, text};

/// Where the other files stand in the whole.
const FILES: &str = "x-portreeve-files";

/// A document and its files, while they are collected.
#[derive(Debug)]
pub struct Bundle {
    root: Url,
    files: BTreeMap<Url, Value>,
    refused: BTreeSet<Url>,
    bytes: usize,
    /// Values that may still come: one count for all files together.
    nodes: Cell<usize>,
}

/// Why a file cannot be part of a document.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There are too many.
    #[error("the document is spread over more than {limit} files")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// One of them cannot be read.
    #[error("{place}: {error}")]
    Unreadable {
        /// Where it is.
        place: Url,
        /// Why.
        error: OpenApiError,
    },
}

impl Bundle {
    /// Begins with the file that everything starts from.
    ///
    /// # Errors
    ///
    /// When it is neither JSON nor YAML.
    pub fn begin(place: Url, text: &str, limits: &Limits) -> Result<Self, BundleError> {
        let mut bundle = Self {
            root: place.clone(),
            files: BTreeMap::new(),
            refused: BTreeSet::new(),
            bytes: 0,
            nodes: Cell::new(limits.openapi_nodes),
        };
        bundle.add(place, text, limits)?;
        Ok(bundle)
    }

    /// The files that are referred to and not here yet.
    pub fn missing(&self) -> Vec<Url> {
        let mut missing = BTreeSet::new();
        for (place, file) in &self.files {
            for reference in references(file) {
                if let Some((other, _)) = target(place, reference)
                    && !self.files.contains_key(&other)
                    && !self.refused.contains(&other)
                {
                    missing.insert(other);
                }
            }
        }
        missing.into_iter().collect()
    }

    /// Adds a file.
    ///
    /// # Errors
    ///
    /// When there are too many, they are too large together, or it cannot be read.
    pub fn add(&mut self, place: Url, text: &str, limits: &Limits) -> Result<(), BundleError> {
        if self.files.len() >= limits.openapi_files {
            return Err(BundleError::TooMany {
                limit: limits.openapi_files,
            });
        }
        self.bytes = self.bytes.saturating_add(text.len());
        let read = if self.bytes > limits.openapi_bytes {
            Err(OpenApiError::TooLarge {
                limit: limits.openapi_bytes,
            })
        } else {
            text::read_within(text, limits, &self.nodes)
        };
        let file = read.map_err(|error| BundleError::Unreadable {
            place: place.clone(),
            error,
        })?;
        self.files.insert(place, file);
        Ok(())
    }

    /// Does without a file: what refers to it is told in the report.
    pub fn refuse(&mut self, place: Url) {
        self.refused.insert(place);
    }

    /// Whether it is one file.
    pub fn is_single(&self) -> bool {
        self.files.len() == 1
    }

    /// All in one.
    pub fn finish(self) -> Value {
        let others: BTreeMap<Url, String> = self
            .files
            .keys()
            .filter(|place| **place != self.root)
            .enumerate()
            .map(|(number, place)| (place.clone(), format!("/{FILES}/{number}")))
            .collect();
        let mut files = self.files;
        for (place, file) in &mut files {
            rewrite(file, place, &self.root, &others);
        }
        let mut whole = files.remove(&self.root).unwrap_or_default();
        if let Value::Object(object) = &mut whole
            && !files.is_empty()
        {
            let files: Map<String, Value> = files
                .into_values()
                .enumerate()
                .map(|(number, file)| (number.to_string(), file))
                .collect();
            object.insert(FILES.to_owned(), Value::Object(files));
        }
        whole
    }
}

fn references(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// The file and the fragment that a reference leads to, if it leads out of its own file.
fn target<'r>(from: &Url, reference: &'r str) -> Option<(Url, &'r str)> {
    let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    if file.is_empty() {
        return None;
    }
    let mut place = from.join(file).ok()?;
    place.set_fragment(None);
    (place != *from).then_some((place, fragment))
}

fn rewrite(value: &mut Value, place: &Url, root: &Url, others: &BTreeMap<Url, String>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            let new = reference.and_then(|reference| led(reference, place, root, others));
            if let Some(new) = new {
                object.insert("$ref".to_owned(), json!(new));
            }
            object
                .values_mut()
                .for_each(|inner| rewrite(inner, place, root, others));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|inner| rewrite(inner, place, root, others)),
        _ => {}
    }
}

/// Where a reference leads in the whole; `None` when it stays as it is.
fn led(reference: &str, place: &Url, root: &Url, others: &BTreeMap<Url, String>) -> Option<String> {
    let (file, own) = reference.split_once('#').unwrap_or((reference, ""));
    let (target, fragment) = match target(place, reference) {
        Some(found) => found,
        None if file.is_empty() && place == root => return None,
        None => (place.clone(), own),
    };
    if target == *root {
        return Some(format!("#{fragment}"));
    }
    others.get(&target).map(|prefix| format!("#{prefix}{fragment}"))
}
