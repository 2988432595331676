//! A description is read, from wherever it comes, and made into tools; what is kept of that is a toolset.
//!
//! Before: somebody asked for an import. After: `rest.rs` compares, keeps and makes a version.

use portreeve_core::caller::Caller;
use portreeve_core::ports::Toolset;
use url::Url;

use super::{Description, NewRest, RestDetails, details};
use crate::error::RegistryError;
use crate::import::openapi::{Imported, OpenApiError, Options, import_text};
use crate::registry::Registry;

/// What was made of a description.
pub(super) struct Made {
    pub(super) imported: Imported,
    /// The description as it is kept.
    pub(super) text: String,
    origin: Origin,
}

/// What a description does not say about itself.
struct Origin {
    /// Where it was read.
    source: Option<Url>,
    /// Where somebody said that the API is.
    base_url: Option<String>,
    /// What people read about the version that it was kept with.
    about: Option<String>,
}

// === impl Made ===

impl Made {
    /// What people read about the version before.
    pub(super) fn about(&self) -> Option<String> {
        self.origin.about.clone()
    }
}

// === impl Registry ===

impl Registry {
    /// Reads a description and makes its tools. Long work, so it is done beside the others.
    pub(super) async fn make(&self, caller: &Caller, new: &NewRest) -> Result<Made, RegistryError> {
        let (text, origin) = self.described(caller, new).await?;
        let (limits, curation) = (self.parts.limits.clone(), new.curation.clone());
        let work = tokio::task::spawn_blocking(move || {
            let options = Options {
                source: origin.source.as_ref(),
                base_url: origin.base_url.as_deref(),
                curation: &curation,
                limits: &limits,
            };
            import_text(&text, &options).map(|imported| Made {
                imported,
                text,
                origin,
            })
        });
        match work.await {
            Ok(made) => made.map_err(|error| {
                let field = match error {
                    OpenApiError::Prompts { .. } => "curation",
                    _ => "document",
                };
                RegistryError::invalid(field, error.to_string())
            }),
            Err(_) => Err(RegistryError::invalid(
                "document",
                "the description could not be worked through",
            )),
        }
    }

    async fn described(&self, caller: &Caller, new: &NewRest) -> Result<(String, Origin), RegistryError> {
        let mut origin = Origin {
            source: None,
            base_url: new.base_url.clone(),
            about: None,
        };
        let text = match &new.description {
            Description::Text(text) => text.clone(),
            Description::Url(url) => {
                origin.source = Some(url.clone());
                self.fetch_description(caller, url, new.internal).await?
            }
            Description::GraphQl(url) => {
                origin.base_url = origin.base_url.or_else(|| Some(url.to_string()));
                self.introspect(caller, url, new.internal).await?
            }
            Description::Draft(draft) => {
                let draft = self.draft(draft).await?;
                let known = details(&draft)?;
                origin.source = known.source;
                origin.base_url = origin.base_url.or(known.base_url);
                draft.document
            }
            Description::Kept(version) => {
                let (version, toolset) = self.kept(caller, &new.name, version.as_ref()).await?;
                let known = details(&toolset)?;
                origin.about = description_of(&version.document);
                origin.source = known.source;
                origin.base_url = origin.base_url.or(known.base_url);
                toolset.document
            }
        };
        Ok((text, origin))
    }

    pub(super) fn toolset_from(&self, new: &NewRest, made: &Made) -> Result<Toolset, RegistryError> {
        let unwritable =
            |error: &dyn std::fmt::Display| RegistryError::invalid("document", error.to_string());
        let bindings = made
            .imported
            .bindings
            .text()
            .map_err(|error| unwritable(&error))?;
        let limit = self.parts.limits.rest_bindings_bytes;
        let details = RestDetails {
            report: made.imported.report.clone(),
            curation: new.curation.clone(),
            tools: made.imported.tools.clone(),
            source: made.origin.source.clone(),
            base_url: made.origin.base_url.clone(),
        };
        let details = serde_json::to_string(&details).map_err(|error| unwritable(&error))?;
        if bindings.len() > limit || details.len() > limit {
            return Err(RegistryError::invalid(
                "document",
                format!("its tools take more than {limit} bytes: choose fewer of them"),
            ));
        }
        Ok(Toolset {
            digest: made.imported.digest().map_err(|error| unwritable(&error))?,
            bindings,
            details,
            document: made.text.clone(),
            vanished: Vec::new(),
            created_at: self.parts.clock.now(),
        })
    }
}

fn description_of(document: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(document).ok()?;
    document.get("description")?.as_str().map(str::to_owned)
}
