//! Publications: what they may not break is looked at together with the change.

use portreeve_core::ports::{EntryChange, Publication, Published};
use portreeve_core::server::{Approval, EndedBy, Lifecycle, Version};
use serde_json::json;

use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{new_entry, parse, version};

const URL: &str = "https://mcp.acme.example/mcp";

fn waiting(name: &str, number: &str, url: &str) -> Version {
    let document =
        json!({"name": name, "version": number, "remotes": [{"type": "sse", "url": url}, 7, {"url": 7}]});
    Version {
        document: document.to_string(),
        approval: Approval::Submitted,
        submitted_by: "dns:acme.example".to_owned(),
        ..version(name, number)
    }
}

fn publication(version: Version, expected: Option<i64>) -> Publication {
    let document: serde_json::Value = serde_json::from_str(&version.document).unwrap_or_default();
    let url = document.pointer("/remotes/0/url").and_then(|url| url.as_str());
    Publication {
        remotes: url.map(str::to_owned).into_iter().collect(),
        version: version.version.clone(),
        most_waiting: None,
        publisher: version.submitted_by.clone(),
        change: EntryChange {
            expected,
            ..new_entry(version.name.clone().as_str(), vec![version])
        },
    }
}

/// A URL belongs to one name as long as a version there counts.
pub async fn a_remote_belongs_to_one_name(store: &dyn Durable) -> Outcome {
    let first = waiting("com.acme/billing", "1.0.0", URL);
    assert_eq!(
        store.publish(publication(first.clone(), None)).await?,
        Published::Saved(1)
    );
    let again = waiting("com.acme/billing", "1.1.0", URL);
    assert_eq!(
        store.publish(publication(again, Some(1))).await?,
        Published::Saved(2),
        "its own name may"
    );
    let other = publication(waiting("com.evil/billing", "1.0.0", URL), None);
    let taken = Published::RemoteTaken {
        url: URL.to_owned(),
        by: parse("com.acme/billing"),
    };
    assert_eq!(store.publish(other.clone()).await?, taken);
    assert_eq!(store.entry(&parse("com.evil/billing")).await?, None);

    let mut retired = first.clone();
    retired.lifecycle = Lifecycle::Retired;
    retired.former_lifecycle = Some(Lifecycle::Preview);
    retired.ended_by = Some(EndedBy::Publisher);
    let mut rejected = waiting("com.acme/billing", "1.1.0", URL);
    rejected.approval = Approval::Rejected;
    let change = EntryChange {
        expected: Some(2),
        ..new_entry("com.acme/billing", vec![retired.clone(), rejected])
    };
    store.save(change).await?;
    let entry = store.entry(&parse("com.acme/billing")).await?;
    assert!(entry.is_some_and(|entry| entry.versions.contains(&retired)));
    assert_eq!(store.publish(other).await?, Published::Saved(1));

    // What is edited leaves its former place.
    let moved = waiting("com.evil/billing", "1.0.0", "https://elsewhere.example/mcp");
    store.publish(publication(moved, Some(1))).await?;
    let back = publication(waiting("com.third/billing", "1.0.0", URL), None);
    assert_eq!(store.publish(back).await?, Published::Saved(1));
    Ok(())
}

/// Two URLs with the same beginning are two, however long that is.
pub async fn long_remotes_are_told_apart(store: &dyn Durable) -> Outcome {
    let long = |end: &str| format!("https://mcp.acme.example/{}{end}", "a".repeat(5_000));
    let one = waiting("com.acme/aa", "1.0.0", &long("1"));
    assert_eq!(store.publish(publication(one, None)).await?, Published::Saved(1));
    let two = waiting("com.acme/bb", "1.0.0", &long("2"));
    assert_eq!(store.publish(publication(two, None)).await?, Published::Saved(1));
    let same = waiting("com.acme/cc", "1.0.0", &long("2"));
    let refused = store.publish(publication(same, None)).await?;
    assert!(matches!(refused, Published::RemoteTaken { .. }), "{refused:?}");
    Ok(())
}

/// A namespace is spelled as it was first.
pub async fn a_namespace_has_one_spelling(store: &dyn Durable) -> Outcome {
    let first = waiting("com.Acme/billing", "1.0.0", URL);
    store.publish(publication(first, None)).await?;
    let other = waiting("com.acme/mail", "1.0.0", "https://mail.example/mcp");
    assert_eq!(
        store.publish(publication(other, None)).await?,
        Published::NamespaceTaken {
            by: parse("com.Acme/billing")
        }
    );
    for name in [
        "com.Acme/mail",
        "com.acme2/mail",
        "com.acme-x/mail",
        "com.acm/mail",
    ] {
        let url = format!("https://{}.example/mcp", name.replace('/', "-").to_lowercase());
        let published = store
            .publish(publication(waiting(name, "1.0.0", &url), None))
            .await?;
        assert_eq!(published, Published::Saved(1), "{name}");
    }
    Ok(())
}

/// A publisher has so many versions waiting, and others have theirs.
pub async fn a_publisher_has_a_limit_of_waiting_versions(store: &dyn Durable) -> Outcome {
    let published = |name: &str, number: &str, expected| {
        let url = format!("https://{}.example/{number}", name.replace('/', "-"));
        Publication {
            most_waiting: Some(2),
            ..publication(waiting(name, number, &url), expected)
        }
    };
    store.publish(published("com.acme/aa", "1", None)).await?;
    store.publish(published("com.acme/bb", "1", None)).await?;
    let third = published("com.acme/aa", "2", Some(1));
    assert_eq!(store.publish(third).await?, Published::TooManyWaiting);
    let same = published("com.acme/aa", "1", Some(1));
    assert_eq!(
        store.publish(same).await?,
        Published::Saved(2),
        "what waits already counts once"
    );
    let mut other = published("com.acme/cc", "1", None);
    other.publisher = "dns:other.example".to_owned();
    assert_eq!(store.publish(other).await?, Published::Saved(1));
    let stale = Publication {
        most_waiting: None,
        ..published("com.acme/bb", "1", Some(7))
    };
    assert_conflict(store.publish(stale).await);
    Ok(())
}
