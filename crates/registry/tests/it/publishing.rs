//! The writing side of the registry API: who may publish, what is refused, what an edit and a status bring about.

use portreeve_core::publishing::{NameAction, Permission, Publisher};
use portreeve_core::server::Approval;
use portreeve_registry::{OfficialStatus, RegistryError, Served, StatusChange};

use crate::world::{NAME, URL, World, admin, caller, remote};

/// A publisher with these permissions, as `publish com.acme/*`.
pub(crate) fn publisher(label: &str, permissions: &[&str]) -> Publisher {
    let permission = |text: &&str| {
        let (action, resource) = text.split_once(' ').unwrap();
        Permission {
            action: match action {
                "publish" => NameAction::Publish,
                _ => NameAction::Edit,
            },
            resource: resource.parse().unwrap(),
        }
    };
    Publisher::proven(label, permissions.iter().map(permission).collect())
}

pub(crate) fn acme() -> Publisher {
    publisher("dns:acme.com", &["publish com.acme/*", "publish com.acme.*"])
}

pub(crate) fn trusted() -> Publisher {
    publisher(
        "dns:trusted.com",
        &["publish com.trusted/*", "edit com.trusted/*"],
    )
}

pub(crate) fn document(name: &str, version: &str) -> String {
    let short = name.rsplit('/').next().unwrap();
    remote(name, version, &format!("https://{short}.example/mcp"))
}

pub(crate) async fn publish(world: &World, name: &str, version: &str) -> Result<Served, RegistryError> {
    world.clock.pass(std::time::Duration::from_secs(1));
    let publisher = if name.starts_with("com.trusted/") {
        trusted()
    } else {
        acme()
    };
    world.registry.publish(&publisher, &document(name, version)).await
}

pub(crate) fn status(status: OfficialStatus, message: Option<&str>) -> StatusChange {
    StatusChange {
        status,
        status_message: message.map(str::to_owned),
    }
}

pub(crate) async fn set(
    world: &World,
    name: &str,
    version: &str,
    change: StatusChange,
) -> Result<Served, RegistryError> {
    world.clock.pass(std::time::Duration::from_secs(1));
    let publisher = if name.starts_with("com.trusted/") {
        trusted()
    } else {
        acme()
    };
    let (name, version) = (name.parse().unwrap(), version.parse().unwrap());
    world
        .registry
        .set_status(&publisher, &name, &version, &change)
        .await
}

pub(crate) async fn latest(world: &World, name: &str) -> Option<String> {
    let served = world
        .registry
        .serve_version_in(&world.everybody(), (&name.parse().unwrap(), "latest"), false)
        .await;
    served.ok().and_then(|served| served.server.text("version"))
}

pub(crate) fn is_state(error: &RegistryError, part: &str) -> bool {
    matches!(error, RegistryError::State { .. }) && error.to_string().contains(part)
}

#[tokio::test]
async fn what_is_published_waits_and_exists_for_its_publisher_alone() {
    let world = World::new();
    let served = publish(&world, NAME, "1.0.0").await.unwrap();
    assert_eq!(served.server.text("name").as_deref(), Some(NAME));
    assert_eq!(served.meta.review.unwrap().approval, "submitted");
    assert!(!served.meta.official.is_latest);
    let stored = world.store.get(NAME);
    assert_eq!(stored.versions[0].approval, Approval::Submitted);
    assert_eq!(stored.versions[0].submitted_by, "dns:acme.com");
    assert_eq!(world.actions(), ["server.publish"]);
    assert!(world.upstreams.asked().is_empty());

    let name = NAME.parse().unwrap();
    let everybody = world
        .registry
        .serve_version_in(&world.everybody(), (&name, "1.0.0"), true)
        .await;
    assert!(matches!(everybody, Err(RegistryError::NotFound { .. })));
    let own = world
        .registry
        .publisher_version(&acme(), &name, "1.0.0", false)
        .await;
    assert!(
        own.unwrap()
            .server
            .get("remotes")
            .unwrap()
            .contains("billing.example")
    );
    let other = publisher("dns:other.com", &["publish com.other/*"]);
    let stranger = world
        .registry
        .publisher_version(&other, &name, "1.0.0", true)
        .await;
    assert!(matches!(stranger, Err(RegistryError::NotFound { .. })));
    let page = world
        .registry
        .publisher_versions(&acme(), &name, false)
        .await
        .unwrap();
    assert_eq!(page.metadata.count, 1);
}

#[tokio::test]
async fn a_gw_8_a_namespace_without_proof_is_refused_and_told_what_was_granted() {
    let world = World::new();
    let error = world
        .registry
        .publish(&acme(), &document("com.microsoft/x1", "1.0.0"))
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Namespace { .. }));
    assert_eq!(
        error.to_string(),
        "`dns:acme.com` may not publish `com.microsoft/x1`: it was granted `publish com.acme/*`, `publish com.acme.*`"
    );
    assert!(
        publish(&world, "com.acme.dev/x1", "1.0.0").await.is_ok(),
        "a sub-domain"
    );
    let key = Publisher::known(caller("user"));
    let error = world
        .registry
        .publish(&key, &document(NAME, "1.0.0"))
        .await
        .unwrap_err();
    assert!(error.to_string().ends_with("it was granted nothing"), "{error}");
    let manager = Publisher::known(admin());
    let served = world
        .registry
        .publish(&manager, &document("com.microsoft/x2", "1.0.0"))
        .await;
    assert!(served.is_ok());
}

#[tokio::test]
async fn a5_version_vectors() {
    for (versions, expected) in [
        (["1.2.3", "1.2.3-1"], "1.2.3"),
        (["1.0.0", "2025.06.18"], "1.0.0"),
        (["2025.06.18", "1.0.0"], "1.0.0"),
        (["auto", "mcp"], "mcp"),
        (["1.0.0+a", "1.0.0+b"], "1.0.0+a"),
    ] {
        let world = World::new();
        for version in versions {
            publish(&world, "com.trusted/mail", version).await.unwrap();
        }
        assert_eq!(
            latest(&world, "com.trusted/mail").await.as_deref(),
            Some(expected),
            "{versions:?}"
        );
    }
    let world = World::new();
    for version in [
        "latest",
        "^1.2",
        "~1.2",
        ">=1",
        "<2",
        "=1.0",
        "1.x",
        "1.2.*",
        "1 - 2",
        "1.2 || 1.3",
        ">1.0 <2.0",
    ] {
        let error = publish(&world, NAME, version).await.unwrap_err();
        assert!(
            matches!(&error, RegistryError::Invalid(problems) if problems[0].path == "version"),
            "{version}"
        );
    }
    publish(&world, NAME, "1.0.0").await.unwrap();
    let error = publish(&world, NAME, "1.0.0").await.unwrap_err();
    assert!(
        is_state(&error, "cannot publish duplicate version `1.0.0`"),
        "{error}"
    );
}

#[tokio::test]
async fn what_was_sent_back_may_be_published_again_under_its_version() {
    let world = World::new();
    publish(&world, NAME, "1.0.0").await.unwrap();
    world
        .registry
        .reject(&admin(), &NAME.parse().unwrap(), None, "say more")
        .await
        .unwrap();
    let name = NAME.parse().unwrap();
    let seen = world
        .registry
        .publisher_version(&acme(), &name, "1.0.0", false)
        .await
        .unwrap();
    let review = seen.meta.review.unwrap();
    assert_eq!(
        (review.approval, review.reason.as_deref()),
        ("rejected", Some("say more"))
    );
    publish(&world, NAME, "1.0.0").await.unwrap();
    assert_eq!(world.store.get(NAME).versions[0].approval, Approval::Submitted);
}

#[tokio::test]
async fn a_rule_approves_at_once_and_the_log_names_it() {
    let world = World::new();
    world
        .upstreams
        .answer("https://mail.example/mcp", &[("send", "Sends")]);
    let served = publish(&world, "com.trusted/mail", "1.0.0").await.unwrap();
    assert!(served.meta.official.is_latest);
    assert!(
        served
            .server
            .get("remotes")
            .unwrap()
            .contains("https://gw.example/s/mail/mcp")
    );
    let events = world.events();
    let approval = events
        .iter()
        .find(|event| event.action == "server.approve")
        .unwrap();
    assert_eq!(
        (&*approval.actor, &*approval.policies),
        ("system", &["auto-approve:com.trusted/*".to_owned()][..])
    );
    assert!(events.iter().any(|event| event.action == "tools.approve"));
}

#[tokio::test]
async fn a_gw_8_a_namespace_has_one_spelling_and_a_remote_one_name() {
    let world = World::new();
    let publish = |name: &'static str, url: &'static str| {
        let world = &world;
        async move {
            world
                .registry
                .publish(&Publisher::known(admin()), &remote(name, "1.0.0", url))
                .await
        }
    };
    publish(NAME, URL).await.unwrap();
    let taken = publish("com.acme/other", URL).await.unwrap_err();
    assert!(
        is_state(&taken, "belongs to `com.acme/billing` already"),
        "{taken}"
    );
    let spelled = publish("com.Acme/other", "https://other.example/mcp")
        .await
        .unwrap_err();
    assert!(is_state(&spelled, "differs in case alone"), "{spelled}");
    let cased = publish("com.acme/Billing", "https://other.example/mcp")
        .await
        .unwrap_err();
    assert!(is_state(&cased, "is registered as `com.acme/billing`"), "{cased}");
}

#[tokio::test]
async fn a_publisher_has_so_many_versions_waiting_and_a_server_so_many_at_all() {
    let world = World::new();
    for number in 0..world.limits.waiting_per_publisher {
        publish(&world, &format!("com.acme.d{}/x{number}", number % 7), "1.0.0")
            .await
            .unwrap();
    }
    let error = publish(&world, "com.acme/one-more", "1.0.0").await.unwrap_err();
    assert!(is_state(&error, "as many versions waiting"), "{error}");
    world
        .registry
        .reject(&admin(), &"com.acme.d0/x0".parse().unwrap(), None, "no")
        .await
        .unwrap();
    publish(&world, "com.acme/one-more", "1.0.0").await.unwrap();

    let world = World::new();
    publish(&world, "com.trusted/mail", "1.0.0").await.unwrap();
    let most = world.limits.versions_per_server;
    world.store.meddle("com.trusted/mail", |entry| {
        let first = entry.versions[0].clone();
        entry
            .versions
            .extend((1..most).map(|number| portreeve_core::server::Version {
                version: format!("0.0.{number}").parse().unwrap(),
                is_latest: false,
                ..first.clone()
            }));
    });
    let error = publish(&world, "com.trusted/mail", "2.0.0").await.unwrap_err();
    assert!(is_state(&error, "has 10000 versions"), "{error}");
}

#[tokio::test]
async fn who_was_slower_tries_again() {
    let world = World::new();
    publish(&world, NAME, "1.0.0").await.unwrap();
    world.store.conflict(5);
    publish(&world, NAME, "1.1.0").await.unwrap();
    assert_eq!(world.store.get(NAME).versions.len(), 2);
}

#[tokio::test]
async fn a_private_upstream_is_not_granted_by_publishing() {
    let world = World::new();
    let text = remote(NAME, "1.0.0", "https://billing.internal/mcp");
    for publisher in [acme(), Publisher::known(admin())] {
        let error = world.registry.publish(&publisher, &text).await.unwrap_err();
        assert!(matches!(error, RegistryError::Private { .. }), "{error}");
    }
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn a_publisher_writes_at_a_rate_and_a_manager_as_fast_as_he_can() {
    let world = World::new();
    let burst = world.limits.writes_per_publisher;
    publish(&world, "com.trusted/mail", "1.0.0").await.unwrap();
    let (deprecated, active) = (
        status(OfficialStatus::Deprecated, None),
        status(OfficialStatus::Active, None),
    );
    for number in 1..burst {
        let change = if number % 2 == 1 { &deprecated } else { &active };
        set(&world, "com.trusted/mail", "1.0.0", change.clone())
            .await
            .unwrap();
    }
    let written = world.events().len();
    let error = set(&world, "com.trusted/mail", "1.0.0", active.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::TooFast { .. }), "{error}");
    assert_eq!(world.events().len(), written, "nothing is left behind");
    assert!(
        publish(&world, NAME, "1.0.0").await.is_ok(),
        "another publisher has a rate of his own"
    );
    let (name, version) = ("com.trusted/mail".parse().unwrap(), "1.0.0".parse().unwrap());
    let manager = Publisher::known(admin());
    assert!(
        world
            .registry
            .set_status(&manager, &name, &version, &active)
            .await
            .is_ok()
    );
}
