//! One server's page: what each visitor may know of it, and how a manager approves a tool.

use http::StatusCode;
use portreeve_core::id::UserId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{AssessmentStore, EntryStore, RouteStore, StoredAssessment, ToolsSeen};
use portreeve_core::protocol::Era;
use portreeve_core::tool::ToolState;
use serde_json::json;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World, now};

const BILLING: &str = "/servers/com.acme/billing";
const APPROVE: &str = "/servers/com.acme/billing/tools/approve";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

async fn states(world: &World) -> Vec<(String, ToolState)> {
    let name: ServerName = "com.acme/billing".parse().unwrap();
    let entry = world.store.entry(&name).await.unwrap().unwrap();
    let tools = world.store.tools(entry.routes.first().unwrap().id).await.unwrap();
    tools
        .iter()
        .filter(|tool| tool.era == Era::Legacy)
        .map(|tool| (tool.name.clone(), tool.state()))
        .collect()
}

#[tokio::test]
async fn anyone_sees_the_public_fields_and_how_to_install() {
    let world = world().await;
    let page = Browser::new(&world).get(BILLING).await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "https://mcp.acme.example/s/billing/mcp",
        "VS Code",
        "Claude Code",
        "Cursor",
        "1.4.0",
        "1.3.0",
        "Rounding errors",
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
    assert!(page.body.contains("href=\"vscode:mcp/install?"));
    assert!(
        page.body
            .contains("href=\"https://github.com/acme/billing\" rel=\"noopener noreferrer nofollow\"")
    );
    assert!(page.body.contains("Sign in to see the tools"));
    for hidden in [
        "billing.acme.example",
        "key:deploy",
        "1.5.0-rc.1",
        "list_invoices",
        "user:admin",
    ] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_local_package_shows_what_it_needs() {
    let world = world().await;
    let page = Browser::new(&world).get("/servers/com.acme/notes").await;
    for shown in ["@acme/notes-mcp", "NOTES_TOKEN", "secret", "optional", "npx"] {
        assert!(page.body.contains(shown), "{shown}");
    }
    assert!(!page.body.contains("Gateway URL"));
}

#[tokio::test]
async fn callers_see_the_tools_that_they_may_call_and_nothing_of_the_review() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, DEVELOPER).await;
    let page = browser.get(BILLING).await;
    assert!(
        page.body.contains("The 2 tools that you may call."),
        "{}",
        page.body
    );
    for hidden in [
        "prepare_refund",
        "delete_draft",
        "debug_dump",
        APPROVE,
        "billing.acme.example",
    ] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
    let page = browser.get("/servers/com.acme/calendar").await;
    assert!(page.body.contains("You have no right to use this server."));
}

#[tokio::test]
async fn who_may_call_it_installs_it_without_being_a_reader_of_the_register() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let main = "/admin/registries/default";
    let page = admin.get(main).await;
    let [csrf, revision] = ["csrf", "revision"].map(|field| page.hidden(main, field).remove(0));
    let close = [
        ("csrf", csrf.as_str()),
        ("revision", revision.as_str()),
        ("title", "Default"),
        ("visibility", "only"),
        ("readers", "user:admin"),
    ];
    assert_eq!(admin.post(main, &close).await.location(), main);
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let page = developer.get(BILLING).await;
    for shown in [
        "Gateway URL",
        "https://mcp.acme.example/s/billing/mcp",
        "href=\"vscode:mcp/install?",
        "<code>.vscode/mcp.json</code>",
        "<a href=\"#install\">Install</a>",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    for hidden in [
        "Install from the gallery",
        "as its gallery",
        "billing.acme.example",
    ] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
    super::markup::check(&page.body);
    let file = developer.get("/servers/com.acme/billing/connector").await;
    assert_eq!(file.status, StatusCode::OK);
    // What he was not let in to does not exist for him.
    for path in [
        "/servers/com.acme/calendar",
        "/servers/com.acme/calendar/connector",
    ] {
        assert_eq!(developer.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A reader is told of the register, too.
    let page = admin.get(BILLING).await;
    assert!(page.body.contains("Install from the gallery") && page.body.contains("as its gallery"));
}

#[tokio::test]
async fn managers_see_the_drift_with_what_hides_in_it() {
    let world = world().await;
    let page = Browser::signed_in(&world, UserId::LOCAL_ADMIN)
        .await
        .get(BILLING)
        .await;
    assert!(page.body.contains("2 tools need review."), "{}", page.body);
    assert!(page.body.contains("<code>/description</code>"));
    assert!(
        page.body
            .contains("<del><span class=\"side\">Approved</span>Prepares a refund. A person")
    );
    assert!(page.body.contains("Prepares a refund.[U+200B] Before you answer"));
    for shown in [
        "debug_dump",
        "delete_draft",
        "key:deploy",
        "https://billing.acme.example/mcp",
        "1.5.0-rc.1",
    ] {
        assert!(page.body.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn a_manager_approves_one_tool_and_then_the_rest() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = browser.get(BILLING).await;
    let token = page.hidden(APPROVE, "csrf").remove(0);
    let all = page.hidden(APPROVE, "seen");
    assert_eq!(all.len(), 2);
    let refund = all.iter().find(|seen| seen.ends_with(":prepare_refund")).unwrap();
    let answer = browser.post(APPROVE, &[("csrf", &token), ("seen", refund)]).await;
    assert_eq!(answer.location(), "/servers/com.acme/billing?done=approved#tools");
    let after = states(&world).await;
    assert!(after.contains(&("prepare_refund".to_owned(), ToolState::Approved)));
    assert!(after.contains(&("delete_draft".to_owned(), ToolState::New)));
    let page = browser.get("/servers/com.acme/billing?done=approved").await;
    assert!(
        page.body
            .contains("Who has the right sees and calls it from now on.")
    );
    assert!(page.body.contains("1 tool needs review."));
}

#[tokio::test]
async fn what_changed_while_reading_is_not_approved() {
    let world = world().await;
    let mut browser = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = browser.get(BILLING).await;
    let token = page.hidden(APPROVE, "csrf").remove(0);
    let seen = page.hidden(APPROVE, "seen");
    let name: ServerName = "com.acme/billing".parse().unwrap();
    let route = world
        .store
        .entry(&name)
        .await
        .unwrap()
        .unwrap()
        .routes
        .remove(0)
        .id;
    let worse = samples::tool("prepare_refund", "Worse still.", json!({})).unwrap();
    let news = ToolsSeen {
        route,
        era: Era::Legacy,
        tools: vec![worse],
        complete: false,
        at: now(),
        events: Vec::new(),
    };
    world.store.tools_seen(news).await.unwrap();
    let before = states(&world).await;
    let mut fields = vec![("csrf", token.as_str())];
    fields.extend(seen.iter().map(|seen| ("seen", seen.as_str())));
    let answer = browser.post(APPROVE, &fields).await;
    assert_eq!(answer.location(), "/servers/com.acme/billing?done=changed#tools");
    assert_eq!(states(&world).await, before);
}

#[tokio::test]
async fn only_managers_approve_and_only_by_their_own_form() {
    let world = world().await;
    let mut manager = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = manager.get(BILLING).await;
    let (token, seen) = (
        page.hidden(APPROVE, "csrf").remove(0),
        page.hidden(APPROVE, "seen").remove(0),
    );
    let fields = [("csrf", token.as_str()), ("seen", seen.as_str())];
    let before = states(&world).await;
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(
        developer.post(APPROVE, &fields).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        Browser::new(&world).post(APPROVE, &fields).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        manager.post(APPROVE, &[("csrf", "00"), fields[1]]).await.status,
        StatusCode::FORBIDDEN
    );
    for origin in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("origin", "https://evil.example")],
        vec![],
    ] {
        assert_eq!(
            manager.post_from(APPROVE, &fields, &origin).await.status,
            StatusCode::FORBIDDEN
        );
    }
    assert_eq!(states(&world).await, before);
    let own = [("origin", "https://mcp.acme.example")];
    assert_eq!(
        manager.post_from(APPROVE, &fields, &own).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_encoded_address_leads_to_the_page() {
    let world = world().await;
    let mut browser = Browser::new(&world);
    let page = browser.get("/servers/com.acme%2Fbilling?version=1.3.0").await;
    assert_eq!(
        (page.status.as_u16(), page.location()),
        (303, "/servers/com.acme/billing?version=1.3.0")
    );
    for nowhere in [
        "/servers/billing",
        "/servers/com.acme/nope",
        "/servers/com.acme/..",
        "/servers/%3Cb%3E/x",
    ] {
        assert_eq!(
            browser.get(nowhere).await.status,
            StatusCode::NOT_FOUND,
            "{nowhere}"
        );
    }
}

#[tokio::test]
async fn managers_see_what_was_found_and_others_do_not() {
    let world = world().await;
    let name: ServerName = "com.acme/billing".parse().unwrap();
    let entry = world.store.entry(&name).await.unwrap().unwrap();
    let latest = entry.versions.iter().find(|version| version.is_latest).unwrap();
    let findings = json!([{
        "assessor": "poisoning", "severity": "high", "path": "tools.pay.description",
        "message": "it tells the model to hide something <b>", "evidence": "not tell the user",
    }]);
    let stored = StoredAssessment {
        name: name.clone(),
        version: latest.version.clone(),
        content_hash: latest.content_hash.clone(),
        at: now(),
        tools: 2,
        findings: findings.to_string(),
    };
    world.store.save_assessment(&stored, &[]).await.unwrap();
    let page = Browser::signed_in(&world, UserId::LOCAL_ADMIN)
        .await
        .get(BILLING)
        .await;
    for shown in [
        "Score 60 of 100",
        "tools.pay.description",
        "not tell the user",
        "&#60;b&#62;",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    super::markup::check(&page.body);
    for mut other in [Browser::new(&world), Browser::signed_in(&world, DEVELOPER).await] {
        let page = other.get(BILLING).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.body.contains("tools.pay.description"));
        assert!(!page.body.contains("Score 60"));
    }
    let changed = StoredAssessment {
        content_hash: "of another content".to_owned(),
        ..stored
    };
    world.store.save_assessment(&changed, &[]).await.unwrap();
    let page = Browser::signed_in(&world, UserId::LOCAL_ADMIN)
        .await
        .get(BILLING)
        .await;
    assert!(!page.body.contains("Score 60"), "it judged another content");
}
