//! Who is admitted, by what their claims say. Before: the claims are verified. After: a user is made of them.

use serde_json::Value;

use super::settings::{AdmitRule, ProviderSettings};
use crate::claims::{Claims, values};

/// Whether somebody may sign in.
pub(super) fn is_admitted(rules: &[AdmitRule], claims: &Claims) -> bool {
    let admits = |rule: &AdmitRule| {
        let said = values(claims, &rule.claim);
        rule.values.iter().any(|wanted| said.contains(wanted))
    };
    rules.is_empty() || rules.iter().any(admits)
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
