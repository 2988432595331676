//! Sign-in links and sessions.

use std::sync::atomic::Ordering;
use std::time::Duration;

use portreeve_access::{AccessError, MAX_LINK_LIFE, SESSION_IDLE, SESSION_LIFE};
use portreeve_core::caller::Caller;
use portreeve_core::id::{AuthorizationId, SessionId, UserId};

use crate::house::House;

const MINUTES: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_link_opens_one_session() {
    let house = House::started().await;
    let link = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    assert_eq!(link.expose().len(), 43);
    let (caller, cookie) = house.access.sign_in(link.expose(), None).await.unwrap();
    assert_eq!(caller, house.admin());
    assert_ne!(cookie, link);
    assert_eq!(house.access.session(cookie.expose()).await.unwrap(), Some(caller));
    for used in [&link, &cookie] {
        let error = house.access.sign_in(used.expose(), None).await.unwrap_err();
        assert!(matches!(error, AccessError::LinkSpent));
    }
    assert_eq!(house.access.session(link.expose()).await.unwrap(), None);
    assert_eq!(house.events(), ["user:admin sign-in -"]);

    let sessions = house.memory.sessions.lock().unwrap().clone();
    assert!(
        sessions
            .keys()
            .all(|hash| hash.len() == 64 && hash != cookie.expose())
    );
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let house = House::started().await;
    let link = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    let (_, cookie) = house.access.sign_in(link.expose(), None).await.unwrap();
    house.events();
    house.access.sign_out(cookie.expose()).await.unwrap();
    house.access.sign_out(cookie.expose()).await.unwrap();
    house.access.sign_out("nonsense").await.unwrap();
    assert_eq!(house.access.session(cookie.expose()).await.unwrap(), None);
    assert_eq!(house.events(), ["user:admin sign-out -"]);
}

#[tokio::test]
async fn links_and_sessions_end_by_themselves() {
    let house = House::started().await;
    let old = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    house.clock.pass(MINUTES);
    assert!(matches!(
        house.access.sign_in(old.expose(), None).await,
        Err(AccessError::LinkSpent)
    ));

    let link = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    let (_, cookie) = house.access.sign_in(link.expose(), None).await.unwrap();
    let moment = Duration::from_millis(1);
    let almost = SESSION_IDLE.saturating_sub(moment);
    let mut lived = Duration::ZERO;
    // Used in time, it goes on; but not beyond its life.
    while lived + almost < SESSION_LIFE {
        house.clock.pass(almost);
        lived += almost;
        assert!(house.access.session(cookie.expose()).await.unwrap().is_some());
    }
    house.clock.pass(SESSION_LIFE - lived);
    assert_eq!(house.access.session(cookie.expose()).await.unwrap(), None);

    let link = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    let (_, cookie) = house.access.sign_in(link.expose(), None).await.unwrap();
    house.clock.pass(SESSION_IDLE);
    assert_eq!(house.access.session(cookie.expose()).await.unwrap(), None);

    let link = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    house.access.sign_in(link.expose(), None).await.unwrap();
    assert_eq!(house.memory.sessions.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_user_who_is_gone_has_no_session() {
    let house = House::started().await;
    let link = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    let unused = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    let (caller, cookie) = house.access.sign_in(link.expose(), None).await.unwrap();
    house.memory.users.lock().unwrap().clear();
    house.refresh();
    assert_eq!(house.access.session(cookie.expose()).await.unwrap(), None);
    assert!(matches!(
        house.access.sign_in(unused.expose(), None).await,
        Err(AccessError::LinkSpent)
    ));
    assert!(house.access.users(&caller).await.is_err());
}

#[tokio::test]
async fn without_an_audit_log_nobody_signs_in() {
    let house = House::started().await;
    let link = house
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
        .await
        .unwrap();
    house.memory.journal_is_full.store(true, Ordering::SeqCst);
    let error = house.access.sign_in(link.expose(), None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the audit log cannot be written, so this was not done"
    );
    assert!(house.memory.sessions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn links_are_for_users_who_exist_and_live_a_day_at_most() {
    let house = House::started().await;
    let link = |user, ttl| house.access.sign_in_link(user, ttl);
    assert!(matches!(
        link(UserId::from_u128(9), MINUTES).await,
        Err(AccessError::NotFound { .. })
    ));
    for ttl in [
        Duration::ZERO,
        MAX_LINK_LIFE.saturating_add(Duration::from_secs(1)),
    ] {
        assert!(matches!(
            link(UserId::LOCAL_ADMIN, ttl).await,
            Err(AccessError::Invalid { field: "ttl", .. })
        ));
    }
    assert!(link(UserId::LOCAL_ADMIN, MAX_LINK_LIFE).await.is_ok());
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let house = House::started().await;
    let enter = async || {
        let link = house
            .access
            .sign_in_link(UserId::LOCAL_ADMIN, MINUTES)
            .await
            .unwrap();
        let signed_in = house.access.sign_in(link.expose(), Some("Firefox\u{7}")).await;
        signed_in.unwrap()
    };
    let ((admin, first), (_, second)) = (enter().await, enter().await);
    let (_, own) = house.access.session_of(first.expose()).await.unwrap().unwrap();
    assert_eq!(own.agent.as_deref(), Some("Firefox"));
    let authorization = AuthorizationId::from_u128(7);
    house
        .access
        .note_authorization(&own, authorization)
        .await
        .unwrap();
    let id = UserId::LOCAL_ADMIN;
    assert_eq!(house.access.sessions_of(&admin, id).await.unwrap().len(), 2);
    assert_eq!(
        house.access.end_other_sessions(&admin, id, own.id).await.unwrap(),
        1
    );
    assert_eq!(house.access.session(second.expose()).await.unwrap(), None);
    let unknown = SessionId::from_u128(9);
    assert!(house.access.end_session(&admin, id, unknown).await.is_err());
    house.access.end_session(&admin, id, own.id).await.unwrap();
    assert_eq!(house.access.session(first.expose()).await.unwrap(), None);
    // What was allowed in it ended, too.
    assert!(house.memory.authorizations.lock().unwrap().is_empty());
    let anonymous = Caller::anonymous();
    assert!(house.access.sessions_of(&anonymous, id).await.is_err());
}
