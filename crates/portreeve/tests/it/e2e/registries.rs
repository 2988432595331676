//! Several registries from one store: each reader sees his own, and nothing of the others.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::Answer;

async fn read(node: &Node, registry: &str, path: &str, key: Option<&str>) -> Answer {
    let url = format!("{}/registries/{registry}/v0.1/servers{path}", node.url);
    let headers: Vec<(&str, String)> = key
        .map(|key| ("authorization", format!("Bearer {key}")))
        .into_iter()
        .collect();
    node.web.ask("GET", &url, &headers, String::new()).await.unwrap()
}

fn names(page: &Value) -> Vec<String> {
    let servers = page["servers"].as_array().unwrap();
    servers
        .iter()
        .map(|item| item["server"]["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Three servers in development; one of them in production as well.
async fn two_registries(node: &Node, upstream: &Upstream) {
    let development = format!("development={}", upstream.url);
    let production = format!("production={}", upstream.url);
    for name in ["com.acme/alpha", "com.acme/beta"] {
        node.cli_json(&["server", "add", name, "--deploy", &development, "--approve"]);
    }
    let both = [
        "server",
        "add",
        "com.acme/gamma",
        "--deploy",
        &development,
        "--deploy",
        &production,
        "--approve",
    ];
    node.cli_json(&both);
    node.cli_json(&["registry", "create", "dev", "--environment", "development"]);
    node.cli_json(&["registry", "create", "prod", "--environment", "production"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_two_registries_from_one_store() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    two_registries(&node, &upstream).await;
    let key = node.new_key("reader");
    let key = Some(key.as_str());

    let dev = read(&node, "dev", "?version=latest", key).await.json();
    assert_eq!(names(&dev), ["com.acme/alpha", "com.acme/beta", "com.acme/gamma"]);
    let prod = read(&node, "prod", "?version=latest", key).await.json();
    assert_eq!(names(&prod), ["com.acme/gamma"]);

    // What is not in it is answered, byte for byte, as what does not exist.
    for path in ["/versions", "/versions/latest", "/versions/1.0.0"] {
        let hidden = read(&node, "prod", &format!("/com.acme%2Falpha{path}"), key).await;
        let unknown = read(&node, "prod", &format!("/com.acme%2Fnever{path}"), key).await;
        assert_eq!((hidden.status, unknown.status), (404, 404), "{path}");
        assert_eq!(hidden.text().replace("alpha", "never"), unknown.text(), "{path}");
        assert_eq!(
            read(&node, "dev", &format!("/com.acme%2Falpha{path}"), key)
                .await
                .status,
            200
        );
    }
    let found = read(&node, "prod", "?search=alpha", key).await.json();
    assert_eq!(names(&found), Vec::<String>::new());

    // A cursor is bound to its registry and its reader.
    let first = read(&node, "dev", "?limit=1", key).await.json();
    let cursor = first["metadata"]["nextCursor"].as_str().unwrap();
    let next = format!("?limit=1&cursor={cursor}");
    assert_eq!(
        names(&read(&node, "dev", &next, key).await.json()),
        ["com.acme/beta"]
    );
    assert_eq!(read(&node, "prod", &next, key).await.status, 400);
    assert_eq!(read(&node, "dev", &next, Some(&node.key)).await.status, 400);
    assert_eq!(
        node.web
            .get(&format!("{}/v0.1/servers{next}", node.url))
            .await
            .unwrap()
            .status,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_for_members_tells_strangers_nothing() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    two_registries(&node, &upstream).await;
    for registry in ["prod", "never"] {
        let stranger = read(&node, registry, "", None).await;
        assert_eq!(stranger.status, 401, "{registry}");
        assert!(
            stranger.header("www-authenticate").starts_with("Bearer"),
            "{registry}"
        );
        assert_eq!(stranger.header("access-control-allow-origin"), "*", "{registry}");
    }
    let (ann, ben) = (node.new_key("ann"), node.new_key("ben"));
    node.cli_json(&[
        "registry",
        "edit",
        "prod",
        "--visibility",
        "only",
        "--reader",
        "key:ann",
    ]);
    let shown = read(&node, "prod", "", Some(&ann)).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.header("vary"), "Authorization");
    assert!(shown.header("cache-control").starts_with("private"));
    let hidden = read(&node, "prod", "", Some(&ben)).await;
    let unknown = read(&node, "never", "", Some(&ben)).await;
    assert_eq!((hidden.status, unknown.status), (404, 404));
    assert_eq!(hidden.text().replace("prod", "never"), unknown.text());
    let listed = node.cli_json(&["--key", &ben, "registry", "list"]);
    let listed: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(listed, [&json!("default"), &json!("dev")]);
    assert_eq!(
        read(&node, "prod", "", Some(&node.key)).await.status,
        200,
        "managers read all"
    );

    // For everybody, under the path of API Center too; and the default one can be closed.
    node.cli_json(&["registry", "edit", "prod", "--visibility", "anonymous"]);
    assert_eq!(
        names(&read(&node, "prod", "", None).await.json()),
        ["com.acme/gamma"]
    );
    let alias = format!("{}/workspaces/prod/v0.1/servers", node.url);
    let alias = node.web.get(&alias).await.unwrap();
    assert_eq!(names(&alias.json()), ["com.acme/gamma"]);
    assert!(alias.header("cache-control").starts_with("public"));
    let main = format!("{}/v0.1/servers", node.url);
    assert_eq!(node.web.get(&main).await.unwrap().status, 200);
    node.cli_json(&["registry", "edit", "default", "--visibility", "members"]);
    assert_eq!(node.web.get(&main).await.unwrap().status, 401);
    for path in ["/", "/?q=gamma", "/servers/com.acme/gamma", "/exports"] {
        let page = node.web.get(&format!("{}{path}", node.url)).await.unwrap();
        assert!(matches!(page.status, 303 | 401 | 403), "{path}: {}", page.status);
    }
    let asked = [("authorization", format!("Bearer {ben}"))];
    let asked = node.web.ask("GET", &main, &asked, String::new()).await.unwrap();
    assert_eq!(asked.status, 200);
    assert_eq!(
        node.cli(&["registry", "delete", "default"]).status.code(),
        Some(1)
    );
    node.cli_json(&["registry", "delete", "prod"]);
    assert_eq!(read(&node, "prod", "", None).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn b4_each_registry_shows_the_gateways_address_in_its_environment() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let test = format!("test={}", upstream.url);
    let production = format!("production={}", upstream.url);
    let added = node.cli_json(&[
        "server",
        "add",
        "com.acme/billing",
        "--deploy",
        &test,
        "--deploy",
        &production,
        "--approve",
    ]);
    assert_eq!(added["route"]["slug"], "billing");
    assert_eq!(added["others"][0]["route"]["slug"], "billing--test");
    node.cli_json(&[
        "registry",
        "create",
        "prod",
        "--environment",
        "production",
        "--visibility",
        "anonymous",
    ]);
    node.cli_json(&[
        "registry",
        "create",
        "tests",
        "--environment",
        "test",
        "--visibility",
        "anonymous",
    ]);
    for (registry, slug) in [("prod", "billing"), ("tests", "billing--test")] {
        let one = read(&node, registry, "/com.acme%2Fbilling/versions/latest", None)
            .await
            .json();
        let list = read(&node, registry, "?version=latest", None).await.json();
        for server in [&one["server"], &list["servers"][0]["server"]] {
            let remotes = server["remotes"].as_array().unwrap();
            assert_eq!(remotes.len(), 1, "{registry}: {server}");
            assert_eq!(remotes[0]["url"], node.endpoint(slug), "{registry}");
            assert!(!server.to_string().contains(&upstream.url), "{registry}");
        }
    }
    let main = node
        .web
        .get(&format!("{}/v0.1/servers", node.url))
        .await
        .unwrap()
        .json();
    assert_eq!(
        main["servers"][0]["server"]["remotes"][0]["url"],
        node.endpoint("billing")
    );
}
