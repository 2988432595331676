//! The body of a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parameter::{Encoding, Source};

/// A request body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Body {
    /// The `Content-Type` that is sent, without the boundary of a multipart body.
    pub content_type: String,
    /// How the value is written.
    pub form: BodyForm,
    /// Where the value comes from. When nothing of it is given, no body is sent, unless it is `required`.
    pub content: Content,
    /// Whether there is always a body: an empty object, form or text if nothing is given.
    pub required: bool,
    /// What is sent when the argument of a body as a whole is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// How a body is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum BodyForm {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`; members that are not named are written in the style `form`, exploded.
    Urlencoded {
        /// By the member's name.
        #[serde(default)]
        members: BTreeMap<String, Encoding>,
    },
    /// `multipart/*`; members that are not named are JSON if they are objects, one part for each element if they are
    /// arrays, and text otherwise.
    Multipart {
        /// By the member's name.
        #[serde(default)]
        parts: BTreeMap<String, Part>,
    },
    /// A request of GraphQL over HTTP: the value is its variables.
    #[serde(rename = "graphql")]
    GraphQl {
        /// The query, or the mutation.
        query: String,
    },
    /// The value is a text in Base64 (RFC 4648, padded or not), and its bytes are sent.
    Base64,
    /// The value is sent as text: a text as it is, anything else as JSON.
    Text,
}

/// A part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// The part's `Content-Type`, unless it is the plain one of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Whether the value, or each element of it, is Base64, and its bytes are sent as a file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub base64: bool,
    /// Whether each element of an array is a part of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

/// Where the value of a body comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Content {
    /// As a whole.
    Whole(Source),
    /// An object, put together from arguments that stand beside those of the parameters.
    #[serde(rename_all = "camelCase")]
    Members {
        /// Its members.
        members: Vec<Member>,
        /// What becomes of arguments that are nobody's.
        #[serde(default)]
        extra: Extra,
        /// Members that no argument sets, whatever becomes of the others: somebody hid them, or only the API writes
        /// them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld: Vec<String>,
    },
}

/// What becomes of arguments that belong to no parameter and no member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Extra {
    /// There are none: the schema refuses them.
    #[default]
    Refused,
    /// They are members of the body under their own names.
    Sent,
}

/// A member of a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its name on the wire.
    pub name: String,
    /// Where its value comes from.
    pub source: Source,
    /// What is sent when the argument is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}
