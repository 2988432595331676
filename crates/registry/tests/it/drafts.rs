//! Versions that nobody is asked about yet.

use portreeve_core::property::{Need, PropertyOwner};
use portreeve_core::server::Approval;
use portreeve_registry::{Approve, Internal, NewProperty, RegistryError, Submission};
use serde_json::json;

use crate::world::{NAME, URL, World, admin, caller, remote};

async fn hand_in(world: &World, description: &str, approve: Approve) -> Result<Approval, RegistryError> {
    let document = remote(NAME, "1.0.0", URL).replace("Invoices and refunds", description);
    let submission = Submission {
        document,
        internal: Internal::No,
        approve,
    };
    let outcome = world.registry.add(&caller("publisher"), submission).await?;
    Ok(outcome.version.approval)
}

#[tokio::test]
async fn a_draft_waits_for_nobody_until_it_is_submitted() {
    let world = World::new();
    let required = NewProperty {
        name: "dataClass".parse().unwrap(),
        title: None,
        description: None,
        schema: json!({"enum": ["public", "internal"]}),
        assignments: [(PropertyOwner::Server, Need::Required)].into(),
    };
    world.registry.create_property(&admin(), required).await.unwrap();
    // What a submission must have, a draft may lack; and its document may be sent anew.
    let kept = hand_in(&world, "A first try", Approve::Draft).await.unwrap();
    assert_eq!(kept, Approval::Draft);
    let kept = hand_in(&world, "A second try", Approve::Draft).await.unwrap();
    assert_eq!(kept, Approval::Draft);
    let name = NAME.parse().unwrap();
    let publisher = caller("publisher");
    let refused = world.registry.submit(&publisher, &name, None).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Invalid(_)), "{refused}");

    let value = serde_json::Map::from_iter([("dataClass".to_owned(), json!("public"))]);
    let version = "1.0.0".parse().unwrap();
    world
        .registry
        .describe_version(&publisher, (&name, &version), value, None)
        .await
        .unwrap();
    let submitted = world.registry.submit(&publisher, &name, None).await.unwrap();
    assert_eq!(submitted.approval, Approval::Submitted);
    assert!(submitted.document.contains("A second try"));
    // What somebody reviews is no draft again.
    let refused = hand_in(&world, "A third try", Approve::Draft).await.unwrap_err();
    assert!(matches!(refused, RegistryError::State { .. }), "{refused}");
}
