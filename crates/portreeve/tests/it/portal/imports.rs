//! Imports in the portal: files of a person's own machine, a report that says what was noticed, refusals at the fields.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::{Browser, Page};
use super::world::{DEVELOPER, World};

const FILES: &str = "/admin/imports/files";

/// A server.json that nothing is to be said about.
pub(super) const SERVER: &str = r#"{"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
    "name": "io.example/tidy", "title": "Tidy", "description": "Tidies up.", "version": "1.0.0",
    "packages": [{"registryType": "npm", "identifier": "tidy-mcp", "version": "1.0.0", "transport": {"type": "stdio"}}]}"#;
/// One with an unknown part.
const FLAGGED: &str = r#"{"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
    "name": "io.example/odd", "description": "Odd.", "version": "1.0.0", "repository": {}}"#;

async fn send(browser: &mut Browser, kind: &str, files: &[(&str, &str)]) -> Page {
    let token = browser
        .get("/admin/imports")
        .await
        .hidden(FILES, "csrf")
        .remove(0);
    let fields = [("csrf", token.as_str()), ("kind", kind), ("approve", "")];
    browser.upload(FILES, &fields, files).await
}

/// Takes files in, waits for the end, and says which run that was.
pub(super) async fn take_in(browser: &mut Browser, files: &[(&str, &str)]) -> String {
    let answer = send(browser, "git", files).await;
    let report = answer.location().to_owned();
    assert!(report.starts_with("/admin/imports/"), "{}", answer.body);
    for _ in 0..1_000 {
        if !browser.get(&report).await.body.contains("data-poll") {
            return report.rsplit('/').next().unwrap().to_owned();
        }
        tokio::task::yield_now().await;
    }
    panic!("the import does not end");
}

#[tokio::test]
async fn uploaded_files_become_proposals_with_a_report() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    assert!(
        admin
            .get("/admin/imports")
            .await
            .body
            .contains("Nothing was imported yet")
    );
    let run = take_in(
        &mut admin,
        &[("a/server.json", SERVER), ("b/server.json", FLAGGED)],
    )
    .await;
    let report = admin.get(&format!("/admin/imports/{run}")).await.body;
    for shown in [
        "Done",
        "<dt>Added</dt><dd>2</dd>",
        "<dt>Flagged</dt><dd>1</dd>",
        "io.example/odd",
        "b/server.json",
        "waits for an approval",
    ] {
        assert!(report.contains(shown), "{shown}: {report}");
    }
    assert!(
        !report.contains("io.example/tidy"),
        "nothing is to be said about it"
    );
    let part = admin
        .get(&format!("/admin/imports/{run}?part=progress"))
        .await
        .body;
    assert!(part.contains("<dt>Read</dt><dd>2</dd>") && !part.contains("<html"));
    let list = admin.get("/admin/imports").await.body;
    assert!(list.contains("2 read, 2 added, 1 flagged, 0 approved"));
    let flagged = admin.get("/admin/waiting?show=flagged").await.body;
    assert!(flagged.contains("io.example/odd") && !flagged.contains("io.example/tidy"));
}

#[tokio::test]
async fn what_is_wrong_stands_at_the_field_and_nothing_begins() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let answer = send(&mut admin, "git", &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("there is no entry in them"));
    let registry = "/admin/imports/registry";
    let token = admin
        .get("/admin/imports")
        .await
        .hidden(registry, "csrf")
        .remove(0);
    let fields = [
        ("csrf", token.as_str()),
        ("origin", "nonsense"),
        ("every", "3600"),
    ];
    let answer = admin.post(registry, &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("value=\"nonsense\"") && answer.body.contains("aria-invalid=\"true\""));
    assert!(
        admin
            .get("/admin/imports")
            .await
            .body
            .contains("Nothing was imported yet")
    );
}

#[tokio::test]
async fn a_form_without_its_token_is_not_read() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let token = admin.get("/admin/imports").await.hidden(FILES, "csrf").remove(0);
    let file = [("a/server.json", SERVER)];
    let late = admin
        .upload(FILES, &[("kind", "git"), ("csrf", &token)], &file)
        .await;
    assert_eq!(
        late.status,
        StatusCode::FORBIDDEN,
        "the token stands first or nowhere"
    );
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let theirs = developer
        .upload(FILES, &[("csrf", &token), ("kind", "git")], &file)
        .await;
    assert_eq!(theirs.status, StatusCode::FORBIDDEN);
    assert_eq!(
        developer.get("/admin/imports").await.status,
        StatusCode::FORBIDDEN
    );
    assert!(
        admin
            .get("/admin/imports")
            .await
            .body
            .contains("Nothing was imported yet")
    );
}
