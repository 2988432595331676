//! The method of a request: what descriptions of APIs name, and no other.

use serde::{Deserialize, Serialize};

/// An HTTP method: a token in capital letters, neither `CONNECT` nor `TRACE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpMethod(String);

/// Why a word is no method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a method that a tool may use")]
pub struct InvalidMethod(String);

impl HttpMethod {
    /// Longest method.
    const LONGEST: usize = 24;

    /// Its word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it promises to change nothing.
    pub fn is_safe(&self) -> bool {
        matches!(self.as_str(), "GET" | "HEAD" | "OPTIONS" | "QUERY")
    }

    /// Whether twice does what once does.
    pub fn is_idempotent(&self) -> bool {
        self.is_safe() || matches!(self.as_str(), "PUT" | "DELETE")
    }
}

impl TryFrom<String> for HttpMethod {
    type Error = InvalidMethod;

    fn try_from(word: String) -> Result<Self, InvalidMethod> {
        let is_token = !word.is_empty()
            && word.len() <= Self::LONGEST
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if is_token && !matches!(word.as_str(), "CONNECT" | "TRACE") {
            Ok(Self(word))
        } else {
            Err(InvalidMethod(word.chars().take(64).collect()))
        }
    }
}

impl From<HttpMethod> for String {
    fn from(method: HttpMethod) -> Self {
        method.0
    }
}
