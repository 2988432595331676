//! A call of a tool as a request to a REST API: what a binding says, with the arguments of the call put in so that they
//! stay where they belong.
//!
//! Nothing here parses what arguments say. Each value is written with an encoding under which it cannot end its segment,
//! its parameter, its field or its part; what has no such form (a line end in a header, a dot segment in a path) is a
//! problem, told with its place. Before: the arguments met the tool's schema. After: `upstream::rest` puts the result
//! behind the API's origin and base path, which nothing here can name.

mod body;
mod fields;
pub mod law;
mod path;
mod percent;
mod query;
mod values;

use http::{HeaderMap, HeaderValue};
use portreeve_core::rest::{Binding, Parameter, Place, Source};
use portreeve_inspect::ValueProblem;
use serde_json::{Map, Value};

use crate::policy::Credential;

pub use self::body::Payload;

/// A request without what no argument has a say in: origin, base path, credential.
#[derive(Debug)]
pub struct RestRequest {
    /// The path behind the base path, encoded; it begins with a slash.
    pub path: String,
    /// The query, encoded, without its question mark.
    pub query: String,
    /// Fields that parameters set, `Cookie` included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Payload>,
}

/// What a request is made of besides its binding.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The arguments of the call.
    pub arguments: &'a Map<String, Value>,
    /// A parameter of the query that has this value instead of its own: the next page.
    pub turned: Option<(&'a str, &'a str)>,
    /// The route's credentials. Where they stand, no other value goes.
    pub own: &'a [Credential],
    /// A random text that separates the parts of a multipart body.
    pub boundary: &'a str,
}

/// Problems of arguments, all of them.
pub type Problems = Vec<ValueProblem>;

/// Makes the request.
///
/// # Errors
///
/// Every argument that has no safe form where it belongs.
pub fn request(binding: &Binding, filling: Filling<'_>) -> Result<RestRequest, Problems> {
    let mut problems = Problems::new();
    let path = path::write(binding, filling, &mut problems);
    let query = query::write(binding, filling, &mut problems);
    let headers = fields::write(binding, filling, &mut problems);
    let body = body::write(binding, filling, &mut problems);
    if problems.is_empty() {
        Ok(RestRequest {
            path,
            query,
            headers,
            body,
        })
    } else {
        Err(problems)
    }
}

/// The value of a parameter, with the place of the argument that it came from; `None` when nothing is to be sent.
fn value_of<'a>(parameter: &'a Parameter, filling: Filling<'a>) -> Option<(&'a Value, String)> {
    value(&parameter.source, parameter.default.as_ref(), filling.arguments)
}

fn value<'a>(
    source: &'a Source,
    default: Option<&'a Value>,
    arguments: &'a Map<String, Value>,
) -> Option<(&'a Value, String)> {
    match source {
        Source::Fixed(value) => Some((value, String::new())),
        Source::Argument(name) => match arguments.get(name) {
            Some(value) => Some((value, pointer(name))),
            None => default.map(|value| (value, String::new())),
        },
    }
}

/// The place of an argument, as a JSON pointer.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn problem(pointer: &str, message: impl Into<String>) -> ValueProblem {
    ValueProblem {
        pointer: pointer.to_owned(),
        message: message.into(),
    }
}

/// The parameters that stand in one place, without the credential's.
fn placed<'a>(
    binding: &'a Binding,
    place: Place,
    filling: Filling<'a>,
) -> impl Iterator<Item = &'a Parameter> {
    binding
        .parameters
        .iter()
        .filter(move |parameter| parameter.place == place && !filling.is_own(place, &parameter.name))
}

impl Filling<'_> {
    /// Whether it is where a credential stands.
    fn is_own(&self, place: Place, name: &str) -> bool {
        let mut own = self.own.iter().map(Credential::place);
        own.any(|(own, known)| own == place && known.eq_ignore_ascii_case(name))
    }
}

/// A text of ours or of the binding as the value of a field.
fn field_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

#[cfg(test)]
mod tests;
