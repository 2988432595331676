//! Legacy sessions of hosts.

use portreeve_core::caller::Principal;
use portreeve_core::host_session::{HostSession, HostSessionBounds, HostSessionChange};
use portreeve_core::id::{HostSessionId, KeyId, RouteId};
use portreeve_core::ports::StoreError;

use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::at;

const ADA: Principal = Principal::Key(KeyId::from_u128(7));

fn session(number: u128, principal: Principal, used: i64) -> HostSession {
    HostSession {
        id: HostSessionId::from_u128(number),
        principal,
        route: RouteId::from_u128(9),
        sealed: format!("sealed {number}"),
        revision: 1,
        opened_at: at(0),
        used_at: at(used),
    }
}

async fn open(store: &dyn Durable, sessions: &[HostSession]) -> Outcome {
    let changes: Vec<_> = sessions.iter().cloned().map(HostSessionChange::Open).collect();
    let took = store.save_host_sessions(&changes).await?;
    assert_eq!(took, vec![true; sessions.len()]);
    Ok(())
}

fn sealing(number: u128, expected: i64, sealed: &str) -> HostSessionChange {
    HostSessionChange::Seal {
        id: HostSessionId::from_u128(number),
        expected,
        sealed: sealed.to_owned(),
    }
}

/// A session is read whole, whoever's it is; its identity is given once.
pub async fn a_session_of_a_host_is_read_as_it_was_saved(store: &dyn Durable) -> Outcome {
    let generation = store.generation().await?;
    let all = [
        session(1, ADA, 5),
        session(2, Principal::Anonymous, 6),
        session(3, Principal::System, 7),
    ];
    open(store, &all).await?;
    for one in &all {
        assert_eq!(store.host_session(one.id).await?.as_ref(), Some(one));
    }
    assert_eq!(store.host_session(HostSessionId::from_u128(4)).await?, None);
    let again = [
        HostSessionChange::Open(session(4, ADA, 1)),
        HostSessionChange::Open(session(1, ADA, 1)),
    ];
    assert_conflict(store.save_host_sessions(&again).await);
    assert_eq!(
        store.host_session(HostSessionId::from_u128(4)).await?,
        None,
        "all or none"
    );
    assert_eq!(
        store.generation().await?,
        generation,
        "sessions are no part of the catalogue"
    );
    Ok(())
}

/// Of two changes that were made of one reading, the second one does not take.
pub async fn of_two_changes_one_takes(store: &dyn Durable) -> Outcome {
    open(store, &[session(1, ADA, 5)]).await?;
    let took = store
        .save_host_sessions(&[sealing(1, 1, "one"), sealing(1, 1, "other")])
        .await?;
    assert_eq!(took, [true, false]);
    let took = store
        .save_host_sessions(&[sealing(1, 1, "late"), sealing(8, 1, "of none")])
        .await?;
    assert_eq!(took, [false, false]);
    let found = store.host_session(HostSessionId::from_u128(1)).await?;
    let found = found.map(|session| (session.sealed, session.revision));
    assert_eq!(found, Some(("one".to_owned(), 2)));
    Ok(())
}

/// What was ended is not there, cannot be changed and ends once.
pub async fn an_ended_session_is_gone_for_everybody(store: &dyn Durable) -> Outcome {
    open(store, &[session(1, ADA, 5), session(2, ADA, 5)]).await?;
    let id = HostSessionId::from_u128(1);
    let changes = [
        HostSessionChange::End(id),
        sealing(1, 1, "late"),
        HostSessionChange::End(id),
    ];
    assert_eq!(store.save_host_sessions(&changes).await?, [true, false, false]);
    store.touch_host_sessions(&[(id, at(9))]).await?;
    assert_eq!(store.host_session(id).await?, None);
    let other = HostSessionId::from_u128(2);
    assert_eq!(store.host_session_revisions(&[id, other]).await?, [(other, 1)]);
    Ok(())
}

/// Many at once, in an order that mixes what they are.
pub async fn many_are_saved_at_once(store: &dyn Durable) -> Outcome {
    let mut changes = Vec::new();
    for number in 1..=450 {
        changes.push(HostSessionChange::Open(session(number, ADA, 0)));
        if number % 200 == 0 {
            changes.push(sealing(number, 1, "changed"));
        }
    }
    let took = store.save_host_sessions(&changes).await?;
    assert_eq!(took, vec![true; 452]);
    let ids: Vec<_> = (1..=451).map(HostSessionId::from_u128).collect();
    for moment in [5, 3] {
        let used: Vec<_> = ids.iter().map(|id| (*id, at(moment))).collect();
        store.touch_host_sessions(&used).await?;
    }
    store
        .touch_host_sessions(&[(HostSessionId::from_u128(7), at(8))])
        .await?;
    let found = store.host_session_revisions(&ids).await?;
    assert_eq!(found.len(), 450);
    assert_eq!(found.iter().filter(|(_, revision)| *revision == 2).count(), 2);
    let last = store.host_session(HostSessionId::from_u128(450)).await?;
    assert_eq!(
        last.map(|session| session.used_at),
        Some(at(5)),
        "a later use stays"
    );
    assert_eq!(store.save_host_sessions(&[]).await?, Vec::<bool>::new());
    Ok(())
}

/// What rested too long, and what a caller has too much of, is removed and told once.
pub async fn what_rests_or_is_too_much_is_removed_once(store: &dyn Durable) -> Outcome {
    let anonymous = |number| session(number, Principal::Anonymous, 20);
    let all = [
        session(1, ADA, 1),
        session(2, ADA, 12),
        session(3, ADA, 14),
        session(4, ADA, 13),
        anonymous(5),
        anonymous(6),
    ];
    open(store, &all).await?;
    let purge = |most| HostSessionBounds {
        unused_since: at(10),
        per_caller: 2,
        most,
    };
    let numbers = |removed: Vec<HostSession>| {
        let mut numbers: Vec<_> = removed.iter().map(|session| session.id.as_u128()).collect();
        numbers.sort_unstable();
        Ok::<_, StoreError>(numbers)
    };
    // The first of them is both unused and beyond the two that its caller may have.
    assert_eq!(numbers(store.purge_host_sessions(purge(1)).await?)?, [1]);
    assert_eq!(numbers(store.purge_host_sessions(purge(10)).await?)?, [2]);
    assert_eq!(
        numbers(store.purge_host_sessions(purge(10)).await?)?,
        Vec::<u128>::new()
    );
    let left: Vec<_> = (1..=6).map(HostSessionId::from_u128).collect();
    assert_eq!(store.host_session_revisions(&left).await?.len(), 4);
    Ok(())
}
