//! Sign-in links, sessions, attempts, passwords and codes.

use portreeve_core::id::{AuthorizationId, SessionId, UserId};
use portreeve_core::ports::{Credentials, LinkPurpose, SignInAttempt};
use portreeve_core::time::Timestamp;
use portreeve_core::user::{EndedSessions, Session, SignInMethod};

use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{CountingRng, SteppingClock, at, event, user};

/// A session that began at a moment.
pub fn session(user: UserId, created_at: Timestamp) -> Session {
    Session {
        id: SessionId::new(&SteppingClock::default(), &CountingRng),
        user,
        method: SignInMethod::Provider,
        authenticated_at: at(1),
        created_at,
        seen_at: created_at,
        expires_at: at(20),
        issuer: Some("https://idp.example".to_owned()),
        provider_session: Some("sid-1".to_owned()),
        agent: Some("Firefox".to_owned()),
    }
}

/// A link works once, for what it is good for, and not after its time.
pub async fn a_link_works_once(store: &dyn Durable) -> Outcome {
    let ada = user("ada");
    let link = LinkPurpose::SignIn;
    store.ensure_user(&ada, event("user.create")).await?;
    store.add_link("aa", ada.id, link, at(10)).await?;
    assert_eq!(store.take_link("bb", link, at(1)).await?, None);
    assert_eq!(store.take_link("aa", LinkPurpose::Password, at(9)).await?, None);
    assert_eq!(store.take_link("aa", link, at(9)).await?, Some(ada.id));
    assert_eq!(store.take_link("aa", link, at(9)).await?, None);
    store.add_link("cc", ada.id, link, at(10)).await?;
    assert_eq!(store.take_link("cc", link, at(10)).await?, None);
    assert_eq!(store.take_link("cc", link, at(1)).await?, None);
    Ok(())
}

/// A session ends by its time, by resting, or by signing out; purging leaves the living.
pub async fn a_session_ends(store: &dyn Durable) -> Outcome {
    let ada = user("ada");
    store.ensure_user(&ada, event("user.create")).await?;
    let generation = store.generation().await?;
    let first = Session {
        expires_at: at(10),
        ..session(ada.id, at(2))
    };
    let mut second = session(ada.id, at(3));
    store.add_session("aa", &first).await?;
    store.add_session("bb", &second).await?;
    store.add_link("cc", ada.id, LinkPurpose::SignIn, at(20)).await?;
    assert_eq!(store.session("aa", at(9), at(1)).await?, Some(first.clone()));
    assert_eq!(store.session("aa", at(10), at(1)).await?, None);
    assert_eq!(store.session("aa", at(9), at(2)).await?, None, "it was not used");
    store.touch_session(second.id, at(8)).await?;
    store.touch_session(second.id, at(7)).await?;
    second.seen_at = at(8);
    assert_eq!(store.session("bb", at(9), at(5)).await?, Some(second.clone()));
    let listed = store.sessions_of(ada.id, at(9), at(0)).await?;
    assert_eq!(listed, [second.clone(), first]);
    store.purge_expired(at(10), at(1)).await?;
    assert_eq!(store.session("aa", at(1), at(0)).await?, None);
    assert!(store.session("bb", at(1), at(0)).await?.is_some());
    store.purge_expired(at(10), at(8)).await?;
    assert_eq!(store.session("bb", at(1), at(0)).await?, None);
    assert_eq!(
        store.take_link("cc", LinkPurpose::SignIn, at(1)).await?,
        Some(ada.id)
    );
    assert_eq!(
        store.generation().await?,
        generation,
        "sessions are no part of the catalogue"
    );
    Ok(())
}

/// Sessions end one by one or together, with what clients were allowed in them; that outlives a session.
pub async fn sessions_end_with_their_authorizations(store: &dyn Durable) -> Outcome {
    let (ada, eve) = (user("ada"), user("eve"));
    let authorization = || AuthorizationId::new(&SteppingClock::default(), &CountingRng);
    for one in [&ada, &eve] {
        store.ensure_user(one, event("user.create")).await?;
    }
    let (first, second, third) = (
        session(ada.id, at(2)),
        session(ada.id, at(4)),
        Session {
            provider_session: None,
            ..session(eve.id, at(3))
        },
    );
    for (hash, session) in [("aa", &first), ("bb", &second), ("cc", &third)] {
        store.add_session(hash, session).await?;
    }
    let (of_first, of_third) = (authorization(), authorization());
    store.note_authorization(&first, of_first, at(5)).await?;
    store.note_authorization(&third, of_third, at(5)).await?;
    let others = store
        .end_sessions(&EndedSessions::Others(ada.id, first.id))
        .await?;
    assert_eq!((others.sessions, others.authorizations), (vec![second], vec![]));
    // Signing out is the visitor's own business; what ended then is told, and forgotten.
    let gone = store.end_sessions(&EndedSessions::One(first.id)).await?;
    assert_eq!(
        (gone.sessions, gone.authorizations),
        (vec![first.clone()], vec![of_first])
    );
    let late = authorization();
    store.note_authorization(&first, late, at(6)).await?;
    let by_provider = EndedSessions::OfProvider {
        issuer: "https://idp.example".to_owned(),
        session: "sid-1".to_owned(),
    };
    let ended = store.end_sessions(&by_provider).await?;
    assert_eq!((ended.sessions, ended.authorizations), (vec![], vec![late]));
    let by_subject = |before| EndedSessions::OfSubject {
        issuer: "https://idp.example".to_owned(),
        user: eve.id,
        before,
    };
    let early = store.end_sessions(&by_subject(at(2))).await?;
    assert_eq!((early.sessions, early.authorizations), (vec![], vec![]));
    let ended = store.end_sessions(&by_subject(at(5))).await?;
    assert_eq!(
        (ended.sessions, ended.authorizations),
        (vec![third], vec![of_third])
    );
    assert!(
        store
            .end_sessions(&EndedSessions::OfUser(ada.id))
            .await?
            .sessions
            .is_empty()
    );
    Ok(())
}

/// An attempt comes back once, and in time.
pub async fn a_cd_9_an_attempt_comes_back_once(store: &dyn Durable) -> Outcome {
    let attempt = |state: &str| SignInAttempt {
        state_hash: state.to_owned(),
        browser_hash: "of a browser".to_owned(),
        provider: "entra".to_owned(),
        next: "/authorize?client_id=x".to_owned(),
        expires_at: at(10),
    };
    store.add_attempt(&attempt("aa")).await?;
    store.add_attempt(&attempt("bb")).await?;
    assert_eq!(store.take_attempt("none", at(1)).await?, None);
    assert_eq!(store.take_attempt("aa", at(9)).await?, Some(attempt("aa")));
    assert_eq!(store.take_attempt("aa", at(9)).await?, None);
    assert_eq!(store.take_attempt("bb", at(10)).await?, None);
    assert_eq!(store.take_attempt("bb", at(1)).await?, None);
    Ok(())
}

/// Passwords and codes come and go; a code and a recovery code work once.
pub async fn an_authenticators_code_works_once(store: &dyn Durable) -> Outcome {
    let ada = user("ada");
    store.ensure_user(&ada, event("user.create")).await?;
    assert_eq!(store.credentials(ada.id).await?, Credentials::default());
    assert!(
        !store.offer_codes(ada.id, "sealed").await?,
        "there is no password"
    );
    store.set_password(ada.id, "one", event("user.password")).await?;
    store.set_password(ada.id, "two", event("user.password")).await?;
    assert!(store.offer_codes(ada.id, "sealed").await?);
    let codes = ["aa".to_owned(), "bb".to_owned()];
    store
        .confirm_codes(ada.id, 7, &codes, event("user.codes-on"))
        .await?;
    assert_conflict(
        store
            .confirm_codes(ada.id, 7, &codes, event("user.codes-on"))
            .await,
    );
    assert!(!store.offer_codes(ada.id, "another").await?, "it is confirmed");
    let expected = Credentials {
        password: Some("two".to_owned()),
        code_secret: Some("sealed".to_owned()),
        codes_confirmed: true,
        recovery_codes: 2,
    };
    assert_eq!(store.credentials(ada.id).await?, expected);
    assert!(!store.use_step(ada.id, 7).await?);
    assert!(store.use_step(ada.id, 8).await?);
    assert!(!store.use_step(ada.id, 8).await?);
    assert!(store.use_recovery_code(ada.id, "aa").await?);
    assert!(!store.use_recovery_code(ada.id, "aa").await?);
    store.remove_codes(ada.id, event("user.codes-off")).await?;
    let without = Credentials {
        password: Some("two".to_owned()),
        ..Credentials::default()
    };
    assert_eq!(store.credentials(ada.id).await?, without);
    store.remove_credentials(ada.id, event("user.reset")).await?;
    assert_eq!(store.credentials(ada.id).await?, Credentials::default());
    Ok(())
}
