//! B7: the plugin marketplace, as a whole file, and read as Claude Code reads it.

use portreeve_core::name::ServerName;
use portreeve_core::route::Credentials;
use portreeve_registry::install::Auth;
use portreeve_registry::{ListParams, RoutePatch};
use serde_json::{Value, json};

use crate::world::{NAME, URL, World, admin, package, remote};

async fn file(world: &World) -> Value {
    let file = world
        .registry
        .export(&admin(), "plugin-marketplace", None)
        .await
        .unwrap();
    assert!(file.left_out.is_empty(), "{:?}", file.left_out);
    serde_json::from_str(&file.text).unwrap()
}

#[tokio::test]
async fn b7_a_server_is_a_plugin_that_signs_in_and_asks_for_a_key_where_it_must() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let mut written = file(&world).await;
    let description = written["plugins"][0]["description"].take();
    assert!(description.is_string(), "{description}");
    assert_eq!(
        written,
        json!({
            "name": "portreeve",
            "owner": {"name": "https://gw.example"},
            "metadata": {"description": "What https://gw.example approves"},
            "plugins": [{
                "name": "com-acme-billing", "description": null, "source": "./", "strict": false, "version": "1.0.0",
                "homepage": "https://gw.example/servers/com.acme/billing",
                "mcpServers": {"com-acme-billing": {"type": "http", "url": "https://gw.example/s/billing/mcp"}},
            }],
        })
    );
    let slug = world.store.get(NAME).routes[0].slug.clone();
    let credentials = Credentials {
        tokens: false,
        ..Credentials::default()
    };
    let patch = RoutePatch {
        credentials: Some(credentials),
        ..RoutePatch::default()
    };
    world
        .registry
        .change_route(&admin(), &slug, patch, None)
        .await
        .unwrap();
    let server = file(&world).await["plugins"][0]["mcpServers"]["com-acme-billing"].take();
    assert_eq!(server["headers"]["Authorization"], "Bearer ${PORTREEVE_KEY}");
}

#[tokio::test]
async fn b7_where_one_only_signs_in_no_document_and_no_file_asks_for_a_key() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let name: ServerName = NAME.parse().unwrap();
    let said = async || {
        let view = world.everybody();
        let one = world
            .registry
            .serve_version_in(&view, (&name, "latest"), false)
            .await;
        let list = world.registry.serve_list_in(&view, &ListParams::default()).await;
        let managed = world.registry.export(&admin(), "claude-code-mcp", None).await;
        [
            serde_json::to_string(&one.unwrap()).unwrap(),
            serde_json::to_string(&list.unwrap()).unwrap(),
            managed.unwrap().text,
        ]
    };
    for text in said().await {
        assert!(text.contains("Authorization"), "a key is taken: {text}");
    }
    let slug = world.store.get(NAME).routes[0].slug.clone();
    let credentials = Credentials {
        keys: false,
        ..Credentials::default()
    };
    let patch = RoutePatch {
        credentials: Some(credentials),
        ..RoutePatch::default()
    };
    world
        .registry
        .change_route(&admin(), &slug, patch, None)
        .await
        .unwrap();
    for text in said().await {
        assert!(text.contains("https://gw.example/s/billing/mcp"), "{text}");
        assert!(!text.contains("Authorization"), "{text}");
    }
    // What people install still says that one signs in, and is not taken for open.
    let view = world.everybody();
    let found = world
        .registry
        .installation(&view, (&name, "latest"))
        .await
        .unwrap();
    let setup = &found.offers[0].setup;
    assert_eq!(setup.auth, Auth::SignIn { own: true });
    assert_eq!(setup.keyed, None);
}

/// The plugins' names, with the pages of the servers that they install.
fn installed(written: &Value) -> Vec<(&str, &str)> {
    fn pair(plugin: &Value) -> (&str, &str) {
        let text = |key: &str| plugin[key].as_str().unwrap();
        (text("name"), text("homepage"))
    }
    let plugins = written["plugins"].as_array().unwrap();
    plugins.iter().map(pair).collect()
}

#[tokio::test]
async fn b7_a_plugin_s_name_never_comes_to_mean_another_server() {
    let world = World::new();
    world.approved(&package("com.acme/billing", "1.0.0")).await;
    // One with the same short name comes later and stands before it.
    world.approved(&package("aaa.acme/billing", "1.0.0")).await;
    let written = file(&world).await;
    assert_eq!(
        installed(&written),
        [
            ("aaa-acme-billing", "https://gw.example/servers/aaa.acme/billing"),
            ("com-acme-billing", "https://gw.example/servers/com.acme/billing"),
        ]
    );
    // Where two names are one in dashes, that one means neither.
    world.approved(&package("com-acme/billing", "1.0.0")).await;
    let written = file(&world).await;
    let names = installed(&written);
    assert_eq!(names.len(), 3, "{names:?}");
    let with_digest = names
        .iter()
        .filter(|(name, _)| name.starts_with("com-acme-billing-"));
    assert_eq!(with_digest.count(), 2, "{names:?}");
    assert_ne!(names[1].0, names[2].0);
}
