//! Requests for access.

use std::time::Duration;

use portreeve_core::access_request::{AccessDecision, AccessRequest, AccessRequestState, AskedAccess};
use portreeve_core::caller::Principal;
use portreeve_core::grant::{Grant, Subject, ToolScope};
use portreeve_core::id::{AccessRequestId, GrantId, UserId};

use super::identity::grant;
use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{at, event, parse, user};

const ADA: UserId = UserId::from_u128(7);

fn asked(number: u128, server: &str, asked_at: i64) -> AccessRequest {
    AccessRequest {
        id: AccessRequestId::from_u128(number),
        server: parse(server),
        principal: Principal::User(ADA),
        caller: "user:ada".to_owned(),
        groups: vec![parse("finance")],
        tools: ToolScope::Named(vec!["refund".to_owned()]),
        reason: "The month's refunds.\nUntil Friday.".to_owned(),
        wished: (number == 1).then_some(Duration::from_secs(3_600)),
        asked_at: at(asked_at),
        expires_at: at(asked_at + 900),
        state: AccessRequestState::Open,
        decided_by: None,
        decided_at: None,
        note: None,
        grant: None,
        granted_until: None,
    }
}

fn decision(state: AccessRequestState, second: i64) -> AccessDecision {
    AccessDecision {
        state,
        by: "user:grace".to_owned(),
        at: at(second),
        note: Some("as agreed".to_owned()),
    }
}

/// One principal has one open request for a server, and so many in all.
pub async fn one_request_is_open_at_a_time(store: &dyn Durable) -> Outcome {
    let first = asked(1, "com.acme/billing", 10);
    assert_eq!(store.ask_access(&first, 2, event("ask")).await?, AskedAccess::New);
    assert_eq!(store.access_request(first.id).await?, Some(first.clone()));
    let again = asked(2, "com.acme/Billing", 20);
    let waits = AskedAccess::Waits(Box::new(first.clone()));
    assert_eq!(store.ask_access(&again, 2, event("ask")).await?, waits);
    let second = asked(3, "com.acme/mail", 20);
    assert_eq!(
        store.ask_access(&second, 2, event("ask")).await?,
        AskedAccess::New
    );
    let third = asked(4, "com.acme/tickets", 20);
    assert_eq!(
        store.ask_access(&third, 2, event("ask")).await?,
        AskedAccess::TooMany
    );
    let open = store.open_access_requests(at(20), None, 10).await?;
    assert_eq!(open, [first.clone(), second.clone()]);
    let after = store.open_access_requests(at(20), Some(first.id), 10).await?;
    assert_eq!(after, std::slice::from_ref(&second));
    let ada = Principal::User(ADA);
    let mine = store.access_requests_of(ada, None, 10).await?;
    assert_eq!(mine, [second.clone(), first.clone()]);
    let here = store.access_requests_of(ada, Some(&first.server), 10).await?;
    assert_eq!(here, std::slice::from_ref(&first));
    // The first has expired by then, and makes room.
    let fresh = asked(5, "com.acme/billing", 910);
    assert_eq!(store.ask_access(&fresh, 2, event("ask")).await?, AskedAccess::New);
    assert_eq!(store.open_access_requests(at(911), None, 10).await?.len(), 2);
    assert_eq!(store.purge_access_requests(at(911)).await?, 1);
    assert_eq!(store.access_request(first.id).await?, None);
    Ok(())
}

/// Of two decisions one counts; the grant comes with it or not at all.
pub async fn a_request_ends_once(store: &dyn Durable) -> Outcome {
    let first = asked(1, "com.acme/billing", 10);
    store.ask_access(&first, 9, event("ask")).await?;
    let given = Grant {
        id: GrantId::from_u128(77),
        expires_at: Some(at(500)),
        request: Some(first.id),
        ..grant(Subject::User(ADA))
    };
    let events = || [event("access.grant"), event("grant.create")];
    let yes = decision(AccessRequestState::Granted, 12);
    store
        .grant_access_request(first.id, &yes, &given, events())
        .await?;
    assert_eq!(store.grants().await?, std::slice::from_ref(&given));
    let told = store.access_request(first.id).await?;
    let ended = AccessRequest {
        state: AccessRequestState::Granted,
        decided_by: Some("user:grace".to_owned()),
        decided_at: Some(at(12)),
        note: Some("as agreed".to_owned()),
        grant: Some(given.id),
        granted_until: Some(at(500)),
        ..first.clone()
    };
    assert_eq!(told, Some(ended));
    let no = decision(AccessRequestState::Refused, 13);
    assert_conflict(
        store
            .close_access_request(first.id, &no, event("access.refuse"))
            .await,
    );
    let other = Grant {
        id: GrantId::from_u128(78),
        ..given.clone()
    };
    assert_conflict(store.grant_access_request(first.id, &yes, &other, events()).await);
    assert_eq!(store.grants().await?.len(), 1, "the grant went with its decision");

    let second = asked(2, "com.acme/billing", 20);
    assert_eq!(
        store.ask_access(&second, 9, event("ask")).await?,
        AskedAccess::New
    );
    let late = decision(AccessRequestState::Granted, 920);
    assert_conflict(
        store
            .grant_access_request(second.id, &late, &other, events())
            .await,
    );
    let back = decision(AccessRequestState::Withdrawn, 21);
    store
        .close_access_request(second.id, &back, event("access.withdraw"))
        .await?;
    let told = store.access_request(second.id).await?.map(|told| told.state);
    assert_eq!(told, Some(AccessRequestState::Withdrawn));
    assert_eq!(store.open_access_requests(at(22), None, 10).await?, []);
    Ok(())
}

/// What a user asked for goes with the user.
pub async fn a_removed_user_asks_for_nothing(store: &dyn Durable) -> Outcome {
    let mut ada = user("ada");
    ada.id = ADA;
    store.ensure_user(&ada, event("user.create")).await?;
    let first = asked(1, "com.acme/billing", 10);
    store.ask_access(&first, 9, event("ask")).await?;
    store.remove_user(ADA, event("user.remove")).await?;
    assert_eq!(store.access_request(first.id).await?, None);
    Ok(())
}
