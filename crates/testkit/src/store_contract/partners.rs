//! Partners: the catalogue never goes back, what was registered and withdrawn is told to every node, and what is revoked stands
//! in what decisions need.

use portreeve_core::partner::{
    HealthState, KeptCatalogue, PartnerHealth, PartnerPlace, PullOutcome, RegisteredPartner, RevokedServer,
    Withdrawal, Withdrawn, WithdrawnBy,
};
use portreeve_core::ports::StoreError;

use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{at, event, new_entry, parse};

fn kept(version: u64) -> KeptCatalogue {
    KeptCatalogue {
        version,
        hash: format!("hash {version}"),
        body: "{\"ünïcode\": true}".to_owned(),
        etag: Some(format!("\"{version}\"")),
        pulled_at: at(10),
        signed_by: "key".to_owned(),
    }
}

fn signed(version: u64, key: &str) -> KeptCatalogue {
    KeptCatalogue {
        signed_by: key.to_owned(),
        ..kept(version)
    }
}

fn outcome(code: &str) -> PullOutcome {
    PullOutcome {
        at: at(10),
        url: "https://partners.example/catalogue.json".to_owned(),
        code: code.to_owned(),
        message: "as it was".to_owned(),
    }
}

fn withdrawn(name: Option<&str>, what: Withdrawal, by: WithdrawnBy) -> Withdrawn {
    Withdrawn {
        partner: "acme".to_owned(),
        name: name.map(str::to_owned),
        what,
        by,
        reason: "it leaks".to_owned(),
        actor: "user:admin".to_owned(),
        at: at(20),
    }
}

fn registered(server: &str) -> RegisteredPartner {
    RegisteredPartner {
        server: parse(server),
        place: PartnerPlace {
            partner: "acme".to_owned(),
            name: "tickets".to_owned(),
        },
        version: parse("1.0.0"),
        catalogue_version: 42,
        content_hash: "content".to_owned(),
        document_hash: "document".to_owned(),
        signed_by: Some("key".to_owned()),
        variables: vec![("tenant".to_owned(), "red".to_owned())],
        registered_by: "user:ada".to_owned(),
        registered_at: at(11),
    }
}

/// A kept catalogue makes way for a newer one alone, and brings its withdrawals instead of those before.
pub async fn a_catalogue_never_goes_back(store: &dyn Durable) -> Outcome {
    assert_eq!(store.partner_catalogue().await?, None);
    let before = store.partner_generation().await?;
    let gone = withdrawn(Some("tickets"), Withdrawal::Delisted, WithdrawnBy::Catalogue);
    let told = outcome("taken");
    store
        .keep_catalogue(
            &kept(2),
            std::slice::from_ref(&gone),
            (&told, &[event("partner.pull"), event("partner.delist")]),
        )
        .await?;
    assert!(store.partner_generation().await? > before);
    assert_eq!(store.partner_catalogue().await?, Some(kept(2)));
    let own = withdrawn(None, Withdrawal::Delisted, WithdrawnBy::Admin);
    store.withdraw_partner(&own, event("partner.delist")).await?;
    for version in [1, 2] {
        assert_conflict(
            store
                .keep_catalogue(&kept(version), &[], (&told, &[event("partner.pull")]))
                .await,
        );
    }
    let state = store.partner_state().await?;
    assert_eq!(state.withdrawn, [own.clone(), gone]);
    assert_eq!(
        (state.kept_version, state.last_pull),
        (Some(2), Some(told.clone()))
    );

    store
        .keep_catalogue(&kept(3), &[], (&told, &[event("partner.pull")]))
        .await?;
    assert_eq!(store.partner_catalogue().await?, Some(kept(3)));
    assert_eq!(store.partner_state().await?.withdrawn, [own]);
    let refused = outcome("forged");
    store
        .note_pull(&refused, Some(event("partner.pull-refused")))
        .await?;
    assert_eq!(store.partner_state().await?.last_pull, Some(refused));
    assert_eq!(store.partner_catalogue().await?, Some(kept(3)));
    Ok(())
}

/// A catalogue that is dropped makes way for the newest one of another key, and the version counts from there.
pub async fn a_dropped_catalogue_makes_way_for_a_former_one(store: &dyn Durable) -> Outcome {
    let told = outcome("taken");
    for one in [signed(1, "first"), signed(2, "second"), signed(9, "thief")] {
        store
            .keep_catalogue(&one, &[], (&told, &[event("partner.pull")]))
            .await?;
    }
    let formers = store.former_catalogues().await?;
    assert_eq!(formers, [signed(2, "second"), signed(1, "first")]);
    let (before, calls) = (store.partner_generation().await?, store.generation().await?);
    let dropped = outcome("dropped");
    let stays = withdrawn(None, Withdrawal::Revoked, WithdrawnBy::Admin);
    let events = [event("partner.drop-catalogue")];
    let said = (Some(&formers[0]), std::slice::from_ref(&stays));
    assert_conflict(
        store
            .drop_catalogue((9, "another"), said, (&dropped, &events))
            .await,
    );
    store
        .drop_catalogue((9, "hash 9"), said, (&dropped, &events))
        .await?;
    assert!(store.partner_generation().await? > before && store.generation().await? > calls);
    let state = store.partner_state().await?;
    assert_eq!(
        (state.kept_version, state.kept_hash.as_deref()),
        (Some(2), Some("hash 2"))
    );
    assert_eq!(
        (state.dropped, state.last_pull),
        (Some(dropped.clone()), Some(told.clone()))
    );
    assert_eq!(state.withdrawn, [stays]);
    assert_eq!(store.partner_catalogue().await?, Some(signed(2, "second")));
    assert_eq!(store.former_catalogues().await?, [signed(1, "first")]);

    store
        .keep_catalogue(&signed(3, "second"), &[], (&told, &[event("partner.pull")]))
        .await?;
    store
        .drop_catalogue(
            (3, "hash 3"),
            (None, &[]),
            (&dropped, &[event("partner.drop-catalogue")]),
        )
        .await?;
    assert_eq!(store.partner_catalogue().await?, None);
    assert_eq!(store.partner_state().await?.kept_version, None);
    Ok(())
}

/// A registration counts while its entry is there, and goes with it.
pub async fn a_registration_goes_with_its_entry(store: &dyn Durable) -> Outcome {
    let one = registered("com.acme/tickets");
    store.note_registered(&one, None).await?;
    assert_eq!(store.partner_state().await?.registered, []);
    store.save(new_entry("com.acme/tickets", Vec::new())).await?;
    assert_eq!(
        store.partner_state().await?.registered,
        std::slice::from_ref(&one)
    );
    // Who comes second has no claim, and overwrites nothing.
    let mut second = one.clone();
    second.variables = vec![("tenant".to_owned(), "blue".to_owned())];
    assert_conflict(store.note_registered(&second, None).await);
    assert_eq!(
        store.partner_state().await?.registered,
        std::slice::from_ref(&one)
    );
    let mut later = one;
    later.catalogue_version = 43;
    later.variables = Vec::new();
    later.signed_by = None;
    store
        .note_registered(&later, Some(event("partner.update")))
        .await?;
    assert_eq!(store.partner_state().await?.registered, [later]);
    let before = store.partner_generation().await?;
    store
        .remove(&parse("com.acme/tickets"), 1, event("server.remove"))
        .await?;
    assert!(store.partner_generation().await? > before);
    // Another entry of that name is not of the partner.
    store.save(new_entry("com.acme/tickets", Vec::new())).await?;
    assert_eq!(store.partner_state().await?.registered, []);
    Ok(())
}

/// An update is told once for each document, until the entry is as the catalogue says.
pub async fn an_offer_is_told_once(store: &dyn Durable) -> Outcome {
    let one = registered("com.acme/tickets");
    store.note_registered(&one, None).await?;
    store.save(new_entry("com.acme/tickets", Vec::new())).await?;
    let told = |document: &'static str| store.note_offer(&one.server, document, event("partner.offer"));
    assert!(told("second").await?);
    assert!(!told("second").await?, "another node was first");
    assert!(told("third").await?);
    store.note_registered(&one, Some(event("partner.update"))).await?;
    assert!(told("second").await?, "the catalogue went back to it");
    Ok(())
}

/// What was found replaces what was found before.
pub async fn health_is_noted(store: &dyn Durable) -> Outcome {
    let mut found = PartnerHealth {
        place: PartnerPlace {
            partner: "acme".to_owned(),
            name: "tickets".to_owned(),
        },
        state: HealthState::ToolsChanged,
        since: at(1),
        checked_at: at(2),
        detail: "its tools are others".to_owned(),
        content_hash: "content".to_owned(),
        tools_hash: Some("tools".to_owned()),
        evidence: "{}".to_owned(),
    };
    store
        .note_health(&[found.clone()], &[event("partner.change-tools")])
        .await?;
    assert_eq!(store.partner_state().await?.health, [found.clone()]);
    found.state = HealthState::Healthy;
    found.tools_hash = None;
    found.checked_at = at(3);
    let before = store.partner_generation().await?;
    store.note_health(&[found.clone()], &[]).await?;
    assert!(store.partner_generation().await? > before);
    assert_eq!(store.partner_state().await?.health, [found]);
    Ok(())
}

/// What was made of a revoked server is closed until that is taken back, and every node hears of both.
pub async fn what_is_revoked_is_closed(store: &dyn Durable) -> Outcome {
    store
        .note_registered(&registered("com.acme/tickets"), None)
        .await?;
    assert_eq!(store.snapshot(None).await?.revoked, []);
    let delisted = withdrawn(None, Withdrawal::Delisted, WithdrawnBy::Catalogue);
    store.withdraw_partner(&delisted, event("partner.delist")).await?;
    assert_eq!(store.snapshot(None).await?.revoked, []);
    let closed = [RevokedServer {
        server: parse("com.acme/tickets"),
        reason: "it leaks".to_owned(),
    }];
    let before = store.generation().await?;
    for name in [None, Some("tickets"), Some("other")] {
        let revoked = withdrawn(name, Withdrawal::Revoked, WithdrawnBy::Admin);
        store.withdraw_partner(&revoked, event("partner.revoke")).await?;
        assert_eq!(store.snapshot(None).await?.revoked, closed);
    }
    assert!(store.generation().await? > before);
    let before = store.generation().await?;
    for name in [None, Some("tickets")] {
        let place = ("acme", name);
        store
            .reinstate_partner(place, WithdrawnBy::Admin, event("partner.reinstate"))
            .await?;
    }
    assert!(store.generation().await? > before);
    assert_eq!(store.snapshot(None).await?.revoked, []);
    let again = store
        .reinstate_partner(("acme", None), WithdrawnBy::Admin, event("partner.reinstate"))
        .await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
    Ok(())
}

/// Removing an entry and adding it again by hand opens nothing that is revoked.
pub async fn what_is_revoked_stays_closed_without_its_entry(store: &dyn Durable) -> Outcome {
    let closed = [RevokedServer {
        server: parse("com.acme/tickets"),
        reason: "it leaks".to_owned(),
    }];
    let one = registered("com.acme/tickets");
    store.note_registered(&one, None).await?;
    for name in [None, Some("tickets")] {
        store.save(new_entry("com.acme/tickets", Vec::new())).await?;
        let revoked = withdrawn(name, Withdrawal::Revoked, WithdrawnBy::Admin);
        store.withdraw_partner(&revoked, event("partner.revoke")).await?;
        store
            .remove(&parse("com.acme/tickets"), 1, event("server.remove"))
            .await?;
        store.forget_registered(&parse("com.acme/tickets")).await?;
        store.save(new_entry("com.acme/tickets", Vec::new())).await?;
        assert_eq!(store.snapshot(None).await?.revoked, closed);
        assert_eq!(
            store.partner_state().await?.registered,
            std::slice::from_ref(&one)
        );
        let place = ("acme", name);
        store
            .reinstate_partner(place, WithdrawnBy::Admin, event("partner.reinstate"))
            .await?;
        assert_eq!(store.snapshot(None).await?.revoked, []);
        store
            .remove(&parse("com.acme/tickets"), 1, event("server.remove"))
            .await?;
        assert_eq!(store.partner_state().await?.registered, []);
        store.note_registered(&one, None).await?;
    }
    Ok(())
}
