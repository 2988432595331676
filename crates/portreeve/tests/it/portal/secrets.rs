//! The vault in the portal: values go in and never come out.

use http::StatusCode;
use portreeve_core::id::UserId;
use portreeve_core::ports::{RouteChange, RouteStore as _};

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

const PAGE: &str = "/admin/secrets";

#[tokio::test]
async fn a_secret_is_set_replaced_and_deleted_and_never_shown() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(PAGE).await;
    assert!(page.body.contains("The vault is empty"));
    let token = page.hidden(PAGE, "csrf").remove(0);
    let set = |value, more: &[(&'static str, &'static str)]| {
        let mut fields = vec![("csrf", token.as_str()), ("name", "github"), ("value", value)];
        fields.extend_from_slice(more);
        fields
    };
    let answer = admin.post(PAGE, &set(" first value ", &[])).await;
    assert_eq!(answer.location(), PAGE, "{}", answer.body);
    let again = admin.post(PAGE, &set("second value", &[])).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("there is a secret of this name") && again.body.contains("value=\"github\""));
    let answer = admin.post(PAGE, &set("second value", &[("revision", "1")])).await;
    assert_eq!(answer.location(), PAGE, "{}", answer.body);
    let stale = admin.post(PAGE, &set("third value", &[("revision", "1")])).await;
    assert_ne!(stale.status, StatusCode::SEE_OTHER);
    let page = admin.get(PAGE).await.body;
    assert!(page.contains("secret:github") && page.contains("revision 2"));
    for shown in [&page, &again.body, &stale.body] {
        assert!(
            !shown.contains("first value")
                && !shown.contains("second value")
                && !shown.contains("third value")
        );
    }
    let gone = admin
        .post("/admin/secrets/delete", &[("csrf", &token), ("name", "github")])
        .await;
    assert_eq!(gone.location(), PAGE);
    assert!(admin.get(PAGE).await.body.contains("The vault is empty"));
}

#[tokio::test]
async fn a_secret_that_is_used_is_deleted_only_by_who_sees_what_uses_it() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let token = admin.get(PAGE).await.hidden(PAGE, "csrf").remove(0);
    let fields = [("csrf", token.as_str()), ("name", "github"), ("value", "hush")];
    admin.post(PAGE, &fields).await;
    let mut route = world
        .store
        .route(&"billing".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    route.policies =
        serde_json::from_str(r#"[{"kind":"credential","scheme":"bearer","secret":"secret:github"}]"#)
            .unwrap();
    let change = RouteChange {
        route,
        events: Vec::new(),
    };
    world.store.save_route(change).await.unwrap();
    let delete = "/admin/secrets/delete";
    let mut fields = vec![("csrf", token.as_str()), ("name", "github")];
    let page = admin.post(delete, &fields).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.body.contains("route billing") && page.body.contains("secret:github"),
        "{}",
        page.body
    );
    assert_eq!(page.hidden(delete, "force"), ["yes"]);
    assert!(
        admin.get(PAGE).await.body.contains("secret:github"),
        "it is still there"
    );
    fields.push(("force", "yes"));
    assert_eq!(admin.post(delete, &fields).await.location(), PAGE);
    assert!(admin.get(PAGE).await.body.contains("The vault is empty"));
}

#[tokio::test]
async fn the_vault_is_for_administrators() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let token = admin.get(PAGE).await.hidden(PAGE, "csrf").remove(0);
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(PAGE).await.status, StatusCode::FORBIDDEN);
    let fields = [("csrf", token.as_str()), ("name", "x"), ("value", "y")];
    assert_eq!(developer.post(PAGE, &fields).await.status, StatusCode::FORBIDDEN);
    let empty = admin
        .post(PAGE, &[("csrf", token.as_str()), ("name", "X Y"), ("value", "")])
        .await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(admin.get(PAGE).await.body.contains("The vault is empty"));
}
