//! The review of a server: what an approval would do is shown, and that is what is done, or nothing.

use http::StatusCode;
use portreeve_core::id::UserId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::EntryStore;
use portreeve_core::server::{Approval, Lifecycle, Version};

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

const PAGE: &str = "/servers/com.acme/billing";
const REVIEW: &str = "/servers/com.acme/billing/review";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

async fn coming(world: &World) -> Version {
    let name: ServerName = "com.acme/billing".parse().unwrap();
    let entry = world.store.entry(&name).await.unwrap().unwrap();
    let mut versions = entry.versions.into_iter();
    versions
        .find(|version| version.version.as_str() == "1.5.0-rc.1")
        .unwrap()
}

/// The fields of the form, without the decision.
async fn form(browser: &mut Browser) -> [(&'static str, String); 3] {
    let page = browser.get(REVIEW).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    ["csrf", "version", "plan"].map(|field| (field, page.hidden(REVIEW, field).remove(0)))
}

fn fields<'a>(form: &'a [(&'static str, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let form = form.iter().map(|(name, value)| (*name, value.as_str()));
    form.chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn a_manager_sees_what_moves_and_approves_exactly_that() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = browser.get(PAGE).await;
    assert!(page.body.contains("href=\"/servers/com.acme/billing/review\""));
    let page = browser.get(REVIEW).await;
    for shown in [
        "Version 1.5.0-rc.1",
        "key:deploy",
        "1.5.0-rc.1 becomes the latest instead of 1.4.0",
        "https://billing.acme.example/mcp",
        "Moves",
        "What this version says now was not judged yet",
        "From version <code>1.4.0</code> to <code>1.5.0-rc.1</code>",
        "/version",
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
    let form = form(&mut browser).await;
    let answer = browser
        .post(REVIEW, &fields(&form, &[("decision", "approve")]))
        .await;
    assert_eq!(answer.location(), "/servers/com.acme/billing?done=let-in");
    assert_eq!(coming(&world).await.approval, Approval::Approved);
    let page = browser.get("/servers/com.acme/billing?done=let-in").await;
    assert!(page.body.contains("exactly as the review showed"));
    let page = browser.get(REVIEW).await;
    assert!(page.body.contains("Nothing waits"));
}

#[tokio::test]
async fn what_would_do_something_else_by_now_is_not_approved() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let mut form = form(&mut browser).await;
    form[2].1.replace_range(..2, "zz");
    let answer = browser
        .post(REVIEW, &fields(&form, &[("decision", "approve")]))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("than the review showed"), "{}", answer.body);
    assert_eq!(coming(&world).await.approval, Approval::Submitted);
}

#[tokio::test]
async fn a_version_is_sent_back_with_a_reason() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let form = form(&mut browser).await;
    let without = browser
        .post(REVIEW, &fields(&form, &[("decision", "reject")]))
        .await;
    assert_eq!(without.status, StatusCode::BAD_REQUEST);
    let reason = [("decision", "reject"), ("reason", "say what a refund does")];
    let answer = browser.post(REVIEW, &fields(&form, &reason)).await;
    assert_eq!(answer.location(), "/servers/com.acme/billing?done=sent-back");
    let version = coming(&world).await;
    assert_eq!(version.approval, Approval::Rejected);
    assert_eq!(version.lifecycle, Lifecycle::Production);
    assert_eq!(version.status_message.as_deref(), Some("say what a refund does"));
}

#[tokio::test]
async fn only_managers_review_and_only_by_their_own_form() {
    let world = world().await;
    let mut manager = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let form = form(&mut manager).await;
    let decision = fields(&form, &[("decision", "approve")]);
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(REVIEW).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        developer.post(REVIEW, &decision).await.status,
        StatusCode::FORBIDDEN
    );
    let mut stranger = Browser::new(&world);
    assert_eq!(stranger.get(REVIEW).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        stranger.post(REVIEW, &decision).await.status,
        StatusCode::FORBIDDEN
    );
    let foreign = [("sec-fetch-site", "cross-site")];
    let answer = manager.post_from(REVIEW, &decision, &foreign).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(coming(&world).await.approval, Approval::Submitted);
    assert!(!developer.get(PAGE).await.body.contains("/review"));
}

#[tokio::test]
async fn a_version_is_judged_again_from_its_review() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let form = form(&mut browser).await;
    let assess = "/servers/com.acme/billing/assess";
    let answer = browser.post(assess, &fields(&form, &[])).await;
    assert!(
        answer
            .location()
            .starts_with("/servers/com.acme/billing/review?version=1%2E5%2E0"),
        "{}",
        answer.body
    );
    let to = answer.location().split('#').next().unwrap().to_owned();
    let page = browser.get(&to).await.body;
    assert!(page.contains("Judged just now.") && page.contains("of 100") && page.contains("Assess anew"));
    let list = browser.get("/admin/waiting?show=versions").await.body;
    assert!(
        list.contains("Score ") && !list.contains("Not judged yet"),
        "{list}"
    );
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let answer = developer.post(assess, &fields(&form, &[])).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
