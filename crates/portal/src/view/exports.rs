//! The page of allow-lists: one section for each format.

use askama::Template;
use portreeve_core::name::RegistryName;
use portreeve_registry::ExportFile;

use crate::view::shell::Shell;

/// Longest file that is shown on the page; a longer one can be downloaded.
const SHOWN_BYTES: usize = 32 * 1024;

/// A format and its file.
#[derive(Debug, Clone)]
pub(crate) struct ExportView {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) file: &'static str,
    pub(crate) purpose: String,
    /// The file, unless it is long.
    pub(crate) text: Option<String>,
    /// What hosts will refuse although it is approved.
    pub(crate) left_out: Vec<MissingView>,
}

/// An approved version that a format has no words for.
#[derive(Debug, Clone)]
pub(crate) struct MissingView {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) reason: &'static str,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "exports.html")]
pub(crate) struct ExportsPage {
    shell: Shell,
    files: Vec<ExportView>,
    /// What stands behind the addresses of files of a registry that is not the default one.
    query: String,
}

impl ExportsPage {
    pub(crate) fn new(shell: Shell, files: &[ExportFile], of: Option<&RegistryName>) -> Self {
        Self {
            shell,
            files: files.iter().map(ExportView::new).collect(),
            query: of.map(|name| format!("?registry={name}")).unwrap_or_default(),
        }
    }
}

impl ExportView {
    fn new(file: &ExportFile) -> Self {
        let missing = file.left_out.iter().map(|left_out| MissingView {
            name: left_out.name.clone(),
            version: left_out.version.clone(),
            reason: left_out.reason,
        });
        Self {
            id: file.format.id,
            title: file.format.title,
            file: file.format.file,
            // The command line sets code in backticks; a page has no need to.
            purpose: file.format.purpose.replace('`', ""),
            text: Some(file.text.clone()).filter(|text| text.len() <= SHOWN_BYTES),
            left_out: missing.collect(),
        }
    }
}
