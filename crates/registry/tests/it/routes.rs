//! Routes as their managers change them.

use portreeve_core::route::{
    Access, Credentials, PolicyDocument, Protocol, RouteState, ServerRequests, SessionAffinity,
};
use portreeve_core::server::Lifecycle;
use portreeve_registry::{RegistryError, RoutePatch};
use serde_json::json;

use crate::world::{NAME, URL, World, admin, caller, remote};

fn slug() -> portreeve_core::name::Slug {
    "billing".parse().unwrap()
}

fn policy(kind: &str) -> PolicyDocument {
    serde_json::from_value(json!({"kind": kind, "calls": 5})).unwrap()
}

async fn world() -> World {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.actions();
    world
}

#[tokio::test]
async fn opening_a_route_to_everyone_is_an_event_of_its_own() {
    let world = world().await;
    let patch = RoutePatch {
        access: Some(Access::Anonymous),
        policies: Some(vec![policy("rate_limit")]),
        upstream_timeout_ms: Some(5_000),
        protocol: Some(Protocol::Legacy),
        session_affinity: Some(SessionAffinity::Principal),
        server_requests: Some(ServerRequests::Park),
        list_cache_ms: Some(30_000),
        ..RoutePatch::default()
    };
    let refreshed = world.refreshed.count();
    let route = world
        .registry
        .change_route(&admin(), &slug(), patch.clone(), Some(1))
        .await
        .unwrap();
    assert_eq!(
        (route.access, route.upstream_timeout_ms, route.revision),
        (Access::Anonymous, 5_000, 2)
    );
    assert_eq!(world.refreshed.count(), refreshed + 1);
    let events = world.events();
    assert_eq!(events[0].action, "route.access");
    assert_eq!(
        events[0].detail,
        Some(json!({"from": "credential", "to": "anonymous"}))
    );
    assert_eq!(events[1].action, "route.change");
    assert_eq!(
        events[1].detail.as_ref().unwrap()["upstreamTimeoutMs"],
        json!({"from": 300_000, "to": 5_000})
    );
    let detail = events[1].detail.as_ref().unwrap();
    assert_eq!(detail["listCacheMs"], json!({"from": 0, "to": 30_000}));
    assert_eq!(detail["protocol"], json!({"from": "auto", "to": "legacy"}));
    assert_eq!(
        detail["sessionAffinity"],
        json!({"from": "per_request", "to": "principal"})
    );
    assert_eq!(detail.get("state"), None);
    // The same again changes nothing and writes nothing.
    let route = world
        .registry
        .change_route(&admin(), &slug(), patch, None)
        .await
        .unwrap();
    assert_eq!((route.revision, world.events().len()), (2, 2));
}

#[tokio::test]
async fn an_outdated_revision_is_a_conflict() {
    let world = world().await;
    let patch = RoutePatch {
        upstream_timeout_ms: Some(1_000),
        ..RoutePatch::default()
    };
    world
        .registry
        .change_route(&admin(), &slug(), patch.clone(), Some(1))
        .await
        .unwrap();
    let error = world
        .registry
        .change_route(&admin(), &slug(), patch, Some(1))
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn a_change_is_checked_as_a_whole() {
    let world = world().await;
    for timeout in [0, 999, 3_600_001] {
        let patch = RoutePatch {
            access: Some(Access::Anonymous),
            policies: Some(vec![policy("rate_limit"), policy("magic")]),
            upstream_timeout_ms: Some(timeout),
            ..RoutePatch::default()
        };
        let error = world
            .registry
            .change_route(&admin(), &slug(), patch, None)
            .await
            .unwrap_err();
        let RegistryError::Invalid(problems) = error else {
            panic!()
        };
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["policies[1]", "upstreamTimeoutMs"]);
    }
    let route = world.registry.route(&admin(), &slug()).await.unwrap();
    assert_eq!((route.access, route.revision), (Access::Credential, 1));
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn a_route_without_a_listed_version_is_not_switched_on() {
    let world = world().await;
    let name = NAME.parse().unwrap();
    world
        .registry
        .set_lifecycle(&admin(), &name, None, Lifecycle::Retired, None)
        .await
        .unwrap();
    let patch = RoutePatch {
        state: Some(RouteState::Active),
        ..RoutePatch::default()
    };
    let error = world
        .registry
        .change_route(&admin(), &slug(), patch, None)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::State { .. }), "{error}");
}

#[tokio::test]
async fn routes_are_for_their_managers() {
    let world = world().await;
    world.approved(&remote("com.acme/other", "1.0.0", URL)).await;
    assert_eq!(world.registry.routes(&admin()).await.unwrap().len(), 2);
    let steward = caller("steward");
    let own = world.registry.routes(&steward).await.unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].slug, slug());
    let user = caller("user");
    let unknown = "nothing".parse().unwrap();
    let answers = [
        world.registry.routes(&user).await.map(drop),
        world.registry.route(&user, &slug()).await.map(drop),
        world.registry.route(&user, &unknown).await.map(drop),
        world
            .registry
            .change_route(&user, &slug(), RoutePatch::default(), None)
            .await
            .map(drop),
    ];
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(RegistryError::Forbidden { .. }))),
        "{answers:?}"
    );
    let error = world.registry.route(&admin(), &unknown).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }));
    // Who has a role somewhere is told of what lies outside of it as of nothing.
    let other = "other".parse().unwrap();
    let error = world.registry.route(&steward, &other).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
}

/// A secret goes to where the route leads, and the vault is everybody's.
#[tokio::test]
async fn who_operates_one_server_names_no_other_secret() {
    let world = world().await;
    let with = |secret: &str| RoutePatch {
        policies: Some(vec![
            serde_json::from_value(json!({"kind": "rate_limit", "of": [secret]})).unwrap(),
        ]),
        ..RoutePatch::default()
    };
    let set = async |who: &str, secret: &str| {
        let patch = with(&format!("secret:{secret}"));
        world
            .registry
            .change_route(&caller(who), &slug(), patch, None)
            .await
    };
    let refused = set("steward", "theirs").await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("let route `billing` use secret `theirs`: ask for a grant of `operate` on all servers"),
        "{refused}"
    );
    // What is named already stays named.
    set("admin", "theirs").await.unwrap();
    set("steward", "theirs").await.unwrap();
}

/// Who may call, and whom a call waits for, is for who manages the server.
#[tokio::test]
async fn who_operates_a_server_does_not_open_it() {
    let world = world().await;
    let set = async |who: &str, patch: RoutePatch| {
        world
            .registry
            .change_route(&caller(who), &slug(), patch, None)
            .await
    };
    let policies = |kinds: &[&str]| RoutePatch {
        policies: Some(kinds.iter().map(|kind| policy(kind)).collect()),
        ..RoutePatch::default()
    };
    let credentials = |keys: bool| RoutePatch {
        credentials: Some(Credentials {
            keys,
            ..Credentials::default()
        }),
        ..RoutePatch::default()
    };
    let open = RoutePatch {
        access: Some(Access::Anonymous),
        ..RoutePatch::default()
    };
    // Who operates may ask for more.
    set("operator", policies(&["approval"])).await.unwrap();
    set("operator", policies(&["rate_limit", "approval"]))
        .await
        .unwrap();
    set("operator", credentials(false)).await.unwrap();
    for (patch, what) in [
        (open, "open to everybody route `billing`"),
        (policies(&["rate_limit"]), "end the approvals"),
        (credentials(true), "take more credentials on route `billing`"),
    ] {
        let refused = set("operator", patch.clone()).await.unwrap_err().to_string();
        assert!(refused.contains(what), "{refused}");
        assert!(refused.contains("ask for a grant of `manage` on it"), "{refused}");
        set("steward", patch).await.unwrap();
    }
    // What is open already is no step, so the rest of the route is still for who operates.
    let again = RoutePatch {
        access: Some(Access::Anonymous),
        upstream_timeout_ms: Some(5_000),
        ..RoutePatch::default()
    };
    set("operator", again).await.unwrap();
}
