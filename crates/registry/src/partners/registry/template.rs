//! A listed document with its variables filled in: what becomes an entry. All that is wrong is told at once.

use std::collections::BTreeMap;

use portreeve_mcp::server_json::Problem;
use serde_json::{Map, Value};

use super::listing::{Variable, value_of, variables};
use crate::error::RegistryError;

/// Longest value.
const LONGEST: usize = 200;

/// Marks in an address the variable that is looked at, and the others. No address has these characters.
const HERE: char = '\u{1}';
const ELSEWHERE: char = '\u{2}';

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
            say(&one.name, by_hand(document, one).unwrap_or_else(|| missing(one)));
            continue;
        };
        // What the document itself proposes is the partner's word.
        let is_own = one.default.as_ref() != Some(&value);
        let moves = || is_own.then(|| by_hand(document, one)).flatten();
        match wrong(one, &value).or_else(moves) {
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

/// What is said where a value would choose the host. It is refused whoever reviews it: the entry would carry the partner's name,
/// tier and revocations, and lead to whichever server somebody typed. Added by hand it carries nothing of that.
fn by_hand(document: &Map<String, Value>, one: &Variable) -> Option<String> {
    let url = open_address(document, one)?;
    Some(format!(
        "it is in the host of `{url}`: its value would choose which server is called in the partner's name. Add your server \
         by hand, with its whole address: `portreeve server add NAME --url https://...`; who approves it sees where it leads"
    ))
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

/// The variables of a document whose values would choose the host.
pub(in crate::partners) fn open_hosts(document: &Map<String, Value>) -> Vec<String> {
    let all = variables(document).into_iter();
    all.filter(|one| open_address(document, one).is_some())
        .map(|one| one.name)
        .collect()
}

/// The address of which whoever fills it in would choose the host, if there is one. What the document proposes to choose from is
/// the partner's word.
fn open_address<'a>(document: &'a Map<String, Value>, one: &Variable) -> Option<&'a str> {
    if !one.choices.is_empty() {
        return None;
    }
    let remotes = document.get("remotes").and_then(Value::as_array);
    let mut urls = remotes
        .into_iter()
        .flatten()
        .filter_map(|remote| remote.get("url")?.as_str());
    urls.find(|url| {
        let names: Vec<&str> = portreeve_mcp::server_json::placeholders(url).collect();
        let mut marked = (*url).to_owned();
        // A name may hold what would end a host, so it goes before the address is taken apart.
        for name in names {
            let mark = if name == one.name {
                HERE.to_string()
            } else {
                value_of(document, name).unwrap_or_else(|| ELSEWHERE.to_string())
            };
            marked = marked.replace(&format!("{{{name}}}"), &mark);
        }
        is_open_host(&marked)
    })
}

/// Whether the marked place is in the host of an address, and anything else than a domain with two fixed labels follows it.
fn is_open_host(marked: &str) -> bool {
    let rest = marked.split_once(':').map_or(marked, |(_, rest)| rest);
    // However many slashes there are: whoever reads an address of the web skips them.
    let rest = rest.trim_start_matches(|c: char| matches!(c, '/' | '\\') || c.is_whitespace());
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = match authority.split_once(':') {
        Some((host, _)) if !authority.contains('@') => host,
        _ => authority,
    };
    host.split(HERE).skip(1).any(|behind| {
        let domain = behind.strip_prefix('.').unwrap_or_default();
        let labels = domain.split('.').filter(|label| !label.is_empty());
        behind.contains([ELSEWHERE, '@']) || labels.count() < 2
    })
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

    #[test]
    fn a_variable_that_is_the_host_is_named_with_what_to_do_before_anything_is_typed() {
        let document = json!({"name": "com.acme/tickets", "remotes": [{
            "type": "streamable-http", "url": "https://{workspace}/mcp",
            "variables": {"workspace": {"description": "Your workspace."}},
        }]});
        let document = document.as_object().unwrap();
        for pairs in [&[][..], &[("workspace", "evil.example")][..]] {
            let Err(RegistryError::Invalid(problems)) = values(document, &given(pairs)) else {
                panic!("{pairs:?}");
            };
            let [problem] = problems.as_slice() else {
                panic!("{problems:?}")
            };
            assert_eq!(problem.path, "variables.workspace");
            for words in ["`https://{workspace}/mcp`", "portreeve server add"] {
                assert!(problem.message.contains(words), "{}", problem.message);
            }
        }
    }

    #[test]
    fn no_value_chooses_the_host() {
        let is_taken = |url: &str, more: Value| {
            let document = json!({"name": "com.acme/tickets", "remotes": [{
                "type": "streamable-http", "url": url,
                "variables": {"x": more, "fixed": {"value": "acme.example"}, "two": {"default": "b"}},
            }]});
            let document = document.as_object().unwrap().clone();
            values(&document, &given(&[("x", "evil.example")])).is_ok()
        };
        for url in [
            "https://{x}/mcp",
            "https://{x}",
            "https:/{x}/mcp",
            "https://{x}:8443/mcp",
            "https://api.{x}/mcp",
            "https://{x}.example/mcp",
            "https://{x}acme.example/mcp",
            "https://{x}.{two}.acme.example/mcp",
            "https://{x}@acme.example/mcp",
            "https://user:pass@{x}/mcp",
            "https://{x}?at=.acme.example",
        ] {
            assert!(!is_taken(url, json!({})), "{url}");
        }
        let own = document();
        assert_eq!(open_hosts(&own), Vec::<String>::new());
        for url in [
            "https://{x}.acme.example/mcp",
            "https://{x}.{fixed}/mcp",
            "https://eu-{x}.acme.example:8443/mcp",
            "https://acme.example/{x}/mcp",
            "https://acme.example?tenant={x}",
        ] {
            assert!(is_taken(url, json!({})), "{url}");
        }
        assert!(is_taken("https://{x}/mcp", json!({"choices": ["evil.example"]})));
        assert!(is_taken("https://{x}/mcp", json!({"default": "evil.example"})));
        assert!(!is_taken("https://{x}/mcp", json!({"default": "acme.example"})));
        // A name is a name, whatever it is made of.
        assert!(is_open_host("https://\u{1}/mcp") && !is_open_host("https://a.example/\u{1}"));
        let document = json!({"remotes": [{"url": "https://{in:put/x}/mcp"}]});
        let given = given(&[("in:put/x", "evil.example")]);
        assert!(values(document.as_object().unwrap(), &given).is_err());
    }
}
