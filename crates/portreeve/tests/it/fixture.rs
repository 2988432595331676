//! The test server of the conformance suite as a process of its own, in one revision: a server by somebody else's hand.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::node::binary;

/// The running server. Killed when dropped.
pub(crate) struct Fixture {
    child: Child,
    /// Its endpoint; in 2024-11-05 the place of its stream.
    pub(crate) url: String,
}

/// The program, which cargo puts beside the binary when it builds the whole workspace.
fn program() -> PathBuf {
    Path::new(binary()).with_file_name("portreeve-fixture")
}

impl Fixture {
    /// Starts one with these flags. `None` where the program was not built.
    ///
    /// The stage that runs the tests says in the environment whether that is a failure.
    pub(crate) fn start(flags: &[&str]) -> Option<Self> {
        if !program().exists() {
            println!("not run: no test server; hint: cargo test -p portreeve-fixture --no-run");
            let required = std::env::var_os("PORTREEVE_TEST_REQUIRE_ENGINES").is_some();
            assert!(!required, "the test server was not built");
            return None;
        }
        let mut child = Command::new(program())
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test server starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url = line.trim().to_owned();
        assert!(url.starts_with("http://"), "{flags:?}: {url}");
        Some(Self { child, url })
    }

    /// One that speaks this revision at most; of 2026-07-28, one that speaks nothing else.
    pub(crate) fn of(revision: &str) -> Option<Self> {
        let mut flags = vec!["--revision", revision];
        if revision == "2026-07-28" {
            flags.extend(["--era", "modern"]);
        }
        Self::start(&flags)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
