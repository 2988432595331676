//! What claims say, in whichever token of others: texts, and the groups that follow. Before: `tokens` or `provider` verified
//! them. After: a caller or a user is made of them.

use std::collections::BTreeSet;

use portreeve_core::name::GroupName;
use serde_json::{Map, Value};

use crate::tokens::GroupRule;

/// The claims of a token.
pub(crate) type Claims = Map<String, Value>;

/// Most values of one claim that are looked at.
const VALUES: usize = 1_000;
/// Most groups of one user.
const GROUPS: usize = 500;
/// The longest text that is kept.
const TEXT_CHARS: usize = 200;

/// The values of a claim, as texts. A name with dots leads into objects (`realm_access.roles`), unless a claim has just
/// that name, as the URLs do that some providers use.
pub(crate) fn values(claims: &Claims, name: &str) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match find(claims, name) {
        Some(Value::Array(items)) => items.iter().take(VALUES).filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A claim by its name, or by the way to it.
pub(crate) fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// A claim as one line of text.
pub(crate) fn line(claims: &Claims, name: &str) -> Option<String> {
    let text = find(claims, name)?.as_str()?;
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(TEXT_CHARS)
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The groups that follow. A value that is no name of a group makes none.
pub(crate) fn groups(rules: &[GroupRule], claims: &Claims) -> BTreeSet<GroupName> {
    let mut groups = BTreeSet::new();
    for rule in rules {
        for said in values(claims, &rule.claim) {
            if rule.value != "*" && rule.value != said {
                continue;
            }
            let group = rule.group.clone().or_else(|| said.parse().ok());
            if groups.len() < GROUPS {
                groups.extend(group);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn groups_follow_from_values() {
        let claims = claims(json!({
            "groups": ["3f", "ops", "not a group"], "realm_access": { "roles": ["admin"] }, "https://a.b/c": "x",
        }));
        let rule = |claim: &str, value: &str, group: Option<&str>| GroupRule {
            claim: claim.to_owned(),
            value: value.to_owned(),
            group: group.map(|group| group.parse().unwrap()),
        };
        let found = |rules: &[GroupRule]| {
            let groups = groups(rules, &claims);
            groups
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(found(&[rule("groups", "3f", Some("finance"))]), "finance");
        assert_eq!(found(&[rule("groups", "*", None)]), "3f ops");
        assert_eq!(
            found(&[rule("realm_access.roles", "admin", Some("managers"))]),
            "managers"
        );
        assert_eq!(found(&[rule("https://a.b/c", "x", None)]), "x");
        assert_eq!(found(&[rule("groups", "none", Some("finance"))]), "");
    }
}
