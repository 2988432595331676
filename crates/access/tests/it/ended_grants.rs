//! Grants that end: they count no more from that moment on, whether anything was removed or not.

use std::time::Duration;

use portreeve_access::NewGrant;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::ports::Authorizer;
use portreeve_core::secret::Secret;

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

#[tokio::test]
async fn what_does_not_end_with_it_stays() {
    let house = House::started().await;
    let (ada, secret_of_ada) = house.key("ada", None).await;
    let (bob, secret_of_bob) = house.key("bob", None).await;
    let on = |name: &str| ServerScope::Server(name.parse().unwrap());
    let billing = || on("com.acme/billing");
    house
        .may_use(Subject::Key(ada.id), on("com.acme/mail"), ToolScope::All)
        .await;
    house
        .may_use(Subject::Key(bob.id), billing(), ToolScope::All)
        .await;
    let ends = NewGrant {
        subject: Subject::Key(ada.id),
        rights: Rights::Use,
        servers: billing(),
        tools: ToolScope::All,
        expires_at: Some(START.plus(Duration::from_secs(60))),
    };
    house.access.add_grant(&house.admin(), ends).await.unwrap();
    house.refresh();
    let known = |secret: &Secret| house.access.authenticate(secret.expose()).unwrap();
    let (ada, bob) = (known(&secret_of_ada), known(&secret_of_bob));
    assert!(may(&house, &ada) && may(&house, &bob));
    house.clock.pass(Duration::from_secs(60));
    assert!(!may(&house, &ada));
    assert!(may(&house, &bob), "it is another's");
    let roles = house.access.roles(&ada);
    assert_eq!(roles.len(), 1);
    assert_eq!(roles[0].servers, on("com.acme/mail"));
    // The next snapshot says the same.
    let version = house.access.policy_version();
    house.refresh();
    assert_eq!(house.access.policy_version(), version);
    assert!(!may(&house, &ada) && may(&house, &bob));
}
