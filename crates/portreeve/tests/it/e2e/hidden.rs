//! A forbid of `view` through the door: lists, search and single looks hide the inside of a server, from viewers, from
//! publishers and from the groups that own it; who manages everything keeps seeing it.

use serde_json::Value;

use crate::node::Node;

const OPEN: &str = "com.acme/notes";
const HIDDEN: &str = "com.acme/payroll";

fn key_of(node: &Node, name: &str, group: &str) -> String {
    let made = node.cli_json(&["key", "create", name, "--group", group]);
    let secret = ["secret", "key"].iter().find_map(|field| made[*field].as_str());
    secret.unwrap_or_else(|| panic!("{made}")).to_owned()
}

async fn get(node: &Node, key: &str, path: &str) -> (u16, Value) {
    let headers = [("authorization", format!("Bearer {key}"))];
    let url = format!("{}{path}", node.url);
    let answer = node.web.ask("GET", &url, &headers, String::new()).await.unwrap();
    (answer.status, answer.json())
}

/// The names in a list, in their order.
fn names(page: &Value) -> Vec<String> {
    let items = ["items", "servers"]
        .iter()
        .find_map(|field| page[*field].as_array());
    let items = items.unwrap_or_else(|| panic!("{page}"));
    let name = |item: &Value| {
        let name = ["/name", "/server/name"]
            .iter()
            .find_map(|at| item.pointer(at)?.as_str());
        name.unwrap_or_else(|| panic!("{item}")).to_owned()
    };
    let mut names: Vec<String> = items.iter().map(name).collect();
    names.sort();
    names.dedup();
    names
}

/// What a key finds in the list and by a search, and whether a single look shows the hidden one.
async fn sees(node: &Node, key: &str) -> (Vec<String>, Vec<String>, bool) {
    let (status, list) = get(node, key, "/api/v1/servers").await;
    assert_eq!(status, 200, "{list}");
    let (status, found) = get(node, key, "/api/v1/search?q=harbour").await;
    assert_eq!(status, 200, "{found}");
    let (status, _) = get(node, key, "/api/v1/servers/com.acme%2Fpayroll").await;
    assert!(status == 200 || status == 404, "{status}");
    (names(&list), names(&found), status == 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbid_of_view_hides_what_waits_from_everybody_but_who_manages() {
    let node = Node::start().await;
    for name in [OPEN, HIDDEN] {
        let url = "https://mcp.acme.example/mcp";
        let described = ["--description", "Kept in the harbour", "--owner-group", "people"];
        node.cli_json(&[&["server", "add", name, "--url", url][..], &described].concat());
    }
    let (viewer, owner) = (
        key_of(&node, "viewer", "interns"),
        key_of(&node, "owner", "people"),
    );
    node.cli_json(&["grant", "add", "--key", "viewer", "--role", "viewer"]);
    let both = vec![OPEN.to_owned(), HIDDEN.to_owned()];
    assert_eq!(sees(&node, &viewer).await, (both.clone(), both.clone(), true));
    // Members of the owning group look at their own one by one.
    assert!(sees(&node, &owner).await.2);

    let text = r#"forbid (principal, action == Action::"view", resource == Server::"com.acme/payroll");"#;
    let path = node.data().join("hidden.cedar");
    std::fs::write(&path, text).unwrap();
    node.cli_json(&["access", "set", "hidden", "-f", &path.to_string_lossy()]);

    let open = vec![OPEN.to_owned()];
    assert_eq!(sees(&node, &viewer).await, (open.clone(), open, false));
    assert!(!sees(&node, &owner).await.2, "the owning group is everybody, too");
    for key in [&viewer, &owner] {
        let path = "/v0.1/servers/com.acme%2Fpayroll/versions/1.0.0";
        assert_eq!(get(&node, key, path).await.0, 404);
    }
    let admin = node.key.clone();
    assert_eq!(sees(&node, &admin).await, (both.clone(), both.clone(), true));

    node.cli_json(&["access", "disable", "hidden"]);
    assert_eq!(sees(&node, &viewer).await, (both.clone(), both, true));
    assert!(sees(&node, &owner).await.2);
}
