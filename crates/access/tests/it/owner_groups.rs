//! Groups that own servers: what their members may, and what they may not.

use portreeve_access::NewKey;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{ServerScope, Subject, ToolScope};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Authorizer as _, Owned};
use portreeve_core::tool::ToolAnnotations;
use portreeve_core::visibility::Visibility;

use crate::house::House;

async fn key(house: &House, name: &str, groups: &[&str]) -> Caller {
    let new = NewKey {
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        name: name.to_owned(),
        owner: None,
        expires_at: None,
    };
    house.access.create_key(&house.admin(), new).await.unwrap();
    house.refresh();
    house.access.known_as(&format!("key:{name}")).unwrap()
}

fn own(house: &House, server: &str, groups: &[&str]) {
    let mut snapshot = house.snapshot();
    snapshot.owned = vec![Owned {
        tags: Vec::new(),
        server: server.parse().unwrap(),
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
    }];
    house.access.load(&snapshot);
}

#[tokio::test]
async fn members_may_know_of_a_server_and_publish_it_and_nothing_else() {
    let house = House::started().await;
    let member = key(&house, "member", &["ops", "finance"]).await;
    let other = key(&house, "other", &["sales"]).await;
    own(&house, "com.acme/Billing", &["finance", "audit"]);
    let server: ServerName = "com.acme/billing".parse().unwrap();
    let may = |who: &Caller, action| {
        let decision = house.access.may(who, action, &Target::Server(&server));
        (
            decision.is_permit(),
            decision
                .policies
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
        )
    };
    for action in [Action::Discover, Action::Publish] {
        assert_eq!(
            may(&member, action),
            (true, vec!["owner-group:finance".to_owned()]),
            "{action:?}"
        );
        assert!(!may(&other, action).0);
        assert!(!may(&Caller::anonymous(), action).0);
    }
    for action in [Action::Manage, Action::CallTool, Action::Read] {
        assert!(!may(&member, action).0, "{action:?}");
    }
    let elsewhere = "com.acme/mail".parse().unwrap();
    let tool = Target::Tool {
        server: &server,
        tool: "list",
        annotations: &ToolAnnotations::default(),
        arguments: None,
    };
    for target in [Target::Installation, Target::Server(&elsewhere), tool] {
        assert!(
            !house.access.may(&member, Action::Publish, &target).is_permit(),
            "{target:?}"
        );
        assert!(
            !house.access.may(&member, Action::CallTool, &target).is_permit(),
            "{target:?}"
        );
    }
    assert_eq!(house.access.visibility(&member), Visibility::Listed);

    // Who is no owner any more has no right any more, and neither has a key that was revoked.
    let version = house.access.policy_version();
    own(&house, "com.acme/Billing", &["audit"]);
    assert!(!may(&member, Action::Publish).0);
    assert!(house.access.policy_version() > version);
    own(&house, "com.acme/Billing", &["finance"]);
    assert!(may(&member, Action::Publish).0);
    let revoked = Caller {
        key: None,
        ..member.clone()
    };
    assert!(!may(&revoked, Action::Publish).0);
}

#[tokio::test]
async fn a_grant_says_the_same_with_and_without_a_group() {
    let house = House::started().await;
    let member = key(&house, "member", &["finance"]).await;
    own(&house, "com.acme/billing", &["finance"]);
    let id = member.key.unwrap();
    let server: ServerName = "com.acme/billing".parse().unwrap();
    house
        .may_use(
            Subject::Key(id),
            ServerScope::Server(server.clone()),
            ToolScope::All,
        )
        .await;
    own(&house, "com.acme/billing", &["finance"]);
    let by_grant = house
        .access
        .may(&member, Action::Discover, &Target::Server(&server));
    assert!(by_grant.policies[0].starts_with("grant:"), "{by_grant:?}");
    // The same principal without the group: what was decided for the one is not taken for the other.
    let without = Caller {
        groups: [].into(),
        ..member.clone()
    };
    assert!(
        house
            .access
            .may(&member, Action::Publish, &Target::Server(&server))
            .is_permit()
    );
    assert!(
        !house
            .access
            .may(&without, Action::Publish, &Target::Server(&server))
            .is_permit()
    );
}
