//! Grants that end: they count no more from that moment on, whether anything was removed or not.

use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, ServerScope, Subject, ToolScope};
use portreeve_core::ports::Authorizer;

use crate::house::{House, START};

fn may(house: &House, caller: &Caller) -> bool {
    let server = "com.acme/billing".parse().unwrap();
    house
        .access
        .may(caller, Action::Discover, &Target::Server(&server))
        .is_permit()
}

#[tokio::test]
async fn a_grant_counts_until_its_end_and_not_a_moment_longer() {
    let house = House::started().await;
    let (key, secret) = house.key("ada", None).await;
    let billing = ServerScope::Server("com.acme/billing".parse().unwrap());
    let grant = house.may_use(Subject::Key(key.id), billing, ToolScope::All).await;
    let ends = Grant {
        expires_at: Some(START.plus(Duration::from_secs(3_600))),
        ..grant.clone()
    };
    house
        .memory
        .grants
        .lock()
        .unwrap()
        .retain(|one| one.id != grant.id);
    house.memory.grants.lock().unwrap().push(ends);
    house.refresh();
    let caller = house.access.authenticate(secret.expose()).unwrap();
    let version = house.access.policy_version();
    assert!(may(&house, &caller));
    house.clock.pass(Duration::from_secs(3_599));
    assert!(may(&house, &caller));
    assert_eq!(house.access.policy_version(), version);
    house.clock.pass(Duration::from_secs(1));
    assert_ne!(house.access.policy_version(), version, "what was kept is void");
    assert!(!may(&house, &caller), "nothing was loaded in between");
    assert!(house.access.roles(&caller).is_empty());

    house.events();
    house.clock.pass(Duration::from_secs(59));
    assert_eq!(
        house.access.remove_ended_grants().await.unwrap(),
        0,
        "the clocks of nodes differ"
    );
    house.clock.pass(Duration::from_secs(1));
    assert_eq!(house.access.remove_ended_grants().await.unwrap(), 1);
    assert_eq!(
        house.events(),
        [format!("system grant.expire grant:{}", grant.id)]
    );
    house.refresh();
    assert_eq!(house.access.remove_ended_grants().await.unwrap(), 0);
}
