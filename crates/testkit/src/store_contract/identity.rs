//! Keys, users and grants.

use portreeve_core::caller::{ApiKey, User};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{GrantId, KeyId, UserId};

use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{CountingRng, SteppingClock, at, event, key, parse, user};

/// A grant of everything to a subject.
pub fn grant(subject: Subject) -> Grant {
    Grant {
        id: GrantId::new(&SteppingClock::default(), &CountingRng),
        subject,
        rights: Rights::Use,
        servers: ServerScope::Server(parse("com.acme/billing")),
        tools: ToolScope::Named(vec!["add".to_owned()]),
        created_by: "user:admin".to_owned(),
        created_at: at(5),
    }
}

/// A name belongs to one live key at a time.
pub async fn a_key_name_is_free_when_its_key_is_dead(store: &dyn Durable) -> Outcome {
    let mut first = key("deploy");
    first.created_at = at(10);
    store.add_key(&first, event("key.create")).await?;
    let mut second = ApiKey {
        created_at: at(20),
        expires_at: Some(at(30)),
        ..key("deploy")
    };
    assert_conflict(store.add_key(&second, event("key.create")).await);
    store.revoke_key(first.id, at(15), event("key.revoke")).await?;
    assert_not_found(store.revoke_key(first.id, at(16), event("key.revoke")).await);
    store.add_key(&second, event("key.create")).await?;

    // The second one expired meanwhile.
    let third = ApiKey {
        created_at: at(40),
        ..key("deploy")
    };
    store.add_key(&third, event("key.create")).await?;
    assert_not_found(store.revoke_key(second.id, at(40), event("key.revoke")).await);
    let unknown = KeyId::new(&SteppingClock::default(), &CountingRng);
    assert_not_found(store.revoke_key(unknown, at(40), event("key.revoke")).await);

    first.revoked_at = Some(at(15));
    second.revoked_at = None;
    assert_eq!(store.keys().await?, [first, second, third]);
    Ok(())
}

/// A key may act for a user, who must exist.
pub async fn a_key_needs_its_owner(store: &dyn Durable) -> Outcome {
    let owner = user("ada");
    let owned = ApiKey {
        owner: Some(owner.id),
        ..key("of-ada")
    };
    assert_not_found(store.add_key(&owned, event("key.create")).await);
    store.ensure_user(&owner, event("user.create")).await?;
    store.add_key(&owned, event("key.create")).await?;
    assert_eq!(store.keys().await?, [owned]);
    Ok(())
}

/// A user is stored once; the second time changes nothing.
pub async fn a_user_is_stored_once(store: &dyn Durable) -> Outcome {
    let admin = User {
        id: UserId::LOCAL_ADMIN,
        ..user("admin")
    };
    assert!(store.ensure_user(&admin, event("user.create")).await?);
    let generation = store.generation().await?;
    let renamed = User {
        name: "root".to_owned(),
        ..admin.clone()
    };
    assert!(!store.ensure_user(&renamed, event("user.create")).await?);
    assert_eq!(store.generation().await?, generation);
    assert_conflict(store.ensure_user(&user("admin"), event("user.create")).await);
    assert_eq!(store.users().await?, [admin]);
    Ok(())
}

/// Grants come and go.
pub async fn grants_are_read_as_they_were_given(store: &dyn Durable) -> Outcome {
    let to_key = grant(Subject::Key(key("deploy").id));
    let mut to_user = grant(Subject::User(UserId::LOCAL_ADMIN));
    (to_user.rights, to_user.servers, to_user.tools) =
        (Rights::Manage, ServerScope::All, ToolScope::ReadOnly);
    to_user.created_at = at(1);
    store.add_grant(&to_key, event("grant.add")).await?;
    store.add_grant(&to_user, event("grant.add")).await?;
    assert_conflict(store.add_grant(&to_user, event("grant.add")).await);
    assert_eq!(store.grants().await?, [to_user.clone(), to_key.clone()]);
    store.remove_grant(to_user.id, event("grant.remove")).await?;
    assert_not_found(store.remove_grant(to_user.id, event("grant.remove")).await);
    assert_eq!(store.grants().await?, [to_key]);
    Ok(())
}
