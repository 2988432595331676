//! Decisions in words.

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{ServerScope, Subject, ToolScope};
use portreeve_core::name::ServerName;
use portreeve_core::tool::ToolAnnotations;

use crate::house::House;

#[tokio::test]
async fn a_refusal_names_the_grants_that_were_not_enough_and_the_one_that_would_be() {
    let house = House::started().await;
    let (key, secret) = house.key("deploy", None).await;
    let billing: ServerName = "com.acme/billing".parse().unwrap();
    let here = ServerScope::Server(billing.clone());
    let subject = Subject::Key(key.id);
    let elsewhere = ServerScope::Server("com.acme/mail".parse().unwrap());
    house.may_use(subject.clone(), elsewhere, ToolScope::All).await;
    house
        .may_use(subject.clone(), here.clone(), ToolScope::ReadOnly)
        .await;
    house
        .may_use(
            subject.clone(),
            here.clone(),
            ToolScope::Named(vec!["list".to_owned()]),
        )
        .await;
    let caller = house.access.authenticate(secret.expose()).unwrap();
    let annotations = ToolAnnotations::default();
    let target = Target::Tool {
        server: &billing,
        tool: "delete",
        annotations: &annotations,
        arguments: None,
    };

    let explained = house.access.explain(&caller, Action::CallTool, &target);
    assert!(!explained.permitted);
    assert_eq!(
        explained.summary,
        "`key:deploy` may not call `delete` of `com.acme/billing`: no grant permits it."
    );
    assert_eq!(
        explained.needed.as_deref(),
        Some("a grant of `use` on `com.acme/billing` for all tools, or for `delete` by name")
    );
    let considered: Vec<_> = explained
        .considered
        .iter()
        .map(|grant| {
            format!(
                "{}; {}",
                grant.grants,
                grant.why_not.as_deref().unwrap_or("permits")
            )
        })
        .collect();
    assert_eq!(
        considered,
        [
            "use `com.acme/mail`: all tools; it is about `com.acme/mail`",
            "use `com.acme/billing`: read-only tools; `delete` was not approved as read-only",
            "use `com.acme/billing`: the tools `list`; it does not name `delete`",
        ]
    );

    let grant = house.may_use(subject, here, ToolScope::All).await;
    let explained = house.access.explain(&caller, Action::CallTool, &target);
    assert!(explained.permitted);
    assert_eq!(
        explained.summary,
        format!(
            "`key:deploy` may call `delete` of `com.acme/billing`, because of `grant:{}`.",
            grant.id
        )
    );
    assert_eq!(explained.needed, None);
}

#[tokio::test]
async fn those_without_grants_hear_why() {
    let house = House::started().await;
    let server = "com.acme/billing".parse().unwrap();
    let explain = |caller: &Caller| {
        house
            .access
            .explain(caller, Action::Discover, &Target::Server(&server))
    };
    assert!(
        explain(&Caller::anonymous())
            .summary
            .starts_with("Callers without a credential")
    );

    let (_, secret) = house.key("deploy", None).await;
    let caller = house.access.authenticate(secret.expose()).unwrap();
    assert_eq!(
        explain(&caller).summary,
        "`key:deploy` may not see `com.acme/billing`: no grant permits it."
    );
    house.access.revoke_key(&house.admin(), "deploy").await.unwrap();
    house.refresh();
    assert_eq!(
        explain(&caller).summary,
        "`key:deploy` is unknown, revoked or expired, and may do nothing."
    );
}

#[tokio::test]
async fn callers_are_known_by_their_labels() {
    let house = House::started().await;
    let (_, secret) = house.key("deploy", None).await;
    let known = house.access.known_as("key:deploy").unwrap();
    assert_eq!(known, house.access.authenticate(secret.expose()).unwrap());
    assert_eq!(house.access.known_as("anonymous"), Some(Caller::anonymous()));
    for label in ["deploy", "key:other", "user:deploy", "system", ""] {
        assert_eq!(house.access.known_as(label), None, "{label}");
    }
}
