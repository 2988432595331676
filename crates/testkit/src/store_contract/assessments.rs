//! Assessments: the last one of each version, and which versions wait for one.

use portreeve_core::ports::{Imported, Sought, StoreError, StoredAssessment};
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_core::time::Timestamp;

use super::{Durable, Outcome, assert_not_found};
use crate::store_fixtures::{at, event, new_entry, parse, version};

const NAME: &str = "com.acme/billing";

fn judged(number: &str, hash: &str, moment: Timestamp) -> StoredAssessment {
    StoredAssessment {
        name: parse(NAME),
        version: parse(number),
        content_hash: hash.to_owned(),
        at: moment,
        tools: 3,
        findings: "[]".to_owned(),
    }
}

/// A newer assessment takes the place of an older one, and goes with its version.
pub async fn the_last_assessment_of_a_version_stays_with_it(store: &dyn Durable) -> Outcome {
    let one = version(NAME, "1.0.0");
    store.save(new_entry(NAME, vec![one.clone()])).await?;
    let generation = store.generation().await?;
    let first = judged("1.0.0", "aa", at(1));
    let events = [event("server.assess")];
    store.save_assessment(&first, &events).await?;
    let second = StoredAssessment {
        findings: "[{}]".to_owned(),
        tools: 4,
        ..judged("1.0.0", "bb", at(2))
    };
    store.save_assessment(&second, &[]).await?;
    assert_eq!(store.assessment(&one.name, &one.version).await?, Some(second));
    assert_eq!(store.generation().await?, generation, "no decision depends on it");
    assert_not_found(store.save_assessment(&judged("9.0.0", "aa", at(1)), &[]).await);
    store.remove(&one.name, 1, event("server.remove")).await?;
    assert_eq!(store.assessment(&one.name, &one.version).await?, None);
    Ok(())
}

/// What was never judged comes first, then what was judged longest ago; what nobody can use waits for nothing.
pub async fn what_waits_longest_comes_first(store: &dyn Durable) -> Outcome {
    let mut versions = Vec::new();
    for (number, approval, lifecycle) in [
        ("1.0.0", Approval::Approved, Lifecycle::Production),
        ("1.1.0", Approval::Approved, Lifecycle::Production),
        ("1.2.0", Approval::Rejected, Lifecycle::Production),
        ("1.3.0", Approval::Approved, Lifecycle::Retired),
        ("1.4.0", Approval::Approved, Lifecycle::Deprecated),
        ("1.5.0", Approval::Submitted, Lifecycle::Production),
        ("1.6.0", Approval::Submitted, Lifecycle::Retired),
    ] {
        let mut version = version(NAME, number);
        version.approval = approval;
        version.lifecycle = lifecycle;
        version.content_hash = "aa".to_owned();
        versions.push(version);
    }
    store.save(new_entry(NAME, versions)).await?;
    let sought = async |sought, since| {
        let waiting = store.unassessed(since, sought, None, 9).await;
        waiting.map(|all| {
            all.versions
                .into_iter()
                .map(|(_, version)| version.to_string())
                .collect::<Vec<_>>()
        })
    };
    let waiting = async |since| sought(Sought::Listed, since).await;
    assert_eq!(waiting(at(0)).await?, ["1.0.0", "1.1.0", "1.4.0"]);
    assert_eq!(
        sought(Sought::Waiting(Imported::Left), at(0)).await?,
        ["1.5.0"],
        "what waits for a review is asked for apart"
    );
    store.save_assessment(&judged("1.0.0", "aa", at(20)), &[]).await?;
    store.save_assessment(&judged("1.1.0", "aa", at(10)), &[]).await?;
    assert_eq!(waiting(at(5)).await?, ["1.4.0"]);
    assert_eq!(waiting(at(15)).await?, ["1.4.0", "1.1.0"]);
    assert_eq!(waiting(at(30)).await?, ["1.4.0", "1.1.0", "1.0.0"]);
    store
        .save_assessment(&judged("1.0.0", "of another content", at(20)), &[])
        .await?;
    assert_eq!(waiting(at(5)).await?, ["1.4.0", "1.0.0"]);
    Ok(())
}

/// Entries are looked through in the order of their names, so many at a time, whether something of them waits or not.
pub async fn what_waits_is_looked_for_entry_by_entry(store: &dyn Durable) -> Outcome {
    for number in 1..=5 {
        let mut version = version(&format!("com.acme/n{number}"), "1.0.0");
        version.approval = if number == 3 {
            Approval::Draft
        } else {
            Approval::Submitted
        };
        store
            .save(new_entry(version.name.clone().as_str(), vec![version]))
            .await?;
    }
    let look = async |behind: Option<&str>, among| {
        let behind = behind.map(parse);
        let found = store
            .unassessed(at(0), Sought::Waiting(Imported::Judged), behind.as_ref(), among)
            .await?;
        let names = found.versions.into_iter().map(|(name, _)| name.to_string());
        let last = found.last.map(|last| last.to_string());
        Ok::<_, StoreError>((names.collect::<Vec<_>>(), last))
    };
    let (names, last) = look(None, 2).await?;
    assert_eq!(
        (names, last.as_deref()),
        (
            vec!["com.acme/n1".to_owned(), "com.acme/n2".to_owned()],
            Some("com.acme/n2")
        )
    );
    let (names, last) = look(last.as_deref(), 2).await?;
    assert_eq!(
        (names, last.as_deref()),
        (vec!["com.acme/n4".to_owned()], Some("com.acme/n4"))
    );
    let (names, last) = look(last.as_deref(), 2).await?;
    assert_eq!((names, last), (vec!["com.acme/n5".to_owned()], None));
    Ok(())
}
