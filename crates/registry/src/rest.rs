//! A REST API as a server: the tools that were made of its description are kept, a version names them, and approving it
//! pins them from there. Importing a newer description makes a newer version; nothing that is served changes until
//! somebody approves that.
//!
//! Before: `import::openapi` made tools. After: `approve`, like every version.

mod draft;
mod fetch;
mod making;

mod source;
mod vanished;
mod version;

mod purge;

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{Entry, Toolset};
use portreeve_core::rest::{Bindings, RestMark};
use portreeve_core::route::RouteState;
use portreeve_core::server::Version;
use serde::{Deserialize, Serialize};
use url::Url;

pub use draft::RestDraft;
pub use purge::PurgeJob;
pub use source::RestSource;

use crate::error::RegistryError;
use crate::import::openapi::{Change, Curation, Imported, MadeTool, Report, Side, compare, compare_offers};
use crate::publish::{Approve, Internal, Outcome, Submission};
use crate::registry::Registry;
use crate::settle::production;

/// The description of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// Its text, JSON or YAML, all of its files in one.
    Text(String),
    /// Where it is. Read through the egress guard, with the files beside it that it refers to.
    Url(Url),
    /// An API of GraphQL, which is asked for its schema. One that does not tell it may lie there as a file.
    GraphQl(Url),
    /// The one that was kept with a version of the server: that one, or else the one that is served, or the newest.
    Kept(Option<VersionText>),
    /// That of a draft, by the draft's name.
    Draft(String),
}

/// A REST API on its way to become a server, or a new version of one.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRest {
    /// The server.
    pub name: ServerName,
    /// What the API says about itself.
    pub description: Description,
    /// Where the API is, if not where its description says.
    pub base_url: Option<String>,
    /// The version; that of the description unless it is given, and the next free one if that exists already.
    pub version: Option<VersionText>,
    /// What people read about the server; what the description says unless it is given.
    pub about: Option<String>,
    /// People's choices.
    pub curation: Curation,
    /// Whether private hosts are granted: that of the API to the entry, that of the description to this import.
    pub internal: Internal,
    /// Whether the version is approved at once.
    pub approve: Approve,
}

/// What an import would do.
#[derive(Debug, Clone, PartialEq)]
pub struct RestPreview {
    /// The version that it would make.
    pub version: VersionText,
    /// What became of each operation.
    pub report: Report,
    /// The tools, by name.
    pub tools: Vec<MadeTool>,
    /// How they are called; the resources and the prompts.
    pub bindings: Bindings,
    /// The version that the tools are compared with: the one that is served, or else the newest one.
    pub compared_with: Option<VersionText>,
    /// What is different.
    pub changes: Vec<Change>,
    /// Tools of that version whose operations the description does not have any more.
    pub vanished: Vec<String>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq)]
pub struct RestOutcome {
    /// What was made.
    pub preview: RestPreview,
    /// What became of the version.
    pub outcome: Outcome,
}

/// A version that is a REST API, as it was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct RestView {
    /// The version.
    pub version: VersionText,
    /// The digest of its tools.
    pub digest: String,
    /// What is known of them.
    pub details: RestDetails,
    /// How they are called; the resources and the prompts.
    pub bindings: Bindings,
    /// Tools whose operations a newer description does not have any more.
    pub vanished: Vec<String>,
}

/// What is kept of an import beside the bindings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestDetails {
    /// What became of each operation.
    pub report: Report,
    /// People's choices.
    pub curation: Curation,
    /// The tools, by name.
    pub tools: Vec<MadeTool>,
    /// Where the description was read, if it was read by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Url>,
    /// Where somebody said that the API is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
}

/// The version that an import is compared with.
struct Known {
    version: VersionText,
    toolset: Toolset,
    tools: Vec<MadeTool>,
    bindings: Bindings,
    /// Where its API is.
    base_url: String,
}

// === impl Known ===

impl<'a> From<&'a Known> for Side<'a> {
    fn from(known: &'a Known) -> Self {
        Self {
            tools: &known.tools,
            bindings: &known.bindings,
            base_url: &known.base_url,
        }
    }
}

// === impl Registry ===

impl Registry {
    /// What an import would do. Nothing is saved.
    pub async fn preview_rest(&self, caller: &Caller, new: &NewRest) -> Result<RestPreview, RegistryError> {
        self.require_publish(caller, &new.name)?;
        let made = self.make(caller, new).await?;
        let entry = self.parts.entries.entry(&new.name).await?;
        let known = self.known_toolset(entry.as_ref()).await?;
        preview(new, made.imported, entry.as_ref(), known.as_ref())
    }

    /// Makes a version of a REST API. It waits for an approver, unless it is approved at once.
    pub async fn import_rest(&self, caller: &Caller, new: NewRest) -> Result<RestOutcome, RegistryError> {
        self.require_publish(caller, &new.name)?;
        if new.approve == Approve::Now {
            self.require_to(caller, Action::Approve, &new.name)?;
        }
        let made = self.make(caller, &new).await?;
        let new = NewRest {
            about: new.about.clone().or_else(|| made.about()),
            ..new
        };
        if made.imported.bindings.is_empty() {
            return Err(RegistryError::invalid(
                "document",
                "no operation of it becomes a tool or a resource; a preview says what became of each",
            ));
        }
        let entry = self.parts.entries.entry(&new.name).await?;
        let known = self.known_toolset(entry.as_ref()).await?;
        let toolset = self.toolset_from(&new, &made)?;
        let is_same = known
            .as_ref()
            .is_some_and(|known| known.toolset.digest == toolset.digest);
        if is_same && new.version.is_none() {
            return Err(RegistryError::State {
                what: format!("the tools of `{}` are those that it has already", new.name),
                hint: "name a version to make one of the same tools all the same",
            });
        }
        let mark = RestMark {
            base_url: made.imported.report.base_url.clone(),
            toolset: toolset.digest.clone(),
        };
        let preview = preview(&new, made.imported, entry.as_ref(), known.as_ref())?;
        let document = version::document(&new, &preview, &mark);
        self.parts.toolsets.keep_toolset(&toolset).await?;
        let submission = Submission {
            document,
            internal: new.internal,
            approve: new.approve,
        };
        let outcome = self.add(caller, submission).await?;
        if let (Some(entry), Some(known)) = (&entry, &known)
            && !is_same
        {
            self.note_vanished(caller, entry, known, &preview).await?;
        }
        Ok(RestOutcome { preview, outcome })
    }

    /// A version of a server as it was imported: the one named, or else the one that is served, or the newest one.
    pub async fn rest(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
    ) -> Result<RestView, RegistryError> {
        let (version, toolset) = self.kept(caller, name, version).await?;
        Ok(RestView {
            version: version.version,
            details: details(&toolset)?,
            bindings: bindings(&toolset)?,
            digest: toolset.digest,
            vanished: toolset.vanished,
        })
    }

    /// What is kept of a version: the one named, or else the one that is served, or the newest one.
    async fn kept(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
    ) -> Result<(Version, Toolset), RegistryError> {
        self.require_see(caller, name)?;
        let entry = self.load(name).await?;
        let chosen = match version {
            Some(version) => Some(crate::publish::find(&entry, version)?),
            None => marked(&entry),
        };
        let mark = chosen.and_then(|version| Some((version, RestMark::of(&version.document)?)));
        let Some((version, mark)) = mark else {
            return Err(RegistryError::State {
                what: format!("`{name}` is no REST API"),
                hint: "only what was imported from a description of an API has one to show",
            });
        };
        let toolset = self.parts.toolsets.toolset(&mark.toolset).await?;
        let toolset = toolset.ok_or_else(|| RegistryError::NotFound {
            what: format!("the toolset of version `{}` of `{name}`", version.version),
        })?;
        Ok((version.clone(), toolset))
    }

    /// What is different between the tools of two versions of a REST API; nothing where one of them is none.
    pub(crate) async fn tool_changes(
        &self,
        from: &Version,
        to: &Version,
    ) -> Result<Option<Vec<Change>>, RegistryError> {
        let (Some(from), Some(to)) = (self.toolset_of(from).await?, self.toolset_of(to).await?) else {
            return Ok(None);
        };
        Ok(Some(differences(&from, &to)))
    }

    /// What an entry's tools were made into last: of the version that is served, or else of the newest one.
    async fn known_toolset(&self, entry: Option<&Entry>) -> Result<Option<Known>, RegistryError> {
        match entry.and_then(marked) {
            Some(version) => self.toolset_of(version).await,
            None => Ok(None),
        }
    }

    /// What is kept of the tools of a version; nothing if it is no REST API.
    async fn toolset_of(&self, version: &Version) -> Result<Option<Known>, RegistryError> {
        let Some(mark) = RestMark::of(&version.document) else {
            return Ok(None);
        };
        let Some(toolset) = self.parts.toolsets.toolset(&mark.toolset).await? else {
            return Ok(None);
        };
        let details = details(&toolset)?;
        Ok(Some(Known {
            version: version.version.clone(),
            tools: details.tools,
            base_url: details.report.base_url,
            bindings: bindings(&toolset)?,
            toolset,
        }))
    }
}

/// What is different between two sets of tools, with the resources and prompts beside them. What matters most comes first.
fn differences<'a>(before: impl Into<Side<'a>>, after: impl Into<Side<'a>>) -> Vec<Change> {
    let (before, after) = (before.into(), after.into());
    let mut changes = compare(before, after);
    changes.extend(compare_offers(before.bindings, after.bindings));
    changes.sort_by_key(|change| change.kind);
    changes
}

/// The version of a REST API that people have in mind: the one that is served, or the newest.
fn marked(entry: &Entry) -> Option<&Version> {
    let is_marked = |version: &&Version| RestMark::of(&version.document).is_some();
    let served = production(&entry.routes).filter(|route| route.state == RouteState::Active);
    let served = served.and_then(|route| {
        entry
            .versions
            .iter()
            .find(|version| version.version == route.version)
    });
    served
        .filter(is_marked)
        .or_else(|| entry.versions.iter().find(is_marked))
}

fn details(toolset: &Toolset) -> Result<RestDetails, RegistryError> {
    serde_json::from_str(&toolset.details).map_err(|error| RegistryError::State {
        what: format!("what is kept of the import cannot be read: {error}"),
        hint: "import the description again",
    })
}

fn bindings(toolset: &Toolset) -> Result<Bindings, RegistryError> {
    Bindings::read(&toolset.bindings).map_err(|error| RegistryError::State {
        what: error.to_string(),
        hint: "import the description again",
    })
}

fn preview(
    new: &NewRest,
    imported: Imported,
    entry: Option<&Entry>,
    known: Option<&Known>,
) -> Result<RestPreview, RegistryError> {
    let version = version::choose(new, &imported.report, entry)?;
    let vanished = known
        .map(|known| vanished::among(&known.tools, &imported.report))
        .unwrap_or_default();
    Ok(RestPreview {
        version,
        changes: known
            .map(|known| differences(known, &imported))
            .unwrap_or_default(),
        compared_with: known.map(|known| known.version.clone()),
        vanished,
        report: imported.report,
        tools: imported.tools,
        bindings: imported.bindings,
    })
}
