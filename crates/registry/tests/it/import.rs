//! Imports: what each form of source becomes (`forms`), what a run and a second look at it change (`runs`), what its rule
//! approves (`rules`), what a source says afterwards (`follow`), and how a registry is read (`fetch`).

mod fetch;
mod follow;
mod forms;
mod rules;
mod runs;

use std::path::{Path, PathBuf};

/// A file of the corpus; `None` where there is none.
pub(crate) fn corpus(file: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this variable says where the corpus is"
    )]
    let folder = std::env::var("PORTREEVE_TEST_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("registry").join(file)).ok();
    if text.is_none() {
        #[expect(clippy::print_stdout, reason = "the stage summary shows what did not run")]
        {
            println!("not run: no corpus");
        }
    }
    text
}
