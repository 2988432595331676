//! The query parameters of the registry API, split and decoded once. What they mean is judged by the registry.

use std::borrow::Cow;

use portreeve_registry::ListParams;
use url::form_urlencoded;

use crate::problem::Problem;

/// The parameters of the list. Unknown ones are ignored, as the official registry does.
pub(super) fn list_params(query: Option<&str>) -> Result<ListParams, Problem> {
    let given = Given::read(query)?;
    Ok(ListParams {
        cursor: given.one("cursor")?,
        limit: given.one("limit")?,
        search: given.one("search")?,
        updated_since: given.one("updated_since")?,
        version: given.one("version")?,
        include_deleted: given.one("include_deleted")?,
    })
}

/// The only parameter of the other endpoints.
pub(super) fn include_deleted(query: Option<&str>) -> Result<bool, Problem> {
    match Given::read(query)?.one("include_deleted")?.as_deref() {
        Some("true" | "1") => Ok(true),
        None | Some("" | "false" | "0") => Ok(false),
        Some(other) => {
            let shown: String = other.chars().take(100).collect();
            Err(Problem::bad_request(format!(
                "`include_deleted`: `{shown}` is neither `true` nor `false`"
            )))
        }
    }
}

/// The parameters as they were given, decoded.
struct Given<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Given<'a> {
    fn read(query: Option<&'a str>) -> Result<Self, Problem> {
        let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
        // The decoder puts this character in the place of bytes that are not UTF-8.
        if pairs.iter().any(|(_, value)| value.contains('\u{fffd}')) {
            return Err(Problem::bad_request("the query is not UTF-8 once it is decoded"));
        }
        Ok(Self(pairs))
    }

    /// A parameter. It may be repeated, but not contradicted.
    fn one(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let mut values = self
            .0
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value);
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            return Err(Problem::bad_request(format!("`{name}` stands there twice")));
        }
        Ok(first.map(|value| value.clone().into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parameters_are_ignored_and_contradictions_refused() {
        let params = |query: &str| list_params(Some(query)).ok();
        assert_eq!(params("q=mail&foo"), Some(ListParams::default()));
        let latest = params("version=latest&version=latest").and_then(|params| params.version);
        assert_eq!(latest.as_deref(), Some("latest"));
        assert_eq!(params("version=latest&version=1.0.0"), None);
        assert_eq!(params("search=%FF"), None);
    }

    #[test]
    fn a_switch_is_on_or_off() {
        assert_eq!(include_deleted(Some("include_deleted=true")).ok(), Some(true));
        assert_eq!(include_deleted(None).ok(), Some(false));
        assert_eq!(include_deleted(Some("include_deleted=maybe")).ok(), None);
    }
}
