//! Registries made and changed in the portal, with what a reader of each sees.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

const LIST: &str = "/admin/registries";
const PAGE: &str = "/admin/registries/partners";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

/// A registry made by the form, and the token of its forms.
pub(super) async fn made(admin: &mut Browser) -> String {
    let token = admin.get("/registries").await.hidden(LIST, "csrf").remove(0);
    let fields = [
        ("csrf", token.as_str()),
        ("name", "partners"),
        ("title", "Partners"),
    ];
    let answer = admin.post(LIST, &fields).await;
    assert_eq!(answer.location(), PAGE, "{}", answer.body);
    token
}

#[tokio::test]
async fn a_registry_is_made_narrowed_and_shown_as_its_readers_see_it() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let token = made(&mut admin).await;
    let page = admin.get(PAGE).await.body;
    for shown in [
        "https://mcp.acme.example/registries/partners/mcp",
        "com.acme/billing",
        "com.stripe/mcp",
        "https://mcp.acme.example/s/",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let change = |revision: &'static str, namespaces: &'static str| {
        [
            ("csrf", token.clone()),
            ("revision", revision.to_owned()),
            ("title", "Partners of ours".to_owned()),
            ("visibility", "only".to_owned()),
            ("readers", "user:dana\nkey:deploy".to_owned()),
            ("namespaces", namespaces.to_owned()),
            ("lifecycles", "testing".to_owned()),
            ("approver_differs", "yes".to_owned()),
        ]
    };
    let send = async |admin: &mut Browser, fields: [(&str, String); 8]| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        admin.post(PAGE, &fields).await
    };
    let answer = send(&mut admin, change("1", "com.stripe")).await;
    assert_eq!(answer.location(), PAGE, "{}", answer.body);
    let page = admin.get(PAGE).await.body;
    assert!(page.contains("com.stripe/mcp") && !page.contains("href=\"/servers/com.acme/billing\""));
    assert!(page.contains("user:dana\n") || page.contains("key:deploy\nuser:dana"));
    let stale = send(&mut admin, change("1", "")).await;
    assert_ne!(stale.status, StatusCode::SEE_OTHER, "somebody else was faster");
    let wrong = send(&mut admin, change("2", "com acme")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("com acme</textarea>") && wrong.body.contains("aria-invalid=\"true\""));

    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(PAGE).await.status, StatusCode::FORBIDDEN);
    assert!(
        developer
            .get("/registries")
            .await
            .body
            .contains("Partners of ours")
    );
    let gone = admin
        .post(&format!("{PAGE}/delete"), &[("csrf", &token), ("revision", "2")])
        .await;
    assert_eq!(gone.location(), "/registries", "{}", gone.body);
    assert_eq!(admin.get(PAGE).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_default_registry_is_closed_and_not_deleted() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let main = "/admin/registries/default";
    let page = admin.get(main).await;
    assert!(!page.body.contains("Delete the registry") && !page.body.contains("name=\"tags\""));
    let [csrf, revision] = ["csrf", "revision"].map(|field| page.hidden(main, field).remove(0));
    let close = [
        ("csrf", csrf.as_str()),
        ("revision", revision.as_str()),
        ("title", "Default"),
        ("visibility", "members"),
    ];
    assert_eq!(admin.post(main, &close).await.location(), main);
    assert_eq!(Browser::new(&world).get("/").await.status, StatusCode::FORBIDDEN);
    let delete = [("csrf", csrf.as_str())];
    let refused = admin.post(&format!("{main}/delete"), &delete).await;
    assert!(refused.body.contains("cannot be deleted"), "{}", refused.body);
}
