//! The first page: what it lists, finds, pages, and teaches when it is empty.

use portreeve_core::id::UserId;
use portreeve_core::route::Access;
use portreeve_core::server::{Approval, Lifecycle};
use serde_json::json;

use super::browser::Browser;
use super::samples::{self, Sample};
use super::world::World;

#[tokio::test]
async fn an_empty_register_teaches_the_first_step() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let page = Browser::new(&world).get("/").await;
    assert!(page.body.contains("The register is still empty"));
    assert!(page.body.contains("portreeve server add com.acme/billing --url"));
    assert!(page.body.contains("--file server.json --approve"));
    assert!(page.body.contains(">No servers yet<"));
}

#[tokio::test]
async fn visitors_see_what_is_listed_and_managers_see_what_waits() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let page = Browser::new(&world).get("/").await;
    assert!(page.body.contains(">8 servers<"));
    assert!(page.body.contains("href=\"/servers/com.acme/billing\""));
    assert!(!page.body.contains("waits for approval"));
    assert!(!page.body.contains("/usage"));
    let page = Browser::signed_in(&world, UserId::LOCAL_ADMIN)
        .await
        .get("/")
        .await;
    assert!(page.body.contains("1 version waits for approval"));
    assert_eq!(page.body.matches("href=\"/servers/com.acme/billing\"").count(), 1);
    assert!(page.body.contains("href=\"/usage\""));
}

#[tokio::test]
async fn the_search_finds_says_how_many_and_sends_the_part_alone() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let mut browser = Browser::new(&world);
    let page = browser.get("/?q=invoices").await;
    assert!(page.body.contains(">1 server matches “invoices”<"));
    assert!(page.body.contains("value=\"invoices\""));
    let part = browser.get("/?q=invoices&part=results").await;
    assert!(
        part.body
            .trim_start()
            .starts_with("<div data-count=\"1 server matches"),
        "{}",
        part.body
    );
    assert!(part.body.contains("/servers/com.acme/billing") && !part.body.contains("<html"));
    let none = browser.get("/?q=%3Cqqq%3E").await;
    assert!(none.body.contains("No server matches “&#60;qqq&#62;”"));
    let slip = browser.get("/?q=invioces").await;
    assert!(
        slip.body.contains("results for “invoice”") && slip.body.contains("<mark>"),
        "{}",
        slip.body
    );
}

#[tokio::test]
async fn pages_follow_one_another_and_a_broken_cursor_begins_anew() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    for number in 0..30 {
        let document = json!({"name": format!("com.acme/tool-{number:02}"), "version": "1.0.0", "description": "One of many."});
        let sample = Sample {
            document,
            lifecycle: Lifecycle::Production,
            approval: Approval::Approved,
            latest: true,
            message: None,
        };
        samples::server(&world, &[sample], Access::Credential)
            .await
            .unwrap();
    }
    let mut browser = Browser::new(&world);
    let first = browser.get("/?q=many").await;
    assert!(first.body.contains("The first 24 servers that match “many”"));
    let next = first
        .body
        .split("href=\"/?q=many&#38;cursor=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let second = browser.get(&format!("/?q=many&cursor={next}")).await;
    assert!(
        second.body.contains("6 more servers, continued"),
        "{}",
        second.body
    );
    assert!(second.body.contains("com.acme/tool-29") && !second.body.contains("com.acme/tool-23"));
    let broken = browser.get("/?q=many&cursor=nonsense").await;
    assert_eq!((broken.status.as_u16(), broken.location()), (303, "/?q=many"));
}
