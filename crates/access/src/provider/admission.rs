//! What claims say: who is admitted, and into which groups. Before: the claims are verified. After: a user is made of them.

use std::collections::BTreeSet;

use portreeve_core::name::GroupName;
use serde_json::{Map, Value};

use super::settings::{AdmitRule, ProviderSettings};
use crate::tokens::GroupRule;

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

/// Most values of one claim that are looked at.
const VALUES: usize = 1_000;
/// Most groups of one user.
const GROUPS: usize = 500;
/// The longest text that is kept.
const TEXT_CHARS: usize = 200;

/// The values of a claim, as texts. A name with dots leads into objects (`realm_access.roles`), unless a claim has just
/// that name, as the URLs do that some providers use.
pub(super) fn values(claims: &Claims, name: &str) -> Vec<String> {
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

fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// A claim as one line of text.
pub(super) fn line(claims: &Claims, name: &str) -> Option<String> {
    let text = find(claims, name)?.as_str()?;
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(TEXT_CHARS)
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether somebody may sign in.
pub(super) fn is_admitted(rules: &[AdmitRule], claims: &Claims) -> bool {
    let admits = |rule: &AdmitRule| {
        let said = values(claims, &rule.claim);
        rule.values.iter().any(|wanted| said.contains(wanted))
    };
    rules.is_empty() || rules.iter().any(admits)
}

/// The groups that follow. A value that is no name of a group makes none.
pub(super) fn groups(rules: &[GroupRule], claims: &Claims) -> BTreeSet<GroupName> {
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

/// Whether the provider left groups out that a rule asks for: Entra says so with `_claim_names`, or `hasgroups` where it
/// sends the browser around.
pub(super) fn left_groups_out(settings: &ProviderSettings, claims: &Claims) -> bool {
    let asked = |claim: &str| {
        settings.admit.iter().any(|rule| rule.claim == claim)
            || settings.groups.iter().any(|rule| rule.claim == claim)
    };
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
    let named_elsewhere = elsewhere.is_some_and(|names| names.keys().any(|name| asked(name)));
    let flagged = claims.get("hasgroups").is_some_and(|flag| match flag {
        Value::Bool(flag) => *flag,
        Value::String(flag) => flag == "true",
        _ => false,
    });
    named_elsewhere || (flagged && asked("groups"))
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

    #[test]
    fn who_is_admitted_has_one_of_the_values() {
        let claims = claims(json!({ "hd": "acme.example", "email_verified": true }));
        let rule = |claim: &str, value: &str| AdmitRule {
            claim: claim.to_owned(),
            values: vec![value.to_owned()],
        };
        assert!(is_admitted(&[], &claims));
        assert!(is_admitted(&[rule("hd", "acme.example")], &claims));
        assert!(is_admitted(
            &[rule("hd", "x"), rule("email_verified", "true")],
            &claims
        ));
        assert!(!is_admitted(&[rule("hd", "other.example")], &claims));
        assert!(!is_admitted(&[rule("tid", "1")], &claims));
    }
}
