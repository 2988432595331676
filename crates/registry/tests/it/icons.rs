//! Icons of an entry: which are wanted, where nobody is asked, and what becomes of a failure.

use portreeve_registry::{AssessmentPolicy, FindingSeverity, IconJob, IconParts, ProfilePatch};
use serde_json::{Value, json};

use crate::world::{Locked, NAME, URL, World, admin, caller, remote};

fn with_icons(version: &str, icons: &Value) -> String {
    let mut document: Value = serde_json::from_str(&remote(NAME, version, URL)).unwrap();
    document["icons"] = icons.clone();
    document.to_string()
}

fn job(world: &World) -> IconJob {
    IconJob::new(IconParts {
        registry: world.registry.clone(),
        locks: std::sync::Arc::new(Locked::default()),
        holder: "this node".to_owned(),
    })
}

#[tokio::test]
async fn the_profile_comes_first_and_each_address_is_asked_once() {
    let world = World::new();
    let icons = json!([
        {"src": "https://nowhere.example/a.png"},
        {"src": "https://nowhere.example/b.png", "theme": "dark"},
        {"src": "https://nowhere.example/c.png"},
    ]);
    world.approved(&with_icons("1.0.0", &icons)).await;
    let name = NAME.parse().unwrap();
    let patch = ProfilePatch {
        icons: Some(vec!["https://nowhere.example/c.png".to_owned()]),
        ..ProfilePatch::default()
    };
    world
        .registry
        .describe(&admin(), &name, patch, None)
        .await
        .unwrap();
    let icons = world.registry.fetch_icons(&admin(), &name).await.unwrap();
    let paths: Vec<&str> = icons.iter().map(|icon| icon.path.as_str()).collect();
    assert_eq!(paths, ["profile.icons[0]", "icons[0]", "icons[1]"]);
    let problem = icons[0].problem.as_deref().unwrap();
    assert!(problem.contains("could not be resolved"), "{problem}");
    assert_eq!(icons[2].theme.map(|theme| theme.as_str()), Some("dark"));
}

#[tokio::test]
async fn b11_an_icon_leads_to_no_private_host_that_the_entry_was_not_granted() {
    let world = World::assessing(AssessmentPolicy {
        block: Some(FindingSeverity::High),
        ..AssessmentPolicy::default()
    });
    world
        .upstreams
        .answer(URL, &[("list", "Lists the invoices of a month.")]);
    let icons = json!([
        {"src": "https://billing.internal/a.png"},
        {"src": "https://hidden.example/a.png"},
        {"src": "https://169.254.169.254/a.png"},
        {"src": "https://ada:secret@acme.example/a.png"},
    ]);
    world.approved(&with_icons("1.0.0", &icons)).await;
    world.actions();
    assert_eq!(job(&world).round().await.unwrap(), 1);
    assert_eq!(world.actions(), ["server.icons"]);
    let name = NAME.parse().unwrap();
    let icons = world.registry.icons(&admin(), &name).await.unwrap();
    let problems: Vec<&str> = icons.iter().filter_map(|icon| icon.problem.as_deref()).collect();
    assert_eq!(problems.len(), 4);
    assert!(
        problems[..3].iter().all(|problem| problem.contains("is refused")),
        "{problems:?}"
    );
    assert!(problems[3].contains("a user name or a password"), "{problems:?}");

    let assessment = world.registry.assess(&admin(), &name, None).await.unwrap();
    let found = assessment
        .findings
        .iter()
        .filter(|finding| finding.assessor == "icons");
    assert_eq!(found.count(), 4);
    assert!(!assessment.blocked);
    // The same again is no news.
    world.actions();
    job(&world).round().await.unwrap();
    assert_eq!(world.actions(), [""; 0]);
}

#[tokio::test]
async fn what_is_not_listed_has_no_icons_and_who_may_not_publish_fetches_none() {
    let world = World::new();
    let icons = json!([{"src": "https://nowhere.example/a.png"}]);
    world
        .add(&with_icons("1.0.0", &icons), portreeve_registry::Approve::No)
        .await
        .unwrap();
    let name = NAME.parse().unwrap();
    assert_eq!(world.registry.fetch_icons(&admin(), &name).await.unwrap(), []);
    let refused = world
        .registry
        .fetch_icons(&caller("user"), &name)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("may not publish"), "{refused}");
    assert!(
        world.registry.icons(&caller("user"), &name).await.is_err(),
        "it does not exist for others"
    );
}
