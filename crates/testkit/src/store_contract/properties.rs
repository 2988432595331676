//! Custom properties: defined, changed with their revision; and the values that servers have.

use std::collections::BTreeMap;

use portreeve_core::deployment::ProposedDeployments;
use portreeve_core::property::{Need, PropertyKind, PropertyOwner, PropertyRecord};
use portreeve_core::server::Lifecycle;
use serde_json::json;

use super::deployments::deployment;
use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{at, event, new_entry, parse, version};

fn data_class() -> PropertyRecord {
    PropertyRecord {
        name: parse("dataClass"),
        title: "Data class".to_owned(),
        description: "What the data may be seen by".to_owned(),
        kind: PropertyKind::Choices,
        schema: json!({"enum": ["public", "internal"]}),
        assignments: BTreeMap::from([
            (PropertyOwner::Server, Need::Required),
            (PropertyOwner::Deployment, Need::Optional),
        ]),
        revision: 1,
        created_at: at(1),
        updated_at: at(2),
    }
}

/// A property is read as it was saved, changed at its revision only, and gone when it was removed.
pub async fn a_property_is_defined_changed_and_removed(store: &dyn Durable) -> Outcome {
    assert_eq!(store.properties().await?, []);
    store
        .add_property(&data_class(), 1, event("property.create"))
        .await?;
    assert_eq!(store.properties().await?, [data_class()]);
    let mut second = data_class();
    second.name = parse("costCentre");
    assert_conflict(store.add_property(&second, 1, event("property.create")).await);
    assert_conflict(
        store
            .add_property(&data_class(), 9, event("property.create"))
            .await,
    );
    let mut changed = data_class();
    changed.schema = json!({"enum": ["public", "internal", "secret"]});
    assert_eq!(store.save_property(&changed, event("property.change")).await?, 2);
    assert_conflict(store.save_property(&changed, event("property.change")).await);
    changed.revision = 2;
    assert_eq!(store.properties().await?, [changed]);
    let name = parse("dataClass");
    assert_conflict(store.remove_property(&name, 1, event("property.delete")).await);
    store.remove_property(&name, 2, event("property.delete")).await?;
    assert_eq!(store.properties().await?, []);
    Ok(())
}

/// Every server once, with its values and those of its deployments in force.
pub async fn the_values_of_servers_are_read_page_by_page(store: &dyn Durable) -> Outcome {
    for number in 0..5 {
        let name = format!("com.acme/s{number}");
        let mut own = version(&name, "1.1.0");
        own.metadata.insert("number".to_owned(), json!("own"));
        let mut retired = version(&name, "0.9.0");
        retired.metadata.clone_from(&own.metadata);
        retired.lifecycle = Lifecycle::Retired;
        let mut change = new_entry(&name, vec![version(&name, "1.0.0"), own, retired]);
        change
            .server
            .profile
            .metadata
            .insert("number".to_owned(), json!(number));
        change.server.deployments.current = vec![deployment("test", None)];
        change.server.deployments.proposed = Some(ProposedDeployments {
            deployments: vec![deployment("production", None)],
            by: "key:ci".to_owned(),
        });
        store.save(change).await?;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.server_values(after.as_ref(), 2).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        for server in page {
            assert_eq!(server.deployments, [deployment("test", None)]);
            let [own] = server.versions.as_slice() else {
                panic!("the versions with values of their own: {:?}", server.versions)
            };
            assert_eq!((own.version.as_str(), own.is_latest), ("1.1.0", false));
            assert_eq!(own.metadata.get("number"), Some(&json!("own")));
            seen.push(server.metadata.get("number").cloned());
        }
    }
    let expected: Vec<_> = (0..5).map(|number| Some(json!(number))).collect();
    assert_eq!(seen, expected);
    Ok(())
}
