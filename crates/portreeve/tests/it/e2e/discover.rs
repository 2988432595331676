//! The pages that people open first, from the program as it is: Discover without a network or a third party, in the look of
//! the installation, and the README of a server.

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::node::Node;

/// Everything that a page makes a browser ask for.
fn asked(page: &str) -> Vec<&str> {
    let sources = [
        "src=\"",
        "srcset=\"",
        "<link rel=\"stylesheet\" href=\"",
        "<link rel=\"icon\" href=\"",
    ];
    sources
        .iter()
        .flat_map(|mark| page.split(mark).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn d_2_discover_is_there_at_first_start_and_asks_nobody_else() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("p.toml");
    let logo = folder.path().join("logo.svg");
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"><path d=\"M0 0h8v8z\"/></svg>";
    std::fs::write(&logo, svg).unwrap();
    let text = format!(
        "[portal]\nname = \"Acme tools\"\naccent = \"#7a1fa2\"\nlogo = \"{}\"\n",
        logo.display()
    );
    std::fs::write(&config, text).unwrap();
    let node = Node::start_with(&["--config", config.to_str().unwrap()]).await;
    let mut bytes = 0;
    for path in ["/discover", "/discover/stripe/stripe", "/"] {
        let begun = Instant::now();
        let page = node.web.get(&format!("{}{path}", node.url)).await.unwrap();
        assert_eq!(page.status, 200, "{path}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{path}");
        let text = page.text();
        assert!(text.contains("· Acme tools</title>"), "{path}: {text}");
        for source in asked(&text) {
            assert!(source.starts_with('/'), "{path} asks for {source}");
        }
        if path == "/discover" {
            bytes += text.len();
            assert!(text.contains("href=\"/discover/asana/asana\""), "{text}");
            for source in asked(&text) {
                let part = node.web.get(&format!("{}{source}", node.url)).await.unwrap();
                assert_eq!(part.status, 200, "{source}");
                bytes += part.body.len();
                assert!(!part.text().contains("onload"), "{source}");
            }
        }
    }
    assert!(bytes < 100 * 1024, "{bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_readme_comes_from_a_file_and_is_no_part_of_what_strangers_see() {
    let folder = TempDir::new().unwrap();
    let node = Node::start().await;
    let document = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.acme/notes", "description": "Notes", "version": "1.0.0",
        "packages": [{
            "registryType": "npm", "identifier": "@acme/notes", "version": "1.0.0", "transport": {"type": "stdio"},
        }],
    });
    let (file, readme) = (folder.path().join("server.json"), folder.path().join("README.md"));
    std::fs::write(&file, document.to_string()).unwrap();
    std::fs::write(&readme, "# Notes\n\nTakes **notes**.\n").unwrap();
    node.cli_json(&["server", "add", "--file", file.to_str().unwrap(), "--approve"]);
    let edited = node.cli_json(&[
        "server",
        "edit",
        "com.acme/notes",
        "--readme",
        readme.to_str().unwrap(),
    ]);
    assert_eq!(edited["profile"]["readme"], "# Notes\n\nTakes **notes**.");
    let page = node
        .web
        .get(&format!("{}/servers/com.acme/notes", node.url))
        .await
        .unwrap();
    assert!(!page.text().contains("Takes <strong>"), "{}", page.text());
    let missing = node.cli(&[
        "server",
        "edit",
        "com.acme/notes",
        "--readme",
        "/nowhere/README.md",
    ]);
    assert!(!missing.status.success());
}
