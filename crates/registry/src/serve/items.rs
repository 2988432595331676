//! Versions as they are sent: as the store joined them, or as what was found on the shelf and is not written yet.
//!
//! Before: `lists` asked. After: `api` sends them, or says that the reader has them already.

use portreeve_core::ports::{ServedCut, ServedItems, StoreError};
use portreeve_core::served::RemotesText;
use portreeve_inspect::sha256_hex;
use serde::de::DeserializeOwned;

use super::shelf::{Found, Torn, mark};
use super::{PageMetadata, Served, ServedPage};
use crate::error::RegistryError;

/// Digits of an entity tag: 128 bits of SHA-256 tell any two answers apart, and keep the header short.
const TAG_DIGITS: usize = 32;

/// Versions, with commas between them.
pub(super) struct Items {
    body: Body,
    pub(super) count: usize,
    /// The (name, version) of the last one, if more follow.
    pub(super) next: Option<(String, String)>,
}

enum Body {
    Joined(ServedItems),
    Found(Found, RemotesText),
}

/// A page, the versions on it still as they were found.
pub(super) struct Page {
    pub(super) items: Items,
    pub(super) metadata: PageMetadata,
}

/// An answer of the registry API. It is told apart from others without being written, where that can be.
pub struct ServedJson(Answer);

enum Answer {
    Page(Page),
    One(Items),
}

impl std::fmt::Debug for ServedJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServedJson")
    }
}

// === impl Items ===

impl Items {
    pub(super) fn found(found: Found, remotes: &RemotesText) -> Self {
        Self {
            count: found.len(),
            next: found.next(),
            body: Body::Found(found, remotes.clone()),
        }
    }

    /// Adds those of the next step, which were found where these were.
    pub(super) fn append(&mut self, other: Self) -> Result<(), RegistryError> {
        self.next = other.next;
        if other.count == 0 {
            return Ok(());
        }
        if self.count == 0 {
            self.body = other.body;
        } else {
            match (&mut self.body, other.body) {
                (Body::Found(found, _), Body::Found(more, _)) => found.append(more),
                (Body::Joined(items), Body::Joined(more)) => items.append(more),
                _ => return Err(strange()),
            }
        }
        self.count += other.count;
        Ok(())
    }

    /// The name and the version of the last one.
    pub(super) fn last(&self) -> Result<(String, String), RegistryError> {
        match &self.body {
            Body::Found(found, _) => found.last().ok_or_else(strange),
            Body::Joined(items) => {
                let last = items
                    .cuts
                    .last()
                    .and_then(|cut| items.items.get(cut.whole.clone()));
                let last: Served = read(last.unwrap_or_default().as_bytes())?;
                let key = (last.server.text("name"), last.server.text("version"));
                key.0.zip(key.1).ok_or_else(strange)
            }
        }
    }

    fn size(&self) -> usize {
        match &self.body {
            Body::Joined(items) => items.items.len(),
            Body::Found(found, remotes) => found.size(remotes),
        }
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), RegistryError> {
        match &self.body {
            Body::Joined(items) => {
                out.extend_from_slice(items.items.as_bytes());
                Ok(())
            }
            Body::Found(found, remotes) => Ok(found.write(remotes, out)?),
        }
    }

    /// Bytes that tell them from all others, the same in either form.
    fn marks(&self) -> Result<Vec<u8>, RegistryError> {
        let items = match &self.body {
            Body::Found(found, remotes) => return Ok(found.marks(remotes)),
            Body::Joined(items) => items,
        };
        let mut marks = Vec::new();
        for ServedCut { whole, remotes } in &items.cuts {
            let part = |range| items.items.get(range).ok_or_else(strange);
            let (head, tail) = (part(whole.start..remotes.start)?, part(remotes.end..whole.end)?);
            marks.extend_from_slice(&mark(head, tail));
            marks.extend_from_slice(part(remotes.clone())?.as_bytes());
            marks.push(0);
        }
        Ok(marks)
    }

    /// The versions as values.
    pub(super) fn values(&self) -> Result<Vec<Served>, RegistryError> {
        let mut text = vec![b'['];
        self.write(&mut text)?;
        text.push(b']');
        read(&text)
    }

    /// The only version as a value.
    pub(super) fn value(&self) -> Result<Served, RegistryError> {
        let mut text = Vec::with_capacity(self.size());
        self.write(&mut text)?;
        read(&text)
    }
}

impl Default for Items {
    fn default() -> Self {
        Self::from(ServedItems::default())
    }
}

impl From<ServedItems> for Items {
    fn from(mut items: ServedItems) -> Self {
        Self {
            count: items.count,
            next: items.next.take(),
            body: Body::Joined(items),
        }
    }
}

// === impl Page ===

impl Page {
    pub(super) fn into_values(self) -> Result<ServedPage, RegistryError> {
        Ok(ServedPage {
            servers: self.items.values()?,
            metadata: self.metadata,
        })
    }

    fn end(&self) -> Result<Vec<u8>, RegistryError> {
        let mut end = br#"],"metadata":"#.to_vec();
        serde_json::to_writer(&mut end, &self.metadata).map_err(|_| strange())?;
        end.push(b'}');
        Ok(end)
    }

    fn write(&self) -> Result<Vec<u8>, RegistryError> {
        let (begin, end) = (br#"{"servers":["#, self.end()?);
        let mut json = Vec::with_capacity(begin.len() + self.items.size() + end.len());
        json.extend_from_slice(begin);
        self.items.write(&mut json)?;
        json.extend_from_slice(&end);
        Ok(json)
    }
}

// === impl ServedJson ===

impl ServedJson {
    pub(super) fn page(page: Page) -> Self {
        Self(Answer::Page(page))
    }

    pub(super) fn one(items: Items) -> Self {
        Self(Answer::One(items))
    }

    /// What tells this answer from every other one.
    pub fn tag(&self) -> Result<String, RegistryError> {
        let marks = match &self.0 {
            Answer::One(items) => items.marks()?,
            Answer::Page(page) => {
                let mut marks = page.items.marks()?;
                marks.extend(page.end()?);
                marks
            }
        };
        let mut tag = sha256_hex(&marks);
        tag.truncate(TAG_DIGITS);
        Ok(tag)
    }

    /// The answer as it is sent.
    pub fn into_bytes(self) -> Result<Vec<u8>, RegistryError> {
        match self.0 {
            Answer::Page(page) => page.write(),
            Answer::One(items) => {
                let mut json = Vec::with_capacity(items.size());
                items.write(&mut json)?;
                Ok(json)
            }
        }
    }
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, RegistryError> {
    serde_json::from_slice(text).map_err(|_| strange())
}

fn strange() -> RegistryError {
    RegistryError::Store(StoreError::Corrupt {
        what: "a version as it is listed".to_owned(),
    })
}

impl From<Torn> for RegistryError {
    fn from(_: Torn) -> Self {
        strange()
    }
}
