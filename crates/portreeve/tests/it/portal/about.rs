//! What a server's page says at length: its README, who may use it, its usage; and how an installation calls itself.

use portreeve_core::id::{RouteId, UserId};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{EntryChange, EntryStore as _};
use portreeve_core::route::Access;
use portreeve_portal::{Brand, Logo};

use super::browser::Browser;
use super::markup;
use super::samples;
use super::world::{DEVELOPER, World};

const BILLING: &str = "/servers/com.acme/billing";
const README: &str = "# Billing\n\nStart with [the guide](docs/guide.md).\n\n![shot](https://evil.example/t.png)\n\n\
    <script>alert(1)</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

async fn describe(world: &World, readme: &str) {
    let name: ServerName = "com.acme/billing".parse().unwrap();
    let entry = world.store.entry(&name).await.unwrap().unwrap();
    let mut server = entry.server;
    server.profile.readme = Some(readme.to_owned());
    let change = EntryChange {
        expected: Some(entry.revision),
        server,
        versions: Vec::new(),
        routes: Vec::new(),
        events: vec![world.event("server.describe")],
    };
    world.store.save(change).await.unwrap();
}

#[tokio::test]
async fn a_readme_is_shown_without_its_html_to_who_may_use_the_server() {
    let world = world().await;
    describe(&world, README).await;
    let page = Browser::signed_in(&world, DEVELOPER).await.get(BILLING).await;
    for shown in [
        "<h3 id=\"readme-billing\">Billing</h3>",
        "href=\"https://github.com/acme/billing/blob/HEAD/docs/guide.md\"",
        "Picture: shot</a>",
        "<td>1</td>",
        "href=\"#readme\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("<img src=\"https"), "{}", page.body);
    assert!(!page.body.contains("<script>alert"));
    markup::check(&page.body);
    let stranger = Browser::new(&world).get(BILLING).await;
    assert!(!stranger.body.contains("id=\"readme\""));
}

#[tokio::test]
async fn a_readme_is_written_in_the_form_of_the_server() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let form = "/servers/com.acme/billing/profile";
    let page = admin.get(form).await;
    let token = page.hidden(form, "csrf").remove(0);
    let revision = page.hidden(form, "revision").remove(0);
    let fields = [
        ("csrf", token.as_str()),
        ("revision", &revision),
        ("readme", "# Hello\r\n\r\n- one"),
    ];
    let answer = admin.post(form, &fields).await;
    assert_eq!(
        answer.location(),
        "/servers/com.acme/billing?done=described",
        "{}",
        answer.body
    );
    let page = admin.get(BILLING).await;
    assert!(page.body.contains("id=\"readme-hello\""), "{}", page.body);
    let page = admin.get(form).await;
    let revision = page.hidden(form, "revision").remove(0);
    let long = "x".repeat(64 * 1024 + 1);
    let fields = [
        ("csrf", token.as_str()),
        ("revision", &revision),
        ("readme", &long),
    ];
    let answer = admin.post(form, &fields).await;
    assert_eq!(answer.status.as_u16(), 422);
    assert!(answer.body.contains("it must have at most 65536 bytes"));
}

#[tokio::test]
async fn the_page_says_who_may_use_a_server_and_where_to_ask() {
    let world = world().await;
    let ask = "href=\"/servers/com.acme/calendar/access\"";
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let page = developer.get(BILLING).await;
    assert!(page.body.contains("You may use it."), "{}", page.body);
    assert!(!page.body.contains("show=grants"));
    assert!(!page.body.contains("Usage in the last week"));
    let page = developer.get("/servers/com.acme/calendar").await;
    assert!(page.body.contains(ask), "{}", page.body);
    // Asking for more than one may know changes nothing.
    let page = developer.get("/servers/com.acme/billing?show=grants").await;
    assert!(!page.body.contains("Table of grants"), "{}", page.body);
    let mut stranger = Browser::new(&world);
    let page = stranger.get(BILLING).await;
    assert!(
        page.body
            .contains("/sign-in?next=%2Fservers%2Fcom%2Eacme%2Fbilling"),
        "{}",
        page.body
    );
    let page = stranger.get("/servers/com.acme/handbook").await;
    assert!(page.body.contains("without a key"), "{}", page.body);
    let page = stranger.get("/servers/com.acme/notes").await;
    assert!(
        page.body.contains("it runs where it is installed"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_server_with_one_open_route_of_two_is_not_open_to_everyone() {
    let world = world().await;
    let name: ServerName = "com.acme/billing".parse().unwrap();
    let entry = world.store.entry(&name).await.unwrap().unwrap();
    let mut open = entry.routes[0].clone();
    open.id = RouteId::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0f0f);
    open.slug = "billing-open".parse().unwrap();
    open.environment = "test".parse().unwrap();
    open.access = Access::Anonymous;
    let change = EntryChange {
        expected: Some(entry.revision),
        server: entry.server,
        versions: Vec::new(),
        routes: vec![open],
        events: vec![world.event("server.describe")],
    };
    world.store.save(change).await.unwrap();
    world.refresh.refresh().await;
    let page = Browser::signed_in(&world, DEVELOPER).await.get(BILLING).await;
    for said in [
        "Its routes differ.",
        "without a key: billing-open.",
        "You may use it.",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(!page.body.contains("may call it, without a key"));
}

#[tokio::test]
async fn who_audits_a_server_sees_its_grants_and_its_usage_in_short() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(BILLING).await;
    assert!(page.body.contains("Usage in the last week"), "{}", page.body);
    assert!(page.body.contains("/servers/com.acme/billing?show=grants#access"));
    assert!(!page.body.contains("user:dana"));
    let page = admin.get("/servers/com.acme/billing?show=grants").await;
    assert!(page.body.contains("user:dana"), "{}", page.body);
    let page = admin.get("/servers/com.acme/calendar?show=grants").await;
    assert!(!page.body.contains("user:dana"), "{}", page.body);
    markup::check(&page.body);
}

#[tokio::test]
async fn an_installation_has_its_own_name_logo_and_colour() {
    let brand = Brand {
        name: "Acme <tools>".into(),
        logo: Some(Logo {
            media_type: "image/svg+xml",
            extension: "svg",
            bytes: b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
        }),
        accent: Some("#7a1fa2".parse().unwrap()),
    };
    let world = World::branded("https://mcp.acme.example", brand).await.unwrap();
    let mut browser = Browser::new(&world);
    let page = browser.get("/").await;
    markup::check(&page.body);
    assert!(
        page.body.contains("· Acme &#60;tools&#62;</title>"),
        "{}",
        page.body
    );
    let tags = markup::tags(&page.body);
    let logo = tags
        .iter()
        .find(|tag| tag.attribute("class") == Some("logo"))
        .unwrap();
    let picture = browser.get(logo.attribute("src").unwrap()).await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert!(
        picture
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    let style = tags
        .iter()
        .find(|tag| tag.attribute("rel") == Some("stylesheet"))
        .unwrap();
    let style = browser.get(style.attribute("href").unwrap()).await;
    assert!(
        style.body.contains("--accent:light-dark(#7a1fa2,"),
        "{}",
        style.body.len()
    );
}
