//! Results of a search: what was found, where it stands, and how results can be narrowed.

use portreeve_registry::{Facet, Found, Mark, SearchPage};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::server::ServerItem;

/// A page of results, best first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchResults)]
pub(crate) struct SearchShape {
    /// The results: one version of each server.
    items: Vec<FoundShape>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
    /// How many were found; no more than 1,000 are counted.
    found: usize,
    /// Whether there are more than that.
    more: bool,
    /// Words that nobody uses, with the word that was looked for instead.
    corrected: Vec<CorrectionShape>,
    /// The results counted by what they are, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<FacetsShape>,
}

/// A result.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchResult)]
pub(crate) struct FoundShape {
    #[serde(flatten)]
    server: ServerItem,
    /// Where what was looked for stands.
    marks: Vec<MarkShape>,
    /// Tools that were looked for by name.
    tools: Vec<String>,
}

/// A part of a text that was looked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchMark)]
pub(crate) struct MarkShape {
    /// `name`, `title` or `description`.
    field: &'static str,
    /// Where it begins, in characters.
    start: usize,
    /// How many characters it has.
    length: usize,
}

/// A word that was taken for a slip.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchCorrection)]
pub(crate) struct CorrectionShape {
    typed: String,
    meant: String,
}

/// Results counted by what they are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchFacets)]
pub(crate) struct FacetsShape {
    lifecycle: Vec<FacetShape>,
    /// `remote` or `local`.
    kind: Vec<FacetShape>,
    registry_types: Vec<FacetShape>,
    tags: Vec<FacetShape>,
    /// Those of which the caller may know.
    environments: Vec<FacetShape>,
}

/// A value and how many results have it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchFacet)]
pub(crate) struct FacetShape {
    value: String,
    count: usize,
}

// === impl SearchShape ===

impl SearchShape {
    pub(crate) fn new(page: SearchPage, public_url: &Url) -> Self {
        Self {
            items: page
                .items
                .into_iter()
                .map(|found| FoundShape::new(found, public_url))
                .collect(),
            next_cursor: page.next_cursor,
            found: page.found,
            more: page.more,
            corrected: page
                .corrected
                .into_iter()
                .map(|(typed, meant)| CorrectionShape { typed, meant })
                .collect(),
            facets: page.facets.map(|facets| FacetsShape {
                lifecycle: shapes(facets.lifecycle),
                kind: shapes(facets.kind),
                registry_types: shapes(facets.registry_types),
                tags: shapes(facets.tags),
                environments: shapes(facets.environments),
            }),
        }
    }
}

impl FoundShape {
    fn new(found: Found, public_url: &Url) -> Self {
        let mark = |Mark { field, start, length }| MarkShape { field, start, length };
        Self {
            server: ServerItem::new(&found.listed, public_url),
            marks: found.marks.into_iter().map(mark).collect(),
            tools: found.tools,
        }
    }
}

fn shapes(facets: Vec<Facet>) -> Vec<FacetShape> {
    facets
        .into_iter()
        .map(|Facet { value, count }| FacetShape { value, count })
        .collect()
}
