//! A REST API becomes a server in the portal, step by step, without a script: its description, choices, a version.

use http::StatusCode;
use portreeve_core::id::UserId;
use serde_json::json;

use super::browser::{Browser, Page};
use super::world::{DEVELOPER, World};

const NAME: &str = "com.acme/harbour";

fn description(version: &str, more: &str) -> String {
    let get = |name: &str, tag: &str| {
        json!({"get": {"operationId": name, "summary": format!("Reads {name}"), "tags": [tag], "parameters": [
            {"name": "quay", "in": "query", "schema": {"type": "string"}, "description": "<b>Which</b> quay."}
        ]}})
    };
    let mut paths =
        json!({"/ships": get("ships", "sea"), "/berths": get("berths", "land"), "/odd": {"get": 7}});
    paths[format!("/{more}")] = get(more, "land");
    json!({
        "openapi": "3.1.0", "info": {"title": "Harbour <1>", "version": version},
        "servers": [{"url": "https://api.acme.example/v1"}], "paths": paths,
    })
    .to_string()
}

/// Sends a description as a file.
async fn send(browser: &mut Browser, fields: &[(&str, &str)], file: Option<&str>) -> Page {
    let token = browser
        .get("/admin/rest")
        .await
        .hidden("/admin/rest", "csrf")
        .remove(0);
    let mut all = vec![("csrf", token.as_str())];
    all.extend(fields);
    let files: Vec<(&str, &str)> = file.into_iter().map(|text| ("harbour.json", text)).collect();
    browser.upload("/admin/rest", &all, &files).await
}

/// The page of a draft, and the address that its forms go to.
async fn draft(browser: &mut Browser, file: &str) -> (Page, String) {
    let sent = send(browser, &[("name", NAME)], Some(file)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let address = sent.location().to_owned();
    let page = browser.get(&address).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    (page, address.split('?').next().unwrap().to_owned())
}

/// The values of a hidden field of the form that is sent to `action`; the one that filters has the same address.
fn hidden(page: &Page, action: &str, name: &str) -> Vec<String> {
    let marker = format!("method=\"post\" action=\"{action}\"");
    let form = page.body.split("<form").find(|form| form.contains(&marker));
    let form = form.unwrap_or_else(|| panic!("no form for {action}: {}", page.body));
    let form = form.split("</form>").next().unwrap();
    let marker = format!("name=\"{name}\" value=\"");
    let values = form.split(&marker).skip(1);
    values
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// Sends the choices that the page shows, with some more.
async fn choose(browser: &mut Browser, page: &Page, action: &str, more: &[(&str, &str)]) -> Page {
    let (token, shown) = (
        hidden(page, action, "csrf").remove(0),
        hidden(page, action, "shown"),
    );
    let mut fields = vec![("csrf", token.as_str()), ("name", NAME)];
    fields.extend(shown.iter().map(|name| ("shown", name.as_str())));
    fields.extend(more);
    browser.post(action, &fields).await
}

#[tokio::test]
async fn j7_a_description_becomes_a_version_that_waits() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let (page, action) = draft(&mut admin, &description("1.0.0", "tides")).await;
    for shown in [
        "Harbour &#60;1&#62;",
        "https://api.acme.example/v1",
        "GET /ships",
        "GET /tides",
        "it is not an object",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(
        !page.body.contains("<b>Which"),
        "texts of a description are texts"
    );
    assert_eq!(hidden(&page, &action, "shown"), ["ships", "berths", "tides"]);

    let choices = [
        ("chosen", "ships"),
        ("chosen", "tides"),
        ("name:ships", "list_ships"),
        ("description:ships", "Lists them."),
    ];
    let saved = choose(&mut admin, &page, &action, &choices).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    let address = saved.location().split('#').next().unwrap().to_owned();
    let page = admin.get(&address).await;
    let action = address.split('?').next().unwrap().to_owned();
    for shown in ["Saved.", "list_ships", "Lists them.", "No tool"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    // A page may be filtered, and what it does not show stays chosen.
    let land = admin.get(&format!("{address}&tag=land&which=chosen")).await;
    assert_eq!(hidden(&land, &action, "shown"), ["tides"]);
    let found = admin.get(&format!("{address}&q=LIST_sh+get")).await;
    assert_eq!(hidden(&found, &action, "shown"), ["ships"]);

    let submit = format!("{action}/submit");
    let token = hidden(&page, &submit, "csrf").remove(0);
    let fields = [
        ("csrf", token.as_str()),
        ("name", NAME),
        ("version", "1.0.0"),
        ("about", "Ships and tides"),
    ];
    let made = admin.post(&submit, &fields).await;
    assert_eq!(
        made.location(),
        "/servers/com.acme/harbour?version=1%2E0%2E0&done=waits",
        "{}",
        made.body
    );
    let server = admin.get(made.location()).await.body;
    assert!(
        server.contains("It waits for a review") && server.contains("Import a newer description"),
        "{server}"
    );

    // A newer description is looked at through the same choices, and what differs is told.
    let (page, action) = draft(&mut admin, &description("1.1.0", "cranes")).await;
    for shown in [
        "Compared with version 1.0.0",
        "Removed",
        "list_ships",
        "GET /cranes",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    reviewer_reads_what_differs(&mut admin, &page, &action).await;
}

/// The reviewer reads the same, once the first version is let in and this one waits.
async fn reviewer_reads_what_differs(admin: &mut Browser, page: &Page, action: &str) {
    let review = "/servers/com.acme/harbour/review";
    let first = admin.get(&format!("{review}?version=1.0.0")).await;
    let [token, plan] = ["csrf", "plan"].map(|name| first.hidden(review, name).remove(0));
    let fields = [
        ("csrf", token.as_str()),
        ("plan", &plan),
        ("version", "1.0.0"),
        ("decision", "approve"),
    ];
    let let_in = admin.post(review, &fields).await;
    assert_eq!(let_in.status, StatusCode::SEE_OTHER, "{}", let_in.body);
    let submit = format!("{action}/submit");
    let token = hidden(page, &submit, "csrf").remove(0);
    let fields = [("csrf", token.as_str()), ("name", NAME), ("version", "1.1.0")];
    let made = admin.post(&submit, &fields).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let review = admin
        .get("/servers/com.acme/harbour/review?version=1.1.0")
        .await
        .body;
    for shown in ["Its tools", "Removed", "<code>tides</code>"] {
        assert!(review.contains(shown), "{shown}: {review}");
    }
}

#[tokio::test]
async fn what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let text = description("1.0.0", "tides");
    for (fields, file, told) in [
        (vec![("name", NAME)], None, "give the description"),
        (vec![("name", "harbour")], Some(text.as_str()), "aria-invalid"),
        (
            vec![("name", NAME), ("text", text.as_str())],
            Some(text.as_str()),
            "give one description",
        ),
        (
            vec![("name", NAME), ("text", "hello: you")],
            None,
            "<textarea id=\"rest-text\" name=\"text\" rows=\"6\" spellcheck=\"false\" aria-invalid=\"true\"",
        ),
        (
            vec![("name", NAME), ("url", "harbour.yaml")],
            None,
            "it is not a URL",
        ),
    ] {
        let page = send(&mut admin, &fields, file).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{told}: {}",
            page.body
        );
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    let (page, action) = draft(&mut admin, &text).await;
    let twice = [("chosen", "ships"), ("chosen", "tides"), ("name:ships", "Tides")];
    let wrong = choose(&mut admin, &page, &action, &twice).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in ["Nothing was saved", "value=\"Tides\"", "already"] {
        assert!(wrong.body.contains(shown), "{shown}: {}", wrong.body);
    }
    let all = choose(&mut admin, &page, &action, &[("do", "none")]).await;
    let address = all.location().to_owned();
    let none = admin.get(&address).await;
    let submit = format!("{}/submit", address.split('?').next().unwrap());
    let token = hidden(&none, &submit, "csrf").remove(0);
    let fields = [("csrf", token.as_str()), ("name", NAME)];
    let refused = admin.post(&submit, &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("no operation of it becomes a tool"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn drafts_are_for_who_may_publish() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let sent = send(
        &mut admin,
        &[("name", NAME)],
        Some(&description("1.0.0", "tides")),
    )
    .await;
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let page = developer.get(sent.location()).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    let refused = send(
        &mut developer,
        &[("name", NAME)],
        Some(&description("1.0.0", "tides")),
    )
    .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    let stranger = Browser::new(&world).get(sent.location()).await;
    assert_ne!(stranger.status, StatusCode::OK);
    // A toolset that is no draft is none here either.
    let other = sent.location().replace("draft-", "");
    assert_eq!(admin.get(&other).await.status, StatusCode::BAD_REQUEST);
}
