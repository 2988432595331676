//! Environments: three from the start, changed with their revision, kept while something is in them.

use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord};

use super::deployments::deployment;
use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{at, event, new_entry, parse, version};

fn staging() -> EnvironmentRecord {
    EnvironmentRecord {
        name: parse("staging"),
        title: "Staging".to_owned(),
        kind: EnvironmentKind::Staging,
        description: "As production will be".to_owned(),
        onboarding: "Ask the desk".to_owned(),
        position: 15,
        metadata: serde_json::Map::from_iter([("region".to_owned(), serde_json::json!("eu"))]),
        revision: 1,
        created_at: at(1),
        updated_at: at(2),
    }
}

async fn names(store: &dyn Durable) -> Result<Vec<String>, portreeve_core::ports::StoreError> {
    let all = store.environments().await?;
    Ok(all.into_iter().map(|record| record.name.to_string()).collect())
}

/// Production, test and development need nobody to make them.
pub async fn three_environments_exist_from_the_start(store: &dyn Durable) -> Outcome {
    assert_eq!(names(store).await?, ["production", "test", "development"]);
    Ok(())
}

/// An environment is read as it was saved, changed at its revision only, and gone when it was removed.
pub async fn an_environment_is_changed_and_removed(store: &dyn Durable) -> Outcome {
    store
        .add_environment(&staging(), 4, event("environment.create"))
        .await?;
    assert_eq!(
        names(store).await?,
        ["production", "staging", "test", "development"]
    );
    assert!(store.environments().await?.contains(&staging()));
    let mut fifth = staging();
    fifth.name = parse("fifth");
    assert_conflict(
        store
            .add_environment(&fifth, 4, event("environment.create"))
            .await,
    );
    assert_conflict(
        store
            .add_environment(&staging(), 9, event("environment.create"))
            .await,
    );

    let mut changed = staging();
    changed.title = "Dress rehearsal".to_owned();
    assert_eq!(
        store
            .save_environment(&changed, event("environment.change"))
            .await?,
        2
    );
    assert_conflict(
        store
            .save_environment(&changed, event("environment.change"))
            .await,
    );
    changed.revision = 2;
    assert!(store.environments().await?.contains(&changed));

    let name = parse("staging");
    assert_conflict(
        store
            .remove_environment(&name, 1, event("environment.delete"))
            .await,
    );
    store
        .remove_environment(&name, 2, event("environment.delete"))
        .await?;
    assert_eq!(names(store).await?, ["production", "test", "development"]);
    Ok(())
}

/// What a deployment is in cannot be removed, not even one that waits for an approval.
pub async fn an_environment_in_use_stays(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut change = new_entry(name, vec![version(name, "1.0.0")]);
    change.server.deployments.current = vec![deployment("test", None)];
    store.save(change).await?;
    let test = parse("test");
    assert_conflict(
        store
            .remove_environment(&test, 1, event("environment.delete"))
            .await,
    );
    store.remove(&parse(name), 1, event("server.remove")).await?;
    store
        .remove_environment(&test, 1, event("environment.delete"))
        .await?;
    Ok(())
}
