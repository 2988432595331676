//! What the stages share: where things are, what was asked for, and what was built already.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, Log};
use crate::test::seconds;

/// The longest that one build may take.
const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);

/// The cargo profile of every stage.
///
/// One profile for clippy, tests, documentation and the binary, and always the whole workspace: cargo then selects one
/// set of features, and nothing is compiled twice. `ci` is `dev` without debug information and without incremental
/// compilation, which only cost time and disk in a run that starts from nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Profile {
    #[default]
    Ci,
    Dev,
}

/// The large public test data.
#[derive(Debug)]
pub(crate) enum Corpus {
    At(PathBuf),
    Absent,
}

/// What the stages share.
#[derive(Debug)]
pub(crate) struct Context {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Where what was installed is kept between runs, outside the build folder.
    pub(crate) cache: PathBuf,
    pub(crate) profile: Profile,
    pub(crate) corpus: Corpus,
    target: PathBuf,
    tests_built: bool,
    notes: Vec<String>,
}

impl Profile {
    /// The name that `--profile` takes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Dev => "dev",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Dev => "debug",
        }
    }
}

impl Context {
    pub(crate) fn new(profile: Profile, require_corpus: bool) -> Result<Self> {
        // What cargo says now, rather than where this was compiled: a build folder may be shared by two clones.
        let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&here)
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => env::current_dir()?.join(folder),
            None => root.join("target"),
        };
        let cache = match (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")) {
            (Some(folder), _) => PathBuf::from(folder).join("portreeve-xtask"),
            (None, Some(home)) => PathBuf::from(home).join(".cache/portreeve-xtask"),
            (None, None) => target.join("xtask/cache"),
        };
        let corpus = corpus(&root);
        if require_corpus && matches!(corpus, Corpus::Absent) {
            bail!("no corpus, and --require-corpus was given; hint: set PORTREEVE_TEST_DATA to its folder");
        }
        fs::create_dir_all(target.join("xtask"))?;
        fs::create_dir_all(&cache)?;
        Ok(Self {
            root,
            cache,
            profile,
            corpus,
            target,
            tests_built: false,
            notes: Vec::new(),
        })
    }

    /// The file that a stage writes its output to.
    pub(crate) fn log_path(&self, stage: &str) -> PathBuf {
        self.target.join("xtask").join(format!("{stage}.log"))
    }

    /// A folder for what a stage leaves behind for people to look at, empty.
    pub(crate) fn fresh_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("xtask").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The binary under test, after [`Context::build_tests`].
    pub(crate) fn binary(&self) -> PathBuf {
        self.built("portreeve")
    }

    /// A program of the workspace, after [`Context::build_tests`]: cargo builds those that an integration test starts.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target.join(self.profile.folder()).join(name)
    }

    /// A program of the release profile.
    pub(crate) fn released(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// A path as a person in the repository would write it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// A word for the stage's line.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Cargo, in the repository, without what cargo told xtask about xtask.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = process::bound(cargo);
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Builds every test and the binary, once for all stages.
    pub(crate) fn build_tests(&mut self, log: &mut Log) -> Result<()> {
        if self.tests_built {
            return Ok(());
        }
        let started = Instant::now();
        let mut build = self.cargo();
        build.args([
            "test",
            "--workspace",
            "--no-run",
            "--profile",
            self.profile.name(),
        ]);
        log.run(&mut build, BUILD_LIMIT)
            .context("the tests do not build")?;
        self.tests_built = true;
        self.note(format!("built in {}", seconds(started.elapsed())));
        Ok(())
    }
}

/// `PORTREEVE_TEST_DATA`, or the folder that stands beside the repository where the project keeps it.
fn corpus(root: &Path) -> Corpus {
    let folder = match env::var_os("PORTREEVE_TEST_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => root.join("../shared/data"),
    };
    match folder.canonicalize() {
        Ok(folder) if folder.is_dir() => Corpus::At(folder),
        _ => Corpus::Absent,
    }
}
