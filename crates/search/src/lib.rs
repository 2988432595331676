//! What people look for, in memory: entries cut into words, an index of them, and the order of what is found.
//!
//! Before: the registry read entries from the store. After: it shows a page of what was found. Nothing here waits, reads
//! or writes; an [`Index`] never changes, and what changes makes a new one that shares most of its parts.

mod words;

mod facts;

mod texts;

mod postings;

mod docs;

mod segment;

mod merge;

mod part;

mod index;

mod asked;

mod typo;

mod rank;

mod tally;

mod best;

mod facets;

mod marks;

pub use docs::Entry;
pub use facets::{Facet, Facets};
pub use index::{Index, Place};
pub use marks::{Mark, marks};
pub use merge::{Merge, Merged};
pub use rank::{Discovers, Exists, Hit, Inside, Kind, MOST_RANKED, Narrow, Question, Ranked, SeesTool, rank};
