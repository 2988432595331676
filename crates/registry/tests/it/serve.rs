//! The official API v0.1: shapes, filters, cursors, and that nothing shows which should not.

use std::collections::BTreeSet;
use std::time::Duration;

use portreeve_core::route::{Access, RouteState};
use portreeve_core::server::Lifecycle;
use portreeve_registry::{Approve, ListParams, RegistryError, RoutePatch, Served};
use proptest::prelude::{ProptestConfig, any, proptest};
use serde_json::{Value, json};

use crate::world::{NAME, URL, World, admin, package, remote};

fn value(served: &Served) -> Value {
    serde_json::to_value(served).unwrap()
}

fn params(pairs: &[(&str, &str)]) -> ListParams {
    let pairs = pairs.iter().map(|(key, text)| ((*key).to_owned(), json!(text)));
    serde_json::from_value(Value::Object(pairs.collect())).unwrap()
}

async fn names(world: &World, pairs: &[(&str, &str)]) -> Vec<String> {
    let page = world
        .registry
        .serve_list_in(&world.everybody(), &params(pairs))
        .await
        .unwrap();
    let place = |served: &Served| {
        let text = |key| served.server.text(key).unwrap();
        format!("{}@{}", text("name"), text("version"))
    };
    page.servers.iter().map(place).collect()
}

#[tokio::test]
async fn a_served_version_has_the_official_shape() {
    let world = World::new();
    let document = r#"{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name":"com.acme/billing","description":"Invoices","version":"1.0.0","x-number":12345678901234567890123,
        "remotes":[{"type":"streamable-http","url":"https://mcp.acme.example/mcp","headers":[{"name":"X","value":"upstream"}]},
                   {"type":"sse","url":"https://mcp.acme.example/sse"}],
        "packages":[{"registryType":"npm","identifier":"@acme/billing","version":"1.0.0","transport":{"type":"stdio"}}],
        "_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"github":{"name":"billing"}},"other":{"a":1}}}"#;
    world.add(document, Approve::No).await.unwrap();
    assert!(
        names(&world, &[]).await.is_empty(),
        "what is not approved is not there"
    );
    let name = NAME.parse().unwrap();
    assert!(
        world
            .registry
            .serve_versions_in(&world.everybody(), &name, true)
            .await
            .is_err()
    );
    world.approved(document).await;
    let served = world
        .registry
        .serve_version_in(&world.everybody(), (&name, "latest"), false)
        .await
        .unwrap();
    let found = value(&served);
    assert_eq!(
        found["_meta"],
        json!({"io.modelcontextprotocol.registry/official": {
            "status": "active",
            "statusChangedAt": "2026-01-01T00:00:02.000Z",
            "publishedAt": "2026-01-01T00:00:01.000Z",
            "updatedAt": "2026-01-01T00:00:02.000Z",
            "isLatest": true,
        }})
    );
    assert_eq!(
        found["server"]["remotes"],
        json!([{
            "type": "streamable-http",
            "url": "https://gw.example/s/billing/mcp",
            "headers": [{
                "name": "Authorization",
                "description": "Your Portreeve key",
                "value": "Bearer {portreeve_key}",
                "isRequired": true,
                "isSecret": true,
                "variables": {"portreeve_key": {
                    "description": "A Portreeve key, as `portreeve key create` prints it",
                    "isRequired": true,
                    "isSecret": true,
                }},
            }],
        }])
    );
    assert_eq!(
        found["server"]["_meta"],
        json!({"io.modelcontextprotocol.registry/publisher-provided": {"github": {"name": "billing"}}})
    );
    assert_eq!(found["server"]["packages"][0]["identifier"], "@acme/billing");
    let text = serde_json::to_string(&served).unwrap();
    assert!(text.contains("\"x-number\":12345678901234567890123"), "{text}");
    assert!(
        !text.contains("mcp.acme.example") && !text.contains("upstream"),
        "{text}"
    );
    let page = world
        .registry
        .serve_list_in(&world.everybody(), &ListParams::default())
        .await
        .unwrap();
    let page = serde_json::to_value(&page).unwrap();
    assert_eq!(page["metadata"], json!({"count": 1}));
    assert_eq!(page["servers"][0], found);
}

#[tokio::test]
async fn remotes_show_only_what_the_active_route_serves() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.approved(&remote(NAME, "2.0.0", URL)).await;
    let name = NAME.parse().unwrap();
    let remotes = async |version: &str| {
        let served = world
            .registry
            .serve_version_in(&world.everybody(), (&name, version), true)
            .await
            .unwrap();
        value(&served)["server"]["remotes"].clone()
    };
    assert_eq!(remotes("1.0.0").await, Value::Null);
    assert_eq!(
        remotes("2.0.0").await[0]["url"],
        "https://gw.example/s/billing/mcp"
    );
    let slug = "billing".parse().unwrap();
    let patch = RoutePatch {
        access: Some(Access::Anonymous),
        ..RoutePatch::default()
    };
    world
        .registry
        .change_route(&admin(), &slug, patch, None)
        .await
        .unwrap();
    assert_eq!(
        remotes("2.0.0").await,
        json!([{"type": "streamable-http", "url": "https://gw.example/s/billing/mcp"}])
    );
    let patch = RoutePatch {
        state: Some(RouteState::Inactive),
        ..RoutePatch::default()
    };
    world
        .registry
        .change_route(&admin(), &slug, patch, None)
        .await
        .unwrap();
    assert_eq!(remotes("2.0.0").await, Value::Null);
}

#[tokio::test]
async fn retired_versions_are_deleted_for_hosts() {
    let world = World::new();
    let name = NAME.parse().unwrap();
    for version in ["1.0.0", "2.0.0"] {
        world.approved(&package(NAME, version)).await;
    }
    let set = async |version: &str, lifecycle, message: &str| {
        world.clock.pass(Duration::from_secs(1));
        let (version, message) = (version.parse().unwrap(), Some(message.to_owned()));
        world
            .registry
            .set_lifecycle(&admin(), &name, Some(&version), lifecycle, message)
            .await
            .unwrap();
    };
    set("1.0.0", Lifecycle::Deprecated, "old").await;
    set("2.0.0", Lifecycle::Retired, "broken").await;
    assert_eq!(names(&world, &[]).await, ["com.acme/billing@1.0.0"]);
    assert_eq!(
        names(&world, &[("version", "latest")]).await,
        ["com.acme/billing@1.0.0"]
    );
    assert_eq!(names(&world, &[("include_deleted", "true")]).await.len(), 2);
    let get = async |version: &str, deleted| {
        world
            .registry
            .serve_version_in(&world.everybody(), (&name, version), deleted)
            .await
    };
    let official =
        |served: &Served| value(served)["_meta"]["io.modelcontextprotocol.registry/official"].clone();
    let found = official(&get("1.0.0", false).await.unwrap());
    assert_eq!(
        (&found["status"], &found["statusMessage"]),
        (&json!("deprecated"), &json!("old"))
    );
    assert!(matches!(
        get("2.0.0", false).await,
        Err(RegistryError::NotFound { .. })
    ));
    let found = official(&get("2.0.0", true).await.unwrap());
    assert_eq!(
        (&found["status"], &found["statusMessage"]),
        (&json!("deleted"), &json!("broken"))
    );
    assert_eq!(found["isLatest"], false);

    set("1.0.0", Lifecycle::Retired, "old").await;
    assert!(get("latest", false).await.is_err());
    assert!(
        world
            .registry
            .serve_versions_in(&world.everybody(), &name, false)
            .await
            .is_err()
    );
    assert_eq!(
        get("latest", true)
            .await
            .unwrap()
            .server
            .text("version")
            .as_deref(),
        Some("2.0.0")
    );
    assert_eq!(
        world
            .registry
            .serve_versions_in(&world.everybody(), &name, true)
            .await
            .unwrap()
            .metadata
            .count,
        2
    );
}

#[tokio::test]
async fn unknown_names_and_versions_are_not_found() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0+b1")).await;
    world.add(&package(NAME, "2.0.0"), Approve::No).await.unwrap();
    let get = async |name: &str, version: &str| {
        world
            .registry
            .serve_version_in(&world.everybody(), (&name.parse().unwrap(), version), true)
            .await
    };
    assert!(get(NAME, "1.0.0+b1").await.is_ok());
    for (name, version) in [
        ("com.acme/none", "latest"),
        ("com.acme/Billing", "latest"),
        (NAME, "2.0.0"),
        (NAME, "1.0.0"),
        (NAME, ""),
    ] {
        let error = get(name, version).await.unwrap_err();
        assert!(
            matches!(error, RegistryError::NotFound { .. }),
            "{name} {version}: {error}"
        );
    }
}

#[tokio::test]
async fn updated_since_shows_what_changed_after_it() {
    let world = World::new();
    world.approved(&package("com.acme/one", "1.0.0")).await;
    world.approved(&package("com.acme/two", "1.0.0")).await;
    let since = "2026-01-01T00:00:01.000Z";
    assert_eq!(
        names(&world, &[("updated_since", since)]).await,
        ["com.acme/two@1.0.0"]
    );
    world.clock.pass(Duration::from_secs(60));
    let one = "com.acme/one".parse().unwrap();
    world
        .registry
        .set_lifecycle(&admin(), &one, None, Lifecycle::Retired, None)
        .await
        .unwrap();
    let found = names(&world, &[("updated_since", "2026-01-01T00:00:30Z")]).await;
    assert_eq!(found, ["com.acme/one@1.0.0"], "what was deleted reaches mirrors");
    for bad in [
        &[("updated_since", "yesterday")][..],
        &[("updated_since", since), ("include_deleted", "false")],
        &[("include_deleted", "maybe")],
    ] {
        let error = world
            .registry
            .serve_list_in(&world.everybody(), &params(bad))
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::Invalid(_)), "{bad:?}");
    }
}

#[tokio::test]
async fn limits_are_judged() {
    let world = World::new();
    for number in 0..120 {
        world
            .approved(&package(&format!("com.acme/s{number:03}"), "1.0.0"))
            .await;
    }
    for (limit, expected) in [
        ("1", 1),
        ("007", 7),
        ("100", 100),
        ("101", 100),
        ("99999999999999999999", 100),
    ] {
        assert_eq!(
            names(&world, &[("limit", limit)]).await.len(),
            expected,
            "{limit}"
        );
    }
    assert_eq!(names(&world, &[]).await.len(), 30);
    for limit in ["", "0", "00", "-1", "+1", "abc", "1e9", "1.5", " 1", "٣"] {
        let error = world
            .registry
            .serve_list_in(&world.everybody(), &params(&[("limit", limit)]))
            .await
            .unwrap_err();
        let RegistryError::Invalid(problems) = error else {
            panic!("{limit}")
        };
        assert_eq!(problems[0].path, "limit");
    }
}

#[tokio::test]
async fn searches_are_substrings_and_have_a_limit() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    for search in ["bill", "BILLING", "acme/", "refunds", ""] {
        assert_eq!(names(&world, &[("search", search)]).await.len(), 1, "{search}");
    }
    assert!(names(&world, &[("search", "%")]).await.is_empty());
    for search in [&"x".repeat(257), "a\0"] {
        let error = world
            .registry
            .serve_list_in(&world.everybody(), &params(&[("search", search)]))
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::Invalid(_)));
    }
}

async fn mail_world() -> World {
    let world = World::new();
    for number in 0..9 {
        let kind = if number % 3 == 0 { "mail" } else { "file" };
        for version in ["1.0.0", "1.1.0+x"] {
            world
                .approved(&package(&format!("com.acme/{kind}{number}"), version))
                .await;
        }
    }
    world
}

#[tokio::test]
async fn a_cursor_carries_the_filters() {
    let world = mail_world().await;
    let first = params(&[("search", "mail"), ("version", "latest"), ("limit", "2")]);
    let page = world
        .registry
        .serve_list_in(&world.everybody(), &first)
        .await
        .unwrap();
    let cursor = page.metadata.next_cursor.unwrap();
    assert!(
        cursor
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
        "{cursor}"
    );
    // VS Code forgets the search; others repeat it.
    for more in [
        &[][..],
        &[("version", "latest")],
        &[("search", "mail"), ("include_deleted", "false")],
    ] {
        let pairs = [more, &[("cursor", &*cursor), ("limit", "50")]].concat();
        assert_eq!(
            names(&world, &pairs).await,
            ["com.acme/mail6@1.1.0+x"],
            "{more:?}"
        );
    }
    for other in [
        ("search", "file"),
        ("version", "1.0.0"),
        ("include_deleted", "true"),
        ("updated_since", "2020-01-01T00:00:00Z"),
    ] {
        let error = world
            .registry
            .serve_list_in(&world.everybody(), &params(&[("cursor", &cursor), other]))
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::BadCursor), "{other:?}");
    }
}

#[tokio::test]
async fn a_cursor_that_was_tampered_with_is_refused() {
    let world = mail_world().await;
    let page = world
        .registry
        .serve_list_in(&world.everybody(), &params(&[("limit", "1")]))
        .await
        .unwrap();
    let cursor = page.metadata.next_cursor.unwrap();
    let mut bad: Vec<String> = (0..cursor.len())
        .map(|place| {
            let mut bytes = cursor.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        })
        .collect();
    bad.extend([
        "x".to_owned(),
        "com.acme/mail0:1.0.0".to_owned(),
        format!("{cursor}="),
        "A".repeat(9_000),
    ]);
    // The managers' list has cursors of its own.
    let query = portreeve_registry::EntriesQuery {
        limit: Some(1),
        ..Default::default()
    };
    bad.push(
        world
            .registry
            .entries(&admin(), query)
            .await
            .unwrap()
            .next_cursor
            .unwrap(),
    );
    for cursor in bad {
        let answer = world
            .registry
            .serve_list_in(&world.everybody(), &params(&[("cursor", &cursor)]))
            .await;
        assert!(matches!(answer, Err(RegistryError::BadCursor)), "{cursor}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a host pages, with whatever limits, it sees each version once, in order.
    #[test]
    fn walks_with_any_limits_see_the_same(limits in proptest::collection::vec(1_u8..8, 1..20), latest in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let world = mail_world().await;
            let filter = if latest { &[("version", "latest")][..] } else { &[] };
            let expected = names(&world, &[filter, &[("limit", "100")]].concat()).await;
            let mut found = Vec::new();
            let mut cursor = None::<String>;
            for limit in limits.iter().cycle() {
                let limit = limit.to_string();
                let mut pairs = vec![("limit", &*limit)];
                match &cursor {
                    Some(cursor) => pairs.push(("cursor", cursor)),
                    None => pairs.extend(filter),
                }
                found.extend(names(&world, &pairs).await);
                let page = world.registry.serve_list_in(&world.everybody(), &params(&pairs)).await.unwrap();
                cursor = page.metadata.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected);
            assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), if latest { 9 } else { 18 });
        });
    }
}
