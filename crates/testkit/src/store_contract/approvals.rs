//! Calls that wait for a person.

use std::collections::BTreeSet;

use portreeve_core::approval::{ApprovalDecision, ApprovalState, CallApproval};
use portreeve_core::caller::Principal;
use portreeve_core::id::{ApprovalId, KeyId, RouteId};

use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{at, event, parse};

const ADA: Principal = Principal::Key(KeyId::from_u128(7));

fn asked(number: u128, digest: &str, asked_at: i64) -> CallApproval {
    CallApproval {
        id: ApprovalId::from_u128(number),
        digest: digest.to_owned(),
        route: RouteId::from_u128(9),
        slug: parse("billing"),
        server: parse("com.acme/billing"),
        tool: "refund".to_owned(),
        arguments: "sealed".to_owned(),
        principal: ADA,
        caller: "key:deploy".to_owned(),
        approvers: BTreeSet::from(["group:finance".to_owned()]),
        by_caller: false,
        asked_at: at(asked_at),
        expires_at: at(asked_at + 900),
        state: ApprovalState::Waiting,
        decided_by: None,
        decided_at: None,
        reason: None,
    }
}

fn decision(allowed: bool, second: i64) -> ApprovalDecision {
    ApprovalDecision {
        allowed,
        by: "user:ada".to_owned(),
        at: at(second),
        reason: (!allowed).then(|| "too much".to_owned()),
    }
}

/// The same call is asked for once, whoever asks, until it is used or expires.
pub async fn a_call_is_asked_for_once(store: &dyn Durable) -> Outcome {
    let first = asked(1, "one", 10);
    assert_eq!(store.ask_approval(&first, 2, event("approval")).await?, first);
    let again = store
        .ask_approval(&asked(2, "one", 20), 2, event("approval"))
        .await?;
    assert_eq!(again, first, "it is known");
    store
        .ask_approval(&asked(3, "two", 20), 2, event("approval"))
        .await?;
    assert_conflict(
        store
            .ask_approval(&asked(4, "three", 20), 2, event("approval"))
            .await,
    );
    assert_eq!(store.approvals(at(20), None, 10).await?.len(), 2);
    let after = store.approvals(at(20), Some(first.id), 10).await?;
    assert_eq!(after.len(), 1);
    // The first has expired by then, and makes room.
    let fresh = store
        .ask_approval(&asked(5, "one", 910), 2, event("approval"))
        .await?;
    assert_eq!(fresh.id, ApprovalId::from_u128(5));
    assert_eq!(store.purge_approvals(at(911)).await?, 1);
    assert_eq!(store.approval(first.id).await?, None);
    Ok(())
}

/// What is allowed passes once; what is denied stands until it expires.
pub async fn an_approval_is_used_once(store: &dyn Durable) -> Outcome {
    let call = asked(1, "one", 10);
    store.ask_approval(&call, 9, event("approval")).await?;
    assert_eq!(store.use_approval("one", at(11)).await?, None, "nobody decided");
    store
        .decide_approval(call.id, &decision(true, 12), event("approval"))
        .await?;
    assert_conflict(
        store
            .decide_approval(call.id, &decision(false, 13), event("approval"))
            .await,
    );
    assert_eq!(store.use_approval("other", at(13)).await?, None);
    assert_eq!(store.use_approval("one", at(910)).await?, None, "too late");
    let used = store.use_approval("one", at(13)).await?;
    let told = used.map(|used| (used.state, used.decided_by));
    assert_eq!(told, Some((ApprovalState::Used, Some("user:ada".to_owned()))));
    assert_eq!(store.use_approval("one", at(14)).await?, None, "once");

    let denied = asked(2, "one", 20);
    assert_eq!(
        store.ask_approval(&denied, 9, event("approval")).await?.id,
        denied.id,
        "the first was made"
    );
    store
        .decide_approval(denied.id, &decision(false, 21), event("approval"))
        .await?;
    let told = store
        .ask_approval(&asked(3, "one", 22), 9, event("approval"))
        .await?;
    assert_eq!((told.id, told.state), (denied.id, ApprovalState::Denied));
    assert_eq!(told.reason.as_deref(), Some("too much"));
    assert_eq!(store.use_approval("one", at(23)).await?, None);
    assert_conflict(
        store
            .decide_approval(denied.id, &decision(true, 24), event("approval"))
            .await,
    );
    let late = asked(4, "late", 0);
    store.ask_approval(&late, 9, event("approval")).await?;
    assert_conflict(
        store
            .decide_approval(late.id, &decision(true, 901), event("approval"))
            .await,
    );
    Ok(())
}
