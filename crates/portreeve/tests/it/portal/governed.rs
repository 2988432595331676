//! The pages of what is governed beside entries, and what a server's page says of them.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

#[tokio::test]
async fn people_with_an_account_read_the_tables_and_strangers_do_not() {
    let world = world().await;
    let pages = [
        (
            "/registries",
            [
                "default",
                "Everything that is approved",
                "https://mcp.acme.example",
            ],
        ),
        (
            "/admin/environments",
            ["production", "testing", "What is being built."],
        ),
        (
            "/admin/properties",
            ["No custom properties", "Environments", "Registries"],
        ),
    ];
    for (path, shown) in pages {
        assert_eq!(
            Browser::new(&world).get(path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
        for user in [DEVELOPER, UserId::LOCAL_ADMIN] {
            let page = Browser::signed_in(&world, user).await.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            for text in shown {
                assert!(page.body.contains(text), "{path}: {text}");
            }
            let is_told = page.body.contains("portreeve ") && page.body.contains(" create NAME");
            assert_eq!(is_told, user == UserId::LOCAL_ADMIN, "{path}: how to make one");
        }
    }
}

#[tokio::test]
async fn a_servers_page_says_who_answers_for_it_to_who_may_use_it() {
    let world = world().await;
    let path = "/servers/com.acme/billing";
    let known = [
        "Invoices, explained",
        "user:ada",
        "desk@acme.example",
        "Apache-2.0",
        "Refunds",
        "dataClass: internal",
    ];
    let deployment = "https://billing-test.acme.example/mcp";
    let manager = Browser::signed_in(&world, UserId::LOCAL_ADMIN)
        .await
        .get(path)
        .await;
    let developer = Browser::signed_in(&world, DEVELOPER).await.get(path).await;
    let stranger = Browser::new(&world).get(path).await;
    for text in known {
        assert!(manager.body.contains(text), "{text}");
        assert!(developer.body.contains(text), "{text}");
        assert!(!stranger.body.contains(text), "{text}");
    }
    assert!(manager.body.contains(deployment) && manager.body.contains("Inactive"));
    assert!(!developer.body.contains(deployment) && !stranger.body.contains(deployment));
    assert!(!manager.body.contains("<b>money"), "what people say is text");
}

#[tokio::test]
async fn an_administrator_makes_an_environment_and_a_property_by_their_forms() {
    let world = world().await;
    let (environments, properties) = ("/admin/environments", "/admin/properties");
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let token = admin
        .get(environments)
        .await
        .hidden(environments, "csrf")
        .remove(0);
    let staging = [
        ("csrf", token.as_str()),
        ("name", "staging"),
        ("kind", "staging"),
        ("description", "As production will be"),
    ];
    let answer = admin.post(environments, &staging).await;
    assert_eq!(answer.location(), environments, "{}", answer.body);
    assert!(
        admin
            .get(environments)
            .await
            .body
            .contains("As production will be")
    );
    let again = admin.post(environments, &staging).await;
    assert_ne!(again.status, StatusCode::SEE_OTHER);

    let class = [
        ("csrf", token.as_str()),
        ("name", "dataClass"),
        ("type", "choices"),
        ("choices", "public, internal"),
        ("owner", "server"),
        ("need", "required"),
    ];
    assert_eq!(admin.post(properties, &class).await.location(), properties);
    let page = admin.get(properties).await.body;
    assert!(page.contains("server (required)"));
    assert!(page.contains("server `com.acme/calendar`: `dataClass` is required of every server"));
    let wrong = [
        ("csrf", token.as_str()),
        ("name", "7"),
        ("type", "string"),
        ("owner", "server"),
        ("need", "optional"),
    ];
    assert_eq!(
        admin.post(properties, &wrong).await.status,
        StatusCode::BAD_REQUEST
    );

    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert!(
        !developer
            .get(environments)
            .await
            .body
            .contains("<form class=\"filters\"")
    );
    assert_eq!(
        developer.post(environments, &staging).await.status,
        StatusCode::FORBIDDEN
    );
}
