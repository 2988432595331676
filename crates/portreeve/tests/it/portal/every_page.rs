//! Every page, for every kind of visitor: well-formed, policed, small.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::{Browser, Page};
use super::markup;
use super::samples;
use super::world::{DEVELOPER, World};

pub(super) const PAGES: [&str; 90] = [
    "/",
    "/?q=invoice",
    "/?q=<script>alert(1)</script>",
    "/discover",
    "/discover?q=payments&tier=verified",
    "/discover?category=Finance&preview=no&page=2",
    "/discover/stripe/stripe",
    "/discover/nobody/nothing",
    "/servers/com.acme/billing",
    "/servers/com.acme/billing?show=grants",
    "/servers/com.acme/billing?version=1.2.9",
    "/servers/com.acme/notes",
    "/servers/com.acme/billing?host=copilot-studio",
    "/servers/com.acme/notes?host=codex&from=7",
    "/hosts",
    "/hosts?url=https://mcp.acme.example/v0.1/servers",
    "/hosts?url=https://evil.example/<script>",
    "/servers/com.acme/notes/connector",
    "/servers/com.acme/nope",
    "/servers/com.acme/billing?version=9",
    "/servers/com.acme/billing/review",
    "/servers/com.acme/billing/review?version=9",
    "/servers/com.acme/notes/review",
    "/servers/com.acme/billing/profile",
    "/servers/com.acme/billing/logins",
    "/servers/com.acme/billing/stages",
    "/servers/com.acme/billing/deployments",
    "/servers/com.acme/notes/deployments",
    "/?kind=remote&stage=production&environment=production",
    "/?tag=nothing",
    "/submit",
    "/admin/deployments",
    "/admin/deployments?server=com.acme/billing&environment=test&state=proposed",
    "/admin/environments/test",
    "/admin/properties/dataClass",
    "/admin/properties/nothing",
    "/admin/waiting",
    "/admin/waiting?show=flagged",
    "/admin/waiting?show=properties",
    "/admin/waiting?import=0190a0a0-0000-7000-8000-000000000001",
    "/admin/imports",
    "/admin/imports/0190a0a0-0000-7000-8000-000000000001",
    "/admin/rest",
    "/admin/rest?name=com.acme/harbour",
    "/admin/rest/draft-0?name=com.acme/harbour",
    "/servers/com.acme/billing/try?tool=nothing",
    "/servers/com.acme/billing/try?tool=<b>",
    "/servers/com.acme/billing/try",
    "/servers/com.acme/billing/try?resource=test://<b>",
    "/servers/com.acme/billing/try?prompt=<b>",
    "/servers/com.acme/nope/try",
    "/servers/com.acme/notes/access",
    "/servers/com.acme/nope/access",
    "/access-requests/nothing",
    "/access-requests/0190a0a0-0000-7000-8000-00000000acce",
    "/account/access",
    "/admin/waiting?show=access",
    "/registries",
    "/admin/registries/default",
    "/admin/registries/nothing",
    "/admin/policies",
    "/admin/policies/no-write",
    "/admin/secrets",
    "/admin/environments",
    "/admin/properties",
    "/admin/webhooks",
    "/admin/webhooks/chat?state=dead",
    "/exports",
    "/exports/nothing",
    "/usage",
    "/usage?range=30d",
    "/audit",
    "/audit?outcome=refused&actor=%22%3E",
    "/approvals",
    "/approvals/nothing",
    "/sign-in",
    "/signed-out?state=%3Cscript%3E",
    "/authorize?client_id=nobody",
    "/account/clients",
    "/sign-in?next=%2Fusage",
    "/sign-in/new-password?link=none",
    "/sign-in/nobody",
    "/sign-in/nobody/callback?state=x&code=%3Cscript%3Ealert(1)",
    "/account",
    "/account/sessions",
    "/admin/users",
    "/admin/users/dana",
    "/admin/grants",
    "/admin/grants?subject=user:dana",
    "/no/such/page",
];

fn common(path: &str, page: &Page) {
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
        "{path}: {policy}"
    );
    assert!(
        policy.ends_with("base-uri 'none'; frame-ancestors 'none'"),
        "{path}: {policy}"
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
    assert!(!page.body.contains("<script>alert"), "{path}");
    markup::check(&page.body);
}

async fn walk(browser: &mut Browser, caching: &str) {
    for path in PAGES {
        let encoded = path.replace('<', "%3C").replace('>', "%3E");
        let page = browser.get(&encoded).await;
        if page.status.is_redirection() {
            assert!(page.header("location").starts_with("/sign-in?next="), "{path}");
            continue;
        }
        common(path, &page);
        assert_eq!(page.header("cache-control"), caching, "{path}");
        assert_ne!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
}

#[tokio::test]
async fn every_page_is_well_formed_for_everyone() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    walk(&mut Browser::new(&world), "private, no-cache").await;
    samples::fill(&world).await.unwrap();
    samples::request(&world).await.unwrap();
    walk(&mut Browser::new(&world), "private, no-cache").await;
    walk(&mut Browser::signed_in(&world, DEVELOPER).await, "no-store").await;
    walk(
        &mut Browser::signed_in(&world, UserId::LOCAL_ADMIN).await,
        "no-store",
    )
    .await;
}

#[tokio::test]
async fn the_first_page_with_all_it_needs_is_below_100_kilobytes() {
    let world = World::empty("http://127.0.0.1:8080").await.unwrap();
    samples::fill(&world).await.unwrap();
    let mut browser = Browser::new(&world);
    let page = browser.get("/").await;
    let mut bytes = page.body.len();
    for tag in markup::tags(&page.body) {
        let address = tag.attribute("src").or(tag.attribute("href"));
        let Some(address) = address.filter(|address| address.starts_with("/assets/")) else {
            continue;
        };
        let asset = browser.get(address).await;
        assert_eq!(asset.status, StatusCode::OK);
        assert_eq!(
            asset.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        bytes += asset.body.len();
    }
    assert!(bytes < 100 * 1024, "{bytes} bytes");
}

#[tokio::test]
async fn assets_have_their_types_and_unknown_ones_are_not_there() {
    let world = World::empty("http://127.0.0.1:8080").await.unwrap();
    let mut browser = Browser::new(&world);
    let favicon = browser.get("/favicon.ico").await;
    assert_eq!(
        (favicon.status, favicon.header("content-type")),
        (StatusCode::OK, "image/svg+xml")
    );
    let unknown = browser.get("/assets/portal-0000000000000000.css").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_wrong_method_gets_a_page_too() {
    let world = World::empty("http://127.0.0.1:8080").await.unwrap();
    let page = Browser::new(&world).post("/usage", &[]).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    common("/usage", &page);
}

#[tokio::test]
async fn when_the_store_is_away_the_page_says_so() {
    let world = World::empty("http://127.0.0.1:8080").await.unwrap();
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    world.store.close().await;
    for path in ["/", "/servers/com.acme/billing"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(page.body.contains("The store does not answer"), "{path}");
        common(path, &page);
    }
}
