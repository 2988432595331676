//! Access policies in the portal: what is wrong stands beside the text, what would change is shown before.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::world::{DEVELOPER, World};

const PAGE: &str = "/admin/policies";
const ONE: &str = "/admin/policies/interns";

const TEXT: &str = "forbid (principal in Group::\"interns\", action == Action::\"call\", resource)\nunless { resource.read_only };";

#[tokio::test]
async fn a_policy_is_written_mended_tried_tested_switched_and_deleted() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(PAGE).await;
    assert!(page.body.contains("There are no access policies"));
    let token = page.hidden(PAGE, "csrf").remove(0);
    let fields = |text: &'static str, tests: &'static str| {
        [
            ("csrf", token.clone()),
            ("name", "interns".to_owned()),
            ("text", text.to_owned()),
            ("tests", tests.to_owned()),
            ("enabled", "yes".to_owned()),
        ]
    };
    let all = fields("permit (principal, action == Action::\"manage\", resource);", "");
    let sent: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = admin.post(PAGE, &sent).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.body.contains("line 1, column") && answer.body.contains("grants alone"),
        "{}",
        answer.body
    );

    let failing = "[{\"who\": \"user:ada\", \"groups\": [\"interns\"], \"action\": \"call\", \"server\": \"com.acme/x\", \"tool\": \"t\", \"expect\": \"permit\"}]";
    let all = fields(TEXT, failing);
    let sent: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = admin.post(PAGE, &sent).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("but the text says"), "{}", answer.body);

    let all = fields(TEXT, "");
    let sent: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = admin.post(PAGE, &sent).await;
    assert_eq!(answer.location(), ONE, "{}", answer.body);
    let page = admin.get(ONE).await;
    assert!(page.body.contains("In force."));
    let tried = admin
        .post(
            "/admin/policies/interns/dry-run",
            &[("csrf", &token), ("text", TEXT)],
        )
        .await;
    assert!(tried.body.contains("Nothing would change."), "{}", tried.body);
    let tested = admin
        .post("/admin/policies/interns/test", &[("csrf", &token)])
        .await;
    assert!(tested.body.contains("It has no tests."), "{}", tested.body);
    let off = [("csrf", token.as_str()), ("switch", "off"), ("revision", "1")];
    let answer = admin.post("/admin/policies/interns/switch", &off).await;
    assert_eq!(answer.location(), ONE, "{}", answer.body);
    assert!(admin.get(PAGE).await.body.contains("not in force"));
    let gone = [("csrf", token.as_str()), ("revision", "2")];
    let answer = admin.post("/admin/policies/interns/delete", &gone).await;
    assert_eq!(answer.location(), PAGE, "{}", answer.body);

    let other = Browser::signed_in(&world, DEVELOPER).await.get(PAGE).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn one_question_is_put_to_a_text() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(PAGE).await;
    let token = page.hidden(PAGE, "csrf").remove(0);
    let saved = [
        ("csrf", token.as_str()),
        ("name", "interns"),
        ("text", TEXT),
        ("enabled", "yes"),
    ];
    assert_eq!(admin.post(PAGE, &saved).await.location(), ONE);
    let asked = [
        ("csrf", token.as_str()),
        ("who", "user:ada"),
        ("groups", "interns, staff"),
        ("action", "call"),
        ("server", "com.acme/x"),
        ("environment", "production"),
        ("tool", "t"),
    ];
    let told = admin.post("/admin/policies/interns/test", &asked).await;
    assert!(
        told.body.contains("in production: forbid (policy:interns"),
        "{}",
        told.body
    );
    let nowhere = [
        ("csrf", token.as_str()),
        ("who", "user:ada"),
        ("server", "nothing"),
    ];
    let told = admin.post("/admin/policies/interns/test", &nowhere).await;
    assert!(told.body.contains("cannot be put"), "{}", told.body);
}
