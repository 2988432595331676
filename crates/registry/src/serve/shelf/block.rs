//! A piece of the shelf: versions that follow each other in lists, their texts packed together, and what must be known
//! of each to choose it and to tell it apart. It never changes.
//!
//! Before: `shelf` got entries from the store. After: `find` chooses among its versions, `found` writes their texts.

use std::ops::Range;

use portreeve_core::ports::{ServedEntry, ServedRoute, ServedVersion};
use portreeve_core::route::Entrance;
use portreeve_core::served::ServedText;
use portreeve_core::server::Lifecycle;
use portreeve_core::time::Timestamp;
use portreeve_inspect::sha256;

use super::signs::Signs;

/// Bytes by which two texts are told apart.
pub(in crate::serve) type Mark = [u8; 16];

/// The piece.
#[derive(Debug, Default)]
pub(crate) struct Block {
    servers: Vec<Server>,
    versions: Vec<Version>,
    routes: Vec<Route>,
    /// Tags and environments of servers.
    labels: Vec<Span>,
    /// All short texts, one behind the other.
    words: String,
    /// The texts of the versions, packed.
    packed: Box<[u8]>,
    /// Bytes of them as they are sent.
    size: usize,
    newest: Timestamp,
    signs: Signs,
}

/// Where a short text stands among the words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    at: u32,
    len: u32,
}

/// A server, or the part of it that is in this block.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: Span,
    pub(super) tags: Range<u32>,
    pub(super) environments: Range<u32>,
    pub(super) stage: Option<Lifecycle>,
    pub(super) versions: Range<u32>,
}

/// A version.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) version: Span,
    pub(super) lifecycle: Lifecycle,
    pub(super) is_latest: bool,
    pub(super) published_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) routes: Range<u32>,
    /// Where its text begins, where the remotes belong, and where it ends.
    pub(super) begin: u32,
    pub(super) cut: u32,
    pub(super) end: u32,
    /// What its text is told apart by.
    pub(super) mark: Mark,
}

/// A route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) environment: Span,
    pub(super) slug: Span,
    pub(super) entrance: Entrance,
}

/// What was packed cannot be unpacked: there is a mistake in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn;

// === impl Block ===

impl Block {
    /// Packs entries, which come in the order of their names.
    pub(super) fn pack(entries: &[ServedEntry]) -> Self {
        let mut block = Self::default();
        let mut texts = String::new();
        for entry in entries {
            block.push(entry, &mut texts);
        }
        block.size = texts.len();
        block.packed = lz4_flex::block::compress(texts.as_bytes()).into_boxed_slice();
        block.servers.shrink_to_fit();
        block.versions.shrink_to_fit();
        block.routes.shrink_to_fit();
        block.labels.shrink_to_fit();
        block.words.shrink_to_fit();
        block
    }

    fn push(&mut self, entry: &ServedEntry, texts: &mut String) {
        let name = self.word(&entry.name);
        let tags = self.label(entry.tags.iter().map(String::as_str));
        let environments = self.label(entry.environments.iter().map(|one| one.as_str()));
        self.signs.note(entry);
        let first = number(self.versions.len());
        for version in &entry.versions {
            self.push_version(version, texts);
        }
        self.servers.push(Server {
            name,
            tags,
            environments,
            stage: entry.stage,
            versions: first..number(self.versions.len()),
        });
    }

    fn push_version(&mut self, one: &ServedVersion, texts: &mut String) {
        let ServedText { head, tail } = &one.text;
        let first = number(self.routes.len());
        for route in &one.routes {
            let route = Route {
                environment: self.word(route.environment.as_str()),
                slug: self.word(route.slug.as_str()),
                entrance: route.entrance,
            };
            self.routes.push(route);
        }
        let begin = number(texts.len());
        texts.push_str(head);
        let cut = number(texts.len());
        texts.push_str(tail);
        let version = Version {
            version: self.word(&one.version),
            lifecycle: one.lifecycle,
            is_latest: one.is_latest,
            published_at: one.published_at,
            updated_at: one.updated_at,
            routes: first..number(self.routes.len()),
            begin,
            cut,
            end: number(texts.len()),
            mark: mark(head, tail),
        };
        self.newest = self.newest.max(one.updated_at);
        self.versions.push(version);
    }

    fn word(&mut self, text: &str) -> Span {
        let at = number(self.words.len());
        self.words.push_str(text);
        Span {
            at,
            len: number(text.len()),
        }
    }

    fn label<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Range<u32> {
        let first = number(self.labels.len());
        for text in texts {
            let span = self.word(text);
            self.labels.push(span);
        }
        first..number(self.labels.len())
    }

    /// The entries that it was made of.
    pub(super) fn unpack(&self) -> Result<Vec<ServedEntry>, Torn> {
        let texts = self.texts()?;
        let mut entries = Vec::with_capacity(self.servers.len());
        for server in &self.servers {
            let mut versions = Vec::new();
            for version in self.versions_of(server) {
                versions.push(self.unpack_version(version, &texts)?);
            }
            let environments = self.labels(&server.environments).map(str::parse);
            entries.push(ServedEntry {
                name: self.text(server.name).to_owned(),
                tags: self.labels(&server.tags).map(str::to_owned).collect(),
                stage: server.stage,
                environments: environments.collect::<Result<_, _>>().map_err(|_| Torn)?,
                versions,
            });
        }
        Ok(entries)
    }

    fn unpack_version(&self, version: &Version, texts: &[u8]) -> Result<ServedVersion, Torn> {
        let text = |from: u32, to: u32| {
            let bytes = texts.get(from as usize..to as usize).ok_or(Torn)?;
            std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Torn)
        };
        let mut routes = Vec::new();
        for route in self.routes_of(version) {
            routes.push(ServedRoute {
                environment: self.text(route.environment).parse().map_err(|_| Torn)?,
                entrance: route.entrance,
                slug: self.text(route.slug).parse().map_err(|_| Torn)?,
            });
        }
        Ok(ServedVersion {
            version: self.text(version.version).to_owned(),
            lifecycle: version.lifecycle,
            is_latest: version.is_latest,
            published_at: version.published_at,
            updated_at: version.updated_at,
            text: ServedText {
                head: text(version.begin, version.cut)?,
                tail: text(version.cut, version.end)?,
            },
            routes,
        })
    }

    /// The texts of all versions.
    pub(super) fn texts(&self) -> Result<Vec<u8>, Torn> {
        let mut texts = Vec::new();
        self.texts_into(&mut texts)?;
        Ok(texts)
    }

    /// The same in memory that was used for others before.
    pub(super) fn texts_into(&self, texts: &mut Vec<u8>) -> Result<(), Torn> {
        texts.resize(self.size, 0);
        match lz4_flex::block::decompress_into(&self.packed, texts) {
            Ok(size) if size == self.size => Ok(()),
            _ => Err(Torn),
        }
    }

    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    pub(super) fn version(&self, at: u32) -> Option<&Version> {
        self.versions.get(at as usize)
    }

    pub(super) fn versions_of(&self, server: &Server) -> &[Version] {
        slice(&self.versions, &server.versions)
    }

    pub(super) fn routes_of(&self, version: &Version) -> &[Route] {
        slice(&self.routes, &version.routes)
    }

    pub(super) fn text(&self, span: Span) -> &str {
        let (at, len) = (span.at as usize, span.len as usize);
        self.words.get(at..at + len).unwrap_or_default()
    }

    pub(super) fn labels(&self, range: &Range<u32>) -> impl Iterator<Item = &str> {
        slice(&self.labels, range).iter().map(|span| self.text(*span))
    }

    /// The name of the first server.
    pub(super) fn first_name(&self) -> &str {
        self.servers.first().map_or("", |server| self.text(server.name))
    }

    /// Name and version of the last one.
    pub(super) fn last_key(&self) -> (&str, &str) {
        let name = self.servers.last().map(|server| server.name);
        let version = self.versions.last().map(|version| version.version);
        let text = |span: Option<Span>| span.map_or("", |span| self.text(span));
        (text(name), text(version))
    }

    /// When any of its versions changed last.
    pub(super) fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Whether a server in it may be selected by these.
    pub(super) fn may_hold(&self, wanted: &Signs) -> bool {
        self.signs.meet(wanted)
    }

    /// How much memory it takes, about.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.servers.len() * size_of::<Server>()
            + self.versions.len() * size_of::<Version>()
            + self.routes.len() * size_of::<Route>()
            + self.labels.len() * size_of::<Span>()
            + self.words.len()
            + self.packed.len()
    }
}

/// Bytes of a version's text.
pub(super) fn size_of_version(version: &ServedVersion) -> usize {
    version.text.head.len() + version.text.tail.len()
}

/// What a text is told apart by. Two that are cut at another place are two texts.
pub(in crate::serve) fn mark(head: &str, tail: &str) -> Mark {
    let mut bytes = Vec::with_capacity(8 + head.len() + tail.len());
    bytes.extend_from_slice(&head.len().to_le_bytes());
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(tail.as_bytes());
    let mut mark = Mark::default();
    for (to, from) in mark.iter_mut().zip(sha256(&bytes)) {
        *to = from;
    }
    mark
}

fn slice<'a, T>(all: &'a [T], range: &Range<u32>) -> &'a [T] {
    all.get(range.start as usize..range.end as usize)
        .unwrap_or_default()
}

/// A place in a block. Blocks hold a few versions, so all of it lies far below 4 GiB.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
