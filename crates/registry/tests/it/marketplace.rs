//! B7: the plugin marketplace, as a whole file, and read as Claude Code reads it.

use portreeve_core::route::Credentials;
use portreeve_registry::RoutePatch;
use serde_json::{Value, json};

use crate::world::{NAME, URL, World, admin, remote};

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
                "name": "billing", "description": null, "source": "./", "strict": false, "version": "1.0.0",
                "homepage": "https://gw.example/servers/com.acme/billing",
                "mcpServers": {"billing": {"type": "http", "url": "https://gw.example/s/billing/mcp"}},
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
    let server = file(&world).await["plugins"][0]["mcpServers"]["billing"].take();
    assert_eq!(server["headers"]["Authorization"], "Bearer ${PORTREEVE_KEY}");
}
