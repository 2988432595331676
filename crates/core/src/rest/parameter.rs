//! Parameters in the path, the query, the headers and the cookies of a request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A piece of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Piece {
    /// As it is written, percent-encoded where it must be.
    Literal(String),
    /// The value of the path parameter of this wire name, encoded so that it stays inside its segment.
    Parameter(String),
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the path, where a [`Piece::Parameter`] names it.
    Path,
    /// In the query.
    Query,
    /// The query as a whole, encoded as its [`Encoding::Content`] says (OpenAPI 3.2).
    Querystring,
    /// A header. Never one that the gateway or the route's authentication sets.
    Header,
    /// A cookie.
    Cookie,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The argument of that name, a member of the call's `arguments`.
    Argument(String),
    /// Always this; no argument can change it, and no schema shows it.
    Fixed(Value),
}

/// How an array or an object is written (RFC 6570, OpenAPI "Style Values").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Style {
    /// `a,b`; in paths and headers.
    Simple,
    /// `name=a&name=b` or `name=a,b`; in queries, cookies and forms.
    Form,
    /// `.a.b`; in paths.
    Label,
    /// `;name=a;name=b`; in paths.
    Matrix,
    /// `name=a%20b`; in queries.
    SpaceDelimited,
    /// `name=a%7Cb`; in queries.
    PipeDelimited,
    /// `name=a%09b`; in queries (`collectionFormat: tsv` of Swagger 2.0).
    TabDelimited,
    /// `name[key]=a`; in queries. Deeper values nest their brackets.
    DeepObject,
    /// `name=a; name=b` in cookies, nothing encoded (OpenAPI 3.2).
    Cookie,
}

/// How a value becomes text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Encoding {
    /// By a style.
    #[serde(rename_all = "camelCase")]
    Styled {
        /// The style.
        style: Style,
        /// Whether each element or member is written for itself.
        explode: bool,
        /// Whether the reserved characters of RFC 3986 (section 2.2) stay as they are. Never so in a path, and never
        /// for what would end the query (`#`), part it (`&`) or leave the line.
        #[serde(default)]
        allow_reserved: bool,
    },
    /// As a text of this media type: JSON, or text as it is. Then encoded as one value.
    #[serde(rename_all = "camelCase")]
    Content {
        /// The media type.
        media_type: String,
    },
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// Where it stands.
    pub place: Place,
    /// Its name on the wire.
    pub name: String,
    /// Where its value comes from.
    pub source: Source,
    /// What is sent when the argument is missing. The description's own `default` is not meant: the API knows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// How its value becomes text.
    pub encoding: Encoding,
    /// Whether an empty value is sent as `name=` rather than left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_empty: bool,
}
