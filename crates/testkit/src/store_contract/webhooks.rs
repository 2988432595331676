//! Webhooks and the outbox: what is told of a change is written with it, and one node at a time delivers it.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Principal;
use portreeve_core::event::{Event, EventKind};
use portreeve_core::id::{EventId, UserId};
use portreeve_core::name::WebhookName;
use portreeve_core::ports::{Attempt, Due, OutboxCounts, Removal, StoreError};
use portreeve_core::time::Timestamp;
use portreeve_core::webhook::{DeliveryState, Webhook};

use super::vault::change;
use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{at, event, event_at, new_entry, parse, server, version};

/// What must be there for the test to go on.
trait There<T> {
    fn there(self, what: &str) -> T;
}

impl<T> There<T> for Option<T> {
    fn there(self, what: &str) -> T {
        match self {
            Some(found) => found,
            None => panic!("{what} is not there"),
        }
    }
}

fn webhook(name: &str, events: &[&str]) -> Webhook {
    Webhook {
        name: parse(name),
        url: "https://chat.example/hook?token=x".to_owned(),
        description: "tells the team".to_owned(),
        events: events.iter().map(|text| parse(text)).collect(),
        servers: vec![parse("com.acme/*")],
        secret: parse("a"),
        former_secret: Some(parse("b")),
        is_enabled: true,
        stopped_because: None,
        private_hosts: server("com.acme/x").private_hosts,
        owner: Principal::User(UserId::LOCAL_ADMIN),
        revision: 1,
        created_by: "user:ada".to_owned(),
        created_at: at(1),
        updated_by: "user:bob".to_owned(),
        updated_at: at(2),
    }
}

async fn with_secrets(store: &dyn Durable) -> Outcome {
    store.put_secret(change("a", "sealed", 1)).await?;
    store.put_secret(change("b", "sealed", 1)).await
}

/// An audit event about a server.
fn about(action: &str, server: &str, moment: Timestamp) -> AuditEvent {
    let mut told = event_at(action, moment);
    told.server = Some(server.to_owned());
    told.target = Some("1.0.0".to_owned());
    told
}

/// An entry whose change tells these events.
async fn tell(store: &dyn Durable, name: &str, events: Vec<AuditEvent>) -> Outcome {
    let mut entry = new_entry(name, vec![version(name, "1.0.0")]);
    entry.events = events;
    store.save(entry).await.map(drop)
}

async fn waiting(store: &dyn Durable, name: &WebhookName) -> Result<Vec<EventId>, StoreError> {
    let state = Some(DeliveryState::Waiting);
    let page = store.deliveries(name, state, (None, 100)).await?;
    Ok(page.iter().map(|delivery| delivery.event).collect())
}

fn attempt(due: &Due, state: DeliveryState, moment: Timestamp) -> Attempt {
    Attempt {
        delivery: due.delivery.clone(),
        holder: "one".to_owned(),
        state,
        at: moment,
        next_at: moment,
        rest_until: moment,
        held_until: moment,
        status: Some(204),
        error: None,
        stop: None,
    }
}

/// A webhook is read as it was saved, changed only as it was read, and takes its secrets along.
pub async fn a_webhook_is_made_changed_and_removed(store: &dyn Durable) -> Outcome {
    let mut hook = webhook("chat", &["server.*"]);
    assert_not_found(store.add_webhook(&hook, 2, event("webhook.create")).await);
    assert_eq!(store.webhooks().await?, [], "nothing is left of what was refused");
    with_secrets(store).await?;
    store.add_webhook(&hook, 2, event("webhook.create")).await?;
    assert_conflict(store.add_webhook(&hook, 2, event("webhook.create")).await);
    assert_eq!(store.webhook(&hook.name).await?.as_ref(), Some(&hook));
    let other = webhook("other", &["*"]);
    store.add_webhook(&other, 2, event("webhook.create")).await?;
    assert_conflict(
        store
            .add_webhook(&webhook("third", &["*"]), 2, event("webhook.create"))
            .await,
    );

    hook.former_secret = None;
    hook.is_enabled = false;
    hook.stopped_because = Some("gone".to_owned());
    hook.servers = Vec::new();
    assert_eq!(store.save_webhook(&hook, event("webhook.change")).await?, 2);
    assert_conflict(store.save_webhook(&hook, event("webhook.change")).await);
    hook.revision = 2;
    assert_eq!(store.webhooks().await?, [hook.clone(), other]);

    let users = |uses: Vec<portreeve_core::vault::SecretUse>| -> Vec<String> {
        uses.iter().map(ToString::to_string).collect()
    };
    let (a, b) = (parse("a"), parse("b"));
    assert_eq!(
        users(store.secret_uses(&a).await?),
        ["webhook `chat`", "webhook `other`"]
    );
    assert_eq!(users(store.secret_uses(&b).await?), ["webhook `other`"]);
    let kept = store
        .remove_secret(&b, Removal::Unused, event("secret.delete"))
        .await?;
    assert_eq!(users(kept), ["webhook `other`"]);
    assert!(store.secret(&b).await?.is_some());
    store
        .remove_secret(&b, Removal::Forced, event("secret.delete"))
        .await?;
    assert_eq!(store.secret(&b).await?, None);
    // What names a secret that is gone may still be changed.
    let mut other = webhook("other", &["*"]);
    other.description = "another".to_owned();
    assert_eq!(store.save_webhook(&other, event("webhook.change")).await?, 2);

    assert_conflict(store.remove_webhook(&hook.name, 1, event("webhook.delete")).await);
    store
        .remove_webhook(&hook.name, 2, event("webhook.delete"))
        .await?;
    assert_eq!(store.webhook(&hook.name).await?, None);
    assert_eq!(users(store.secret_uses(&a).await?), ["webhook `other`"]);
    Ok(())
}

/// What is told of a change is written with it, for those who want it; without the change there is nothing.
pub async fn events_are_written_with_their_change(store: &dyn Durable) -> Outcome {
    with_secrets(store).await?;
    let wanting = webhook("chat", &["server.added", "server.approved"]);
    store.add_webhook(&wanting, 9, event("webhook.create")).await?;
    let mut off = webhook("off", &["*"]);
    off.is_enabled = false;
    store.add_webhook(&off, 9, event("webhook.create")).await?;

    let told = about("server.add", "com.acme/billing", at(10));
    let events = vec![told.clone(), about("server.submit", "com.acme/billing", at(10))];
    tell(store, "com.acme/billing", events).await?;
    tell(
        store,
        "org.else/x",
        vec![about("server.add", "org.else/x", at(11))],
    )
    .await?;
    // The entry exists already: the change fails, and so does the telling.
    assert_conflict(
        tell(
            store,
            "com.acme/billing",
            vec![about("server.approve", "com.acme/billing", at(12))],
        )
        .await,
    );
    assert_eq!(waiting(store, &wanting.name).await?, [told.id]);
    assert_eq!(waiting(store, &off.name).await?, []);

    let due = store
        .delivery(&wanting.name, told.id)
        .await?
        .there("the delivery");
    assert_eq!(due.body, Event::of(&told).there("it is told").body);
    let delivery = &due.delivery;
    assert_eq!(
        (
            delivery.kind,
            delivery.state,
            delivery.attempts,
            delivery.at,
            delivery.next_at
        ),
        (EventKind::ServerAdded, DeliveryState::Waiting, 0, at(10), at(10))
    );
    assert_eq!(delivery.server, Some(parse("com.acme/billing")));
    assert_eq!(delivery.last_at, None);
    assert_eq!(store.delivery(&off.name, told.id).await?, None);
    Ok(())
}

/// One node holds a webhook at a time, and keeps it over a restart; another takes it when the lease is over.
pub async fn one_node_delivers_at_a_time(store: &dyn Durable) -> Outcome {
    with_secrets(store).await?;
    let hook = webhook("chat", &["*"]);
    let name = &hook.name;
    store.add_webhook(&hook, 9, event("webhook.create")).await?;
    assert_eq!(store.due("one", at(100)).await?, [], "nothing is due");
    tell(
        store,
        "com.acme/x",
        vec![about("server.add", "com.acme/x", at(10))],
    )
    .await?;
    assert_eq!(store.due("one", at(9)).await?, []);
    assert_eq!(store.due("one", at(10)).await?, std::slice::from_ref(name));

    assert!(store.hold(name, "one", (at(10), at(50))).await?);
    assert!(!store.hold(name, "two", (at(11), at(60))).await?);
    assert_eq!(store.due("two", at(11)).await?, []);
    assert!(
        store.hold(name, "one", (at(12), at(50))).await?,
        "the same node again"
    );
    let due = store.next_due(name, at(12)).await?.there("it is due");
    let mut foreign = attempt(&due, DeliveryState::Delivered, at(13));
    foreign.holder = "two".to_owned();
    assert_conflict(store.settle(&foreign).await);
    assert!(
        store.hold(name, "two", (at(51), at(90))).await?,
        "the lease is over"
    );
    assert_conflict(
        store
            .settle(&attempt(&due, DeliveryState::Delivered, at(52)))
            .await,
    );
    store.let_go(name, "one").await?;
    assert!(
        !store.hold(name, "one", (at(52), at(90))).await?,
        "nobody gives away what another has"
    );
    store.let_go(name, "two").await?;
    assert!(store.hold(name, "one", (at(53), at(90))).await?);
    store
        .settle(&attempt(&due, DeliveryState::Delivered, at(54)))
        .await?;
    assert_eq!(store.next_due(name, at(99)).await?, None);
    let done = store
        .delivery(name, due.delivery.event)
        .await?
        .there("it is kept")
        .delivery;
    assert_eq!(
        (done.state, done.attempts, done.last_at, done.last_status),
        (DeliveryState::Delivered, 1, Some(at(54)), Some(204))
    );
    Ok(())
}

/// Events are taken in the order of their changes; what failed waits, what rests is left alone, what is off gets nothing.
pub async fn what_failed_waits_for_its_time(store: &dyn Durable) -> Outcome {
    with_secrets(store).await?;
    let hook = webhook("chat", &["*"]);
    let name = &hook.name;
    store.add_webhook(&hook, 9, event("webhook.create")).await?;
    let first = about("server.add", "com.acme/x", at(10));
    let second = about("server.approve", "com.acme/x", at(10));
    tell(store, "com.acme/x", vec![first.clone(), second.clone()]).await?;
    assert!(store.hold(name, "one", (at(20), at(80))).await?);
    let due = store.next_due(name, at(20)).await?.there("the first");
    assert_eq!(due.delivery.event, first.id);
    let mut failed = attempt(&due, DeliveryState::Waiting, at(20));
    failed.next_at = at(60);
    failed.rest_until = at(40);
    failed.status = None;
    failed.error = Some("nobody answers".to_owned());
    store.settle(&failed).await?;
    assert_eq!(store.due("one", at(39)).await?, [], "it rests");
    assert_eq!(store.due("one", at(40)).await?, std::slice::from_ref(name));
    let next = store.next_due(name, at(40)).await?.there("the second");
    assert_eq!(next.delivery.event, second.id);
    let mut gone = attempt(&next, DeliveryState::Dead, at(41));
    gone.stop = Some(("gone".to_owned(), event("webhook.stop")));
    store.settle(&gone).await?;
    assert_eq!(store.due("one", at(90)).await?, [], "it is off");
    assert!(!store.hold(name, "one", (at(90), at(99))).await?);
    let stopped = store.webhook(name).await?.there("the webhook");
    assert_eq!(
        (
            stopped.is_enabled,
            stopped.stopped_because.as_deref(),
            stopped.revision
        ),
        (false, Some("gone"), 2)
    );
    assert_eq!(store.outbox_counts().await?, OutboxCounts { waiting: 1, dead: 1 });
    let kept = store.delivery(name, first.id).await?.there("it waits").delivery;
    assert_eq!(
        (
            kept.state,
            kept.attempts,
            kept.next_at,
            kept.last_error.as_deref()
        ),
        (DeliveryState::Waiting, 1, at(60), Some("nobody answers"))
    );
    Ok(())
}

/// The dead are tried again from the beginning, or dropped; what is old is forgotten.
pub async fn the_dead_are_sent_again_or_dropped(store: &dyn Durable) -> Outcome {
    with_secrets(store).await?;
    let hook = webhook("chat", &["*"]);
    let name = &hook.name;
    store.add_webhook(&hook, 9, event("webhook.create")).await?;
    let told: Vec<AuditEvent> = (10..14)
        .map(|moment| about("server.add", "com.acme/x", at(moment)))
        .collect();
    tell(store, "com.acme/x", told.clone()).await?;
    store.hold(name, "one", (at(20), at(80))).await?;
    for _ in 0..3 {
        let due = store.next_due(name, at(20)).await?.there("it is due");
        store.settle(&attempt(&due, DeliveryState::Dead, at(21))).await?;
    }
    let again = |which| store.send_again(name, which, (at(30), event("webhook.send-again")));
    let drop = |which| store.drop_deliveries(name, which, event("webhook.drop"));
    assert_eq!(again(Some(event("nothing").id)).await?, 0);
    assert_eq!(again(Some(told[0].id)).await?, 1);
    let first = store
        .delivery(name, told[0].id)
        .await?
        .there("it is there")
        .delivery;
    assert_eq!(
        (first.state, first.attempts, first.next_at),
        (DeliveryState::Waiting, 0, at(30))
    );
    assert_eq!(drop(Some(told[1].id)).await?, 1);
    assert_eq!(store.delivery(name, told[1].id).await?, None);
    assert_eq!(again(None).await?, 1, "the only dead one that is left");
    assert_eq!(drop(None).await?, 0);

    let ping = event_at("webhook.test", at(40));
    store.ping(name, ping.clone()).await?;
    let pages = [
        store.deliveries(name, None, (None, 2)).await?,
        store.deliveries(name, None, (None, 9)).await?,
    ];
    assert_eq!(pages[0][0].event, ping.id, "newest first");
    assert_eq!(pages[0][0].kind, EventKind::Ping);
    assert_eq!((pages[0].len(), pages[1].len()), (2, 4));
    let before = Some(pages[0][1].position);
    assert_eq!(store.deliveries(name, None, (before, 9)).await?, pages[1][2..]);

    let due = store.next_due(name, at(50)).await?.there("the first");
    store
        .settle(&attempt(&due, DeliveryState::Delivered, at(50)))
        .await?;
    store.purge_outbox(at(12), at(11)).await?;
    assert_eq!(
        store.delivery(name, told[0].id).await?,
        None,
        "too old for anything"
    );
    assert_eq!(waiting(store, name).await?, [ping.id, told[3].id, told[2].id]);
    store.purge_outbox(at(99), at(0)).await?;
    assert_eq!(waiting(store, name).await?.len(), 3, "what waits is kept");
    store.remove_webhook(name, 1, event("webhook.delete")).await?;
    assert_eq!(store.outbox_counts().await?, OutboxCounts::default());
    store.purge_outbox(at(99), at(0)).await
}
