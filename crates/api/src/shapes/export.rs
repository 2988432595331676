//! Exports as they are listed.

use portreeve_registry::{ExportFile, LeftOut};
use serde::Serialize;
use utoipa::ToSchema;

/// A format of an allow-list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Export)]
pub(crate) struct ExportShape {
    /// Its name in paths and on the command line.
    name: &'static str,
    /// Its name for people.
    title: &'static str,
    /// The file's name.
    file: &'static str,
    /// What to do with the file.
    purpose: &'static str,
    /// What is approved and cannot be said in this format, so that hosts refuse it.
    left_out: Vec<LeftOutShape>,
}

/// An approved version that a format has no words for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftOut)]
struct LeftOutShape {
    name: String,
    version: String,
    /// Why, as a sentence.
    reason: &'static str,
}

impl From<ExportFile> for ExportShape {
    fn from(file: ExportFile) -> Self {
        let left_out = |LeftOut {
                            name,
                            version,
                            reason,
                        }| LeftOutShape {
            name,
            version,
            reason,
        };
        Self {
            name: file.format.id,
            title: file.format.title,
            file: file.format.file,
            purpose: file.format.purpose,
            left_out: file.left_out.into_iter().map(left_out).collect(),
        }
    }
}
