//! Partners in the portal: found without scripts or a network, and registered by a form.

use http::StatusCode;
use portreeve_core::id::UserId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{EntryChange, EntryStore as _};

use super::browser::Browser;
use super::markup;
use super::samples;
use super::world::{DEVELOPER, World};

const STRIPE: &str = "/discover/stripe/stripe";
const FIGMA: &str = "/discover/figma/figma";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

#[tokio::test]
async fn d_1_partners_are_there_on_an_empty_register_for_anybody() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let page = Browser::new(&world).get("/discover").await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "href=\"/discover/asana/asana\"",
        "Unverified",
        "What the badges prove",
        "Official partner",
        "it needs no network",
        "category=Developer",
        "rel=\"next\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let next = Browser::new(&world).get("/discover?page=2").await;
    assert!(next.body.contains("rel=\"prev\""));
    assert!(next.body.contains("href=\"/discover/wix/wix\""));
    let home = Browser::new(&world).get("/").await;
    assert!(home.body.contains("href=\"/discover\""));
}

#[tokio::test]
async fn words_and_choices_narrow_the_list_and_find_own_servers_beside() {
    let world = world().await;
    let mut browser = Browser::new(&world);
    let page = browser.get("/discover?q=payments").await;
    assert!(
        page.body.contains("href=\"/discover/stripe/stripe\""),
        "{}",
        page.body
    );
    assert!(!page.body.contains("href=\"/discover/asana/asana\""));
    assert!(
        page.body.contains("Servers of your own that fit"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("href=\"/servers/com.stripe/mcp\""),
        "{}",
        page.body
    );
    let page = browser.get("/discover?category=Media").await;
    assert!(page.body.contains("href=\"/discover/figma/figma\""));
    assert!(!page.body.contains("href=\"/discover/stripe/stripe\""));
    // What nobody is, is said so, and leads back.
    let page = browser.get("/discover?tier=official").await;
    assert!(page.body.contains("No partner fits"), "{}", page.body);
    assert!(page.body.contains("href=\"/discover\""));
    let part = browser.get("/discover?q=payments&part=results").await;
    assert!(
        part.body.trim_start().starts_with("<div data-count="),
        "{}",
        part.body
    );
}

#[tokio::test]
async fn a_listing_tells_who_may_register_it_and_who_may_not() {
    let world = world().await;
    let page = Browser::new(&world).get(FIGMA).await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "com.figma/figma",
        "From design to code",
        "figma.com",
        "/sign-in?next=%2Fdiscover%2Ffigma%2Ffigma",
        "portreeve partner register figma<",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains(&format!("action=\"{FIGMA}\"")));
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let page = developer.get(FIGMA).await;
    assert!(page.body.contains("You may not register"), "{}", page.body);
    let answer = developer.post(FIGMA, &[("csrf", "00")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let nowhere = developer.get("/discover/nobody/nothing").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn j4_a_listing_is_registered_by_its_form_and_marked_from_then_on() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(FIGMA).await;
    assert!(
        page.body.contains("name=\"internal\" value=\"yes\">"),
        "he grants private hosts here"
    );
    let token = page.hidden(FIGMA, "csrf").remove(0);
    let wrong = admin
        .post(
            FIGMA,
            &[
                ("csrf", &token),
                ("environment", "No Such Place!"),
                ("internal", "yes"),
            ],
        )
        .await;
    assert!(wrong.body.contains("name=\"internal\" value=\"yes\" checked>"));
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("aria-invalid=\"true\""), "{}", wrong.body);
    assert!(wrong.body.contains("No Such Place!"));
    markup::check(&wrong.body);
    let answer = admin.post(FIGMA, &[("csrf", &token)]).await;
    assert_eq!(
        answer.location(),
        "/servers/com.figma/figma?done=registered-waits",
        "{}",
        answer.body
    );
    let name: ServerName = "com.figma/figma".parse().unwrap();
    assert!(world.store.entry(&name).await.unwrap().is_some());
    let page = admin.get(answer.location()).await;
    assert!(page.body.contains("It waits for a review"), "{}", page.body);
    assert!(
        page.body
            .contains("A server of the partner <a href=\"/discover/figma/figma\">")
    );
    markup::check(&page.body);
    let page = admin.get(FIGMA).await;
    assert!(page.body.contains("Open its page"), "{}", page.body);
    let page = admin.get("/discover?registered=yes").await;
    assert!(page.body.contains("Registered here"));
    // Who may not know of the entry learns nothing of it here.
    let page = Browser::new(&world).get(FIGMA).await;
    assert!(!page.body.contains("Open its page"));
    let again = admin.post(FIGMA, &[("csrf", &token)]).await;
    assert_ne!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_version_that_is_not_of_the_partner_has_none_of_its_badges() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(FIGMA).await;
    let token = page.hidden(FIGMA, "csrf").remove(0);
    let answer = admin.post(FIGMA, &[("csrf", &token)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let name: ServerName = "com.figma/figma".parse().unwrap();
    let entry = world.store.entry(&name).await.unwrap().unwrap();
    let mut other = entry.versions[0].clone();
    let made = other.version.as_str().to_owned();
    other.version = "99.0.0".parse().unwrap();
    let change = EntryChange {
        expected: Some(entry.revision),
        server: entry.server,
        versions: vec![other],
        routes: Vec::new(),
        events: vec![world.event("server.add")],
    };
    world.store.save(change).await.unwrap();
    world.refresh.refresh().await;
    let page = admin.get("/servers/com.figma/figma?version=99.0.0").await;
    assert!(
        page.body.contains(&format!("</a> as version {made}</p>"))
            && !page.body.contains("A server of the partner"),
        "{}",
        page.body
    );
    markup::check(&page.body);
    let page = admin
        .get(&format!("/servers/com.figma/figma?version={made}"))
        .await;
    assert!(page.body.contains("A server of the partner"), "{}", page.body);
}

#[tokio::test]
async fn what_a_form_may_not_do_it_does_not_do_for_another_site() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(STRIPE).await;
    let token = page.hidden(STRIPE, "csrf").remove(0);
    let foreign = [("sec-fetch-site", "cross-site")];
    let answer = admin.post_from(STRIPE, &[("csrf", &token)], &foreign).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let name: ServerName = "com.stripe/stripe".parse().unwrap();
    assert!(world.store.entry(&name).await.unwrap().is_none());
}
