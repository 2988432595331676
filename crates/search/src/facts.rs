//! What of an entry is searched: its fields with their worth, and the marks by which results are filtered.
//!
//! Before: the registry read an entry. After: `segment` takes its terms in.

use std::collections::HashMap;

use portreeve_core::ports::Searchable;
use portreeve_core::profile::Profile;
use portreeve_mcp::server_json::PUBLISHER_META;
use serde_json::{Map, Value};

use super::words::{folded, runs, term, words};

/// Texts that are taken in from one list of a document.
const MOST_TEXTS: usize = 200;
/// Tags of one entry.
const MOST_TAGS: usize = 30;
/// Terms of one entry.
const MOST_TERMS: usize = 600;

/// What an entry is found by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    /// The terms with their worth.
    pub(crate) terms: Vec<Worth>,
    /// The terms of what people say about it beside the document.
    pub(crate) inner: Vec<Worth>,
    /// Tags and categories, in lower case.
    pub(crate) tags: Vec<String>,
    /// Tags and categories that people gave it beside the document.
    pub(crate) inner_tags: Vec<String>,
    /// Whether it runs somewhere for everyone.
    pub(crate) is_remote: bool,
    /// The registries of its packages.
    pub(crate) registry_types: Vec<String>,
}

/// A term of an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worth {
    pub(crate) term: String,
    /// How the entry writes it.
    pub(crate) word: String,
    pub(crate) worth: u16,
}

/// How much a term is worth where it stands.
#[derive(Debug, Clone, Copy)]
enum Field {
    Name,
    Title,
    Tag,
    UseCase,
    Description,
    Namespace,
}

// === impl Field ===

impl Field {
    const fn worth(self) -> u32 {
        match self {
            Self::Name => 120,
            Self::Title => 100,
            Self::Tag => 60,
            Self::UseCase => 40,
            Self::Description => 36,
            Self::Namespace => 24,
        }
    }

    /// In a long name each word says less of the whole.
    fn worth_of_one(self, count: usize) -> u32 {
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        match self {
            Self::Name | Self::Title => (self.worth() * 8) / (7 + count),
            _ => self.worth(),
        }
    }
}

// === impl Facts ===

impl Facts {
    pub(crate) fn read(entry: &Searchable) -> Self {
        let document: Value = serde_json::from_str(&entry.shown.document).unwrap_or_default();
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
        // A REST API, or what is deployed somewhere, has a remote of the gateway's and none of its own.
        let has = |key: &str| {
            let list = document.get(key).and_then(Value::as_array);
            list.is_some_and(|list| !list.is_empty())
        };
        let meta = document.get("_meta").and_then(Value::as_object);
        let lists = Lists::read(meta);
        let mut gathered = Gathered::default();
        gathered.take(Field::Name, entry.name.short());
        gathered.take_joined(entry.name.short());
        gathered.take(Field::Title, text("title"));
        gathered.take(Field::Description, text("description"));
        gathered.take(Field::Namespace, owner(entry.name.namespace()));
        for tag in &lists.tags {
            gathered.take(Field::Tag, tag);
        }
        for case in &lists.use_cases {
            gathered.take(Field::UseCase, case);
        }
        Self {
            terms: gathered.finish(),
            inner: of_profile(&entry.profile),
            tags: lists.tags,
            inner_tags: [&entry.profile.tags[..], &entry.profile.categories[..]].concat(),
            is_remote: has("remotes") || !has("packages"),
            registry_types: registry_types(&document),
        }
    }
}

fn of_profile(profile: &Profile) -> Vec<Worth> {
    let mut gathered = Gathered::default();
    for tag in profile.tags.iter().chain(&profile.categories) {
        gathered.take(Field::Tag, tag);
    }
    for case in &profile.use_cases {
        gathered.take(Field::UseCase, &format!("{} {}", case.name, case.description));
    }
    gathered.take(Field::Description, profile.summary.as_deref().unwrap_or_default());
    gathered.finish()
}

/// `io.github.acme` says that `acme` made it; everybody's names begin with the rest.
fn owner(namespace: &str) -> &str {
    for common in ["io.github.", "com.github.", "io.gitlab.", "com.gitlab."] {
        if let Some(owner) = namespace.strip_prefix(common) {
            return owner;
        }
    }
    namespace.split_once('.').map_or(namespace, |(_, rest)| rest)
}

fn registry_types(document: &Value) -> Vec<String> {
    let packages = document.get("packages").and_then(Value::as_array);
    let mut types: Vec<String> = packages
        .into_iter()
        .flatten()
        .filter_map(|package| package.get("registryType").and_then(Value::as_str))
        .map(|kind| kind.chars().take(40).collect::<String>().to_lowercase())
        .collect();
    types.sort_unstable();
    types.dedup();
    types.truncate(MOST_TAGS);
    types
}

/// Terms while they are gathered.
#[derive(Default)]
struct Gathered(HashMap<String, (u32, String)>);

impl Gathered {
    fn take(&mut self, field: Field, text: &str) {
        let whole = runs(text);
        let worth = field.worth_of_one(whole.len());
        let parts = words(text);
        let mut here: HashMap<String, String> = HashMap::new();
        for word in whole.into_iter().chain(parts) {
            if self.0.len() + here.len() >= MOST_TERMS {
                break;
            }
            let written = folded(text.get(word.start..word.end).unwrap_or_default());
            here.entry(word.term).or_insert(written);
        }
        // A term that stands in several fields is worth all of them; within one, once.
        for (term, written) in here {
            self.note(term, written, worth);
        }
    }

    fn note(&mut self, term: String, written: String, worth: u32) {
        self.0.entry(term).or_insert((0, written)).0 += worth;
    }

    /// `brave-search` is found by `bravesearch`, too.
    fn take_joined(&mut self, name: &str) {
        let parts = runs(name);
        if parts.len() > 1 {
            let joined: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
            self.note(term(&joined), folded(&joined), Field::Name.worth());
        }
    }

    fn finish(self) -> Vec<Worth> {
        let mut terms: Vec<Worth> = self
            .0
            .into_iter()
            .map(|(term, (worth, word))| Worth {
                term,
                word,
                worth: u16::try_from(worth).unwrap_or(u16::MAX),
            })
            .collect();
        terms.sort_unstable();
        terms
    }
}

/// Tags and use cases, wherever a publisher or an importer put them.
#[derive(Default)]
struct Lists {
    tags: Vec<String>,
    use_cases: Vec<String>,
}

impl Lists {
    fn read(meta: Option<&Map<String, Value>>) -> Self {
        let mut lists = Self::default();
        if let Some(meta) = meta {
            for (key, value) in meta {
                if key == PUBLISHER_META || value.is_object() {
                    lists.descend(value, 3);
                }
            }
        }
        lists.tags.sort_unstable();
        lists.tags.dedup();
        lists.tags.truncate(MOST_TAGS);
        lists
    }

    fn descend(&mut self, value: &Value, depth: usize) {
        let Value::Object(object) = value else { return };
        for (key, value) in object {
            match key.as_str() {
                "tags" | "categories" | "category" | "topics" | "keywords" => {
                    let tags = texts(value).into_iter().flat_map(|text| {
                        text.split(',')
                            .map(|tag| tag.trim().to_lowercase())
                            .collect::<Vec<_>>()
                    });
                    let tags = tags.filter(|tag| !tag.is_empty() && tag.chars().count() <= 60);
                    self.tags.extend(tags.take(MOST_TAGS));
                }
                "useCases" | "use_cases" | "tools" | "overview" | "summary" => {
                    self.use_cases.extend(texts(value));
                }
                _ if depth > 0 => self.descend(value, depth - 1),
                _ => {}
            }
        }
        self.use_cases.truncate(MOST_TEXTS);
    }
}

/// A text, or a list of texts or of things with a name and a description.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .take(MOST_TEXTS)
            .filter_map(|item| match item {
                Value::String(text) => Some(text.clone()),
                Value::Object(thing) => {
                    let part = |key: &str| thing.get(key).and_then(Value::as_str).unwrap_or_default();
                    Some(format!("{} {}", part("name"), part("description")))
                }
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
