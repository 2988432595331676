//! How an API wants to be shown who calls. The secret itself is never here: the route's upstream authentication has it.

use serde::{Deserialize, Serialize};

use super::parameter::Place;

/// A security scheme of a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityScheme {
    /// What is shown, and where.
    pub credential: Credential,
    /// What the description says about it, shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Credential {
    /// A key in a header, a query parameter or a cookie.
    Key {
        /// Where.
        place: Place,
        /// Under which name.
        name: String,
    },
    /// `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`: a token, wherever it comes from (OAuth 2.0 and OpenID Connect included).
    Bearer,
    /// Another scheme of `Authorization`, by its name.
    Other(String),
    /// A client certificate.
    Certificate,
}
