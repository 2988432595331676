//! Asking for access on pages: who sees a server asks, who may grant it decides, and who asked is told.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

const ASK: &str = "/servers/com.acme/notes/access";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

/// Sends the form of a page, with its token.
async fn send(browser: &mut Browser, page: &str, action: &str, fields: &[(&str, &str)]) -> StatusCode {
    let shown = browser.get(page).await;
    let token = shown.hidden(action, "csrf").remove(0);
    let mut all = vec![("csrf", token.as_str())];
    all.extend(fields);
    browser.post(action, &all).await.status
}

/// Where the only request that waits is decided.
async fn waiting(admin: &mut Browser) -> String {
    let list = admin.get("/admin/waiting?show=access").await;
    let place = list.body.split("href=\"/access-requests/").nth(1);
    let id = place.unwrap_or_else(|| panic!("{}", list.body)).split('"').next();
    format!("/access-requests/{}", id.unwrap())
}

/// The page of the server says what became of the visitor's own request, and leads to it.
async fn on_its_page(browser: &mut Browser, words: &str) {
    let page = browser.get("/servers/com.acme/notes").await;
    assert!(
        page.body.contains(words) && page.body.contains("href=\"/access-requests/"),
        "{words}: {}",
        page.body
    );
}

#[tokio::test]
async fn j3_access_is_asked_for_decided_and_told_on_pages() {
    let world = world().await;
    let mut stranger = Browser::new(&world);
    let sent = stranger.get(ASK).await;
    assert_eq!(sent.location(), format!("/sign-in?next={ASK}"));
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let server = developer.get("/servers/com.acme/notes").await;
    assert!(
        server.body.contains(&format!("href=\"{ASK}\"")),
        "{}",
        server.body
    );
    let nothing = send(&mut developer, ASK, ASK, &[("reason", " ")]).await;
    assert_eq!(nothing, StatusCode::UNPROCESSABLE_ENTITY);
    let forged = developer.post(ASK, &[("reason", "x"), ("csrf", "0")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let reason = "For <script>alert(1)</script> the notes";
    let fields = [("reason", reason), ("tools", "read-only"), ("for", "28800")];
    assert_eq!(
        send(&mut developer, ASK, ASK, &fields).await,
        StatusCode::SEE_OTHER
    );
    let waits = developer.get(ASK).await;
    assert!(
        waits.body.contains("It waits for a decision") && waits.body.contains("Withdraw it"),
        "{}",
        waits.body
    );

    on_its_page(&mut developer, "It waits for a decision until").await;

    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let all = admin.get("/admin/waiting").await;
    assert!(all.body.contains("user:dana"), "{}", all.body);
    assert!(!all.body.contains("<script>alert"), "{}", all.body);
    let one = waiting(&mut admin).await;
    let own = developer.get(&one).await;
    assert!(
        own.status == StatusCode::OK && !own.body.contains("Grant it"),
        "{}",
        own.body
    );
    let shown = admin.get(&one).await;
    assert!(
        shown.body.contains("for 8 hours") && shown.body.contains("value=\"28800\" selected"),
        "{}",
        shown.body
    );
    let grant = format!("{one}/grant");
    let fields = [("for", "86400"), ("note", "For today")];
    assert_eq!(
        send(&mut admin, &one, &grant, &fields).await,
        StatusCode::SEE_OTHER
    );
    let token = shown.hidden(&grant, "csrf").remove(0);
    let twice = admin.post(&grant, &[("csrf", &token)]).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.body);

    let told = developer.get(ASK).await;
    assert!(
        told.body.contains("Granted by user:admin until") && told.body.contains("For today"),
        "{}",
        told.body
    );
    on_its_page(&mut developer, "Granted by user:admin until").await;
    let account = developer.get("/account/access").await;
    assert!(
        account.body.contains("granted") && account.body.contains("com.acme/notes"),
        "{}",
        account.body
    );
}

#[tokio::test]
async fn a_request_is_refused_with_a_word() {
    let world = world().await;
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    send(&mut developer, ASK, ASK, &[("reason", "First")]).await;
    let one = waiting(&mut admin).await;
    let refuse = format!("{one}/refuse");
    let silent = send(&mut admin, &one, &refuse, &[("note", "")]).await;
    assert_eq!(silent, StatusCode::UNPROCESSABLE_ENTITY);
    send(&mut admin, &one, &refuse, &[("note", "Not these notes")]).await;
    let told = developer.get(ASK).await;
    assert!(told.body.contains("Refused by user:admin"), "{}", told.body);
    assert!(told.body.contains("Not these notes"), "{}", told.body);
    on_its_page(&mut developer, "Refused by user:admin").await;
    on_its_page(&mut developer, "Note: Not these notes").await;
    let again = format!("href=\"{ASK}\">Ask again");
    on_its_page(&mut developer, &again).await;
}

#[tokio::test]
async fn a_request_is_withdrawn_and_what_is_not_there_has_no_page() {
    let world = world().await;
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    send(&mut developer, ASK, ASK, &[("reason", "First")]).await;
    let withdraw = format!("{ASK}/withdraw");
    let page = developer.get(ASK).await;
    let id = page.hidden(&withdraw, "request").remove(0);
    assert_eq!(
        send(&mut developer, ASK, &withdraw, &[("request", &id)]).await,
        StatusCode::SEE_OTHER
    );
    let empty = admin.get("/admin/waiting?show=access").await;
    assert!(empty.body.contains("Nobody asks for access"), "{}", empty.body);
    for page in ["/servers/com.acme/nope/access", "/access-requests/nothing"] {
        assert_eq!(developer.get(page).await.status, StatusCode::NOT_FOUND, "{page}");
    }
}

#[tokio::test]
async fn who_decides_may_grant_fewer_tools_on_the_page() {
    let world = world().await;
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    send(&mut developer, ASK, ASK, &[("reason", "First")]).await;
    let one = waiting(&mut admin).await;
    let grant = format!("{one}/grant");
    let empty = send(&mut admin, &one, &grant, &[("tools", "named")]).await;
    assert_eq!(empty, StatusCode::UNPROCESSABLE_ENTITY);
    let fewer = send(&mut admin, &one, &grant, &[("tools", "read-only")]).await;
    assert_eq!(fewer, StatusCode::SEE_OTHER);
    let told = developer.get(ASK).await;
    assert!(
        told.body
            .contains("Granted for less than was asked: read-only tools."),
        "{}",
        told.body
    );
}
