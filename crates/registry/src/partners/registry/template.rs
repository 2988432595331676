//! A listed document with its variables filled in: what becomes an entry. All that is wrong is told at once.

use std::collections::BTreeMap;

use portreeve_mcp::server_json::Problem;
use serde_json::{Map, Value};

use super::listing::{Variable, value_of, variables};
use crate::error::RegistryError;

/// Longest value.
const LONGEST: usize = 200;

/// What is filled in, by name: what is given, or else what the document proposes or fixes.
pub(super) fn values(
    document: &Map<String, Value>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, RegistryError> {
    let declared = variables(document);
    let mut problems = Vec::new();
    let mut say = |name: &str, message: String| {
        problems.push(Problem {
            path: format!("variables.{name}"),
            message,
        });
    };
    for name in given.keys() {
        if !declared.iter().any(|one| one.name == *name) {
            say(name, "the server has no such variable".to_owned());
        }
    }
    let mut values = BTreeMap::new();
    for one in &declared {
        let value = given.get(&one.name).map(|text| text.trim().to_owned());
        let Some(value) = value
            .filter(|text| !text.is_empty())
            .or_else(|| one.default.clone())
        else {
            say(&one.name, missing(one));
            continue;
        };
        match wrong(one, &value) {
            Some(message) => say(&one.name, message),
            None => {
                values.insert(one.name.clone(), value);
            }
        }
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(RegistryError::Invalid(problems))
    }
}

/// The document with these values in its addresses.
pub(super) fn filled(document: &Map<String, Value>, values: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut document = document.clone();
    let fixed: Map<String, Value> = document.clone();
    let remotes = document.get_mut("remotes").and_then(Value::as_array_mut);
    for remote in remotes.into_iter().flatten() {
        let Some(remote) = remote.as_object_mut() else {
            continue;
        };
        let Some(url) = remote.get("url").and_then(Value::as_str) else {
            continue;
        };
        let mut url = url.to_owned();
        let names: Vec<String> = portreeve_mcp::server_json::placeholders(&url)
            .map(str::to_owned)
            .collect();
        for name in names {
            if let Some(value) = values.get(&name).cloned().or_else(|| value_of(&fixed, &name)) {
                url = url.replace(&format!("{{{name}}}"), &value);
            }
        }
        remote.insert("url".to_owned(), url.into());
        // Nothing of the address is open any more.
        remote.remove("variables");
    }
    document
}

fn missing(one: &Variable) -> String {
    match &one.description {
        Some(text) => format!("it must be filled in: {}", text.trim_end_matches('.')),
        None => "it must be filled in".to_owned(),
    }
}

fn wrong(one: &Variable, value: &str) -> Option<String> {
    if value.chars().count() > LONGEST {
        return Some(format!("it has more than {LONGEST} characters"));
    }
    if !one.choices.is_empty() && !one.choices.iter().any(|choice| choice == value) {
        return Some(format!("it must be one of: {}", one.choices.join(", ")));
    }
    // A value stands where the partner put it, and may not move the address to another host.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !value.chars().all(is_plain) || value.contains("..") {
        return Some("letters, digits, `-`, `.`, `_` and `~` alone may stand in an address".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Map<String, Value> {
        let document = json!({"name": "com.acme/tickets", "remotes": [{
            "type": "streamable-http", "url": "https://{tenant}.acme.example/{region}/{fixed}/mcp",
            "variables": {
                "tenant": {"description": "Your tenant.", "isRequired": true},
                "region": {"default": "eu", "choices": ["eu", "us"]},
                "fixed": {"value": "v1"},
            },
        }]});
        document.as_object().unwrap().clone()
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn every_variable_is_filled_in_once() {
        let document = document();
        let names: Vec<String> = variables(&document).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["tenant", "region"]);
        let values = values(&document, &given(&[("tenant", "red-team")])).unwrap();
        let filled = filled(&document, &values);
        assert_eq!(
            filled["remotes"],
            json!([{"type": "streamable-http", "url": "https://red-team.acme.example/eu/v1/mcp"}])
        );
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let problems = |pairs: &[(&str, &str)]| match values(&document(), &given(pairs)) {
            Err(RegistryError::Invalid(problems)) => {
                let paths = problems.into_iter().map(|one| one.path);
                paths.collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(problems(&[]), ["variables.tenant"]);
        assert_eq!(
            problems(&[("colour", "red"), ("region", "mars")]),
            ["variables.colour", "variables.tenant", "variables.region"]
        );
        for evil in ["evil.example/", "a@b", "x#", "x?y", "a:1", "..", "a\\b", "x%2e"] {
            assert_eq!(problems(&[("tenant", evil)]), ["variables.tenant"], "{evil}");
        }
    }
}
