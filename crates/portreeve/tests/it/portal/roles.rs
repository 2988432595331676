//! The portal for roles: forms only for who may send them, and grants made and taken back on a page.

use http::StatusCode;
use portreeve_access::NewGrant;
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::UserId;

use super::browser::{Browser, Page};
use super::every_page::PAGES;
use super::markup;
use super::samples;
use super::world::{DEVELOPER, World};

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

async fn grant(world: &World, rights: Rights) {
    let new = NewGrant {
        subject: Subject::User(DEVELOPER),
        rights,
        servers: ServerScope::All,
        tools: ToolScope::All,
        expires_at: None,
    };
    let admin = world.access.known_as("user:admin").unwrap();
    world.access.add_grant(&admin, new).await.unwrap();
    world.refresh.refresh().await;
}

/// Where the forms of a page go that change something, but for those that are everybody's own business.
fn forms(page: &Page) -> Vec<String> {
    let own = |action: &str| {
        ["/sign-", "/account", "/authorize", "/audit/verify"]
            .iter()
            .any(|begin| action.starts_with(begin))
            || action.ends_with("/try")
            || action.ends_with("/access")
            // Who audits may try what a policy would change.
            || (action.starts_with("/admin/policies/")
                && ["/dry-run", "/test"].iter().any(|end| action.ends_with(end)))
    };
    let tags = markup::tags(&page.body);
    let forms = tags
        .iter()
        .filter(|tag| tag.name == "form" && tag.attribute("method") == Some("post"));
    let actions = forms.filter_map(|form| form.attribute("action").map(str::to_owned));
    actions.filter(|action| !own(action)).collect()
}

#[tokio::test]
async fn who_only_looks_is_offered_nothing_to_change() {
    for rights in [Rights::View, Rights::Audit] {
        let world = world().await;
        grant(&world, rights).await;
        let mut browser = Browser::signed_in(&world, DEVELOPER).await;
        for path in PAGES {
            // Anybody may try to hand something in, and to describe an API.
            if path.starts_with("/submit") || path.starts_with("/admin/rest") {
                continue;
            }
            let page = browser.get(&path.replace('<', "%3C").replace('>', "%3E")).await;
            assert_eq!(forms(&page), [""; 0], "{path} for {rights:?}");
        }
    }
}

#[tokio::test]
async fn the_navigation_shows_what_roles_open() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, DEVELOPER).await;
    assert!(!browser.get("/").await.body.contains("href=\"/admin/waiting\""));
    grant(&world, Rights::View).await;
    let page = browser.get("/registries").await;
    assert!(page.body.contains("href=\"/admin/waiting\""));
    for closed in [
        "href=\"/audit\"",
        "href=\"/admin/users\"",
        "href=\"/admin/grants\"",
        "href=\"/admin/webhooks\"",
    ] {
        assert!(!page.body.contains(closed), "{closed}");
    }
    assert_eq!(browser.get("/audit").await.status, StatusCode::FORBIDDEN);
    grant(&world, Rights::Audit).await;
    let page = browser.get("/registries").await;
    for open in [
        "href=\"/audit\"",
        "href=\"/admin/users\"",
        "href=\"/admin/grants\"",
    ] {
        assert!(page.body.contains(open), "{open}");
    }
}

#[tokio::test]
async fn a_grant_is_made_and_taken_back_on_a_page() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get("/admin/grants?subject=user:dana").await;
    let token = page.hidden("/admin/grants", "csrf").remove(0);
    let typed = [
        ("csrf", token.as_str()),
        ("who", "user:dana"),
        ("rights", "approve"),
        ("where", "owner"),
        ("of", "finance"),
        ("for", "604800"),
    ];
    let made = admin.post("/admin/grants", &typed).await;
    assert_eq!(made.location(), "/admin/grants", "{}", made.body);
    let page = admin.get("/admin/grants?subject=user:dana").await;
    assert!(page.body.contains("what group finance owns"), "{}", page.body);
    assert!(page.body.contains("until <time"), "{}", page.body);
    let ending_admin = [
        ("csrf", token.as_str()),
        ("who", "user:dana"),
        ("rights", "manage"),
        ("where", "all"),
        ("for", "604800"),
    ];
    let refused = admin.post("/admin/grants", &ending_admin).await;
    assert!(refused.body.contains("outlast"), "{}", refused.body);
    let wrong = [
        ("csrf", token.as_str()),
        ("who", "user:nobody"),
        ("rights", "view"),
        ("where", "all"),
    ];
    let refused = admin.post("/admin/grants", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("nobody is known as"), "{}", refused.body);
    let mut rows = page.body.split("<tr");
    let row = rows.find(|row| row.contains("what group finance owns")).unwrap();
    let id = row.split("name=\"grant\" value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    let gone = admin
        .post("/admin/grants/remove", &[("csrf", token.as_str()), ("grant", id)])
        .await;
    assert_eq!(gone.location(), "/admin/grants", "{}", gone.body);
    let page = admin.get("/admin/grants?subject=user:dana").await;
    assert!(!page.body.contains("what group finance owns"));
}
