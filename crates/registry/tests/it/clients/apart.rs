//! What is another server, and what must not be guessed: addresses that differ in a letter, options that nobody knows, and
//! words that no registry is asked for.

use portreeve_registry::clients::Identity;
use serde_json::{Map, Value, json};

use super::{cursor, made, of, one};

#[test]
fn b6_an_option_that_is_not_known_hides_no_package() {
    let server = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        cursor(&json!({"command": words[0], "args": words[1..].to_vec()}))
    };
    for (line, expected) in [
        ("npx -y --loglevel silent tool serve", "tool"),
        ("npx --frobnicate=x tool", "tool"),
        ("npx -p @acme/tool --frobnicate x run", "@acme/tool"),
        ("npx --frobnicate --package=@acme/tool run", "@acme/tool"),
        ("npm exec --prefix x -- tool", "tool"),
        ("bunx --bun tool", "tool"),
        ("uvx --with other --prerelease allow tool", "tool"),
        ("uvx --from acme-tool --frobnicate x run", "acme-tool"),
        ("pipx run --spec=acme-tool run", "acme-tool"),
        ("dnx --verbosity quiet Acme.Tool --yes -- serve", "Acme.Tool"),
    ] {
        let document = one("cursor", &server(line));
        assert_eq!(document["packages"][0]["identifier"], expected, "{line}");
    }
    for line in [
        "npx -y --frobnicate x tool",
        // Whether this is its own option or that of `x` cannot be told, either.
        "npx --frobnicate x -p tool run",
        "npx -z x tool",
        "pnpm dlx --frobnicate x tool",
        "uvx --frobnicate x tool",
        "uv tool run --frobnicate x tool",
        "dnx --frobnicate x Acme.Tool",
    ] {
        let made = made(&of("cursor", &server(line)));
        assert!(made.proposals.is_empty(), "{line}");
        assert!(
            made.left_out[0].1.contains("not understood"),
            "{line}: {:?}",
            made.left_out
        );
    }
    let document = one("cursor", &server("dnx Acme.Tool --version 1.2.0 --yes"));
    assert_eq!(document["packages"][0]["version"], "1.2.0");
}

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
        "quay": {"url": "https://mcp.quay.example/s/hunter-two/mcp", "headers": {"X-Key": "hunter-two"}},
        "eyJhbGci": {"command": "npx", "args": ["@acme/tool"]},
    }});
    let made = made(&of("cursor", &file));
    let told: Vec<(Option<&str>, &[String])> = made
        .proposals
        .iter()
        .map(|proposal| (proposal.askable_name(), proposal.words()))
        .collect();
    let words: Vec<String> = told.iter().flat_map(|(_, words)| words.to_vec()).collect();
    assert_eq!(words.len(), 6, "{told:?}");
    for word in ["acme", "team-billing", "billing", "tools", "quay", "tool"] {
        assert!(words.contains(&word.to_owned()), "{word}: {told:?}");
    }
    let names: Vec<&str> = told.iter().filter_map(|(name, _)| *name).collect();
    assert_eq!(names, ["com.acme/billing", "com.acme/quay"]);
}
