//! Access policies: stored with their tests, changed at their revision only, and part of what decisions need.

use portreeve_core::access_policy::{AccessPolicy, Expected, PolicyTest};
use portreeve_core::tool::ToolAnnotations;

use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{at, event, parse};

/// A policy that permits everything.
pub(super) fn policy(name: &str) -> AccessPolicy {
    let arguments = serde_json::value::RawValue::from_string(r#"{"to": "a@acme.example"}"#.to_owned());
    AccessPolicy {
        name: parse(name),
        description: "No mail to strangers".to_owned(),
        text: "permit (principal, action, resource);\n// ünïcode".to_owned(),
        tests: vec![PolicyTest {
            who: "user:ada".to_owned(),
            groups: vec![parse("interns")],
            client: None,
            action: "call".to_owned(),
            server: parse("com.acme/mail"),
            environment: Some(parse("test")),
            tool: Some("send".to_owned()),
            annotations: ToolAnnotations::default(),
            arguments: arguments.ok(),
            expect: Expected::Permit,
        }],
        enabled: true,
        revision: 1,
        updated_by: "user:admin".to_owned(),
        created_at: at(1),
        updated_at: at(2),
    }
}

/// A policy is read as it was saved, changed at its revision only, and gone when it was removed.
pub async fn a_policy_is_changed_and_removed(store: &dyn Durable) -> Outcome {
    let (first, second) = (policy("mail"), policy("archive"));
    store.add_access_policy(&first, 2, event("policy.create")).await?;
    store
        .add_access_policy(&second, 2, event("policy.create"))
        .await?;
    assert_eq!(store.access_policies().await?, [second.clone(), first.clone()]);
    for refused in [policy("third"), policy("mail")] {
        assert_conflict(store.add_access_policy(&refused, 2, event("policy.create")).await);
    }
    assert_conflict(store.add_access_policy(&first, 9, event("policy.create")).await);

    let mut changed = first.clone();
    changed.enabled = false;
    changed.text = "forbid (principal, action, resource);".to_owned();
    assert_eq!(
        store.save_access_policy(&changed, event("policy.change")).await?,
        2
    );
    assert_conflict(store.save_access_policy(&changed, event("policy.change")).await);
    changed.revision = 2;
    assert_eq!(store.access_policies().await?, [second, changed.clone()]);

    let name = changed.name;
    assert_conflict(store.remove_access_policy(&name, 1, event("policy.remove")).await);
    store
        .remove_access_policy(&name, 2, event("policy.remove"))
        .await?;
    assert_conflict(store.remove_access_policy(&name, 2, event("policy.remove")).await);
    assert_eq!(store.access_policies().await?.len(), 1);
    Ok(())
}

/// Every change of a policy is a change of what decisions need, and a snapshot holds all of them.
pub async fn nodes_hear_of_policies(store: &dyn Durable) -> Outcome {
    let mut last = store.generation().await?;
    for step in 0..3 {
        let mut mail = policy("mail");
        match step {
            0 => store.add_access_policy(&mail, 9, event("policy.create")).await?,
            1 => {
                mail.enabled = false;
                store.save_access_policy(&mail, event("policy.change")).await?;
            }
            _ => {
                store
                    .remove_access_policy(&mail.name, 2, event("policy.remove"))
                    .await?;
            }
        }
        let snapshot = store.snapshot(None).await?;
        assert!(snapshot.generation > last, "step {step}");
        assert_eq!(snapshot.policies, store.access_policies().await?);
        last = snapshot.generation;
    }
    Ok(())
}
