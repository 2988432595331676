//! Approved to enforced: the files that an enterprise deploys so that hosts use what is approved, and nothing else.
//!
//! Before: `serve`, whose anonymous view says what is approved. After: device management puts the file onto machines. To
//! add a format: one file, and one line in `FORMATS`.

mod allow_list;

mod api_center;
mod claude_code_managed;
mod claude_code_settings;
mod copilot;
mod kiro;
mod marketplace;
mod vscode;

use std::sync::Arc;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::name::RegistryName;
use portreeve_core::view::Selection;
use serde_json::Value;

use crate::error::RegistryError;
use crate::install::Door;
use crate::kept::Kept;
use crate::registry::Registry;
use crate::serve::{ListParams, Served};
use crate::views::View;
pub(crate) use api_center::{Named, template};

/// The formats, in the order in which they are shown.
const FORMATS: [&dyn Export; 7] = [
    &copilot::Copilot,
    &claude_code_settings::ClaudeCodeSettings,
    &claude_code_managed::ClaudeCodeManaged,
    &vscode::VsCode,
    &kiro::Kiro,
    &marketplace::Marketplace,
    &api_center::ApiCenter,
];

/// Why a version is left out of most formats.
const NO_WAY: &str = "nothing serves it, and it has no package that a host can run";
/// Versions that are read at once.
const PAGE: usize = 100;

/// A format.
trait Export: Send + Sync {
    /// What it is.
    fn format(&self) -> Format;

    /// Begins a file for a registry.
    fn begin(&self, about: &About) -> Box<dyn Writing>;
}

/// A file while it is written: versions come one after the other, by name, so that nobody has to hold them all.
trait Writing: Send {
    /// The next version that is approved and not retired.
    fn take(&mut self, served: &Served);

    /// The file.
    fn finish(self: Box<Self>) -> Written;
}

/// The registry that a file is about, as hosts are given it.
struct About {
    /// The public origin.
    origin: String,
    /// What its API's path is appended to.
    base: String,
    /// Its name.
    name: RegistryName,
    /// How the gateway's routes are entered.
    doors: Vec<Door>,
}

/// The files of registries as they were made last, each for what the registry selected then.
pub(crate) type KeptExports = Kept<(RegistryName, Selection), Vec<ExportFile>>;

/// What a format is, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Its name in the API and on the command line.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The file's name.
    pub file: &'static str,
    /// What to do with it.
    pub purpose: &'static str,
}

/// A file to deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Its format.
    pub format: Format,
    /// Its content, JSON.
    pub text: String,
    /// What is approved and cannot be said in this format, so that the host refuses it.
    pub left_out: Vec<LeftOut>,
}

/// An approved version that a format has no words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The server.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Why, as a sentence.
    pub reason: &'static str,
}

/// What a format wrote.
struct Written {
    document: Value,
    left_out: Vec<LeftOut>,
}

// === impl Registry ===

impl Registry {
    /// Every format, as a file of what a registry approves now: of the one named, or the default one.
    pub async fn exports(
        &self,
        caller: &Caller,
        registry: Option<&RegistryName>,
    ) -> Result<Arc<Vec<ExportFile>>, RegistryError> {
        let known = Some(caller).filter(|caller| caller.principal != Principal::Anonymous);
        let view = self.view(registry, known)?;
        let key = (view.name().clone(), view.selection().clone());
        self.exports
            .get(self, key, async || self.written(&view).await)
            .await
    }

    /// One format.
    pub async fn export(
        &self,
        caller: &Caller,
        id: &str,
        registry: Option<&RegistryName>,
    ) -> Result<ExportFile, RegistryError> {
        let all = self.exports(caller, registry).await?;
        let found = all.iter().find(|file| file.format.id == id);
        found.cloned().ok_or_else(|| RegistryError::NotFound {
            what: format!("export format `{}`", id.chars().take(60).collect::<String>()),
        })
    }

    /// Writes all files in one walk through the registry.
    async fn written(&self, view: &View) -> Result<Vec<ExportFile>, RegistryError> {
        let about = self.about(view.name()).await?;
        let mut files: Vec<_> = FORMATS
            .iter()
            .map(|export| (export.format(), export.begin(&about)))
            .collect();
        let mut params = ListParams {
            limit: Some(PAGE.to_string()),
            ..ListParams::default()
        };
        loop {
            let page = self.serve_list_in(view, &params).await?;
            for served in &page.servers {
                for (_, file) in &mut files {
                    file.take(served);
                }
            }
            params.cursor = page.metadata.next_cursor;
            if params.cursor.is_none() {
                break;
            }
        }
        Ok(files
            .into_iter()
            .map(|(format, file)| made(format, file))
            .collect())
    }

    async fn about(&self, name: &RegistryName) -> Result<About, RegistryError> {
        let origin = self.parts.public_url.as_str().trim_end_matches('/').to_owned();
        let routes = self.parts.routes.routes().await?;
        Ok(About {
            base: self.gallery(name),
            origin,
            name: name.clone(),
            doors: self.doors(&routes),
        })
    }
}

// === impl About ===

impl About {
    /// What its marketplace is called.
    fn marketplace(&self) -> String {
        if self.name == RegistryName::main() {
            "portreeve".to_owned()
        } else {
            format!("portreeve-{}", self.name)
        }
    }
}

fn made(format: Format, file: Box<dyn Writing>) -> ExportFile {
    let Written { document, left_out } = file.finish();
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    ExportFile {
        format,
        text,
        left_out,
    }
}

// === impl LeftOut ===

impl LeftOut {
    fn new(served: &Served, reason: &'static str) -> Self {
        Self {
            name: served.server.text("name").unwrap_or_default(),
            version: served.server.text("version").unwrap_or_default(),
            reason,
        }
    }
}
