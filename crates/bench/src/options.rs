//! A command line of pairs, `--name value`: the programs are started by `cargo xtask bench`, which types them.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow, bail};

/// The pairs that were typed.
#[derive(Debug, Default)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// Reads the words after the program's name.
    pub fn read(words: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut options = BTreeMap::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                bail!("`{word}` is not an option; hint: options are written as `--name value`");
            };
            let value = words.next().with_context(|| format!("`{word}` needs a value"))?;
            options.insert(name.to_owned(), value);
        }
        Ok(Self(options))
    }

    /// The text of an option, if it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// An option as a value, or the default.
    pub fn get<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| anyhow!("`--{name} {text}` cannot be read")),
        }
    }

    /// An option that must be there.
    pub fn need<T: FromStr>(&self, name: &str) -> Result<T> {
        let text = self
            .text(name)
            .with_context(|| format!("`--{name}` is missing"))?;
        text.parse()
            .map_err(|_| anyhow!("`--{name} {text}` cannot be read"))
    }
}
