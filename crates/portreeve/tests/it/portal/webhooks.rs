//! The pages of webhooks: made by a form, seen with what became of their events, and led by buttons.

use http::StatusCode;
use portreeve_core::caller::Caller;
use portreeve_core::id::UserId;
use portreeve_core::ports::{Attempt, Outbox};
use portreeve_core::time::Timestamp;
use portreeve_core::webhook::DeliveryState;

use super::browser::{Browser, Page};
use super::samples;
use super::world::{DEVELOPER, World, now};

const LIST: &str = "/admin/webhooks";
const CHAT: &str = "/admin/webhooks/chat";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    world.sign_with("chat-hook").await.unwrap();
    world
}

/// Makes a webhook by the form; returns the token, too.
async fn made(browser: &mut Browser) -> (String, Page) {
    let token = browser.get(LIST).await.hidden(LIST, "csrf").remove(0);
    let form = [
        ("csrf", token.as_str()),
        ("name", "chat"),
        ("url", "https://chat.example/<hook>"),
        ("secret", "chat-hook"),
        ("events", "server.*, tools.drifted"),
        ("servers", ""),
        ("description", "Tells the <b>team"),
        ("internal", ""),
    ];
    let answer = browser.post(LIST, &form).await;
    (token, answer)
}

#[tokio::test]
async fn they_are_for_managers() {
    let world = world().await;
    made(&mut Browser::signed_in(&world, UserId::LOCAL_ADMIN).await).await;
    for path in [LIST, CHAT] {
        assert_eq!(Browser::new(&world).get(path).await.status, StatusCode::FORBIDDEN);
        let mut developer = Browser::signed_in(&world, DEVELOPER).await;
        let page = developer.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!page.body.contains("chat.example"), "{path}");
        let refused = developer.post(path, &[("do", "delete")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_webhook_is_made_by_the_form_and_what_is_wrong_is_told() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    assert!(
        admin
            .get(LIST)
            .await
            .body
            .contains("Nobody is told of changes yet.")
    );
    let (token, answer) = made(&mut admin).await;
    assert_eq!(answer.location(), CHAT, "{}", answer.body);
    let list = admin.get(LIST).await.body;
    for shown in ["chat.example", "server.*, tools.drifted", "badge-good", "All"] {
        assert!(list.contains(shown), "{shown}");
    }
    let page = admin.get(CHAT).await.body;
    for shown in ["secret:chat-hook", "user:admin", "No deliveries.", "Send a ping"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("<b>team") && !page.contains("<hook>"));

    for (field, value, told) in [
        ("url", "ftp://chat.example/", "https://"),
        ("url", "http://127.0.0.1/", "private"),
        ("secret", "nowhere", "no secret"),
        ("events", "server.exploded", "kind of event"),
        ("name", "No Name", "webhook"),
    ] {
        let mut form = vec![
            ("csrf", token.as_str()),
            ("name", "other"),
            ("url", "https://chat.example/"),
            ("secret", "secret:chat-hook"),
        ];
        form.retain(|(name, _)| *name != field);
        form.push((field, value));
        let answer = admin.post(LIST, &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}");
        assert!(answer.body.contains(told), "{field}: {}", answer.body);
    }
    assert_eq!(
        admin.get("/admin/webhooks/none").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        admin.get("/admin/webhooks/No%20Name").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn its_page_shows_the_dead_and_its_buttons_do_what_they_say() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let (token, _) = made(&mut admin).await;
    samples::fill(&world).await.unwrap();
    let ping = [("csrf", token.as_str()), ("do", "test")];
    assert_eq!(admin.post(CHAT, &ping).await.location(), CHAT);
    let page = admin.get(CHAT).await.body;
    assert!(page.contains("<code>ping</code>"), "{page}");

    // The receiver takes none of it.
    let name = "chat".parse().unwrap();
    let forever = Timestamp::from_millis(i64::MAX);
    world.store.hold(&name, "test", (now(), forever)).await.unwrap();
    let due = world.store.next_due(&name, forever).await.unwrap().unwrap();
    let dead = due.delivery.event.to_string();
    let attempt = Attempt {
        delivery: due.delivery,
        holder: "test".to_owned(),
        state: DeliveryState::Dead,
        at: now(),
        next_at: now(),
        rest_until: now(),
        held_until: forever,
        status: Some(302),
        error: Some("the receiver answered 302, <i>and</i> redirects are not followed".to_owned()),
        stop: None,
    };
    world.store.settle(&attempt).await.unwrap();
    let page = admin.get("/admin/webhooks/chat?state=dead").await.body;
    assert!(page.contains(&dead) && page.contains("badge-bad"), "{page}");
    assert!(
        page.contains("redirects are not followed") && !page.contains("<i>and"),
        "{page}"
    );

    for (what, event, state) in [
        ("send-again", Some(dead.as_str()), Some(DeliveryState::Waiting)),
        ("drop", Some(dead.as_str()), None),
        ("send-again", None, None),
    ] {
        let mut form = vec![("csrf", token.as_str()), ("do", what)];
        form.extend(event.map(|event| ("event", event)));
        assert_eq!(admin.post(CHAT, &form).await.location(), CHAT, "{what}");
        let found = world.store.delivery(&name, dead.parse().unwrap()).await.unwrap();
        assert_eq!(found.map(|due| due.delivery.state), state, "{what}");
    }
    for (what, is_on) in [("off", false), ("on", true)] {
        admin.post(CHAT, &[("csrf", &token), ("do", what)]).await;
        let shown = world.webhooks.show(&Caller::system(), &name).await.unwrap();
        assert_eq!(shown.is_enabled, is_on);
    }
    let stale = admin.post(CHAT, &[("csrf", "x"), ("do", "delete")]).await;
    assert_ne!(stale.status, StatusCode::SEE_OTHER);
    let gone = admin.post(CHAT, &[("csrf", &token), ("do", "delete")]).await;
    assert_eq!(gone.location(), LIST);
    assert_eq!(admin.get(CHAT).await.status, StatusCode::NOT_FOUND);
}
