//! The stages of a server, and what can be narrowed to.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

const HERE: &str = "/servers/com.acme/billing/stages";

async fn admin() -> (World, Browser) {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    (world, admin)
}

#[tokio::test]
async fn a_version_gets_a_stage_and_a_word_for_its_users() {
    let (world, mut admin) = admin().await;
    let page = admin.get(HERE).await;
    let token = page.hidden(HERE, "csrf").remove(0);
    assert!(page.body.contains(">1.2.9, deprecated<") && !page.body.contains("1.5.0-rc.1,"));
    let fields = |message: &'static str| {
        [
            ("csrf", token.clone()),
            ("version", "1.3.0".to_owned()),
            ("lifecycle", "deprecated".to_owned()),
            ("message", message.to_owned()),
        ]
    };
    let long: &'static str = "x".repeat(2_000).leak();
    let wrong = admin.post(HERE, &borrowed(&fields(long))).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains(long) && wrong.body.contains("id=\"stage-message\""));
    let done = admin.post(HERE, &borrowed(&fields("Take 1.4.0."))).await;
    assert_eq!(done.location(), "/servers/com.acme/billing?done=turned");
    let old = admin.get("/servers/com.acme/billing?version=1.3.0").await.body;
    assert!(old.contains("Take 1.4.0.") && old.contains("Deprecated"));
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(HERE).await.status, StatusCode::FORBIDDEN);
    let forged = developer.post(HERE, &borrowed(&fields("Mine."))).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_was_rejected_is_handed_in_again() {
    let (_world, mut admin) = admin().await;
    let review = "/servers/com.acme/billing/review?version=1.5.0-rc.1";
    let page = admin.get(review).await;
    let token = page.hidden("/servers/com.acme/billing/review", "csrf").remove(0);
    assert!(!admin.get(HERE).await.body.contains("Ask for an approval"));
    let reject = [
        ("csrf", token.as_str()),
        ("version", "1.5.0-rc.1"),
        ("decision", "reject"),
        ("reason", "Say what is new."),
    ];
    let rejected = admin.post("/servers/com.acme/billing/review", &reject).await;
    assert_eq!(rejected.status, StatusCode::SEE_OTHER, "{}", rejected.body);
    let again = format!("{HERE}/submit");
    let page = admin.get(HERE).await;
    let token = page.hidden(&again, "csrf").remove(0);
    let fields = [("csrf", token.as_str()), ("version", "1.5.0-rc.1")];
    let done = admin.post(&again, &fields).await;
    assert_eq!(done.location(), "/servers/com.acme/billing?done=handed-in");
    assert!(admin.get("/admin/waiting").await.body.contains("1.5.0-rc.1"));
}

#[tokio::test]
async fn a_server_is_removed_by_its_name_alone() {
    let (_world, mut admin) = admin().await;
    let remove = format!("{HERE}/remove");
    let token = admin.get(HERE).await.hidden(&remove, "csrf").remove(0);
    let slip = [("csrf", token.as_str()), ("name", "com.acme/biling")];
    let wrong = admin.post(&remove, &slip).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("it is `com.acme/billing`"));
    let right = [("csrf", token.as_str()), ("name", "com.acme/billing")];
    assert_eq!(admin.post(&remove, &right).await.location(), "/");
    assert_eq!(
        admin.get("/servers/com.acme/billing").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_list_is_narrowed_by_what_servers_are() {
    let (world, _admin) = admin().await;
    let mut browser = Browser::new(&world);
    // In a node a job follows what changes; here a search does.
    browser.get("/?q=notes").await;
    let all = browser.get("/").await.body;
    assert!(all.contains("href=\"/?kind=remote\"") && all.contains("href=\"/?package=npm\""));
    let local = browser.get("/?kind=local").await.body;
    assert!(local.contains("/servers/com.acme/notes") && !local.contains("/servers/com.acme/billing"));
    assert!(local.contains("fit what you chose") || local.contains("fits what you chose"));
    // It can be given up, and is kept by the form of the words.
    assert!(
        local.contains("<a href=\"/\" aria-current=\"true\">") && !local.contains("kind=local&#38;kind=")
    );
    assert!(local.contains("<input type=\"hidden\" name=\"kind\" value=\"local\">"));
    let served = browser.get("/?environment=production").await.body;
    assert!(served.contains("/servers/com.acme/billing") && !served.contains("/servers/com.acme/notes"));
    assert!(served.contains("id=\"by-environment\""));
    let nowhere = browser.get("/?environment=test").await.body;
    assert!(nowhere.contains("Nothing is all of that at once"));
    let both = browser.get("/?q=notes&kind=remote").await.body;
    assert!(both.contains("Nothing is all of that at once") && both.contains("No server matches “notes”"));
    let nonsense = browser.get("/?kind=nowhere&stage=never").await.body;
    assert!(nonsense.contains("/servers/com.acme/billing"));
}

fn borrowed<'a, const N: usize>(fields: &'a [(&'a str, String); N]) -> Vec<(&'a str, &'a str)> {
    fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}
