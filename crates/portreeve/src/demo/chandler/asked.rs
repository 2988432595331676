//! The query of a request. Read here and not by the framework, since lists come in two of OpenAPI's styles.

use std::str::FromStr;

use axum::http::Uri;
use url::form_urlencoded;

use super::problem::Problem;

/// The query's names and values, decoded.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        Self(form_urlencoded::parse(query).into_owned().collect())
    }

    /// Every value of a name: the style `form`, exploded.
    pub(super) fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The first value of a name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.every(name).next()
    }

    /// The same, as what it should be.
    pub(super) fn one<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| read(name, text)).transpose()
    }

    /// All values of a name, as what they should be.
    pub(super) fn all<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Problem> {
        self.every(name).map(|text| read(name, text)).collect()
    }

    /// A list in one value: the style `form`, not exploded.
    pub(super) fn list<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Problem> {
        let parts = self.text(name).into_iter().flat_map(|text| text.split(','));
        parts.map(|text| read(name, text)).collect()
    }
}

fn read<T: FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    let text = text.chars().take(100).collect::<String>();
    text.parse()
        .map_err(|_| Problem::unfit(format!("{name}: `{text}` is none of what it may be")))
}
