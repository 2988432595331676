//! B6: what a host reads out of a snippet is the setup, for every host and every kind of entry; and what each host gets.

use std::collections::BTreeSet;

use portreeve_registry::install::{Auth, Installation, Launch, Offer, Snippet, SnippetKind};
use serde_json::Value;

use super::decode::{Told, meant, percent_decoded, read};
use super::entries::{SECRET, URL, kinds};

fn found(kind: &str) -> Installation {
    kinds().into_iter().find(|(name, _)| *name == kind).unwrap().1
}

fn offer(kind: &str) -> Offer {
    found(kind).offers.swap_remove(0)
}

fn told<'a>(offer: &'a Offer, host: &str) -> &'a [Snippet] {
    let host = offer.hosts.iter().find(|found| found.id == host);
    host.map_or(&[], |host| &host.snippets)
}

#[test]
fn b6_what_a_host_reads_is_what_was_meant() {
    let mut read_by = BTreeSet::new();
    for (kind, found) in kinds() {
        for offer in &found.offers {
            if matches!(offer.setup.launch, Launch::Bundle { .. }) {
                continue;
            }
            for snippet in offer.hosts.iter().flat_map(|host| &host.snippets) {
                // A host that cannot sign in is told the same with a key.
                let setup = match (snippet.host, &offer.setup.keyed) {
                    ("copilot-coding-agent", Some(keyed)) => keyed,
                    _ => &offer.setup,
                };
                if let Some(told) = read(snippet, setup) {
                    assert_eq!(told, meant(setup), "{kind}, {}: {}", snippet.host, snippet.text);
                    read_by.insert(snippet.host);
                }
            }
        }
    }
    assert_eq!(read_by.len(), 17, "{read_by:?}");
}

#[test]
fn a_route_that_takes_access_tokens_needs_nothing_but_its_url() {
    let offer = offer("http-oauth");
    assert_eq!(offer.setup.auth, Auth::SignIn { own: true });
    assert!(offer.setup.prompts.is_empty());
    for host in &offer.hosts {
        for snippet in host
            .snippets
            .iter()
            .filter(|snippet| snippet.host != "copilot-coding-agent")
        {
            assert!(
                !percent_decoded(&snippet.text).contains("PORTREEVE_KEY"),
                "{}",
                snippet.text
            );
            assert!(
                !percent_decoded(&snippet.text).contains("portreeve_key"),
                "{}",
                snippet.text
            );
        }
    }
    // The one that cannot sign anybody in gets a key, if one is taken.
    assert!(
        told(&offer, "copilot-coding-agent")[0]
            .text
            .contains("Bearer $COPILOT_MCP_PORTREEVE_KEY")
    );
    let only = self::offer("http-oauth-only");
    assert!(told(&only, "copilot-coding-agent").is_empty());
    // A form without a field for a header cannot enter where only keys are taken.
    assert!(told(&self::offer("http-key"), "claude-desktop").is_empty());
}

#[test]
fn b6_no_secret_value_comes_out() {
    for (kind, found) in kinds() {
        let shown = format!("{found:?}");
        assert!(!shown.contains(SECRET), "{kind}");
        for snippet in found
            .offers
            .iter()
            .flat_map(|offer| &offer.hosts)
            .flat_map(|host| &host.snippets)
        {
            assert!(
                !percent_decoded(&snippet.text).contains(SECRET),
                "{kind}: {}",
                snippet.text
            );
        }
    }
}

#[test]
fn j6_copilot_studio_is_told_name_description_url_and_how_one_signs_in() {
    let value = |kind: &str, title: &str| {
        let offer = offer(kind);
        let found = told(&offer, "copilot-studio")
            .iter()
            .find(|snippet| snippet.title == title)
            .cloned();
        found.map(|snippet| {
            assert_eq!(snippet.kind, SnippetKind::Value);
            snippet.text
        })
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(value("http-oauth", "Server name"), is("Billing: \"all\" of it"));
    assert_eq!(
        value("http-oauth", "Server description"),
        is("Invoices, payments & what is due")
    );
    assert_eq!(value("http-oauth", "Server URL"), is(URL));
    assert_eq!(
        value("http-oauth", "Authentication"),
        is("OAuth 2.0, Dynamic discovery")
    );
    assert_eq!(
        value("http-oauth", "Authorization URL"),
        is("https://gw.example/authorize")
    );
    assert_eq!(value("http-oauth", "Scopes"), is("billing:read billing:write"));
    assert_eq!(
        value("http-other-issuer", "Authorization URL"),
        None,
        "another issuer's places are not known"
    );
    assert_eq!(value("http-key", "Authentication"), is("API key, Header"));
    assert_eq!(value("http-key", "Header name"), is("X-Api-Key"));
    assert_eq!(value("http-open", "Authentication"), is("None"));
    assert_eq!(
        value("npm", "Server URL"),
        None,
        "it calls servers over HTTP only"
    );
}

#[test]
fn j6_the_connector_is_swagger_with_one_operation_in_json_and_yaml() {
    for kind in ["http-oauth", "http-key", "http-open", "http-other-issuer"] {
        let connector = found(kind).connector.unwrap();
        let json: Value = serde_json::from_str(&connector.json()).unwrap();
        let yaml: Value = serde_saphyr::from_str(&connector.yaml()).unwrap();
        assert_eq!(json, yaml, "{kind}");
        assert_eq!(json["swagger"], "2.0");
        assert_eq!(
            (&json["host"], &json["schemes"][0]),
            (&"gw.example".into(), &"https".into())
        );
        let operation = &json["paths"]["/s/billing/mcp"]["post"];
        assert_eq!(operation["operationId"], "InvokeMCP");
        assert_eq!(operation["x-ms-agentic-protocol"], "mcp-streamable-1.0");
        let definitions = json["securityDefinitions"].as_object().unwrap();
        let expected = match kind {
            "http-oauth" => vec![("oauth2", "portreeve_oauth")],
            "http-key" => vec![("apiKey", "portreeve_key")],
            "http-other-issuer" => vec![("apiKey", "bearer_token")],
            _ => vec![],
        };
        let found: Vec<_> = definitions
            .iter()
            .map(|(name, of)| (of["type"].as_str().unwrap(), name.as_str()))
            .collect();
        assert_eq!(found, expected, "{kind}");
        for (_, name) in expected {
            assert!(operation["security"][0][name].is_array(), "{kind}");
        }
    }
    assert_eq!(found("npm").connector, None);
}

#[test]
fn a_bundle_is_downloaded_and_checked() {
    let offer = offer("mcpb");
    let all = told(&offer, "claude-desktop");
    assert_eq!(all[0].text, "https://dl.example/billing.mcpb?a=b&c=d");
    assert_eq!(all[1].text.len(), 64);
    let command = &all[2].text;
    let (download, check) = command.split_once(" && ").unwrap();
    let words = super::decode::shell_words(download, &offer.setup);
    assert_eq!(
        words,
        [
            "-fsSL",
            "-o",
            "billing.mcpb",
            "--",
            "https://dl.example/billing.mcpb?a=b&c=d"
        ]
    );
    assert!(check.contains(&all[1].text), "{check}");
    // `&` would be read behind PowerShell.
    assert!(!all.iter().any(|snippet| snippet.kind == SnippetKind::PowerShell));
    assert_eq!(offer.hosts.len(), 1, "nobody else opens one");
}

#[test]
fn powershell_gets_only_words_that_nothing_behind_it_reads() {
    let command = |kind: &str, host: &str| {
        let offer = offer(kind);
        let found = told(&offer, host)
            .iter()
            .find(|snippet| snippet.kind == SnippetKind::PowerShell)
            .cloned();
        found.map(|snippet| snippet.text)
    };
    assert_eq!(
        command("http-key", "claude-code").unwrap(),
        "claude mcp add --transport http billing https://gw.example/s/billing/mcp --header \
         \"Authorization: Bearer ${env:PORTREEVE_KEY}\""
    );
    assert_eq!(
        command("npm", "claude-code").unwrap(),
        "claude mcp add billing --env \"API_KEY=${env:API_KEY}\" --env REGION=eu '--' npx -y '@acme/billing@1.2.3'"
    );
    assert!(
        command("http-key", "vscode")
            .unwrap()
            .starts_with("code --add-mcp '{\\\"name\\\":\\\"com.acme/billing\\\"")
    );
    assert_eq!(command("npm-hard-words", "vscode"), None);
    assert_eq!(command("npm-hard-words", "claude-code"), None);
}

#[test]
fn a_host_that_reads_dollars_is_not_told_words_with_one() {
    let offer = offer("npm-hard-words");
    for host in ["gemini-cli", "copilot-cli", "copilot-coding-agent", "goose"] {
        assert!(told(&offer, host).is_empty(), "{host}");
    }
    let Told::Stdio { args, .. } = meant(&offer.setup) else {
        panic!()
    };
    assert!(args.iter().any(|word| word.contains("$HOME")), "{args:?}");
}

#[test]
fn the_badge_is_markdown_with_our_image() {
    let offer = offer("http-oauth");
    let text = &told(&offer, "readme")[0].text;
    let rest = text
        .strip_prefix("[![Install in VS Code](https://gw.example/badges/install-vscode.svg)](")
        .unwrap();
    let link = rest.strip_suffix(')').unwrap();
    assert!(
        link.starts_with("https://vscode.dev/redirect/mcp/install?name=com.acme%2Fbilling&config="),
        "{link}"
    );
    assert!(!link.contains(['(', ')', ' ', '"', '<']), "{link}");
}
