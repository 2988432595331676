//! What is another server, and what must not be guessed: addresses that differ in a letterand
//! words that no registry is asked for.

use portreeve_registry::clients::Identity;
use serde_json::{Map, Value, json};

use super::{made, of};

#[test]
fn b6_another_path_or_query_is_another_server() {
    let urls = [
        "https://mcp.acme.example",
        "https://mcp.acme.example/mcp",
        "https://mcp.acme.example/mcp/",
        "https://mcp.acme.example/Mcp",
        "https://mcp.acme.example/mcp?project=a",
        "https://mcp.acme.example/mcp?project=b",
        "https://mcp.acme.example/mcp?project=0a1b2c3d4e5f60718293",
        "https://mcp.acme.example/mcp?project=0a1b2c3d4e5f60718294",
        "https://mcp.acme.example/mcp?token=abcdefgh1",
        "https://mcp.acme.example/mcp?token=abcdefgh2",
    ];
    let servers: Map<String, Value> = urls
        .iter()
        .enumerate()
        .map(|(number, url)| (format!("server{number}"), json!({"url": url})))
        .collect();
    let made = made(&of("cursor", &json!({"mcpServers": servers})));
    assert_eq!(made.proposals.len(), urls.len(), "{:?}", made.left_out);
    let registered = |url: &str| Identity::of_document(&json!({"remotes": [{"url": url}]}));
    for (number, url) in urls.iter().enumerate() {
        let known = registered(url);
        let same: Vec<&str> = made
            .proposals
            .iter()
            .filter(|proposal| known.contains(&proposal.identity))
            .map(|proposal| proposal.name())
            .collect();
        assert_eq!(same, [format!("com.acme/server{number}")], "{url}");
    }
    assert_eq!(
        registered(urls[0]),
        registered("HTTPS://ann:pw@MCP.acme.example:443/?")
    );
    // The identity is exact, and says nothing of it: not in what is sent, and not to who prints it.
    let said = format!("{:?}", made.proposals);
    for secret in ["abcdefgh", "0a1b2c3d4e5f6071829", "project=a"] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
}

#[test]
fn b6_no_word_that_looks_secret_is_looked_up() {
    let file = json!({"mcpServers": {
        "billing": {"url": "https://mcp.acme.example/s/team-billing/mcp"},
        "AKIA0a1b2c3d4e5f6071": {"url": "https://0a1b2c3d4e5f60718293.mcp.example/mcp"},
        "ghp_short": {"url": "https://tools.example/s/0a1b2c3d4e5f60718293/mcp"},
        "eyJhbGci": {"command": "npx", "args": ["@acme/tool"]},
    }});
    let made = made(&of("cursor", &file));
    let told: Vec<(Option<&str>, &[String])> = made
        .proposals
        .iter()
        .map(|proposal| (proposal.askable_name(), proposal.words()))
        .collect();
    let words: Vec<String> = told.iter().flat_map(|(_, words)| words.to_vec()).collect();
    assert_eq!(words.len(), 5, "{told:?}");
    for word in ["acme", "team-billing", "billing", "tools", "tool"] {
        assert!(words.contains(&word.to_owned()), "{word}: {told:?}");
    }
    let names: Vec<&str> = told.iter().filter_map(|(name, _)| *name).collect();
    assert_eq!(names, ["com.acme/billing"]);
}
