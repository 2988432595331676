//! What the registry shows of a partner's server: what the catalogue says, what is so today, and whether it is here already.

use std::sync::Arc;

use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::partner::HealthState;
use portreeve_core::time::Timestamp;
use portreeve_mcp::server_json;
use serde_json::{Map, Value};

use super::super::catalogue::{Listed, ListedServer};
use super::super::category::Category;
use super::super::tier::{Standing, Tier};

/// A server of a partner, as it is listed here.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// All that the catalogue says of its partner: title, summary, icon, links, evidence.
    pub about: Arc<Listed>,
    /// The partner's short name.
    pub partner: String,
    /// What the server's file is called; unique within the partner.
    pub name: String,
    /// The name that its entry gets: that of its `server.json`.
    pub server: String,
    /// The version of its `server.json`.
    pub version: String,
    /// The name that people read: the server's own, or the partner's.
    pub title: String,
    /// One line: the server's own description, or the partner's summary.
    pub summary: String,
    /// How far the partner is vouched for today; `is_expired`: the verdict was more, and is too old.
    pub standing: Standing,
    /// Whether it is shown, and whether it may be called.
    pub state: ListingState,
    /// How it was found when it was looked at last; nothing: nobody looked yet.
    pub health: Option<ListingHealth>,
    /// What whoever registers it fills in.
    pub variables: Vec<Variable>,
    /// Whether it is registered here, as far as the caller may know.
    pub registered: Option<RegisteredHere>,
    /// SHA-256 over all that the partner says.
    pub content_hash: String,
    /// The version of the catalogue that lists it; 0: the one that the program carries.
    pub catalogue_version: u64,
}

/// Whether a server is shown, and whether it may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingState {
    /// Everybody sees it.
    Listed,
    /// Only who has it sees it.
    Delisted {
        /// Why.
        reason: String,
    },
    /// Nobody may call it.
    Revoked {
        /// Why.
        reason: String,
    },
}

/// How a server was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingHealth {
    /// How it was.
    pub state: HealthState,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it was looked at last.
    pub checked_at: Timestamp,
    /// What was found; empty where it is healthy.
    pub detail: String,
}

/// Something that whoever registers a server fills in: a variable of its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// What it is when nobody says otherwise.
    pub default: Option<String>,
    /// What it may be; empty: anything.
    pub choices: Vec<String>,
    /// Whether somebody must fill it in.
    pub is_required: bool,
}

/// A server's entry here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredHere {
    /// The entry.
    pub server: ServerName,
    /// The version that was made of it.
    pub version: VersionText,
    /// The version of the catalogue that it was made of.
    pub catalogue_version: u64,
    /// The key that signed that catalogue; none: it came with the program.
    pub signed_by: Option<String>,
    /// SHA-256 of what the partner said then.
    pub content_hash: String,
    /// When.
    pub registered_at: Timestamp,
    /// Whether the catalogue has another document now. Nothing changes until somebody asks for it.
    pub update_available: bool,
    /// Whether the key of the catalogue that it was made of may still sign.
    pub catalogue_trusted: bool,
}

/// Which listings are asked for. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnersQuery {
    /// Words; every one stands somewhere in names, titles, texts, tags or use cases.
    pub search: Option<String>,
    /// What it is about.
    pub category: Option<Category>,
    /// At least this tier.
    pub tier: Option<Tier>,
    /// Whether it is finished.
    pub preview: Option<bool>,
    /// Whether it is registered here.
    pub registered: Option<bool>,
}

// === impl Listing ===

impl Listing {
    /// The server's file in the catalogue.
    pub fn listed(&self) -> Option<&ListedServer> {
        self.about.servers.iter().find(|one| one.name == self.name)
    }

    /// Its `server.json`, with its variables.
    pub fn document(&self) -> Option<&Map<String, Value>> {
        self.listed().map(|one| &one.document)
    }

    /// Whether it is not finished yet.
    pub fn is_preview(&self) -> bool {
        self.about.partner.preview
    }

    /// Whether it is shown first.
    pub fn is_featured(&self) -> bool {
        self.about.partner.featured
    }

    /// Whether the question is about it.
    pub(super) fn answers(&self, query: &PartnersQuery, words: &[String]) -> bool {
        let partner = &self.about.partner;
        query.category.is_none_or(|one| partner.categories.contains(&one))
            && query.tier.is_none_or(|least| self.standing.tier >= least)
            && query.preview.is_none_or(|preview| partner.preview == preview)
            && query
                .registered
                .is_none_or(|here| self.registered.is_some() == here)
            && (words.is_empty() || {
                let text = self.text();
                words.iter().all(|word| text.contains(word))
            })
    }

    /// Everything by which it is found, in lower case.
    fn text(&self) -> String {
        let partner = &self.about.partner;
        let mut text = [
            self.partner.as_str(),
            &self.name,
            &self.server,
            &self.title,
            &self.summary,
            &partner.title,
            &partner.summary,
            &partner.description,
        ]
        .join("\n");
        let uses = partner.use_cases.iter().map(|one| one.name.as_str());
        let categories = partner.categories.iter().map(|one| one.as_str());
        for more in partner
            .tags
            .iter()
            .map(String::as_str)
            .chain(uses)
            .chain(categories)
        {
            text.push('\n');
            text.push_str(more);
        }
        text.to_lowercase()
    }
}

// === impl ListingState ===

impl ListingState {
    /// Its word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Delisted { .. } => "delisted",
            Self::Revoked { .. } => "revoked",
        }
    }

    /// Why it is not listed.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Listed => None,
            Self::Delisted { reason } | Self::Revoked { reason } => Some(reason),
        }
    }
}

/// What whoever registers a document fills in: the variables of all its addresses, each once.
pub(super) fn variables(document: &Map<String, Value>) -> Vec<Variable> {
    let remotes = document.get("remotes").and_then(Value::as_array);
    let mut found: Vec<Variable> = Vec::new();
    for remote in remotes.into_iter().flatten() {
        let url = remote.get("url").and_then(Value::as_str).unwrap_or_default();
        for name in server_json::placeholders(url) {
            if found.iter().any(|one| one.name == name) {
                continue;
            }
            let said = remote.get("variables").and_then(|all| all.get(name));
            found.push(variable(name, said));
        }
    }
    // What has a value is not asked for.
    found.retain(|one| !fixed(document, &one.name));
    found
}

fn variable(name: &str, said: Option<&Value>) -> Variable {
    let text = |field: &str| said?.get(field)?.as_str().map(str::to_owned);
    let default = text("default");
    let choices = said
        .and_then(|said| said.get("choices"))
        .and_then(Value::as_array);
    let choices = choices.into_iter().flatten().filter_map(Value::as_str);
    Variable {
        name: name.to_owned(),
        description: text("description"),
        choices: choices.map(str::to_owned).collect(),
        // An address with a hole is none, whatever the document says of it.
        is_required: default.is_none(),
        default,
    }
}

/// The value that the document itself gives a variable.
pub(super) fn value_of(document: &Map<String, Value>, name: &str) -> Option<String> {
    let remotes = document.get("remotes")?.as_array()?;
    let mut values = remotes
        .iter()
        .filter_map(|remote| remote.get("variables")?.get(name)?.get("value")?.as_str());
    values.next().map(str::to_owned)
}

fn fixed(document: &Map<String, Value>, name: &str) -> bool {
    value_of(document, name).is_some()
}
