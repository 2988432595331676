//! The managers' pages: usage and audit.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

#[tokio::test]
async fn they_are_for_managers() {
    let world = world().await;
    for (path, said) in [("/usage", "see usage"), ("/audit", "read the audit log")] {
        let page = Browser::new(&world).get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.body.contains("href=\"/sign-in\""), "{path}");
        let page = Browser::signed_in(&world, DEVELOPER).await.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(
            page.body
                .contains(&format!("<code>user:dana</code> may not {said}")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn usage_has_a_row_and_a_bar_for_each_tool() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = browser.get("/usage").await;
    assert!(page.body.contains("The last 24 hours"));
    for shown in [
        "list_invoices",
        "search_code",
        "tools/list",
        ">504<svg class=\"bar\"",
        "answered",
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
    assert_eq!(page.body.matches("<svg class=\"bar\"").count(), 6);
    let page = browser.get("/usage?range=30d").await;
    assert!(page.body.contains("The last 30 days"));
}

#[tokio::test]
async fn usage_without_calls_teaches_the_first() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let page = Browser::signed_in(&world, UserId::LOCAL_ADMIN)
        .await
        .get("/usage?range=1h")
        .await;
    assert!(
        page.body
            .contains("portreeve call com.acme/billing list_invoices")
    );
}

#[tokio::test]
async fn audit_events_are_filtered_and_paged() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = browser.get("/audit").await;
    for shown in [
        "tools/call",
        "upstream-unreachable",
        "key:intern",
        "sign-in",
        "38 ms",
        "grant:01930000",
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
    let page = browser
        .get("/audit?outcome=refused&server=com.acme%2Fbilling")
        .await;
    assert!(page.body.contains("prepare_refund") && !page.body.contains("upstream-unreachable"));
    assert!(page.body.contains("value=\"refused\" selected"));
    let page = browser.get("/audit?actor=nobody").await;
    assert!(page.body.contains("Nothing in the log fits this filter."));
    assert_eq!(
        browser.get("/audit?cursor=nonsense").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_chain_is_verified_by_a_form() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = browser.get("/audit").await;
    let token = page.hidden("/audit/verify", "csrf").remove(0);
    let page = browser.post("/audit/verify", &[("csrf", &token)]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("The log is whole."), "{}", page.body);
    let refused = browser.post("/audit/verify", &[("csrf", "")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("This form is out of date"));
}
