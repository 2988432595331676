//! One environment, one property: changed and deleted on their pages.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

async fn admin() -> (World, Browser) {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    (world, admin)
}

#[tokio::test]
async fn an_environment_is_changed_and_deleted_where_it_is_shown() {
    let (world, mut admin) = admin().await;
    let page = admin.get("/admin/environments").await;
    assert!(page.body.contains("href=\"/admin/environments/test\""));
    let here = "/admin/environments/test";
    let page = admin.get(here).await;
    let (token, revision) = (
        page.hidden(here, "csrf").remove(0),
        page.hidden(here, "revision").remove(0),
    );
    let with = |more: &[(&'static str, &'static str)]| {
        let mut fields = vec![("csrf", token.as_str()), ("revision", revision.as_str())];
        fields.extend_from_slice(more);
        fields
    };
    let long = "x".repeat(5_000);
    let mut wrong = with(&[("title", "Trial"), ("kind", "staging")]);
    wrong.push(("description", &long));
    let again = admin.post(here, &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("value=\"Trial\"") && again.body.contains("Nothing was saved"));
    let fields = with(&[
        ("title", "Trial"),
        ("kind", "staging"),
        ("onboarding", "Ask Ada"),
        ("position", "7"),
    ]);
    let saved = admin.post(here, &fields).await;
    assert_eq!(saved.location(), "/admin/environments", "{}", saved.body);
    let list = admin.get("/admin/environments").await.body;
    assert!(list.contains("Trial") && list.contains("staging") && list.contains("Ask Ada"));
    let stale = admin.post(here, &fields).await;
    assert_ne!(
        stale.status,
        StatusCode::SEE_OTHER,
        "it was changed since it was shown"
    );

    // Where a server runs is not deleted, and production never is.
    assert!(
        !admin
            .get("/admin/environments/production")
            .await
            .body
            .contains("Delete it")
    );
    let fields = [("csrf", token.as_str()), ("name", "empty"), ("kind", "testing")];
    admin.post("/admin/environments", &fields).await;
    let delete = "/admin/environments/empty/delete";
    assert_eq!(
        admin.post(delete, &[("csrf", &token)]).await.location(),
        "/admin/environments"
    );
    assert_eq!(
        admin.get("/admin/environments/empty").await.status,
        StatusCode::NOT_FOUND
    );
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(here).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_property_is_changed_and_its_page_says_who_fails() {
    let (world, mut admin) = admin().await;
    let list = "/admin/properties";
    let token = admin.get(list).await.hidden(list, "csrf").remove(0);
    let new = [
        ("csrf", token.as_str()),
        ("name", "region"),
        ("type", "choices"),
        ("choices", "eu, us"),
        ("owner", "server"),
        ("need", "optional"),
    ];
    assert_eq!(admin.post(list, &new).await.location(), list);
    let here = "/admin/properties/region";
    let page = admin.get(here).await;
    assert!(page.body.contains("JSON Schema") && !page.body.contains("What does not meet it<"));
    let revision = page.hidden(here, "revision").remove(0);
    let fields = |schema: &'static str| {
        vec![
            ("csrf", token.clone()),
            ("revision", revision.clone()),
            ("title", "Region".to_owned()),
            ("schema", schema.to_owned()),
            ("server", "required".to_owned()),
        ]
    };
    let post = |fields: Vec<(&'static str, String)>| fields;
    let wrong = post(fields("{nothing"));
    let wrong: Vec<_> = wrong
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let again = admin.post(here, &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("it is not JSON") && again.body.contains("{nothing"));
    let right = post(fields(r#"{"enum": ["eu"]}"#));
    let right: Vec<_> = right
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(admin.post(here, &right).await.location(), here);
    let page = admin.get(here).await.body;
    assert!(
        page.contains("What does not meet it<") && page.contains("com.acme/billing"),
        "{page}"
    );
    let gone = admin
        .post("/admin/properties/region/delete", &[("csrf", &token)])
        .await;
    assert_eq!(gone.location(), list);
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(here).await.status, StatusCode::FORBIDDEN);
}
