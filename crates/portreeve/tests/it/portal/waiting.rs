//! Everything that waits, in one list, and decisions about many versions at once.

use http::StatusCode;
use portreeve_core::id::UserId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::EntryStore;
use portreeve_core::server::Approval;

use super::browser::Browser;
use super::imports::{SERVER, take_in};
use super::samples;
use super::world::{DEVELOPER, World};

const PAGE: &str = "/admin/waiting";

async fn world() -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    world
}

#[tokio::test]
async fn what_waits_is_one_list_with_a_way_to_each_decision() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(PAGE).await.body;
    for shown in [
        "com.acme/billing",
        "Version 1.5.0-rc.1",
        "href=\"/servers/com.acme/billing/review?version=1%2E5%2E0%2Drc%2E1\"",
        "of route billing",
        "href=\"/servers/com.acme/billing?route=billing#tools\"",
        "Not judged yet",
        "key:deploy",
        "<span class=\"count\">2</span>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let tools = admin.get("/admin/waiting?show=tools").await.body;
    assert!(tools.contains("of route billing") && !tools.contains("Version 1.5.0-rc.1"));
    let flagged = admin.get("/admin/waiting?show=flagged").await.body;
    assert!(flagged.contains("No version that waits was flagged"));
    let page = admin.get("/servers/com.acme/billing?route=billing").await.body;
    assert!(page.contains("name=\"route\" value=\"billing\""));

    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let page = developer.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Nothing waits for you.") && !page.body.contains("1.5.0-rc.1"));
    assert_eq!(Browser::new(&world).get(PAGE).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_one_import_took_in_is_approved_as_it_was_seen() {
    let world = world().await;
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let run = take_in(&mut admin, &[("a/server.json", SERVER)]).await;
    let list = format!("{PAGE}?import={run}");
    let page = admin.get(&list).await;
    assert!(
        page.body.contains("io.example/tidy") && page.body.contains(" checked>"),
        "{}",
        page.body
    );
    let action = "/admin/waiting/approve";
    let [csrf, import] = ["csrf", "import"].map(|field| page.hidden(action, field).remove(0));
    let seen = page.body.split("name=\"seen\" value=\"").nth(1).unwrap();
    let seen = seen.split('"').next().unwrap().to_owned();

    // What is not what was seen is refused, and says so.
    let (name, rest) = seen.split_once(' ').unwrap();
    let other = format!("{name} {}{}", "0".repeat(64), rest.get(64..).unwrap());
    let fields = |seen| {
        [
            ("csrf", csrf.as_str()),
            ("import", import.as_str()),
            ("seen", seen),
        ]
    };
    let answer = admin.post(action, &fields(other.as_str())).await;
    assert!(answer.body.contains("0 versions approved") && answer.body.contains("changed by somebody else"));
    let name: ServerName = "io.example/tidy".parse().unwrap();
    let approval = async || world.store.entry(&name).await.unwrap().unwrap().versions[0].approval;
    assert_eq!(approval().await, Approval::Submitted);

    let answer = admin.post(action, &fields(seen.as_str())).await;
    assert!(answer.body.contains("1 version approved"), "{}", answer.body);
    assert_eq!(approval().await, Approval::Approved);
    assert!(
        admin
            .get(&list)
            .await
            .body
            .contains("Nothing of this import waits any more")
    );
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let answer = developer.post(action, &fields(seen.as_str())).await;
    assert_eq!(
        answer.status,
        StatusCode::FORBIDDEN,
        "the token belongs to somebody else"
    );
}
