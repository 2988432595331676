//! Approved to enforced: the files that an enterprise deploys so that hosts use what is approved, and nothing else.
//!
//! Before: `serve`, whose anonymous view says what is approved. After: device management puts the file onto machines. To
//! add a format: one file, and one line in `FORMATS`.

mod api_center;
mod claude_code_managed;
mod claude_code_settings;
mod copilot;
mod kiro;
mod vscode;

use std::collections::HashSet;

use portreeve_core::caller::Caller;
use serde_json::{Value, json};
use url::Url;

use crate::error::RegistryError;
use crate::install::{Launch, Piece, Setup, Words};
use crate::registry::Registry;
use crate::serve::{ListParams, Served};

/// The formats, in the order in which they are shown.
const FORMATS: [&dyn Export; 6] = [
    &copilot::Copilot,
    &claude_code_settings::ClaudeCodeSettings,
    &claude_code_managed::ClaudeCodeManaged,
    &vscode::VsCode,
    &kiro::Kiro,
    &api_center::ApiCenter,
];

/// Most versions that a file is made of. What enterprises approve one by one is far below.
const VERSIONS: usize = 10_000;

/// A format.
trait Export: Send + Sync {
    /// What it is.
    fn format(&self) -> Format;

    /// The file for this register.
    fn write(&self, register: &Register) -> Written;
}

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

/// Everything that is approved and not retired.
struct Register {
    public_url: Url,
    versions: Vec<Served>,
}

// === impl Registry ===

impl Registry {
    /// Every format, as a file of what the caller's registry approves now.
    pub async fn exports(&self, caller: &Caller) -> Result<Vec<ExportFile>, RegistryError> {
        let register = self.register(caller).await?;
        Ok(FORMATS.iter().map(|export| made(*export, &register)).collect())
    }

    /// One format.
    pub async fn export(&self, caller: &Caller, id: &str) -> Result<ExportFile, RegistryError> {
        let export = FORMATS.iter().find(|export| export.format().id == id);
        let export = export.ok_or_else(|| RegistryError::NotFound {
            what: format!("export format `{id}`"),
        })?;
        Ok(made(*export, &self.register(caller).await?))
    }

    async fn register(&self, caller: &Caller) -> Result<Register, RegistryError> {
        let view = self.main_view(caller)?;
        let mut params = ListParams {
            limit: Some("100".to_owned()),
            ..ListParams::default()
        };
        let mut versions = Vec::new();
        loop {
            let page = self.serve_list_in(&view, &params).await?;
            versions.extend(page.servers);
            params.cursor = page.metadata.next_cursor;
            if params.cursor.is_none() {
                break;
            }
            if versions.len() > VERSIONS {
                // Half an allow-list would block what is approved, in silence.
                return Err(RegistryError::State {
                    what: format!("more than {VERSIONS} versions are approved, too many for one file"),
                    hint: "retire versions that nobody should use any more",
                });
            }
        }
        Ok(Register {
            public_url: self.parts.public_url.clone(),
            versions,
        })
    }
}

fn made(export: &dyn Export, register: &Register) -> ExportFile {
    let Written { document, left_out } = export.write(register);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    ExportFile {
        format: export.format(),
        text,
        left_out,
    }
}

// === impl Register ===

impl Register {
    /// The latest version of each server.
    fn latest(&self) -> impl Iterator<Item = &Served> {
        self.versions
            .iter()
            .filter(|served| served.meta.official.is_latest)
    }

    /// The public origin, as hosts are given it.
    fn origin(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }
}

impl LeftOut {
    fn new(served: &Served, reason: &'static str) -> Self {
        Self {
            name: served.server.text("name").unwrap_or_default(),
            version: served.server.text("version").unwrap_or_default(),
            reason,
        }
    }
}

// === shared by the formats ===

const NO_WAY: &str = "nothing serves it, and it has no package that a host can run";
const ASKS: &str = "its command holds what each person is asked for, and a list can only name exact commands";

/// The allow-list that Copilot and Claude Code share: endpoints of the gateway, and exact commands.
fn allow_list(register: &Register) -> (Vec<Value>, Vec<LeftOut>) {
    let (mut allowed, mut left_out, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    for served in &register.versions {
        let setups = Setup::all(&served.server.to_map());
        if setups.is_empty() {
            left_out.push(LeftOut::new(served, NO_WAY));
        }
        for setup in &setups {
            match allowance(setup) {
                // Several versions may be started alike, or served by one route in the end.
                Some(entry) if known.insert(entry.to_string()) => allowed.push(entry),
                Some(_) => {}
                None => left_out.push(LeftOut::new(served, ASKS)),
            }
        }
    }
    (allowed, left_out)
}

fn allowance(setup: &Setup) -> Option<Value> {
    match &setup.launch {
        Launch::Http { url, .. } => Some(json!({"serverUrl": url})),
        Launch::Stdio { command, args, .. } => {
            let exact = |words: &Words| words.0.iter().all(|piece| matches!(piece, Piece::Text(_)));
            if !args.iter().all(exact) {
                return None;
            }
            let mut words = vec![command.clone()];
            words.extend(args.iter().map(|word| word.render(&[], |_| String::new())));
            Some(json!({"serverCommand": words}))
        }
    }
}
