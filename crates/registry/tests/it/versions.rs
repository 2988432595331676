//! Which version is the latest: the vectors of the official registry's own rules.

use portreeve_core::name::VersionText;
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::time::Timestamp;
use portreeve_registry::{Approve, RegistryError, is_semver, latest_of};

use crate::world::{NAME, World, admin, package};

fn version(text: &str, published: i64) -> Version {
    Version {
        name: NAME.parse().unwrap(),
        version: text.parse().unwrap(),
        document: "{}".to_owned(),
        content_hash: String::new(),
        approval: Approval::Approved,
        lifecycle: Lifecycle::Production,
        former_lifecycle: None,
        ended_by: None,
        status_message: None,
        submitted_by: "admin".to_owned(),
        decided_by: None,
        is_latest: false,
        metadata: Default::default(),
        published_at: Timestamp::from_millis(published),
        status_changed_at: Timestamp::from_millis(published),
        updated_at: Timestamp::from_millis(published),
    }
}

/// Published one after the other.
fn latest<'a>(texts: &[&'a str]) -> &'a str {
    let versions: Vec<Version> = (0_i64..).zip(texts).map(|(at, text)| version(text, at)).collect();
    texts[latest_of(&versions).unwrap()]
}

#[test]
fn vectors() {
    for (published, expected) in [
        (&["1.2.3", "1.2.3-1"][..], "1.2.3"),
        (&["1.2.3-1", "1.2.3"], "1.2.3"),
        (&["1.0.0", "2025.06.18"], "1.0.0"),
        (&["2025.06.18", "0.0.1"], "0.0.1"),
        (&["1.0.0", "2025.6.18"], "2025.6.18"),
        (&["auto", "mcp"], "mcp"),
        (&["mcp", "auto"], "auto"),
        (&["1.0.0+a", "1.0.0+b"], "1.0.0+a"),
        (&["1.0.0+b", "1.0.0+a"], "1.0.0+b"),
        (&["1.9.0", "1.10.0"], "1.10.0"),
        (&["1.10.0", "1.9.0"], "1.10.0"),
        (&["v1.0.0", "0.9.0"], "v1.0.0"),
        (&["1.0.0", "v1.0.1", "1.0.0.post1"], "v1.0.1"),
        (&["1.0.0-alpha", "1.0.0-alpha.1"], "1.0.0-alpha.1"),
        (&["1.0.0-alpha.1", "1.0.0-alpha.beta"], "1.0.0-alpha.beta"),
        (&["1.0.0-rc.2", "1.0.0-rc.10"], "1.0.0-rc.10"),
        (
            &["1.0.0-99999999999999999999998", "1.0.0-99999999999999999999999"],
            "1.0.0-99999999999999999999999",
        ),
        (
            &["99999999999999999999998.0.0", "99999999999999999999999.0.0"],
            "99999999999999999999999.0.0",
        ),
    ] {
        assert_eq!(latest(published), expected, "{published:?}");
    }
}

#[test]
fn semver_or_not() {
    for yes in [
        "1.2.3",
        "v1.2.3",
        "0.0.0",
        "2025.6.18",
        "1.2.3-rc.1",
        "1.2.3-0a",
        "1.2.3+001",
        "1.2.3--",
        "1.2.3-a+b.c",
    ] {
        assert!(is_semver(yes), "{yes}");
    }
    for no in [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "2025.06.18",
        "1.2.3-",
        "1.2.3+",
        "1.2.3-01",
        "1.2.3-a..b",
        "1.2.x3",
        "1.0.1º",
        "{{VERSION}}",
        "0.5.2rc4",
        "vv1.2.3",
        "1.2.3-ä",
        "-1.2.3",
    ] {
        assert!(!is_semver(no), "{no}");
    }
}

#[test]
fn only_approved_versions_count_and_listed_ones_first() {
    let mut versions = [version("1.0.0", 0), version("2.0.0", 1), version("3.0.0", 2)];
    versions[2].approval = Approval::Submitted;
    assert_eq!(latest_of(&versions), Some(1));
    versions[1].lifecycle = Lifecycle::Retired;
    assert_eq!(latest_of(&versions), Some(0));
    versions[0].lifecycle = Lifecycle::Retired;
    assert_eq!(
        latest_of(&versions),
        Some(1),
        "the highest retired one keeps the mark"
    );
    versions[0].approval = Approval::Rejected;
    versions[1].approval = Approval::Draft;
    assert_eq!(latest_of(&versions), None);
    assert_eq!(latest_of(&[]), None);
}

#[tokio::test]
async fn the_mark_is_recomputed_on_every_change() {
    let world = World::new();
    let name = NAME.parse().unwrap();
    let latest = || {
        let entry = world.store.get(NAME);
        let latest = entry.versions.into_iter().find(|version| version.is_latest);
        latest.unwrap().version.to_string()
    };
    let set = async |version: &str, lifecycle| {
        let version: VersionText = version.parse().unwrap();
        world
            .registry
            .set_lifecycle(&admin(), &name, Some(&version), lifecycle, None)
            .await
            .unwrap();
    };
    world.approved(&package(NAME, "1.0.0")).await;
    world.approved(&package(NAME, "0.0.59")).await;
    assert_eq!(latest(), "1.0.0");
    set("1.0.0", Lifecycle::Retired).await;
    assert_eq!(latest(), "0.0.59");
    world.approved(&package(NAME, "0.0.60")).await;
    assert_eq!(latest(), "0.0.60");
    set("1.0.0", Lifecycle::Production).await;
    assert_eq!(latest(), "1.0.0");
}

#[tokio::test]
async fn ranges_and_latest_are_no_versions() {
    let world = World::new();
    for range in [
        "^1.2",
        "~1.2",
        ">=1",
        "<=1",
        "=1.0",
        "1.x",
        "1.2.*",
        "1 - 2",
        "1.2 || 1.3",
        "*",
        "latest",
    ] {
        let error = world.add(&package(NAME, range), Approve::Now).await.unwrap_err();
        assert!(matches!(error, RegistryError::Invalid(_)), "{range}");
    }
}

#[tokio::test]
async fn of_two_publishers_of_one_version_one_wins() {
    let world = World::new();
    let (first, second) = (
        package(NAME, "1.0.0"),
        package(NAME, "1.0.0").replace("here", "there"),
    );
    let (first, second) = tokio::join!(world.add(&first, Approve::Now), world.add(&second, Approve::Now));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
}
