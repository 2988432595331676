//! Calls that a person must allow first, as pages: who may decide sees the very arguments, and decides once.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use portreeve_access::{HeldCall, HowDecided};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::{KeyId, RouteId, UserId};

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};
use crate::held_calls;

/// A call of a key that waits; its page.
async fn waiting(world: &World, approvers: &[&str]) -> String {
    let caller = Caller {
        principal: Principal::Key(KeyId::from_u128(77)),
        label: "key:agent".into(),
        ..Caller::system()
    };
    let call = HeldCall {
        caller: &caller,
        route: RouteId::from_u128(9),
        slug: &"billing".parse().unwrap(),
        server: &"com.acme/billing".parse().unwrap(),
        tool: "refund",
        arguments: Some(r#"{"amount":12.50,"to":"<b>\u202eevil</b>"}"#),
    };
    let approvers: BTreeSet<String> = approvers.iter().map(|label| (*label).to_owned()).collect();
    let how = HowDecided {
        approvers: &approvers,
        by_caller: false,
        life: Duration::from_secs(900),
    };
    let asked = held_calls::over(&world.access, &world.store)
        .ask(&call, how)
        .await;
    format!("/approvals/{}", asked.unwrap().id)
}

#[tokio::test]
async fn an_approver_sees_the_arguments_and_decides_once() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let page = waiting(&world, &["user:dev"]).await;
    let mut stranger = Browser::new(&world);
    let sent = stranger.get(&page).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(sent.location(), format!("/sign-in?next={page}"));
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let hidden = developer.get(&page).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND, "it is not for everybody");

    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let list = admin.get("/approvals").await;
    assert!(list.body.contains(&format!("href=\"{page}\"")), "{}", list.body);
    let shown = admin.get(&page).await;
    assert!(
        shown.body.contains("12.50") || shown.body.contains("12.5"),
        "{}",
        shown.body
    );
    assert!(
        shown.body.contains("[U+202E]evil") && !shown.body.contains("<b>"),
        "{}",
        shown.body
    );
    let token = shown.hidden(&page, "csrf").remove(0);
    let forged = admin.post(&page, &[("decision", "allow"), ("csrf", "0")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let fields = [("decision", "deny"), ("reason", "Not today"), ("csrf", &token)];
    let decided = admin.post(&page, &fields).await;
    assert_eq!(
        (decided.status, decided.location()),
        (StatusCode::SEE_OTHER, page.as_str())
    );
    let after = admin.get(&page).await;
    assert!(
        after.body.contains("Not today") && !after.body.contains("<form method=\"post\" action=\"/approvals")
    );
    let again = admin
        .post(&page, &[("decision", "allow"), ("csrf", &token)])
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
    let nothing = admin.get("/approvals/nothing").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}
