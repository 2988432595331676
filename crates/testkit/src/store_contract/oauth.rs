//! Clients and authorizations of the authorization server.

use portreeve_core::caller::Principal;
use portreeve_core::id::{AuthorizationId, UserId};
use portreeve_core::oauth::{
    Authorization, AuthorizationCode, Client, ClientAuth, ClientId, ClientKeys, ClientKind, Consent,
    GrantKind, PendingAuthorization, RefreshToken, Scopes,
};
use portreeve_core::ports::Approval;

use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{at, event, parse};

const USER: UserId = UserId::from_u128(7);
const RESOURCE: &str = "https://gw.example/s/billing/mcp";

fn client(id: &str, kind: ClientKind, created: i64) -> Client {
    Client {
        id: parse(id),
        kind,
        name: "Editor".to_owned(),
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        grants: vec![GrantKind::AuthorizationCode, GrantKind::RefreshToken],
        auth: ClientAuth::None,
        secret_hash: None,
        keys: None,
        snapshot: "aa".to_owned(),
        created_by: "anonymous".to_owned(),
        created_at: at(created),
        used_at: None,
        fresh_until: None,
    }
}

fn pending(hash: &str) -> PendingAuthorization {
    PendingAuthorization {
        hash: hash.to_owned(),
        session: "session".to_owned(),
        user: USER,
        client: parse("one"),
        snapshot: "aa".to_owned(),
        redirect_uri: "http://127.0.0.1:4/callback".to_owned(),
        state: Some("s t\u{e9}".to_owned()),
        challenge: "c".to_owned(),
        resource: Some(RESOURCE.to_owned()),
        scopes: Scopes::known_in("billing:read"),
        expires_at: at(100),
    }
}

/// What comes of a request: authorization and code of one number.
fn approval(number: u128, request: Option<&str>) -> Approval {
    let id = AuthorizationId::from_u128(number);
    let scopes = Scopes::known_in("billing:read billing:write");
    Approval {
        pending: request.map(|hash| (hash.to_owned(), "session".to_owned())),
        consent: Some(Consent {
            key: "key".to_owned(),
            user: USER,
            client: parse("one"),
            snapshot: "aa".to_owned(),
            redirect_host: "127.0.0.1".to_owned(),
            resource: RESOURCE.to_owned(),
            scopes: scopes.clone(),
            given_at: at(10),
        }),
        authorization: Authorization {
            id,
            client: parse("one"),
            principal: Principal::User(USER),
            resource: RESOURCE.to_owned(),
            scopes,
            signed_in_at: Some(at(8)),
            granted_at: at(10),
            used_at: at(10),
            ended_at: None,
        },
        code: AuthorizationCode {
            hash: format!("code-{number}"),
            authorization: id,
            redirect_uri: "http://127.0.0.1:4/callback".to_owned(),
            challenge: "c".to_owned(),
            expires_at: at(70),
            redeemed_at: None,
        },
    }
}

fn refresh(hash: &str, number: u128) -> RefreshToken {
    RefreshToken {
        hash: hash.to_owned(),
        authorization: AuthorizationId::from_u128(number),
        expires_at: at(5_000),
        spent_at: None,
        successor: None,
    }
}

/// A client is read as it was stored, once per identity, up to the most of its kind.
pub async fn a_client_is_read_as_it_was_stored(store: &dyn Durable) -> Outcome {
    let generation = store.generation().await?;
    let mut one = client("one", ClientKind::Managed, 1);
    one.auth = ClientAuth::PrivateKeyJwt;
    one.keys = Some(ClientKeys::Inline("{\"keys\":[]}".to_owned()));
    one.grants = vec![GrantKind::ClientCredentials, GrantKind::JwtBearer];
    store.add_client(&one, 2, event("client.create")).await?;
    assert_eq!(store.client(&one.id).await?, Some(one.clone()));
    assert_conflict(store.add_client(&one, 2, event("client.create")).await);
    let mut two = client("two", ClientKind::Managed, 1);
    two.secret_hash = Some("bb".to_owned());
    two.auth = ClientAuth::SecretBasic;
    store.add_client(&two, 2, event("client.create")).await?;
    let three = client("three", ClientKind::Managed, 1);
    assert_conflict(store.add_client(&three, 2, event("client.create")).await);
    let registered = client("three", ClientKind::Registered, 1);
    store.add_client(&registered, 2, event("client.register")).await?;
    let ids = |clients: Vec<Client>| clients.iter().map(|c| c.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(store.clients("", 2).await?), ["one", "three"]);
    assert_eq!(ids(store.clients("three", 2).await?), ["two"]);
    store.note_client_used(&one.id, at(9)).await?;
    assert_eq!(store.client(&one.id).await?.and_then(|c| c.used_at), Some(at(9)));
    assert_eq!(
        store.generation().await?,
        generation,
        "clients are no part of the catalogue"
    );
    Ok(())
}

/// A copy of a document takes the place of the one before.
pub async fn a_document_replaces_its_former_copy(store: &dyn Durable) -> Outcome {
    let id = "https://host.example/client.json";
    let mut copy = client(id, ClientKind::Document, 1);
    copy.fresh_until = Some(at(50));
    store
        .keep_document(&copy, 9, Some(event("client.document")))
        .await?;
    store.note_client_used(&copy.id, at(9)).await?;
    copy.name = "Other".to_owned();
    copy.snapshot = "bb".to_owned();
    copy.fresh_until = Some(at(90));
    copy.keys = Some(ClientKeys::At("https://host.example/jwks.json".to_owned()));
    store.keep_document(&copy, 1, None).await?;
    copy.used_at = Some(at(9));
    assert_eq!(store.client(&copy.id).await?, Some(copy));
    Ok(())
}

/// A list that is full has room for one more, as long as it holds somebody who was never used.
pub async fn a_flood_of_clients_shuts_nobody_out(store: &dyn Durable) -> Outcome {
    let kind = ClientKind::Registered;
    for (id, created) in [("one", 1), ("two", 2), ("used", 3), ("four", 4), ("five", 5)] {
        let client = client(id, kind, created);
        store.add_client(&client, 5, event("client.register")).await?;
    }
    store.note_client_used(&parse("used"), at(9)).await?;
    // One waits for somebody's decision.
    store.add_pending(&pending("pp")).await?;
    for (id, leaves) in [("six", "two"), ("seven", "four"), ("eight", "five")] {
        store
            .add_client(&client(id, kind, 6), 5, event("client.register"))
            .await?;
        assert!(store.client(&parse(leaves)).await?.is_none(), "{leaves}");
    }
    for stays in ["one", "used", "six", "seven", "eight"] {
        assert!(store.client(&parse(stays)).await?.is_some(), "{stays}");
    }
    // Those who were used do not make room.
    for id in ["six", "seven", "eight"] {
        store.note_client_used(&parse(id), at(9)).await?;
    }
    let late = client("late", kind, 7);
    assert_conflict(store.add_client(&late, 5, event("client.register")).await);
    // Documents are counted by themselves, and one that is known needs no room.
    let copy = |id: &str| {
        client(
            &format!("https://{id}.example/client.json"),
            ClientKind::Document,
            1,
        )
    };
    store.keep_document(&copy("a"), 1, None).await?;
    store.note_client_used(&copy("a").id, at(9)).await?;
    store.keep_document(&copy("a"), 1, None).await?;
    assert_conflict(store.keep_document(&copy("b"), 1, None).await);
    Ok(())
}

/// Who never used what it registered is forgotten; who holds an authorization is not.
pub async fn unused_clients_go(store: &dyn Durable) -> Outcome {
    for (id, kind, created) in [
        ("one", ClientKind::Registered, 1),
        ("two", ClientKind::Registered, 1),
        ("three", ClientKind::Managed, 1),
        ("four", ClientKind::Registered, 20),
        ("five", ClientKind::Registered, 1),
    ] {
        let client = client(id, kind, created);
        store.add_client(&client, 9, event("client.create")).await?;
    }
    store.note_client_used(&parse("five"), at(15)).await?;
    store
        .approve(&approval(1, None), at(10), event("consent"))
        .await?;
    assert_eq!(store.purge_clients(ClientKind::Registered, at(12), 9).await?, 1);
    assert!(store.client(&parse("one")).await?.is_some());
    assert!(store.client(&parse("two")).await?.is_none());
    let ended = store
        .remove_client(&parse("one"), at(20), event("client.delete"))
        .await?;
    assert_eq!(ended, [AuthorizationId::from_u128(1)]);
    assert_not_found(
        store
            .remove_client(&parse("one"), at(20), event("client.delete"))
            .await,
    );
    assert!(store.consents(USER, &parse("one"), RESOURCE).await?.is_empty());
    Ok(())
}

/// An assertion is taken once per issuer.
pub async fn an_assertion_is_taken_once(store: &dyn Durable) -> Outcome {
    assert!(store.note_assertion("a", "1", at(50)).await?);
    assert!(!store.note_assertion("a", "1", at(60)).await?);
    assert!(store.note_assertion("b", "1", at(60)).await?);
    store.sweep_authorizations(at(55)).await?;
    assert!(store.note_assertion("a", "1", at(70)).await?);
    assert!(!store.note_assertion("b", "1", at(70)).await?);
    Ok(())
}

/// A request waits for the session that asked, until its time, and is decided once.
pub async fn a_request_is_decided_once(store: &dyn Durable) -> Outcome {
    store.add_pending(&pending("one")).await?;
    assert_eq!(store.pending("one", at(99)).await?, Some(pending("one")));
    assert_eq!(store.pending("one", at(100)).await?, None);
    assert!(!store.refuse("one", "other", event("consent.refuse")).await?);
    let mut other = approval(1, Some("one"));
    other.pending = Some(("one".to_owned(), "other".to_owned()));
    assert!(!store.approve(&other, at(10), event("consent")).await?);
    let late = approval(2, Some("one"));
    assert!(!store.approve(&late, at(100), event("consent")).await?);
    let right = approval(3, Some("one"));
    assert!(store.approve(&right, at(10), event("consent")).await?);
    assert!(
        !store
            .approve(&approval(4, Some("one")), at(10), event("consent"))
            .await?
    );
    assert!(store.code("code-1").await?.is_none() && store.code("code-4").await?.is_none());
    assert_eq!(
        store.code("code-3").await?,
        Some((right.code, right.authorization))
    );
    let consents = store.consents(USER, &parse("one"), RESOURCE).await?;
    assert_eq!(consents, Vec::from_iter(right.consent));
    store.add_pending(&pending("two")).await?;
    assert!(store.refuse("two", "session", event("consent.refuse")).await?);
    assert_eq!(store.pending("two", at(1)).await?, None);
    Ok(())
}

/// A code works once, within its time, for what has not ended.
pub async fn a_code_works_once(store: &dyn Durable) -> Outcome {
    for number in 1..=3 {
        store
            .approve(&approval(number, None), at(10), event("consent"))
            .await?;
    }
    let first = refresh("r1", 1);
    assert!(
        !store
            .redeem("code-1", Some(&first), at(70), event("token"))
            .await?
    );
    assert!(
        store
            .redeem("code-1", Some(&first), at(69), event("token"))
            .await?
    );
    assert!(
        !store
            .redeem("code-1", Some(&refresh("r2", 1)), at(69), event("token"))
            .await?
    );
    let Some((code, authorization)) = store.code("code-1").await? else {
        panic!("it was stored")
    };
    assert_eq!((code.redeemed_at, authorization.used_at), (Some(at(69)), at(69)));
    assert!(store.refresh_token("r2").await?.is_none());
    assert!(
        store
            .end(AuthorizationId::from_u128(2), at(20), event("revoke"))
            .await?
    );
    assert!(
        !store
            .end(AuthorizationId::from_u128(2), at(20), event("revoke"))
            .await?
    );
    assert!(!store.redeem("code-2", None, at(30), event("token")).await?);
    assert!(store.redeem("code-3", None, at(30), event("token")).await?);
    let live = store.authorizations(USER).await?;
    assert_eq!(live.len(), 2);
    Ok(())
}

/// A refresh token is exchanged once, and what it was exchanged for can be read for a while.
pub async fn a_refresh_token_is_exchanged_once(store: &dyn Durable) -> Outcome {
    store
        .approve(&approval(1, None), at(10), event("consent"))
        .await?;
    store
        .redeem("code-1", Some(&refresh("r1", 1)), at(20), event("token"))
        .await?;
    let next = refresh("r2", 1);
    assert!(
        store
            .rotate("r1", ("sealed", &next), at(30), event("token"))
            .await?
    );
    assert!(
        !store
            .rotate("r1", ("other", &refresh("r3", 1)), at(30), event("token"))
            .await?
    );
    let Some((spent, _)) = store.refresh_token("r1").await? else {
        panic!("it was stored")
    };
    assert_eq!(
        (spent.spent_at, spent.successor.as_deref()),
        (Some(at(30)), Some("sealed"))
    );
    assert_eq!(
        store.refresh_token("r2").await?.map(|(token, _)| token),
        Some(next)
    );
    assert!(store.refresh_token("r3").await?.is_none());
    let much_later = at(70_000);
    let mut lasting = refresh("r4", 1);
    lasting.expires_at = at(90_000_000);
    assert!(
        store
            .rotate("r2", ("sealed", &lasting), at(40), event("token"))
            .await?
    );
    store.sweep_authorizations(much_later).await?;
    assert!(store.refresh_token("r1").await?.is_none(), "its time is over");
    assert!(store.refresh_token("r4").await?.is_some());
    let ended = store
        .withdraw(USER, &parse("one"), much_later, event("consent.withdraw"))
        .await?;
    assert_eq!(ended, [AuthorizationId::from_u128(1)]);
    assert!(
        !store
            .rotate("r4", ("sealed", &refresh("r5", 1)), much_later, event("token"))
            .await?
    );
    let one: ClientId = parse("one");
    assert!(store.consents(USER, &one, RESOURCE).await?.is_empty());
    assert!(store.authorizations(USER).await?.is_empty());
    store.sweep_authorizations(at(80_000_000)).await?;
    assert!(
        store.refresh_token("r4").await?.is_none(),
        "what it rests on has ended"
    );
    Ok(())
}
