//! Query strings and forms as lists of texts. Reading them never fails: what is not there was not asked for.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use portreeve_core::name::InvalidName;
use portreeve_registry::Problem;
use url::form_urlencoded;

use crate::failure::Failure;

/// Names and values, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The fields of a form that was read part by part.
    pub(crate) const fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The lines of the first value of that name, each without space around it; empty ones are left out.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let lines = self.get(name).unwrap_or_default().lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// The first value of that name, without space around it; `None` when nothing is left.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(found, _)| found == name);
        named
            .next()
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The first value of that name as it was typed, space and all.
    pub(crate) fn exact(&self, name: &str) -> String {
        let mut named = self.0.iter().filter(|(found, _)| found == name);
        named.next().map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The same, as a text that may be empty.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The revision that a form was made from.
    pub(crate) fn revision(&self) -> Option<i64> {
        self.get("revision").and_then(|revision| revision.parse().ok())
    }

    /// Every value of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads many values, and keeps what is wrong with each by the field that it came from.
#[derive(Debug, Default)]
pub(crate) struct Parsed(Vec<Problem>);

impl Parsed {
    /// The values that can be read.
    pub(crate) fn all<'a, T>(&mut self, path: &str, texts: impl Iterator<Item = &'a str>) -> Vec<T>
    where
        T: FromStr<Err = InvalidName>,
    {
        let mut read = Vec::new();
        for text in texts {
            match text.parse::<T>() {
                Ok(value) => read.push(value),
                Err(error) => self.0.push(Problem {
                    path: path.to_owned(),
                    message: error.to_string(),
                }),
            }
        }
        read
    }

    /// A value that need not be there.
    pub(crate) fn one<T>(&mut self, path: &str, text: Option<&str>) -> Option<T>
    where
        T: FromStr<Err = InvalidName>,
    {
        self.all(path, text.into_iter()).pop()
    }

    /// Notes what is wrong besides.
    pub(crate) fn wrong(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Problem {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// The lines of a field that can be read.
    pub(crate) fn lines<T>(&mut self, path: &str, fields: &Fields, name: &str) -> Vec<T>
    where
        T: FromStr<Err = InvalidName>,
    {
        let lines = fields.lines(name);
        self.all(path, lines.iter().map(String::as_str))
    }

    /// What was read, if nothing was wrong.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// The query string.
pub(crate) struct Query(pub(crate) Fields);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        Ok(Self(Fields::read(
            parts.uri.query().unwrap_or_default().as_bytes(),
        )))
    }
}

/// The form in a body.
pub(crate) struct Form(pub(crate) Fields);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            return Err(Failure::Form);
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Failure::Form)?;
        Ok(Self(Fields::read(&bytes)))
    }
}
