//! What is told, to whom, and what is not.

use serde_json::{Value, json};

use super::*;
use crate::caller::Caller;

fn audit(action: &str, detail: Value) -> AuditEvent {
    let id = EventId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0007);
    let at = Timestamp::from_millis(1_790_000_000_000);
    let mut event = AuditEvent::new(id, at, action, &Caller::system());
    event.server = Some("com.acme/billing".to_owned());
    event.target = Some("1.0.0".to_owned());
    event.detail = Some(detail);
    event
}

#[test]
fn an_event_says_what_is_listed_and_nothing_else() {
    let mut event = audit(
        "server.reject",
        json!({"from": "submitted", "to": "rejected", "contentHash": "ab", "message": "no", "more": "hidden"}),
    );
    event.policies = vec!["grant:1".to_owned()];
    event.key = Some("a key".to_owned());
    let told = Event::of(&event).unwrap();
    let body: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(
        body,
        json!({
            "type": "server.rejected", "timestamp": "2026-09-21T14:13:20.000Z",
            "data": {
                "id": "01900000-0000-7000-8000-000000000007", "actor": "system", "server": "com.acme/billing",
                "version": "1.0.0", "from": "submitted", "to": "rejected", "contentHash": "ab", "message": "no",
            },
        })
    );
}

#[test]
fn the_stage_says_which_event_it_is() {
    let kind = |to: &str| {
        Event::of(&audit("server.lifecycle", json!({ "to": to })))
            .unwrap()
            .kind
    };
    assert_eq!(kind("deprecated"), EventKind::ServerDeprecated);
    assert_eq!(kind("retired"), EventKind::ServerRetired);
    assert_eq!(kind("preview"), EventKind::ServerStageChanged);
}

#[test]
fn what_concerns_no_entry_is_told_to_nobody() {
    for action in [
        "key.create",
        "grant.create",
        "secret.set",
        "sign-in",
        "tools/call",
        "webhook.change",
    ] {
        assert_eq!(Event::of(&audit(action, json!({}))), None, "{action}");
    }
}

#[test]
fn a_long_event_is_told_without_its_lists() {
    let versions: Vec<String> = (0..5_000)
        .map(|number| format!("{number}.0.0-abcdefgh"))
        .collect();
    let told = Event::of(&audit(
        "server.remove",
        json!({"count": 5_000, "versions": versions}),
    ))
    .unwrap();
    assert!(told.body.len() < 1_000, "{}", told.body.len());
    assert!(told.body.contains("\"count\":5000"), "{}", told.body);
}

#[test]
fn patterns_take_one_kind_a_group_or_all() {
    let takes = |pattern: &str, kind| pattern.parse::<EventPattern>().unwrap().takes(kind);
    assert!(takes("*", EventKind::ToolsDrifted));
    assert!(!takes("*", EventKind::Ping));
    assert!(takes("server.*", EventKind::ServerApproved));
    assert!(!takes("server.*", EventKind::RouteMoved));
    assert!(takes("server.approved", EventKind::ServerApproved));
    assert!(!takes("server.approved", EventKind::ServerAdded));
    for wrong in [
        "",
        "server",
        "server.",
        "server.appr*",
        "nothing.*",
        "ping",
        "**",
        "server.unknown",
    ] {
        assert!(wrong.parse::<EventPattern>().is_err(), "{wrong}");
    }
}

#[test]
fn a_subscription_may_be_about_some_servers() {
    let told = Event::of(&audit("server.approve", json!({}))).unwrap();
    let all = [EventPattern::all()];
    let of = |pattern: &str| [pattern.parse::<NamePattern>().unwrap()];
    assert!(told.is_for(&all, &[]));
    assert!(told.is_for(&all, &of("com.acme/*")));
    assert!(!told.is_for(&all, &of("com.other/*")));
    assert!(!told.is_for(&[], &[]));
    let mut import = audit("import.finish", json!({}));
    import.server = None;
    let told = Event::of(&import).unwrap();
    assert!(told.is_for(&all, &[]));
    assert!(
        !told.is_for(&all, &of("*")),
        "no server, so it is about none of these"
    );
}

#[test]
fn every_kind_has_a_word_of_its_own_and_a_meaning() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_word(kind.as_str()), Some(*kind));
        assert!(kind.meaning().ends_with('.'), "{kind}: {}", kind.meaning());
    }
}
