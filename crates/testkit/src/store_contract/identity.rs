//! Keys, users and grants.

use portreeve_core::caller::{ApiKey, User};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{AccessRequestId, GrantId, KeyId, UserId};
use portreeve_core::name::GroupName;
use portreeve_core::ports::{LinkPurpose, StoreError};
use portreeve_core::server::Version;
use portreeve_core::user::{ExternalIdentity, UserChange, UserOrigin};
use portreeve_core::view::{Readers, RegistryRecord, Selection};

use super::access_policies::policy;
use super::sessions::session;
use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{CountingRng, SteppingClock, at, event, key, new_entry, parse, user, version};

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
        expires_at: None,
        request: None,
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

/// Nothing takes away the last who manages everything: neither a grant, nor a user, nor a group.
pub async fn somebody_who_manages_is_left(store: &dyn Durable) -> Outcome {
    let whole = |subject| Grant {
        rights: Rights::Manage,
        servers: ServerScope::All,
        tools: ToolScope::All,
        ..grant(subject)
    };
    let (ada, mut bob) = (user("ada"), user("bob"));
    bob.groups = vec![parse("managers")];
    for user in [&ada, &bob] {
        store.ensure_user(user, event("user.create")).await?;
    }
    // Where nobody manages, nothing is held back.
    let disable = UserChange::Disabled(at(6));
    store.change_user(ada.id, &disable, event("user.disable")).await?;
    store
        .change_user(ada.id, &UserChange::Enabled, event("user.enable"))
        .await?;

    let of_ada = whole(Subject::User(ada.id));
    let of_group = whole(Subject::Group(parse("managers")));
    for grant in [&of_ada, &of_group] {
        store.add_grant(grant, event("grant.create")).await?;
    }
    store.change_user(bob.id, &disable, event("user.disable")).await?;
    // A group of somebody who is disabled holds nothing up.
    assert_conflict(store.remove_grant(of_ada.id, event("grant.remove")).await);
    assert_conflict(store.change_user(ada.id, &disable, event("user.disable")).await);
    assert_conflict(store.remove_user(ada.id, event("user.remove")).await);
    assert_eq!(store.grants().await?.len(), 2, "nothing of it was saved");
    assert!(
        store
            .users()
            .await?
            .iter()
            .any(|user| user.id == ada.id && user.is_enabled())
    );

    store
        .change_user(bob.id, &UserChange::Enabled, event("user.enable"))
        .await?;
    store.remove_grant(of_ada.id, event("grant.remove")).await?;
    let nowhere = UserChange::Groups(Vec::new());
    assert_conflict(store.change_user(bob.id, &nowhere, event("user.groups")).await);
    assert_conflict(store.remove_grant(of_group.id, event("grant.remove")).await);
    store.remove_user(ada.id, event("user.remove")).await?;
    Ok(())
}

/// What a provider says of groups does not take the last one away either: the group stays, and is told.
pub async fn no_sign_in_takes_the_last_manager_away(store: &dyn Durable) -> Outcome {
    let [managers, sales]: [GroupName; 2] = [parse("managers"), parse("sales")];
    let mut ada = known_to_a_provider();
    ada.groups = Vec::new();
    ada.provider_groups = vec![parse("finance"), managers.clone()];
    let bob = user("bob");
    for user in [&ada, &bob] {
        store.ensure_user(user, event("user.create")).await?;
    }
    let whole = |subject, id| Grant {
        id: GrantId::from_u128(id),
        rights: Rights::Manage,
        servers: ServerScope::All,
        tools: ToolScope::All,
        ..grant(subject)
    };
    let of_group = whole(Subject::Group(managers.clone()), 1);
    store.add_grant(&of_group, event("grant.create")).await?;
    ada.provider_groups = vec![sales.clone()];
    assert_eq!(store.user_signed_in(&ada).await?, std::slice::from_ref(&managers));
    let groups = async || {
        let users = store.users().await?;
        let found = users.into_iter().find(|user| user.name == "ada");
        Ok::<_, StoreError>(found.map(|user| user.provider_groups).unwrap_or_default())
    };
    assert_eq!(groups().await?, [managers.clone(), sales.clone()]);
    // Again, until there is somebody else.
    assert_eq!(store.user_signed_in(&ada).await?, [managers]);
    let of_bob = whole(Subject::User(bob.id), 2);
    store.add_grant(&of_bob, event("grant.create")).await?;
    assert_eq!(store.user_signed_in(&ada).await?.len(), 0);
    assert_eq!(groups().await?, [sales]);
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

/// A name is one person's, whatever the case of its letters. Who is made by a provider's word gets neither a former name nor
/// one that a label names; an administrator may give both.
pub async fn a_name_that_means_something_is_given_on_purpose_alone(store: &dyn Durable) -> Outcome {
    let named = |name: &str, id: u128| User {
        id: UserId::from_u128(id),
        name: name.to_owned(),
        ..known_to_a_provider()
    };
    let made_here = |name: &str, id: u128| User::local(UserId::from_u128(id), name, at(1));
    store
        .ensure_user(&named("a_da", 10), event("user.create"))
        .await?;
    assert_conflict(store.ensure_user(&named("A_da", 11), event("user.create")).await);
    assert_conflict(
        store
            .ensure_user(&made_here("A_DA", 11), event("user.create"))
            .await,
    );
    // Removed: nobody gets it unasked, the same person included, who would come back into what the name may.
    let gone = UserId::from_u128(10);
    store.remove_user(gone, event("user.remove")).await?;
    for (name, id) in [("A_da", 11), ("a_da", 10)] {
        assert_conflict(store.ensure_user(&named(name, id), event("user.create")).await);
    }
    store
        .ensure_user(&named("axda", 12), event("user.create"))
        .await?;
    store
        .ensure_user(&made_here("a_da", 13), event("user.create"))
        .await?;

    // Named by a registry, an access policy, or as who published something.
    store
        .add_registry(&readable_by("user:re_ader"), 9, event("registry.create"))
        .await?;
    let published = Version {
        submitted_by: "user:publisher".to_owned(),
        ..version("com.acme/billing", "1.0.0")
    };
    store.save(new_entry("com.acme/billing", vec![published])).await?;
    let mut policy = policy("mail");
    policy.text = r#"permit (principal == User::"Ru_led", action in Action::"use", resource);"#.to_owned();
    store
        .add_access_policy(&policy, 9, event("policy.create"))
        .await?;
    for name in ["re_ader", "Re_Ader", "publisher", "ru_led", "RU_led"] {
        assert_conflict(store.ensure_user(&named(name, 14), event("user.create")).await);
    }
    for (name, id) in [("rexader", 15), ("ruxled", 17), ("led", 18)] {
        store.ensure_user(&named(name, id), event("user.create")).await?;
    }
    store
        .ensure_user(&made_here("re_ader", 16), event("user.create"))
        .await?;
    Ok(())
}

fn readable_by(label: &str) -> RegistryRecord {
    RegistryRecord {
        name: parse("partners"),
        title: "Partners".to_owned(),
        description: String::new(),
        visibility: Readers::Only([label.to_owned()].into()),
        selection: Selection::default(),
        auto_approve: Vec::new(),
        approver_differs: false,
        revision: 1,
        created_at: at(1),
        updated_at: at(1),
    }
}

/// Grants come and go.
pub async fn grants_are_read_as_they_were_given(store: &dyn Durable) -> Outcome {
    let to_key = grant(Subject::Key(key("deploy").id));
    let to_group = Grant {
        created_at: at(9),
        ..grant(Subject::Group(parse("finance")))
    };
    let mut to_user = grant(Subject::User(UserId::LOCAL_ADMIN));
    (to_user.rights, to_user.servers, to_user.tools) =
        (Rights::Manage, ServerScope::All, ToolScope::ReadOnly);
    to_user.created_at = at(1);
    (to_user.expires_at, to_user.request) = (Some(at(900)), Some(AccessRequestId::from_u128(3)));
    store.add_grant(&to_key, event("grant.add")).await?;
    store.add_grant(&to_user, event("grant.add")).await?;
    assert_conflict(store.add_grant(&to_user, event("grant.add")).await);
    store.add_grant(&to_group, event("grant.add")).await?;
    let all = [to_user.clone(), to_key.clone(), to_group.clone()];
    assert_eq!(store.grants().await?, all);
    store.remove_grant(to_user.id, event("grant.remove")).await?;
    assert_not_found(store.remove_grant(to_user.id, event("grant.remove")).await);
    assert_eq!(store.grants().await?, [to_key, to_group]);
    Ok(())
}

/// What ended is removed; what has not, or has no end, is not, whatever the caller thinks of it.
pub async fn ended_grants_alone_are_removed_as_such(store: &dyn Durable) -> Outcome {
    let endless = grant(Subject::Key(key("deploy").id));
    let ending = Grant {
        created_at: at(6),
        expires_at: Some(at(900)),
        ..grant(Subject::Group(parse("finance")))
    };
    for grant in [&endless, &ending] {
        store.add_grant(grant, event("grant.add")).await?;
    }
    let both = || [&endless, &ending].map(|grant| (grant.id, event("grant.expire")));
    let generation = store.generation().await?;
    assert_eq!(store.remove_ended_grants(both().into(), at(899)).await?, 0);
    assert_eq!(store.grants().await?, [endless.clone(), ending.clone()]);
    assert_eq!(store.generation().await?, generation, "nothing to decide anew");
    assert_eq!(store.remove_ended_grants(both().into(), at(900)).await?, 1);
    assert_eq!(store.grants().await?, std::slice::from_ref(&endless));
    assert_ne!(store.generation().await?, generation);
    assert_eq!(store.remove_ended_grants(both().into(), at(901)).await?, 0);
    Ok(())
}

/// A user as a provider knows it.
fn known_to_a_provider() -> User {
    User {
        display_name: Some("Ada Lovelace".to_owned()),
        email: Some("ada@acme.example".to_owned()),
        origin: UserOrigin::Provider,
        external: Some(ExternalIdentity {
            issuer: "https://idp.example".to_owned(),
            subject: "248289761001".to_owned(),
        }),
        groups: vec![parse("ops")],
        provider_groups: vec![parse("finance")],
        signed_in_at: Some(at(3)),
        ..user("ada")
    }
}

/// What is known of a user is read as it was written; a sign-in counts for decisions where groups differ.
pub async fn a_user_is_what_its_provider_said_last(store: &dyn Durable) -> Outcome {
    let mut ada = known_to_a_provider();
    assert_not_found(store.user_signed_in(&ada).await);
    store.ensure_user(&ada, event("user.create")).await?;
    assert_eq!(store.users().await?, [ada.clone()]);
    let generation = store.generation().await?;
    (ada.email, ada.signed_in_at) = (None, Some(at(7)));
    store.user_signed_in(&ada).await?;
    assert_eq!(store.users().await?, [ada.clone()]);
    assert_eq!(store.generation().await?, generation, "nothing to decide anew");
    ada.provider_groups = vec![parse("sales")];
    // The name, and what was decided here, are not the provider's.
    let renamed = User {
        name: "root".to_owned(),
        groups: Vec::new(),
        ..ada.clone()
    };
    store.user_signed_in(&renamed).await?;
    assert_eq!(store.users().await?, [ada]);
    assert_ne!(store.generation().await?, generation);
    Ok(())
}

/// Who is disabled loses sessions and links with it, and is enabled as before.
pub async fn a_disabled_user_has_no_session(store: &dyn Durable) -> Outcome {
    let mut ada = known_to_a_provider();
    store.ensure_user(&ada, event("user.create")).await?;
    store.add_session("aa", &session(ada.id, at(1))).await?;
    store.add_link("bb", ada.id, LinkPurpose::SignIn, at(90)).await?;
    let groups = UserChange::Groups(vec![parse("board")]);
    store.change_user(ada.id, &groups, event("user.groups")).await?;
    for moment in [at(5), at(6)] {
        let disabled = UserChange::Disabled(moment);
        store
            .change_user(ada.id, &disabled, event("user.disable"))
            .await?;
    }
    (ada.groups, ada.disabled_at) = (vec![parse("board")], Some(at(5)));
    assert_eq!(store.users().await?, [ada.clone()]);
    assert_eq!(store.session("aa", at(2), at(0)).await?, None);
    assert_eq!(store.take_link("bb", LinkPurpose::SignIn, at(2)).await?, None);
    store
        .change_user(ada.id, &UserChange::Enabled, event("user.enable"))
        .await?;
    ada.disabled_at = None;
    assert_eq!(store.users().await?, [ada]);
    let nobody = UserId::from_u128(9);
    assert_not_found(
        store
            .change_user(nobody, &UserChange::Enabled, event("user.enable"))
            .await,
    );
    Ok(())
}

/// Who is removed leaves neither keys nor grants; grants to a group stay.
pub async fn a_removed_user_leaves_nothing(store: &dyn Durable) -> Outcome {
    let ada = known_to_a_provider();
    store.ensure_user(&ada, event("user.create")).await?;
    let owned = ApiKey {
        owner: Some(ada.id),
        ..key("of-ada")
    };
    store.add_key(&owned, event("key.create")).await?;
    store.set_password(ada.id, "hash", event("user.password")).await?;
    store.add_session("aa", &session(ada.id, at(1))).await?;
    let to_group = grant(Subject::Group(parse("finance")));
    store
        .add_grant(&grant(Subject::User(ada.id)), event("grant.add"))
        .await?;
    store.add_grant(&to_group, event("grant.add")).await?;
    store.remove_user(ada.id, event("user.remove")).await?;
    assert_not_found(store.remove_user(ada.id, event("user.remove")).await);
    assert!(store.users().await?.is_empty() && store.keys().await?.is_empty());
    assert_eq!(store.grants().await?, [to_group]);
    assert_eq!(store.session("aa", at(2), at(0)).await?, None);
    Ok(())
}
