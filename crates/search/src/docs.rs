//! The entries of a segment, by name: what must be known of each to filter, count and page through what was found.
//!
//! Before: `segment` read entries, or `merge` took them over from other segments. After: `rank` and `facets` ask them.

use crate::Kind;
use std::collections::HashMap;

use portreeve_core::name::ServerName;
use portreeve_core::server::Lifecycle;
use portreeve_core::tool::ToolAnnotations;

use super::postings::Doc;
use super::texts::{Rows, Texts, number};

/// The entries, in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Docs {
    names: Vec<ServerName>,
    versions: Texts,
    traits: Vec<Traits>,
    /// Tags, registry types, environments and names of tools, each once.
    labels: Texts,
    registry_types: Rows<u32>,
    tags: Rows<u32>,
    inner_tags: Rows<u32>,
    profile_tags: Rows<u32>,
    environments: Rows<u32>,
    tools: Rows<(u32, ToolAnnotations)>,
    /// Name, titles and descriptions of all versions of an entry, in lower case, each ended by NUL.
    texts: Texts,
}

/// What results are filtered by first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) lifecycle: Lifecycle,
    /// Whether everybody may know of it.
    pub(crate) is_listed: bool,
    /// Whether it runs somewhere for everyone.
    pub(crate) is_remote: bool,
}

/// An entry as it is taken in.
#[derive(Debug)]
pub(crate) struct Described<'a> {
    pub(crate) name: &'a ServerName,
    pub(crate) version: &'a str,
    pub(crate) traits: Traits,
    pub(crate) registry_types: Vec<&'a str>,
    pub(crate) tags: Vec<&'a str>,
    pub(crate) inner_tags: Vec<&'a str>,
    pub(crate) profile_tags: Vec<&'a str>,
    pub(crate) environments: Vec<&'a str>,
    pub(crate) tools: Vec<(&'a str, ToolAnnotations)>,
    pub(crate) texts: &'a str,
}

/// Entries while they are taken in.
#[derive(Default)]
pub(crate) struct Gathering {
    docs: Docs,
    known: HashMap<String, u32>,
}

/// An entry of the index.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    docs: &'a Docs,
    doc: Doc,
    name: &'a ServerName,
    traits: Traits,
}

// === impl Gathering ===

impl Gathering {
    /// Takes the next one. They come in the order of their names.
    pub(crate) fn push(&mut self, entry: &Described<'_>) {
        self.docs.names.push(entry.name.clone());
        self.docs.versions.push(entry.version);
        self.docs.traits.push(entry.traits);
        self.docs.texts.push(entry.texts);
        let row = self.labels(&entry.registry_types);
        self.docs.registry_types.push(row);
        let row = self.labels(&entry.tags);
        self.docs.tags.push(row);
        let row = self.labels(&entry.inner_tags);
        self.docs.inner_tags.push(row);
        let row = self.labels(&entry.profile_tags);
        self.docs.profile_tags.push(row);
        let row = self.labels(&entry.environments);
        self.docs.environments.push(row);
        let mut tools = Vec::with_capacity(entry.tools.len());
        for (name, annotations) in &entry.tools {
            tools.push((self.label(name), *annotations));
        }
        self.docs.tools.push(tools);
    }

    fn labels(&mut self, labels: &[&str]) -> Vec<u32> {
        labels.iter().map(|label| self.label(label)).collect()
    }

    fn label(&mut self, label: &str) -> u32 {
        if let Some(known) = self.known.get(label) {
            return *known;
        }
        let at = number(self.docs.labels.len());
        self.docs.labels.push(label);
        self.known.insert(label.to_owned(), at);
        at
    }

    pub(crate) fn finish(mut self) -> Docs {
        let docs = &mut self.docs;
        docs.names.shrink_to_fit();
        docs.traits.shrink_to_fit();
        for texts in [&mut docs.versions, &mut docs.labels, &mut docs.texts] {
            texts.shrink();
        }
        for rows in [
            &mut docs.registry_types,
            &mut docs.tags,
            &mut docs.inner_tags,
            &mut docs.profile_tags,
            &mut docs.environments,
        ] {
            rows.shrink();
        }
        docs.tools.shrink();
        self.docs
    }
}

// === impl Docs ===

impl Docs {
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn names(&self) -> &[ServerName] {
        &self.names
    }

    pub(crate) fn find(&self, name: &str) -> Option<Doc> {
        let found = self.names.binary_search_by(|own| own.as_str().cmp(name));
        found.ok().map(number)
    }

    pub(crate) fn entry(&self, doc: Doc) -> Option<Entry<'_>> {
        Some(Entry {
            docs: self,
            doc,
            name: self.names.get(doc as usize)?,
            traits: *self.traits.get(doc as usize)?,
        })
    }

    /// The texts in which something may be contained, and the entry that a byte of them belongs to.
    pub(crate) fn texts(&self) -> &Texts {
        &self.texts
    }

    pub(crate) fn bytes(&self) -> usize {
        // A name is a pointer with a length to two counters and the text.
        let names: usize = self.names.iter().map(|name| name.as_str().len() + 32).sum();
        let rows = [
            &self.registry_types,
            &self.tags,
            &self.inner_tags,
            &self.profile_tags,
            &self.environments,
        ]
        .map(Rows::bytes);
        let texts = [&self.versions, &self.labels, &self.texts].map(Texts::bytes);
        names
            + self.traits.capacity() * size_of::<Traits>()
            + rows.iter().sum::<usize>()
            + texts.iter().sum::<usize>()
            + self.tools.bytes()
    }
}

// === impl Entry ===

impl<'a> Entry<'a> {
    /// Its name.
    pub fn name(&self) -> &'a ServerName {
        self.name
    }

    /// The version that is shown for it.
    pub fn version(&self) -> &'a str {
        self.docs.versions.get(self.doc)
    }

    /// Whether everybody may know of it.
    pub fn is_listed(&self) -> bool {
        self.traits.is_listed
    }

    /// How mature it is.
    pub fn lifecycle(&self) -> Lifecycle {
        self.traits.lifecycle
    }

    /// Where it runs.
    pub fn kind(&self) -> Kind {
        if self.traits.is_remote {
            Kind::Remote
        } else {
            Kind::Local
        }
    }

    /// The registries of its packages.
    pub fn registry_types(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.labels(&self.docs.registry_types)
    }

    /// Its tags, for everybody.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.labels(&self.docs.tags)
    }

    /// Its tags for who may discover it.
    pub fn inner_tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.labels(&self.docs.inner_tags)
    }

    /// Those of them that registries select by: its categories are left out.
    pub fn profile_tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.labels(&self.docs.profile_tags)
    }

    /// The environments in which it is served. Everybody may know of production, who may discover it of the others.
    pub fn environments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.labels(&self.docs.environments)
    }

    /// Its tools, for who may see them.
    pub fn tools(&self) -> impl Iterator<Item = (&'a str, &'a ToolAnnotations)> + use<'a> {
        let docs = self.docs;
        let tools = docs.tools.get(self.doc).iter();
        tools.map(|(name, annotations)| (docs.labels.get(*name), annotations))
    }

    fn labels(&self, rows: &'a Rows<u32>) -> impl Iterator<Item = &'a str> + use<'a> {
        let labels = &self.docs.labels;
        rows.get(self.doc).iter().map(|label| labels.get(*label))
    }

    /// The same entry, to be taken into another segment.
    pub(crate) fn described(&self) -> Described<'a> {
        Described {
            name: self.name,
            version: self.version(),
            traits: self.traits,
            registry_types: self.registry_types().collect(),
            tags: self.tags().collect(),
            inner_tags: self.inner_tags().collect(),
            profile_tags: self.profile_tags().collect(),
            environments: self.environments().collect(),
            tools: self
                .tools()
                .map(|(name, annotations)| (name, *annotations))
                .collect(),
            texts: self.docs.texts.get(self.doc),
        }
    }
}
