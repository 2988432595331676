//! In and out.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::world::World;

#[tokio::test]
async fn looking_at_a_link_does_not_spend_it_and_using_it_does() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let link = world.link(UserId::LOCAL_ADMIN).await.unwrap();
    let address = format!("/admin/welcome?link={link}");
    let mut browser = Browser::new(&world);
    for _ in 0..3 {
        let page = browser.get(&address).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("referrer-policy"), "strict-origin");
        assert!(page.headers.get("set-cookie").is_none());
    }
    let token = browser
        .get(&address)
        .await
        .hidden("/admin/welcome", "csrf")
        .remove(0);
    let fields = [("link", link.as_str()), ("csrf", token.as_str())];
    let page = browser.post("/admin/welcome", &fields).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/"));
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-portreeve_session="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    assert!(browser.get("/").await.body.contains("user:admin"));
    let again = Browser::new(&world).post("/admin/welcome", &fields).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.body.contains("This link does not work"));
}

#[tokio::test]
async fn over_plain_http_the_cookie_has_its_plain_name() {
    let world = World::empty("http://127.0.0.1:8080").await.unwrap();
    let browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    assert!(browser.cookie.unwrap().starts_with("portreeve_session="));
}

#[tokio::test]
async fn a_link_from_another_site_or_without_the_form_is_refused() {
    let world = World::empty("http://127.0.0.1:8080").await.unwrap();
    let link = world.link(UserId::LOCAL_ADMIN).await.unwrap();
    let mut browser = Browser::new(&world);
    let page = browser.get(&format!("/admin/welcome?link={link}")).await;
    let token = page.hidden("/admin/welcome", "csrf").remove(0);
    let fields = [("link", link.as_str()), ("csrf", token.as_str())];
    let elsewhere = browser
        .post_from("/admin/welcome", &fields, &[("sec-fetch-site", "cross-site")])
        .await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    assert!(elsewhere.body.contains("That came from somewhere else"));
    let bare = browser.post("/admin/welcome", &[("link", &link)]).await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN);
    // None of it spent the link.
    assert_eq!(
        browser.post("/admin/welcome", &fields).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_for_good() {
    let world = World::empty("http://127.0.0.1:8080").await.unwrap();
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let cookie = browser.cookie.clone();
    let page = browser.get("/usage").await;
    assert_eq!(
        (page.status, page.header("cache-control")),
        (StatusCode::OK, "no-store")
    );
    let token = page.hidden("/sign-out", "csrf").remove(0);
    let wrong = browser.post("/sign-out", &[("csrf", "no")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let page = browser.post("/sign-out", &[("csrf", &token)]).await;
    assert_eq!(page.location(), "/");
    assert!(page.header("set-cookie").contains("Max-Age=0"));
    browser.cookie = cookie;
    assert_eq!(browser.get("/usage").await.status, StatusCode::FORBIDDEN);
}
